/**
 * What each fault must come to in each state: data, judged cell by cell from the contract (the closed list of causes, DESIGN §7,
 * the redial rules of modemd.conf(5)), not from what the code does. Pure.
 *
 * A cell names the causes that the link may show, and how soon it is up again, counted from the moment the fault struck, or,
 * where somebody has to act first, from that act; at the end of a call that is the next connect.
 */

import type { Cause } from '../../src/base/cause.ts'
import { FAULT_TABLE, type FaultName, type Stage } from '../../src/sim/fault-table.ts'

export const STATES = [
  'detecting',
  'sim',
  'registering',
  'dialling',
  'lcp',
  'auth',
  'ipcp',
  'up',
  'hanging-up',
] as const
export type State = (typeof STATES)[number]

/** Where the simulator lets the fault strike. */
export const STAGE_OF: Readonly<Record<State, Stage>> = {
  detecting: 'command',
  sim: 'sim',
  registering: 'search',
  dialling: 'dial',
  lcp: 'establish',
  auth: 'authenticate',
  ipcp: 'network',
  up: 'running',
  'hanging-up': 'terminate',
}

/** What somebody does where the link rightly stays down. */
export type Remedy = 'plug in' | 'put the SIM in' | 'plug in anew' | 'connect'

export interface Expected {
  /** One of them must be seen; empty: the link may never show a failure. */
  readonly causes: readonly Cause[]
  /** These may be seen, too. */
  readonly also?: readonly Cause[]
  readonly withinS: number
  /** Without it the link stays down, and does not dial. */
  readonly remedy?: Remedy
  /** Too late for this call: it strikes the next, after the operator has hung up. */
  readonly isNext?: boolean
}

/** What a lost context comes to depends on the port beside the call: `test/modem/packet-events.test.ts`. */
export type MatrixFault = Exclude<FaultName, 'unplug' | 'context-lost'>

export interface Row {
  /** As `modem-sim ctl SOCKET fault` takes it; without `at=`. */
  readonly words: string
  readonly cells: Readonly<Record<State, Expected>>
}

const BEFORE_THE_CALL = ['detecting', 'sim', 'registering'] as const
const BEFORE_CONNECT = [...BEFORE_THE_CALL, 'dialling'] as const
const IN_THE_CALL = ['lcp', 'auth', 'ipcp', 'up'] as const

const WHILE_COMING_UP = ['lcp', 'auth', 'ipcp'] as const

/** Nobody notices, or the daemon copes by itself. */
function quiet(withinS: number, also: readonly Cause[] = []): Expected {
  return { causes: [], also, withinS }
}

function fails(causes: Cause | readonly Cause[], withinS: number, also: readonly Cause[] = []): Expected {
  return { causes: typeof causes === 'string' ? [causes] : causes, also, withinS }
}

/** The operator's hang-up that makes the link dial again is seen, too. */
function next(expected: Expected): Expected {
  return { ...expected, also: [...(expected.also ?? []), 'hung-up'], isNext: true }
}

function stops(expected: Expected, remedy: Remedy): Expected {
  return { ...expected, remedy }
}

function cells(...parts: readonly (readonly [State | readonly State[], Expected])[]): Row['cells'] {
  const row = new Map(
    parts.flatMap(([states, expected]) => [states].flat().map((state) => [state as State, expected] as const)),
  )
  const missing = STATES.filter((state) => !row.has(state))
  if (missing.length > 0) throw new Error(`no expectation for ${missing.join(', ')}`)
  return Object.fromEntries(row) as Row['cells']
}

/**
 * A spoilt reply. In a call the modem's other port has it, and the call goes on; at the end of a call it is one of the answers
 * that say whether the modem is back in command mode, and the next connect must work.
 */
function reply(words: string, beforeS: number, dialling: Expected, endS = beforeS): Row {
  return {
    words,
    cells: cells(
      [BEFORE_THE_CALL, quiet(beforeS)],
      ['dialling', dialling],
      [WHILE_COMING_UP, quiet(5)],
      ['up', quiet(0)],
      ['hanging-up', quiet(endS)],
    ),
  }
}

/** The next dial ends so, and the one after it works; the first dial, or one after a hang-up, whose pause may be longer. */
function dial(words: string, cause: Cause, withinS: number, laterWithinS = withinS): Row {
  return {
    words,
    cells: cells(
      [BEFORE_CONNECT, fails(cause, withinS)],
      [IN_THE_CALL, next(fails(cause, laterWithinS))],
      ['hanging-up', fails(cause, withinS)],
    ),
  }
}

