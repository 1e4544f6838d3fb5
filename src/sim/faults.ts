/**
 * Faults by name, as `modem-sim ctl SOCKET fault NAME …` and `--fault` arm them: what goes wrong with the next reply, dial or
 * call, or at a stage of the modem's life. Seeded: the same run goes wrong the same way. Asked by `at-port.ts`, `operator.ts`
 * and `simulator.ts`.
 */

import { fromLatin1, latin1 } from '../base/bytes.ts'
import { ModemdError } from '../base/errors.ts'
import { type Random, randomFraction } from '../base/ports.ts'

type FaultKind = 'reply' | 'dial' | 'call' | 'stage' | 'device'

interface FaultEntry {
  readonly kind: FaultKind
  readonly meaning: string
  /** Of the value, where the fault takes one; a text default may be any text. */
  readonly value?: { readonly name: string; readonly byDefault: string }
}

/** `unplug-at` knows these: AT first answered, a PIN accepted, registered, dialling, CONNECT, and the phases of PPP. */
export const STAGES = [
  'command',
  'pin',
  'registered',
  'dial',
  'connect',
  'establish',
  'authenticate',
  'network',
  'running',
] as const
export type Stage = (typeof STAGES)[number]

const TABLE = {
  garbage: { kind: 'reply', meaning: 'random bytes before the reply', value: { name: 'BYTES', byDefault: '16' } },
  split: { kind: 'reply', meaning: 'the reply comes byte by byte', value: { name: 'MS', byDefault: '5' } },
  late: { kind: 'reply', meaning: 'the reply comes so much later', value: { name: 'S', byDefault: '5' } },
  silent: { kind: 'reply', meaning: 'no reply, and the command is not carried out' },
  truncated: { kind: 'reply', meaning: 'the reply breaks off half-way' },
  duplicated: { kind: 'reply', meaning: 'the reply comes twice' },
  'final-lost': { kind: 'reply', meaning: 'the reply without its result word' },
  'unsolicited-inside': { kind: 'reply', meaning: 'a report between the lines of the reply' },
  'echo-flip': { kind: 'reply', meaning: 'the echo switches over by itself' },
  'error-n-times': { kind: 'reply', meaning: 'so many commands get ERROR', value: { name: 'N', byDefault: '1' } },
  'no-carrier': { kind: 'dial', meaning: 'the dial ends in NO CARRIER' },
  busy: { kind: 'dial', meaning: 'the dial ends in BUSY' },
  'no-dialtone': { kind: 'dial', meaning: 'the dial ends in NO DIALTONE' },
  'no-answer': { kind: 'dial', meaning: 'the dial ends in NO ANSWER' },
  'hangup-mid-dial': { kind: 'dial', meaning: 'CONNECT, and the line drops at once' },
  'auth-fail': { kind: 'call', meaning: 'the operator refuses whatever name and password come' },
  'hangup-mid-lcp': { kind: 'call', meaning: 'the line drops while LCP negotiates' },
  'hangup-up': {
    kind: 'call',
    meaning: 'the operator hangs up so long after the link is up',
    value: { name: 'S', byDefault: '0' },
  },
  'lcp-nak-forever': { kind: 'call', meaning: 'every LCP Configure-Request gets a Nak' },
  'ipcp-no-address': { kind: 'call', meaning: 'the operator has no address to give' },
  'echo-dead': {
    kind: 'call',
    meaning: 'LCP Echo-Requests are no longer answered, so long after the link is up',
    value: { name: 'S', byDefault: '0' },
  },
  loopback: { kind: 'call', meaning: 'the line sends back what it gets' },
  'bit-errors': {
    kind: 'call',
    meaning: 'this part of the bytes has a wrong bit',
    value: { name: 'P', byDefault: '0.001' },
  },
  'unplug-at': {
    kind: 'stage',
    meaning: `unplugs itself at ${STAGES.join(', ')}`,
    value: { name: 'STATE', byDefault: 'dial' },
  },
  unplug: { kind: 'device', meaning: 'unplugs itself now' },
  replug: { kind: 'device', meaning: 'unplugs itself and comes back', value: { name: 'S', byDefault: '1' } },
  reboot: { kind: 'device', meaning: 'restarts as after +CFUN=1,1', value: { name: 'S', byDefault: '2' } },
  'port-moves': { kind: 'device', meaning: 'comes back with other tty numbers', value: { name: 'S', byDefault: '1' } },
  'pty-close': { kind: 'device', meaning: 'the ttys hang up while the device stays' },
  'sim-removed': { kind: 'device', meaning: 'the SIM is taken out' },
  'sim-failed': { kind: 'device', meaning: 'the SIM answers no more: SIM failure' },
  'sim-busy': { kind: 'device', meaning: 'the SIM is busy', value: { name: 'S', byDefault: '5' } },
  'network-lost': { kind: 'device', meaning: 'no network any more' },
  'hang-up': { kind: 'device', meaning: 'the operator ends the call now' },
} as const satisfies Readonly<Record<string, FaultEntry>>

export type FaultName = keyof typeof TABLE
type NameOf<K extends FaultKind> = { [N in FaultName]: (typeof TABLE)[N]['kind'] extends K ? N : never }[FaultName]
export type ReplyFault = NameOf<'reply'>
export type DialFault = NameOf<'dial'>
export type CallFault = NameOf<'call'>
export type DeviceFault = NameOf<'device'>

export interface Fault<N extends FaultName = FaultName> {
  readonly name: N
  readonly value: string
}

interface Armed extends Fault {
  /** Only for commands that begin so, without AT; '': any. */
  readonly on: string
  timesLeft: number
}

