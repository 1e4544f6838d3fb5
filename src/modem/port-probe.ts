/** Does a port of a known modem answer AT? Opens it, asks a few times, lets go within 3 s. Called by `candidate.ts`. */

import { errorText, ModemdError } from '../base/errors.ts'
import { type Clock, sleep } from '../base/ports.ts'
import type { WireOpener } from '../serial/wire.ts'
import type { ProbeTimes } from './at/channel.ts'
import { escapeToCommands } from './hang-up.ts'
import { ModemPort, type PortHint } from './port.ts'

export interface ProbeOptions {
  readonly path: string
  readonly number: number
  readonly hint: PortHint | undefined
  readonly baud: number | undefined
  /** Sent once it answers; their errors are no failure. */
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
  | { readonly kind: 'unusable'; readonly reason: string; readonly isBusy: boolean }

/** Dense at first: a modem that has just got power is ready at any moment. */
const PROBE_TIMES: ProbeTimes = [0, 100, 200, 350, 550, 800, 1100, 1500, 2000, 2900]
const SILENCE_MS = 300
const ESCAPE_PROBE_TIMES: ProbeTimes = [0, 300, 700, 1200]
/** The node may come a moment after the event. */
const OPEN_PAUSES_MS = [20, 80, 200]

/** Never rejects. */
export async function probePort(options: ProbeOptions): Promise<ProbeResult> {
  let port: ModemPort | undefined
  const { signal } = options
  const onAbort = () => void port?.close()
  signal.addEventListener('abort', onAbort)
  try {
    port = await openPort(options)
    if (signal.aborted) await port.close()
    const { session } = port
    const answers = await (options.mayBeInCall ? endForgottenCall(port, options.clock) : session!.probe(PROBE_TIMES))
    if (!answers) {
      await port.close()
      return { kind: 'deaf' }
    }
    for (const command of options.init) await session!.attempt(command, { timeoutMs: 15_000 })
    return { kind: 'answers', port }
  } catch (error) {
    await port?.close()
    const isSilent = error instanceof ModemdError && error.failureCause === 'modem-silent'
    return isSilent ? { kind: 'deaf' } : { kind: 'unusable', reason: errorText(error), isBusy: isBusy(error) }
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** The escape sequence needs a second of silence before it, most of which passed since the probe before. */
async function endForgottenCall({ session }: ModemPort, clock: Clock): Promise<boolean> {
  await sleep(clock, SILENCE_MS)
  return escapeToCommands(session!, ESCAPE_PROBE_TIMES)
}

async function openPort({ path, number, hint, baud, openWire, clock }: ProbeOptions): Promise<ModemPort> {
  for (let tries = 0; ; tries++) {
    try {
      const wire = await openWire(path, baud === undefined ? {} : { baud })
      return new ModemPort(wire, { number, hint, clock })
    } catch (error) {
      const pauseMs = OPEN_PAUSES_MS[tries]
      const isAbsent = error instanceof ModemdError && error.failureCause === 'modem-gone'
      if (!isAbsent || pauseMs === undefined) throw error
      await sleep(clock, pauseMs)
    }
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof ModemdError && error.failureCause === 'port-busy'
}
