/**
 * One dial: the context, the chat script in process, and the port handed over exactly behind CONNECT's line (DESIGN §3).
 * Called by `modem.ts`.
 */

import { printable } from '../base/bytes.ts'
import type { Failure } from '../base/cause.ts'
import { failureOf } from '../base/errors.ts'
import type { Clock, Logger } from '../base/ports.ts'
import { Pump } from '../serial/pump.ts'
import type { Wire } from '../serial/wire.ts'
import type { AtReply } from './at/channel.ts'
import { parseCgdcont } from './at/replies/cgdcont.ts'
import { parseConnectSpeed } from './at/replies/connect.ts'
import { type ContextChoice, cidOf, numberFor, planContext } from './context.ts'
import { causeOfError, dialFailure, isModemsWord } from './dial-result.ts'
import { type DialEvent, DialScript } from './dial-script.ts'
import type { ModemDriver } from './drivers/driver.ts'
import type { ModemPort } from './port.ts'
import { limitFor, networkReason } from './refusal.ts'
import { simError } from './sim.ts'
import { DialError, type DialFailure, type DialRequest } from './snapshot.ts'
import type { ModemRecord } from './state.ts'

export interface Dialler {
  readonly clock: Clock
  readonly logger: Logger
  readonly driver: Pick<ModemDriver, 'contextLogIn'>
  /** It attaches with CID 1, so that one is not ours to change. */
  readonly isLte: boolean
}

export interface Connected {
  readonly wire: Wire
  readonly report: string | undefined
  readonly connectSpeed: number | undefined
  readonly chatExit: number
  /** The context that was dialled; undefined: the number, or the profile's own script, does not say which. */
  readonly cid: number | undefined
}

const UNLIMITED = Number.POSITIVE_INFINITY

type End = Extract<DialEvent, { type: 'end' }>

/** Why a dial cannot even begin. */
export function obstacleOf({ activity, snapshot }: ModemRecord): Failure | undefined {
  if (activity === 'gone') return { cause: 'modem-gone', detail: 'the modem is gone' }
  if (activity === 'silent') return { cause: 'modem-silent', detail: snapshot.stateReason }
  if (activity === 'disabled') return { cause: 'radio-off', detail: 'the radio was switched off' }
  const error = simError(snapshot.sim.status)
  if (error) return snapshot.failure ?? { cause: error.failureCause ?? 'sim-failed', detail: error.message }
  if (activity !== 'running') return { cause: 'no-network', detail: `the modem is ${activity}` }
  return undefined
}

/** Rejects with a DialError; the port is then wherever the dial left it: the caller brings it back to command mode. */
export async function dial(port: ModemPort, request: DialRequest, dialler: Dialler): Promise<Connected> {
  const dueMs = dialler.clock.nowMs() + request.timeoutMs
  const cid = await prepareContext(port, request, dialler)
  const number = numberFor(request.number, cid)
  const command = request.chatScript === undefined ? `ATD${number}` : 'the chat script'
  const end = await runScript(port, request, number, dueMs, dialler.clock)
  if (end.end.exitCode !== 0)
    throw new DialError(limitFor(request.ipType, await explained(port, request, dialFailure(end.end, command))))
  dialler.logger.info(`${port.path}: ${end.report ?? 'connected'}`, { number, cid, apn: request.apn })
  return {
    wire: port.toPpp(end.unread),
    report: end.report,
    connectSpeed: end.report === undefined ? undefined : parseConnectSpeed(end.report),
    chatExit: 0,
    cid: request.chatScript === undefined ? cidOf(number) : undefined,
  }
}

async function explained(port: ModemPort, { chatScript }: DialRequest, failure: DialFailure): Promise<DialFailure> {
  if (!isModemsWord(failure, chatScript)) return failure
  port.toAt()
  return { ...failure, ...(await networkReason(port, failure)) }
}

/** Defines the context where it is not yet as asked for; answers its CID. */
async function prepareContext(port: ModemPort, request: DialRequest, dialler: Dialler): Promise<number> {
  const known = await askTwice(port, 'AT+CGDCONT?', request.signal)
  const contexts = known.isOk ? parseCgdcont(known.lines) : undefined
  const { choices, warning } = planContext(contexts, request, dialler.isLte)
  if (warning !== undefined) dialler.logger.warn(warning)
  let failure: DialFailure | undefined
  for (const choice of choices) {
    const refusal = await refusalOf(port, choice, request.signal)
    if (!refusal) {
      await logIn(port, choice, request, dialler)
      return choice.cid
    }
    // What the modem said first counts; that an APN or the network is wrong is no matter of CID and type.
    failure ??= refusal
    if (refusal.cause !== 'modem-error') break
    dialler.logger.info(`${port.path}: ${refusal.detail}`)
  }
  throw new DialError(failure!)
}

