/**
 * The SIM's side of a modem: its state, its number, its tries, the wait until it is open and the watch that it stays so. Called by
 * bring-up and `modem.ts`.
 */

import type { Cause, Failure } from '../base/cause.ts'
import { type ErrorCode, ModemdError } from '../base/errors.ts'
import { sleep } from '../base/ports.ts'
import { parseError } from './at/replies/cme.ts'
import { parseCpin } from './at/replies/cpin.ts'
import type { TriesLeft } from './at/replies/pin-tries.ts'
import { parseSimReport } from './at/replies/sim-report.ts'
import { ask } from './drivers/driver.ts'
import type { ModemPort } from './port.ts'
import { sessionOf } from './port-set.ts'
import { isPortBusy, type ModemContext } from './procedure.ts'
import type { ModemSnapshot, SimStatus } from './snapshot.ts'
import { isRadioOff } from './state.ts'
import type { Wakeup } from './wakeup.ts'

/** A SIM that is still busy after this is taken for broken. */
const BUSY_LIMIT_MS = 20_000
const BUSY_POLL_MS = [300, 300, 400, 1000]
/** Some modems say "not inserted" or "failure" in their first seconds. */
const SECOND_LOOKS_MS = [1000, 3000, 8000]
/** While the radio is off and refuses to be switched on. */
const RADIO_POLL_MS = 30_000

/** Those that are not here are "busy": 14, 515 and whatever says nothing of the SIM. 5 to 7 are locks of the modem itself. */
const STATUS_BY_CME: Readonly<Record<number, SimStatus>> = {
  5: 'failed',
  6: 'failed',
  7: 'failed',
  10: 'absent',
  11: 'pin',
  12: 'puk',
  13: 'failed',
  15: 'failed',
  17: 'pin2',
  18: 'puk2',
  262: 'puk',
}

/** `+CPIN: NOT READY`, `+CPIN: SIM BUSY`: an answer that is none yet. */
const BUSY_WORDS = /^(SIM )?(NOT READY|BUSY|INIT\w*)$/

/** Of another SIM nothing of the last one holds. */
const UNKNOWN_SIM = { iccid: undefined, operatorName: undefined, pinTries: undefined, pukTries: undefined } as const

export interface SimOpener {
  readonly wakeup: Wakeup
  /** The modem answers, and what comes next is somebody else's turn. */
  waits(): void
  /** The radio. */
  switchOn(): Promise<void>
  /** The profile's PIN, where there is one and the rule allows a try by itself. Resolves true when the SIM took it. */
  tryProfilePin(): Promise<boolean>
  /** The SIM asks for nothing, whoever opened it. */
  foundOpen(): void
}

/** undefined: busy, or an answer that says nothing. What it says is the modem's state from now on. */
export async function readSimStatus(modem: Pick<ModemContext, 'attempt' | 'apply'>): Promise<SimStatus | undefined> {
  const status = await askSimStatus(modem)
  if (status !== undefined) modem.apply({ type: 'sim', sim: { status, isBusy: undefined } })
  return status
}

/** PIN2 and PUK2 guard a few of its files and keep nobody from calling. */
export function isOpen(status: SimStatus | undefined): boolean {
  return status === 'ready' || status === 'pin2' || status === 'puk2'
}

/** Does a line that came unasked make it worth asking the SIM? While nothing is known it is asked anyway. */
export function isSimNews(line: string, { sim: { status } }: ModemSnapshot): boolean {
  const report = parseSimReport(line)
  if (report === undefined || status === undefined) return false
  if (report === 'present') return status === 'absent' || status === 'failed'
  return report !== status
}

async function askSimStatus(modem: Pick<ModemContext, 'attempt'>): Promise<SimStatus | undefined> {
  const reply = await modem.attempt('AT+CPIN?', { timeoutMs: 6000 })
  if (reply.isOk) {
    const cpin = parseCpin(reply.lines)
    // A word that nobody knows may be half an answer: asked again.
    return cpin && !BUSY_WORDS.test(cpin.text) ? cpin.status : undefined
  }
  const { kind, number } = parseError(reply.final)
  return kind === 'cme' && number !== undefined ? STATUS_BY_CME[number] : undefined
}

export async function readTriesLeft(modem: ModemContext): Promise<TriesLeft | undefined> {
  const facts = { simStatus: modem.snapshot.sim.status }
  const tries = await ask((text, options) => modem.attempt(text, options), modem.driver.triesLeft, facts)
  if (tries) modem.apply({ type: 'sim', sim: { pinTries: tries.pin, pukTries: tries.puk } })
  return tries
}

/**
 * Which card is in now. Where it hides its number it may be another than before, so that nothing that is known of that one
 * counts: PIN tries are remembered by this number.
 */
export async function readIccid(modem: ModemContext): Promise<void> {
  const iccid = await ask((text, options) => modem.attempt(text, options), modem.driver.iccid)
  if (iccid !== modem.snapshot.sim.iccid) {
    forgetSim(modem)
    modem.apply({ type: 'sim', sim: { iccid } })
  }
}

function forgetSim(modem: ModemContext): void {
  modem.apply({ type: 'sim', sim: UNKNOWN_SIM })
  if (modem.snapshot.ownNumbers.length > 0) modem.apply({ type: 'identity', identity: { ownNumbers: [] } })
}

/** Resolves when the SIM needs opening again: taken out, another one put in, locked, broken. Asks only when woken. */
export async function followSim(modem: ModemContext, wakeup: Wakeup, signal: AbortSignal): Promise<void> {
  for (;;) {
    await wakeup.pause(modem.clock, undefined, signal)
    try {
      if (!isOpen(modem.snapshot.sim.status) || !isOpen(await readSettledStatus(modem, signal))) return
      const { iccid } = modem.snapshot.sim
      await readIccid(modem)
      if (modem.snapshot.sim.iccid !== iccid) return
    } catch (error) {
      // A call has the only port; it wakes us when it is over.
      if (!isPortBusy(error)) throw error
    }
  }
}

