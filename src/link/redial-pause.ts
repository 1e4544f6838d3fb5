/**
 * The pause between a failed attempt and the next. Where the modem was gone, one that is here (again) is worth an attempt after the
 * shortest delay: the backoff is for operators. Called by `link.ts`.
 */

import type { Cause } from '../base/cause.ts'
import type { Cancel, Clock } from '../base/ports.ts'
import type { ModemPool, ModemWish } from './modem-pool.ts'
import { shortestDelayMs } from './redial.ts'

export interface PauseReason {
  readonly link: string
  readonly wish: ModemWish
  readonly cause: Cause
  readonly failuresInARow: number
  /** What the cause's rule says. */
  readonly delayMs: number
}

export interface RedialPause {
  readonly delayMs: number
  readonly start: (goOn: () => void) => Cancel
}

/** Counted from now. */
export function redialPause(clock: Clock, pool: ModemPool, reason: PauseReason): RedialPause {
  const { link, cause, failuresInARow, delayMs } = reason
  const sinceMs = clock.nowMs()
  const pause = (ms: number): RedialPause => ({ delayMs: ms, start: (goOn) => clock.at(sinceMs + ms, goOn) })
  if (cause !== 'modem-gone') return pause(delayMs)

  const soon = pause(Math.min(delayMs, shortestDelayMs(failuresInARow)))
  // A modem that has just come may not know its SIM yet.
  const isHere = () => pool.free(link, { ...reason.wish, sim: '' }).length > 0
  if (isHere()) return soon
  const start = (goOn: () => void) => {
    let cancelTimer = pause(delayMs).start(goOn)
    const cancelCame = pool.onCame(() => {
      if (!isHere()) return
      cancelTimer()
      cancelTimer = soon.start(goOn)
    })
    return () => {
      cancelTimer()
      cancelCame()
    }
  }
  return { delayMs, start }
}