/** What does not fit between quotes, or the modem does not know, is left to PPP. */
async function logIn(
  port: ModemPort,
  { cid, type, apn }: ContextChoice,
  { logIn: values, signal }: DialRequest,
  { driver, logger }: Dialler,
): Promise<void> {
  if (!values || !/^[ !#-~]+\n[ !#-~]*$/.test(`${values.username}\n${values.password}`)) return
  try {
    for (const command of driver.contextLogIn({ ...values, cid, type, apn }))
      if ((await attempt(port, command, signal)).isOk) return
  } catch (error) {
    throwIfAborted(signal)
    logger.info(`${port.path}: the log-in is left to PPP: ${asDialError(error).message}`)
  }
}

async function refusalOf(port: ModemPort, { define }: ContextChoice, signal: AbortSignal) {
  if (define === undefined) return undefined
  const { isOk, final } = await attempt(port, define, signal)
  return isOk ? undefined : { cause: causeOfError(final), detail: `${printable(final)} to ${define}` }
}

/** A question may be repeated when its answer was lost; what changes the modem may not. */
async function askTwice(port: ModemPort, text: string, signal: AbortSignal): Promise<AtReply> {
  try {
    return await attempt(port, text, signal)
  } catch (error) {
    if (error instanceof DialError && error.failure.cause === 'modem-silent') return attempt(port, text, signal)
    throw error
  }
}

async function attempt(port: ModemPort, text: string, signal: AbortSignal): Promise<AtReply> {
  throwIfAborted(signal)
  const { session } = port
  if (!session) throw new DialError({ cause: 'port-busy', detail: `${port.path} already carries a call` })
  try {
    return await session.attempt(text, { timeoutMs: 5000 })
  } catch (error) {
    throw asDialError(error)
  }
}

/** Resolves with the script's end, or rejects as soon as the dial is cancelled. */
async function runScript(
  port: ModemPort,
  request: DialRequest,
  number: string,
  dueMs: number,
  clock: Clock,
): Promise<End> {
  await port.session?.idle()
  throwIfAborted(request.signal)
  // A script that may not even write would end as if it had a fault.
  if (clock.nowMs() >= dueMs) throw new DialError(tooLate(request.timeoutMs))
  const hold = port.toChat()
  // What is read behind CONNECT's line could not be put back for the kernel's PPP or a child: nothing is (DESIGN §3).
  hold.setReadSize(1)
  return new Promise((resolve, reject) => {
    const nowMs = clock.nowMs()
    const { chatScript, scriptVariables, signal } = request
    const script = new DialScript({
      number,
      chatScript,
      scriptVariables,
      timeoutMs: Math.max(0, dueMs - nowMs),
      nowMs,
    })
    const stop = () => {
      pump.stop()
      hold.setReadSize(UNLIMITED)
      signal.removeEventListener('abort', onAbort)
      port.guard.onRefused = undefined
    }
    const onAbort = () => {
      stop()
      reject(cancelled())
    }
    const pump = new Pump<DialEvent>(hold, script, {
      clock,
      onEvent: (event) => {
        if (event.type === 'break') hold.sendBreak().catch(() => {})
        else {
          stop()
          resolve(event)
        }
      },
    })
    port.guard.onRefused = () => {
      stop()
      reject(new DialError({ cause: 'script-error', detail: 'the chat script would have sent a PIN or PUK' }))
    }
    signal.addEventListener('abort', onAbort, { once: true })
  })
}

function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw cancelled()
}

function tooLate(timeoutMs: number): DialFailure {
  return { cause: 'dial-timeout', detail: `the commands before the dial took longer than ${timeoutMs / 1000} s` }
}

function cancelled(): DialError {
  return new DialError({ cause: 'user-request', detail: 'the dial was cancelled' })
}

/** Whatever came up on the way to CONNECT, as a dial's failure. */
export function asDialError(error: unknown): DialError {
  if (error instanceof DialError) return error
  return new DialError(failureOf(error))
}