/** Resolves when the SIM is ready. Until then it waits for a person, a report or, for a few times, a moment. */
export async function openSim(modem: ModemContext, opener: SimOpener, signal: AbortSignal): Promise<void> {
  let looks = 0
  let hasTried = false
  let isTaken = false
  let isIdentified = false
  for (;;) {
    const known = modem.snapshot.sim.status
    // Whoever tried the PIN has asked already, and where the SIM took long he did not see it open.
    const isKnown = isTaken && known !== undefined && known !== 'pin'
    isTaken = false
    const status = isKnown ? known : await readSettledStatus(modem, signal)
    if (status === 'absent' || status === 'failed') {
      isIdentified = false
      hasTried = false
      if (status === 'absent') forgetSim(modem)
      modem.apply({ type: 'failure', failure: failureOf(status) })
      opener.waits()
      const isOff = isRadioOff(modem.snapshot)
      await opener.wakeup.pause(modem.clock, SECOND_LOOKS_MS[looks++] ?? (isOff ? RADIO_POLL_MS : undefined), signal)
      // Many show no SIM without their radio, and may have been too busy to be switched on.
      if (!isOff) continue
      await opener.switchOn()
      if (!isRadioOff(modem.snapshot)) looks = 0
      continue
    }
    if (!isIdentified) await readIccid(modem)
    isIdentified = modem.snapshot.sim.iccid !== undefined
    if (isOpen(status)) {
      opener.foundOpen()
      if (modem.snapshot.failure?.cause.startsWith('sim-')) modem.apply({ type: 'failure', failure: undefined })
      return
    }
    if (status === 'puk') modem.apply({ type: 'failure', failure: failureOf('puk') })
    else if (!hasTried) {
      hasTried = true
      isTaken = await opener.tryProfilePin()
      if (isTaken) continue
    }
    await readTriesLeft(modem)
    opener.waits()
    await opener.wakeup.pause(modem.clock, undefined, signal)
  }
}

async function readSettledStatus(modem: ModemContext, signal: AbortSignal): Promise<SimStatus> {
  const giveUpAtMs = modem.clock.nowMs() + BUSY_LIMIT_MS
  for (let look = 0; ; look++) {
    const status = await readSimStatus(modem)
    if (status !== undefined) return status
    if (modem.clock.nowMs() >= giveUpAtMs) {
      modem.apply({ type: 'sim', sim: { status: 'failed', isBusy: undefined } })
      return 'failed'
    }
    modem.apply({
      type: 'sim',
      sim: { status: isLost(modem.snapshot) ? undefined : modem.snapshot.sim.status, isBusy: true },
    })
    await sleep(modem.clock, BUSY_POLL_MS[look] ?? 1000, signal)
  }
}

/** A card that is put in is busy first. */
function isLost({ sim: { status } }: ModemSnapshot): boolean {
  return status === 'absent' || status === 'failed'
}

function failureOf(status: 'absent' | 'failed' | 'puk') {
  if (status === 'absent') return { cause: 'sim-absent', detail: 'The modem finds no SIM.' } as const
  if (status === 'puk') return { cause: 'sim-puk', detail: 'The SIM asks for its PUK.' } as const
  return { cause: 'sim-failed', detail: 'The SIM does not answer, or with a failure.' } as const
}

/** Ends that the SIM may be behind. */
const UNEXPLAINED: ReadonlySet<Cause> = new Set<Cause>([
  'no-carrier',
  'hung-up',
  'echo-lost',
  'modem-error',
  'lcp-timeout',
])

/** A call ended: because the SIM is gone? undefined: no, or nobody knows. Asked on the port that carried the call. Never rejects. */
export async function simFailure(
  port: ModemPort,
  failure: Failure,
  apply: ModemContext['apply'],
): Promise<Failure | undefined> {
  if (!UNEXPLAINED.has(failure.cause)) return undefined
  const attempt: ModemContext['attempt'] = async (text, options) => sessionOf(port).attempt(text, options)
  const fault = faultOf(await readSimStatus({ attempt, apply }).catch(() => undefined))
  return fault && { cause: fault.cause, detail: `${fault.what}. (${failure.detail})` }
}

/** For what cannot be done without the SIM: what is the matter with it, and what to do. */
export function simError(status: SimStatus | undefined): ModemdError | undefined {
  const fault = faultOf(status)
  return fault && new ModemdError(fault.code, `${fault.what}: ${fault.remedy}.`, fault.cause)
}

interface SimFault {
  readonly code: ErrorCode
  readonly cause: Cause
  readonly what: string
  readonly remedy: string
}

function faultOf(status: SimStatus | undefined): SimFault | undefined {
  return status === undefined ? undefined : SIM_FAULTS[status]
}

const SIM_FAULTS: Readonly<Partial<Record<SimStatus, SimFault>>> = {
  absent: { code: 'SimAbsent', cause: 'sim-absent', what: 'There is no SIM in the modem', remedy: 'put one in' },
  failed: {
    code: 'SimAbsent',
    cause: 'sim-failed',
    what: 'The SIM does not work',
    remedy: 'take it out and put it in again, or try another',
  },
  pin: { code: 'SimPin', cause: 'sim-pin', what: 'The SIM asks for its PIN', remedy: 'run `mmctl sim unlock`' },
  puk: { code: 'SimPuk', cause: 'sim-puk', what: 'The SIM asks for its PUK', remedy: 'run `mmctl sim puk`' },
}