/** Strikes the call up to the last of these states, later the next call. */
function call(words: string, until: State, expected: Expected, changes: Partial<Row['cells']> = {}): Row {
  const last = STATES.indexOf(until)
  const parts = STATES.map((state, index): [State, Expected] => {
    const isLate = index > last && state !== 'hanging-up'
    return [state, changes[state] ?? (isLate ? next(expected) : expected)]
  })
  return { words, cells: cells(...parts) }
}

/** The device goes and comes back by itself. Where no link had it yet, nothing was lost. */
function away(words: string, withinS: number): Row {
  return {
    words,
    cells: cells(
      [BEFORE_THE_CALL, quiet(withinS, ['modem-gone'])],
      [['dialling', ...IN_THE_CALL], fails('modem-gone', withinS)],
      ['hanging-up', quiet(withinS, ['modem-gone'])],
    ),
  }
}

export const EXPECTATIONS: Readonly<Record<MatrixFault, Row>> = {
  // --- of a reply ---
  garbage: reply('garbage 40', 10, quiet(10)),
  split: reply('split 5', 10, quiet(10)),
  // The question comes again after 5 s of silence at the latest, and a step that failed after a second.
  late: reply('late 5', 20, quiet(15)),
  silent: reply('silent', 20, fails('dial-timeout', 80)),
  truncated: reply('truncated', 20, quiet(45, ['no-carrier'])),
  duplicated: reply('duplicated', 10, quiet(10)),
  // A CONNECT that nobody heard: the operator gives up after 30 s.
  'final-lost': reply('final-lost', 20, fails('no-carrier', 45)),
  'unsolicited-inside': reply('unsolicited-inside', 10, quiet(10)),
  'echo-flip': reply('echo-flip', 10, quiet(10)),
  'error-n-times': reply('error-n-times 1', 10, fails('modem-error', 10)),

  // --- of a dial: the redial rules of the causes, and twice as long after a hang-up where they grow ---
  'no-carrier': dial('no-carrier', 'no-carrier', 10, 15),
  busy: dial('busy', 'busy', 10),
  'no-dialtone': dial('no-dialtone', 'no-dialtone', 65),
  'no-answer': dial('no-answer', 'no-answer', 35, 65),
  'hangup-mid-dial': dial('hangup-mid-dial', 'hung-up', 10),

  // --- of a call ---
  'hangup-mid-lcp': call('hangup-mid-lcp', 'lcp', fails('hung-up', 10)),
  // Ten Configure-Requests, 3 s apart at most.
  'lcp-nak-forever': call('lcp-nak-forever', 'lcp', fails('lcp-timeout', 60)),
  'auth-fail': call('auth-fail', 'auth', stops(fails('auth-refused', 10), 'connect')),
  'ipcp-no-address': call('ipcp-no-address', 'ipcp', fails('no-address', 30)),
  'hangup-up': call('hangup-up 0', 'up', fails('hung-up', 10)),
  // A peer that has answered one keep-alive, and none of the next three, 10 s apart.
  'echo-dead': call('echo-dead 25', 'up', fails('echo-lost', 80)),
  loopback: call('loopback', 'up', fails('loopback', 60), {
    // Nobody answers the log-in, and the magic number of our own Echo-Requests says why.
    auth: fails('loopback', 75),
    // Five Echo-Requests of our own, 10 s apart, and the redial's 30 s.
    up: fails('loopback', 85),
  }),
  // A byte in a hundred is wrong: slow, perhaps given up and dialled again, never taken for somebody's refusal.
  'bit-errors': call('bit-errors 0.01', 'up', quiet(200, ['lcp-timeout', 'echo-lost', 'hung-up'])),

  // --- of the device ---
  'unplug-at': {
    words: 'unplug',
    cells: cells(
      ['detecting', stops(quiet(10), 'plug in')],
      [['sim', 'registering'], stops(quiet(10, ['modem-gone']), 'plug in')],
      [['dialling', ...IN_THE_CALL], stops(fails('modem-gone', 10), 'plug in')],
      ['hanging-up', stops(quiet(10, ['modem-gone']), 'plug in')],
    ),
  },
  replug: away('replug 1', 10),
  reboot: away('reboot 2', 10),
  'port-moves': away('port-moves 1', 10),
  // What is still plugged in is asked again after 1 and 5 s.
  'pty-close': away('pty-close 1', 15),
  'sim-removed': {
    words: 'sim-removed',
    cells: cells(
      [BEFORE_THE_CALL, stops(fails('sim-absent', 15), 'put the SIM in')],
      // By the contract, an ERROR to the dial is modem-error; what is behind it shows with the next.
      ['dialling', stops(fails('sim-absent', 15, ['modem-error']), 'put the SIM in')],
      [IN_THE_CALL, stops(fails('sim-absent', 15), 'put the SIM in')],
      ['hanging-up', stops(fails('sim-absent', 15), 'put the SIM in')],
    ),
  },
  'sim-failed': {
    words: 'sim-failed',
    cells: cells(
      [BEFORE_THE_CALL, stops(fails('sim-failed', 15), 'plug in anew')],
      ['dialling', stops(fails('sim-failed', 15, ['modem-error']), 'plug in anew')],
      [IN_THE_CALL, stops(fails('sim-failed', 15), 'plug in anew')],
      ['hanging-up', stops(fails('sim-failed', 15), 'plug in anew')],
    ),
  },
  'sim-busy': {
    words: 'sim-busy 5',
    cells: cells(
      [['detecting', 'sim'], quiet(20)],
      // By the contract an ERROR to the dial is modem-error, whatever the SIM does.
      [['registering', 'dialling'], quiet(20, ['modem-error'])],
      [WHILE_COMING_UP, quiet(5)],
      ['up', quiet(0)],
      ['hanging-up', quiet(20, ['modem-error'])],
    ),
  },
  // Half a minute without: then the network is found again by its report.
  'network-lost': {
    words: 'network-lost 30',
    cells: cells(
      [BEFORE_THE_CALL, quiet(40)],
      ['dialling', fails(['no-network', 'no-carrier'], 40)],
      [IN_THE_CALL, fails('hung-up', 40, ['no-network'])],
      ['hanging-up', quiet(40, ['no-network'])],
    ),
  },
  // Where there is no call, nobody can hang up.
  'hang-up': {
    words: 'hang-up',
    cells: cells([BEFORE_CONNECT, quiet(5)], [IN_THE_CALL, fails('hung-up', 10)], ['hanging-up', quiet(5)]),
  },
}

