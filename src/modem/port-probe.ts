/**
 * Does a port of a known modem answer AT? Opens it, asks a few times, lets go within 3 s; sooner where it tells of satellites
 * unasked. Called by `candidate.ts`.
 */

import { errorText, ModemdError } from '../base/errors.ts'
import { type Cancel, type Clock, sleep } from '../base/ports.ts'
import { PortBusyError } from '../serial/port-busy.ts'
import type { Wire, WireOpener } from '../serial/wire.ts'
import type { ProbeTimes } from './at/channel.ts'
import { escapeToCommands } from './hang-up.ts'
import { NmeaEar } from './nmea.ts'
import { ModemPort, type PortHint } from './port.ts'

export interface ProbeOptions {
  readonly path: string
  readonly number: number
  readonly hint: PortHint | undefined
  readonly baud: number | undefined
  /** Sent before anything else once it answers; their errors are no failure. */
  readonly init: readonly string[]
  /** It was deaf before: perhaps a call of a daemon that crashed still has it. */
  readonly mayBeInCall: boolean
  readonly openWire: WireOpener
  readonly clock: Clock
  /** Aborted: the port is let go of at once. */
  readonly signal: AbortSignal
}

export type ProbeResult =
  | { readonly kind: 'answers'; readonly port: ModemPort }
  | { readonly kind: 'deaf' }
  /** It tells where it is, and answers nothing. */
  | { readonly kind: 'gps' }
  /** `holder`: who has it, where it is busy. */
  | { readonly kind: 'unusable'; readonly reason: string; readonly holder?: string | undefined }

/** Dense at first: a modem that has just got power is ready at any moment. */
const PROBE_TIMES: ProbeTimes = [0, 100, 200, 350, 550, 800, 1100, 1500, 2000, 2900]
const SILENCE_MS = 300
const ESCAPE_PROBE_TIMES: ProbeTimes = [0, 300, 700, 1200]
/** The node may come a moment after the event. */
const OPEN_PAUSES_MS = [20, 80, 200]

/** After the first sentence an AT port that also tells of satellites has this long to answer. */
const SENTENCE_GRACE_MS = 600

/** Never rejects. */
export async function probePort(options: ProbeOptions): Promise<ProbeResult> {
  let port: ModemPort | undefined
  let isGps = false
  let cancelGrace: Cancel | undefined
  const { signal, clock } = options
  const onAbort = () => void port?.close()
  signal.addEventListener('abort', onAbort)
  try {
    const wire = await openWire(options)
    const ear = new NmeaEar(wire, () => {
      isGps = true
      // Closing ends the asking.
      cancelGrace ??= clock.at(clock.nowMs() + SENTENCE_GRACE_MS, () => void port?.close())
    })
    port = new ModemPort(ear, { number: options.number, hint: options.hint, clock })
    if (signal.aborted) await port.close()
    const { session } = port
    const answers = await (options.mayBeInCall ? endForgottenCall(port, clock) : session!.probe(PROBE_TIMES))
    if (!answers) {
      await port.close()
      return { kind: isGps ? 'gps' : 'deaf' }
    }
    isGps = false
    cancelGrace?.()
    ear.isListening = false
    session!.sendFirst(options.init)
    return { kind: 'answers', port }
  } catch (error) {
    await port?.close()
    const isSilent = error instanceof ModemdError && error.failureCause === 'modem-silent'
    if (isGps) return { kind: 'gps' }
    return isSilent ? { kind: 'deaf' } : { kind: 'unusable', reason: errorText(error), holder: holderOf(error) }
  } finally {
    cancelGrace?.()
    signal.removeEventListener('abort', onAbort)
  }
}

/** The escape sequence needs a second of silence before it, most of which passed since the probe before. */
async function endForgottenCall({ session }: ModemPort, clock: Clock): Promise<boolean> {
  await sleep(clock, SILENCE_MS)
  return escapeToCommands(session!, ESCAPE_PROBE_TIMES)
}

async function openWire({ path, baud, openWire: open, clock }: ProbeOptions): Promise<Wire> {
  for (let tries = 0; ; tries++) {
    try {
      return await open(path, baud === undefined ? {} : { baud })
    } catch (error) {
      const pauseMs = OPEN_PAUSES_MS[tries]
      const isAbsent = error instanceof ModemdError && error.failureCause === 'modem-gone'
      if (!isAbsent || pauseMs === undefined) throw error
      await sleep(clock, pauseMs)
    }
  }
}

/** undefined: it is not that somebody has it. */
function holderOf(error: unknown): string | undefined {
  if (error instanceof PortBusyError) return error.holder
  return error instanceof ModemdError && error.failureCause === 'port-busy' ? 'another program' : undefined
}
