/**
 * The only place from which a PIN or PUK goes to a SIM: rule, ledger, permit at the guard, try, verdict (DESIGN §7.1; +CPIN, +CPWD,
 * +CLCK: 3GPP TS 27.007 §8.3, §7.5, §7.4). Called by bring-up with the profile's PIN and by `modem.ts` for people.
 */

import { ModemdError } from '../base/errors.ts'
import { type Clock, sleep } from '../base/ports.ts'
import type { AtReply } from './at/channel.ts'
import { parseClck } from './at/replies/clck.ts'
import { explainError } from './at/replies/cme.ts'
import type { TriesLeft } from './at/replies/pin-tries.ts'
import type { CommandOptions } from './at/session.ts'
import type { PinGuard } from './pin-guard.ts'
import type { PinLedger, Secret, SimIdentity, TryHistory } from './pin-ledger.ts'
import { isOpen } from './sim.ts'
import type { PersonCaller, PinCaller, SimStatus } from './snapshot.ts'

export interface PinContext {
  readonly clock: Clock
  /** The guard of the port that `attempt` writes to. */
  readonly guard: PinGuard
  readonly ledger: PinLedger
  readonly sim: SimIdentity
  attempt(text: string, options: CommandOptions): Promise<AtReply>
  /** undefined: busy, or the answer makes no sense. */
  readStatus(): Promise<SimStatus | undefined>
  readTries(): Promise<TriesLeft | undefined>
}

/** Of `mmctl sim`. */
type PinCommand = 'unlock' | 'change-pin' | 'enable-pin' | 'disable-pin'

const PUK_REMEDY = 'Run `mmctl sim puk` with the PUK, which your operator gives you.'
/** False ones in a row block the PIN; the right one brings all tries back (VERIFY CHV, 3GPP TS 51.011 §8.9). */
const PIN_TRIES = 3
const TRY_TIMEOUT_MS = 30_000
/** After OK some SIMs take seconds until +CPIN? says READY; one that still asks for the PIN then has not taken it. */
const SETTLE_MS = [0, 200, 500, 1000, 2000, 3000, 4000]

/** Rejects with SimPin (refused now or before), SimPuk, SimAbsent, PinGuard, InvalidArgs, WrongState, Timeout, ModemGone. */
export async function enterPin(context: PinContext, pin: string, caller: PinCaller): Promise<void> {
  const secret = pinOf(pin)
  requireStatus(await context.readStatus(), 'pin')
  await allow(context, secret, caller)
  await openWith(context, secret, `AT+CPIN="${pin}"`)
  context.ledger.accepted(context.sim, secret)
}

export async function enterPuk(context: PinContext, puk: string, newPin: string): Promise<void> {
  if (!/^\d{8}$/.test(puk)) throw new ModemdError('InvalidArgs', 'A PUK has 8 digits.')
  const secret: Secret = { kind: 'puk', digits: puk }
  const newSecret = pinOf(newPin)
  requireStatus(await context.readStatus(), 'puk')
  await allow(context, secret, 'person')
  await openWith(context, secret, `AT+CPIN="${puk}","${newPin}"`)
  context.ledger.accepted(context.sim, secret)
  context.ledger.accepted(context.sim, newSecret)
}

export async function changePin(
  context: PinContext,
  oldPin: string,
  newPin: string,
  caller: PersonCaller,
): Promise<void> {
  const secret = pinOf(oldPin)
  const newSecret = pinOf(newPin)
  requireStatus(await context.readStatus(), 'ready')
  // Most SIMs refuse the right PIN, too, while they ask for none: that must not count against it.
  if ((await asksForPin(context)) === false)
    throw new ModemdError('WrongState', 'The SIM asks for no PIN: run `mmctl sim enable-pin` first, then change it.')
  await allow(context, secret, caller, 'change-pin')
  await checkWith(context, secret, `AT+CPWD="SC","${oldPin}","${newPin}"`)
  context.ledger.accepted(context.sim, newSecret)
}