/** Some modems take longer to be there and to register; a UART that lost its modem is asked again with pauses up to 10 s. */
const SLOWER_S: Readonly<Record<string, number>> = { 'simcom-sim800': 25 }
const SLOWER_USB_S = 8

/** Of these no LCP Echo-Request is ever answered, so that a dead peer cannot be told from a living one. */
const ANSWERS_NO_ECHO: readonly string[] = ['huawei-e173']

/** For this kind of modem. One with a single port answers no command during a call: a reply is spoilt only after it. */
export function expectationOf(fault: MatrixFault, state: State, personality: string, hasOnePort: boolean): Expected {
  const slowerS = personality === 'generic' ? 0 : (SLOWER_S[personality] ?? SLOWER_USB_S)
  const isInCall = (IN_THE_CALL as readonly State[]).includes(state)
  if (hasOnePort && isInCall && FAULT_TABLE[fault].kind === 'reply') return next(quiet(20 + slowerS))
  const expected = ofItsKind(fault, state, personality, hasOnePort)
  const isUndisturbed = expected.causes.length === 0 && expected.withinS === 0
  return isUndisturbed ? expected : { ...expected, withinS: expected.withinS + slowerS }
}

function ofItsKind(fault: MatrixFault, state: State, personality: string, hasOnePort: boolean): Expected {
  if (fault === 'echo-dead' && ANSWERS_NO_ECHO.includes(personality)) return quiet(state === 'up' ? 0 : 10)
  // No other port can be asked whether the call that nobody heard of stands.
  const isDial = state === 'dialling' && hasOnePort
  if (isDial && fault === 'final-lost') return fails('dial-timeout', 75)
  if (isDial && fault === 'truncated') return quiet(75, ['dial-timeout'])
  return EXPECTATIONS[fault].cells[state]
}

/** Where what was armed in a state does its work, when that is not at once. */
const WORKS_IN: Readonly<Partial<Record<MatrixFault, readonly State[]>>> = {
  'hangup-mid-lcp': ['lcp'],
  'lcp-nak-forever': ['lcp'],
  'auth-fail': ['auth'],
  'ipcp-no-address': ['ipcp'],
  'hangup-up': ['up'],
  'echo-dead': ['up'],
  loopback: IN_THE_CALL,
  'bit-errors': IN_THE_CALL,
}

/**
 * Armed in this state, it strikes only in a later one, or the next dial or call: another cell's case, begun elsewhere. A reply in
 * a call is that to the next question, when the link is up.
 */
export function strikesLater(fault: MatrixFault, state: State): boolean {
  const { kind } = FAULT_TABLE[fault]
  if (kind === 'dial') return state !== 'dialling'
  if (kind === 'reply' || fault === 'sim-busy') return (WHILE_COMING_UP as readonly State[]).includes(state)
  return WORKS_IN[fault]?.includes(state) === false
}

export const MATRIX_FAULTS = Object.keys(EXPECTATIONS) as readonly MatrixFault[]
