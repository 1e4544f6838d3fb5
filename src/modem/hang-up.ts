/** Back to command mode, whatever state the modem is in (ITU-T V.250 §6.3.6, §6.2.9). Called by `modem.ts` and `port-probe.ts`. */

import type { Clock } from '../base/ports.ts'
import type { ProbeTimes } from './at/channel.ts'
import type { AtSession } from './at/session.ts'
import type { ModemPort } from './port.ts'
import { Wakeup } from './wakeup.ts'

/** A modem that reported NO CARRIER answers the first at once; one that is still ending the call a little later. */
const QUICK_TIMES = [0, 100, 250]
const LAST_TIMES = [0, 500, 1500, 3000]
const DTR_LOW_MS = 250
/** Silence before and after `+++`; the factory setting of S12 is 1 s, and a little more is safe. */
const GUARD_MS = 1050
/** What of it is left when the quick probe and DTR are over. */
const REST_OF_GUARD_MS = GUARD_MS - DTR_LOW_MS - (QUICK_TIMES.at(-1)! - QUICK_TIMES.at(-2)!)

/** Resolves with whether the modem answers AT again. Never rejects. */
export async function hangUp(port: ModemPort, clock: Clock): Promise<boolean> {
  const session = port.toAt()
  if (await session.probe(QUICK_TIMES)) return true
  await port.setDtr(false)
  await pauseUnlessReport(port, clock, DTR_LOW_MS)
  await port.setDtr(true)
  // NO CARRIER after DTR fell, or after all: the rest is not needed.
  if ((await pauseUnlessReport(port, clock, REST_OF_GUARD_MS)) && (await session.probe(QUICK_TIMES))) return true
  return escapeToCommands(session, LAST_TIMES)
}

/** `+++` with its guard time behind it (the one before is the caller's), then ATH. */
export async function escapeToCommands(session: AtSession, probeTimes: ProbeTimes): Promise<boolean> {
  try {
    const { isOk } = await session.attempt('+++', { lineEnd: '', timeoutMs: GUARD_MS + 300 })
    if (isOk) await session.attempt('ATH', { timeoutMs: 5000 })
  } catch {
    // No answer to +++: it may have been in command mode all along, or it is gone. The probe tells.
  }
  return session.probe(probeTimes)
}

/** Resolves early, with true, when a report comes. */
async function pauseUnlessReport(port: ModemPort, clock: Clock, ms: number): Promise<boolean> {
  const wakeup = new Wakeup()
  const { onReport } = port
  let hasReport = false
  port.onReport = (line) => {
    hasReport ||= /^NO CARRIER/.test(line)
    if (hasReport) wakeup.wake()
    onReport(line)
  }
  await wakeup.pause(clock, ms, new AbortController().signal)
  port.onReport = onReport
  return hasReport
}