/** Does the SIM ask for its PIN from the next power-on? */
export async function requirePin(context: PinContext, pin: string, on: boolean, caller: PersonCaller): Promise<void> {
  const secret = pinOf(pin)
  requireStatus(await context.readStatus(), 'ready')
  if ((await asksForPin(context)) === on)
    throw new ModemdError('WrongState', `The SIM ${on ? 'asks for its PIN' : 'asks for no PIN'} already.`)
  await allow(context, secret, caller, on ? 'enable-pin' : 'disable-pin')
  const line = `AT+CLCK="SC",${on ? 1 : 0},"${pin}"`
  await checkWith(context, secret, line)
  context.ledger.accepted(context.sim, secret)
}

/** +CLCK: does it ask at the next power-on? undefined: the modem does not tell. */
async function asksForPin(context: PinContext): Promise<boolean | undefined> {
  const reply = await context.attempt('AT+CLCK="SC",2', {})
  return reply.isOk ? parseClck(reply.lines) : undefined
}

/** May this caller spend a try? undefined: yes. Pure. */
export function refusalOf(
  caller: PinCaller,
  kind: Secret['kind'],
  left: number | undefined,
  history: TryHistory,
  ledgerPath: string,
  command: PinCommand = 'unlock',
): ModemdError | undefined {
  const name = kind.toUpperCase()
  // All tries are left: it was not a refusal that nobody heard of.
  const isInDoubt = history.isCutShort && !(kind === 'pin' && left === PIN_TRIES)
  if (history.isRefused || isInDoubt)
    return refused(
      kind,
      `This ${name} was refused by the SIM before, or its answer was lost; it is not sent again. Enter the right one with \`mmctl sim ${kind === 'puk' ? 'puk' : 'unlock'}\`; if you are sure that it is this, remove ${ledgerPath} before.`,
    )
  if (left === 0) return noneLeft(kind)
  if (caller === 'automatic') return automaticRefusal(left, history)
  // Where the counter is hidden no more can be left than the whole less what we spent ourselves.
  const atMost = left ?? (kind === 'pin' ? PIN_TRIES : 10) - history.failuresSinceAccepted
  if (atMost >= 2 || caller === 'person-last-try') return undefined
  const remedy = kind === 'pin' ? `run \`mmctl sim ${command} --last-try\`` : 'enter it in a telephone'
  return new ModemdError('PinGuard', `This is the last ${name} try; if you are sure of the ${name}, ${remedy}.`)
}

/** A refused PUK leaves the SIM blocked as it was. */
function refused(kind: Secret['kind'], text: string): ModemdError {
  return kind === 'puk'
    ? new ModemdError('SimPuk', text, 'sim-puk')
    : new ModemdError('SimPin', text, 'sim-pin-refused')
}

function noneLeft(kind: Secret['kind']): ModemdError {
  if (kind === 'puk')
    return new ModemdError('SimAbsent', 'No PUK try is left: the SIM is blocked for ever.', 'sim-failed')
  return new ModemdError('SimPuk', `No PIN try is left: the SIM asks for its PUK. ${PUK_REMEDY}`, 'sim-puk')
}

function automaticRefusal(left: number | undefined, history: TryHistory): ModemdError | undefined {
  if (left === undefined) {
    if (history.failures === 0 || history.isLastAccepted) return undefined
    const text = 'The modem does not tell how many PIN tries are left and one failed before, so none is made by itself'
    return new ModemdError('PinGuard', `${text}: run mmctl sim unlock.`)
  }
  if (left >= PIN_TRIES) return undefined
  const text = `Only ${left} PIN ${left === 1 ? 'try is' : 'tries are'} left, so none is made by itself`
  return new ModemdError('PinGuard', `${text}: run mmctl sim unlock.`)
}

async function allow(
  context: PinContext,
  secret: Secret,
  caller: PinCaller,
  command: PinCommand = 'unlock',
): Promise<void> {
  const history = context.ledger.history(context.sim, secret)
  // A refused secret is answered without a word to the modem.
  if (history.isRefused) throw refusalOf(caller, secret.kind, undefined, history, context.ledger.path)
  const tries = await context.readTries()
  const refusal = refusalOf(
    caller,
    secret.kind,
    secret.kind === 'pin' ? tries?.pin : tries?.puk,
    history,
    context.ledger.path,
    command,
  )
  if (refusal) throw refusal
}

/** The SIM is locked and asks for it. */
async function openWith(context: PinContext, secret: Secret, line: string): Promise<void> {
  context.ledger.begin(context.sim, secret, true)
  await attemptSecret(context, secret, line, (reply) => opens(context, reply))
}