export const FAULT_LIST: readonly string[] = (Object.entries(TABLE) as [string, FaultEntry][]).map(
  ([name, { meaning, value }]) => `${name}${value ? ` [${value.name}=${value.byDefault}]` : ''}: ${meaning}`,
)

/** A piece of a reply, so long after the one before. */
export interface DelayedBytes {
  readonly bytes: Uint8Array
  readonly afterMs: number
}

/** Of one modem. */
export class FaultPlan {
  readonly #random: Random
  #armed: Armed[] = []
  #silentUntilMs = 0

  constructor(random: Random) {
    this.#random = random
  }

  /**
   * `garbage 20 on=+CSQ times=3`; `times=always` stays. A device fault is not kept but given back: it happens now.
   * Throws ModemdError InvalidArgs with the names there are.
   */
  arm(words: readonly string[]): Fault<DeviceFault> | undefined {
    const [name = '', ...rest] = words
    if (!isFaultName(name))
      throw new ModemdError('InvalidArgs', `there is no fault "${name}": take one of ${Object.keys(TABLE).join(', ')}`)
    const entry: FaultEntry = TABLE[name]
    const options = new Map(rest.filter((word) => word.includes('=')).map((word) => splitOption(word)))
    const value = rest.find((word) => !word.includes('=')) ?? entry.value?.byDefault ?? ''
    for (const key of options.keys())
      if (key !== 'on' && key !== 'times')
        throw new ModemdError('InvalidArgs', `fault options are on=COMMAND and times=N, not ${key}=`)
    if (name === 'unplug-at' && !(STAGES as readonly string[]).includes(value))
      throw new ModemdError('InvalidArgs', `unplug-at takes one of ${STAGES.join(', ')}`)
    if (entry.value && name !== 'unplug-at' && !(Number(value) >= 0))
      throw new ModemdError('InvalidArgs', `${name} takes a number as ${entry.value.name}, not "${value}"`)
    const times = options.get('times') ?? (name === 'error-n-times' ? value : '1')
    const timesLeft = times === 'always' ? Number.POSITIVE_INFINITY : Number(times)
    if (!(timesLeft >= 1)) throw new ModemdError('InvalidArgs', 'times takes a number from 1, or always')
    if (entry.kind === 'device') return { name: name as DeviceFault, value }
    this.#armed.push({ name, value, on: (options.get('on') ?? '').toUpperCase().replace(/^AT/, ''), timesLeft })
    return undefined
  }

  clear(): void {
    this.#armed = []
    this.#silentUntilMs = 0
  }

  silence(untilMs: number): void {
    this.#silentUntilMs = untilMs
  }

  isSilent(nowMs: number): boolean {
    return nowMs < this.#silentUntilMs
  }

  /** For the reply to this command (`+CSQ?`). One fault at a time, the first that was armed. */
  takeReply(command: string): Fault<ReplyFault> | undefined {
    return this.#take('reply', (armed) => command.toUpperCase().startsWith(armed.on)) as Fault<ReplyFault> | undefined
  }

  takeDial(): DialFault | undefined {
    return this.#take('dial')?.name as DialFault | undefined
  }

  /** All that were armed for the next call. */
  takeCall(): ReadonlyMap<CallFault, string> {
    const faults = new Map<CallFault, string>()
    for (const { name } of [...this.#armed]) {
      const taken = faults.has(name as CallFault) ? undefined : this.#take('call', (armed) => armed.name === name)
      if (taken) faults.set(taken.name as CallFault, taken.value)
    }
    return faults
  }

  takeStage(stage: Stage): boolean {
    return this.#take('stage', (armed) => armed.value === stage) !== undefined
  }

  /** What comes of a reply under a fault; `silent` and `error-n-times` never get so far. */
  damage(fault: Fault<ReplyFault>, reply: string): readonly DelayedBytes[] {
    const now = (text: string): readonly DelayedBytes[] => [{ bytes: latin1(text), afterMs: 0 }]
    const finalAt = Math.max(0, reply.lastIndexOf('\r\n', reply.length - 3))
    switch (fault.name) {
      case 'garbage':
        return now(fromLatin1(this.#random.bytes(Number(fault.value))) + reply)
      case 'split':
        return [...reply].map((char, index) => ({
          bytes: latin1(char),
          afterMs: index === 0 ? 0 : Number(fault.value),
        }))
      case 'late':
        return [{ bytes: latin1(reply), afterMs: Number(fault.value) * 1000 }]
      case 'truncated':
        return now(reply.slice(0, 1 + Math.floor(randomFraction(this.#random) * (reply.length - 1))))
      case 'duplicated':
        return now(reply + reply)
      case 'final-lost':
        return now(reply.slice(0, finalAt))
      case 'unsolicited-inside':
        return now(`${reply.slice(0, finalAt)}\r\n+CREG: 1\r\n${reply.slice(finalAt)}`)
      case 'silent':
      case 'error-n-times':
      case 'echo-flip':
        return now(reply)
    }
  }

  #take(kind: FaultKind, fits: (armed: Armed) => boolean = () => true): Fault | undefined {
    const found = this.#armed.find((armed) => TABLE[armed.name].kind === kind && fits(armed))
    if (!found) return undefined
    found.timesLeft--
    if (found.timesLeft <= 0) this.#armed = this.#armed.filter((armed) => armed !== found)
    return found
  }
}

function isFaultName(name: string): name is FaultName {
  return Object.hasOwn(TABLE, name)
}

function splitOption(word: string): readonly [string, string] {
  const at = word.indexOf('=')
  return [word.slice(0, at), word.slice(at + 1)]
}