/** The SIM is open: only its answer tells. */
async function checkWith(context: PinContext, secret: Secret, line: string): Promise<void> {
  context.ledger.begin(context.sim, secret)
  await attemptSecret(context, secret, line, async (reply) => reply?.isOk === true)
}

/** Sends the line, whose try has begun, once. Returns only when the secret is surely right; in doubt it counts as refused. */
async function attemptSecret(
  context: PinContext,
  secret: Secret,
  line: string,
  isAccepted: (reply: AtReply | undefined) => Promise<boolean>,
): Promise<void> {
  const reply = await sendOnce(context, line)
  if ((reply === undefined || reply.isOk || isDoubtful(reply)) && (await isAccepted(reply))) return
  context.ledger.refused(context.sim, secret)
  throw await refusedError(context, secret, reply)
}

/** undefined: no answer in time. A vanished modem is thrown, and the try stays pending. */
async function sendOnce(context: PinContext, line: string): Promise<AtReply | undefined> {
  context.guard.permit(line)
  try {
    return await context.attempt(line, { timeoutMs: TRY_TIMEOUT_MS, isPinTry: true })
  } catch (error) {
    if (isSilence(error)) return undefined
    throw error
  } finally {
    context.guard.revoke()
  }
}

/** An error that does not say "wrong": the SIM itself has the last word. */
function isDoubtful(reply: AtReply): boolean {
  return explainError(reply.final).cause === 'modem-error'
}

/** Does the SIM no longer ask, once it has settled? An error that is followed by "still locked" needs no patience. */
async function opens(context: PinContext, reply: AtReply | undefined): Promise<boolean> {
  let status: SimStatus | undefined
  for (const [look, waitMs] of SETTLE_MS.entries()) {
    await sleep(context.clock, waitMs)
    try {
      status = await context.readStatus()
    } catch (error) {
      // A lost answer: the question is repeated. After the last the try stays in doubt.
      if (!isSilence(error) || look === SETTLE_MS.length - 1) throw error
      continue
    }
    if (isOpen(status)) return true
    if (status === 'puk' || (status !== undefined && !reply?.isOk)) return false
  }
  return reply?.isOk === true && status === undefined
}

function isSilence(error: unknown): boolean {
  return error instanceof ModemdError && error.failureCause === 'modem-silent'
}

async function refusedError(context: PinContext, secret: Secret, reply: AtReply | undefined): Promise<ModemdError> {
  const tries = await context.readTries()
  const left = secret.kind === 'pin' ? tries?.pin : tries?.puk
  if (secret.kind === 'pin' && (left === 0 || (await context.readStatus()) === 'puk'))
    return new ModemdError('SimPuk', `The SIM refused the PIN and now asks for its PUK. ${PUK_REMEDY}`, 'sim-puk')
  const answer = reply ? `answered ${reply.final}` : 'did not answer in time'
  const rest = left === undefined ? '' : `, ${left} ${left === 1 ? 'try is' : 'tries are'} left`
  const text = `The SIM did not accept the ${secret.kind.toUpperCase()} (it ${answer}${rest}); it will not be sent again.`
  return refused(secret.kind, text)
}

function pinOf(digits: string): Secret {
  if (!/^\d{4,8}$/.test(digits)) throw new ModemdError('InvalidArgs', 'A PIN has 4 to 8 digits.')
  return { kind: 'pin', digits }
}

function requireStatus(status: SimStatus | undefined, wanted: 'pin' | 'puk' | 'ready'): void {
  if (status === wanted || (wanted === 'ready' && isOpen(status))) return
  if (status === undefined) throw new ModemdError('WrongState', 'The SIM is busy; try again in some seconds.')
  if (status === 'absent') throw new ModemdError('SimAbsent', 'There is no SIM in the modem.', 'sim-absent')
  if (status === 'failed') throw new ModemdError('SimAbsent', 'The SIM does not work.', 'sim-failed')
  if (status === 'pin') throw new ModemdError('SimPin', 'The SIM asks for its PIN first.', 'sim-pin')
  if (status === 'puk') throw new ModemdError('SimPuk', `The SIM asks for its PUK. ${PUK_REMEDY}`, 'sim-puk')
  throw new ModemdError('WrongState', `The SIM does not ask for its ${wanted.toUpperCase()}.`)
}
