/**
 * The pause between a failed attempt and the next. Where no modem was ready, one that becomes so is worth an attempt after the
 * shortest delay: the backoff is for operators. Called by `link.ts`.
 */

import type { Cause } from '../base/cause.ts'
import type { Cancel, Clock } from '../base/ports.ts'
import type { ModemHandle } from '../modem/snapshot.ts'
import type { ModemPool } from './modem-pool.ts'
import type { ModemWish } from './modem-selector.ts'
import { shortestDelayMs } from './redial.ts'

export interface PauseReason {
  readonly link: string
  readonly wish: ModemWish
  readonly cause: Cause
  readonly failuresInARow: number
  /** What the cause's rule says. */
  readonly delayMs: number
  /** Could a link dial with it now? */
  readonly isReady: (modem: ModemHandle) => boolean
  /** The rung of the recovery ladder that is being climbed: it comes first. */
  readonly climbing?: Promise<void> | undefined
  /** It is over, and what is left is known. */
  readonly onClimbed: (leftMs: number) => void
}

export interface RedialPause {
  readonly delayMs: number
  readonly start: (goOn: () => void) => Cancel
}

/** Counted from now. */
export function redialPause(clock: Clock, pool: ModemPool, reason: PauseReason): RedialPause {
  const { link, cause, failuresInARow, delayMs, climbing, isReady } = reason
  const sinceMs = clock.nowMs()
  const pause = (ms: number): RedialPause => ({ delayMs: ms, start: (goOn) => clock.at(sinceMs + ms, goOn) })
  if (climbing) {
    const start = (goOn: () => void) => {
      reason.onClimbed(Math.max(0, sinceMs + delayMs - clock.nowMs()))
      return pause(delayMs).start(goOn)
    }
    return { delayMs, start: after(climbing, start) }
  }

  const soon = pause(Math.min(delayMs, shortestDelayMs(failuresInARow)))
  const unlessSooner = (listen: (hurry: () => void) => Cancel): RedialPause => ({
    delayMs,
    start: (goOn) => {
      let cancelTimer = pause(delayMs).start(goOn)
      const cancelListening = listen(() => {
        cancelTimer()
        cancelTimer = soon.start(goOn)
      })
      return () => {
        cancelTimer()
        cancelListening()
      }
    },
  })
  // A modem that has just come may not know its SIM yet.
  const free = () => pool.free(link, { ...reason.wish, sim: '' })
  switch (cause) {
    case 'modem-gone':
      if (free().length > 0) return soon
      return unlessSooner((hurry) => pool.onCame(() => free().length > 0 && hurry()))
    case 'modem-silent':
    case 'no-network':
      return unlessSooner((hurry) => onReadyAnew(pool, () => free().filter(isReady), hurry))
    default:
      return pause(delayMs)
  }
}

/** Tells when one of them is ready that was not before. */
export function onReadyAnew(pool: ModemPool, ready: () => readonly ModemHandle[], listener: () => void): Cancel {
  let before = new Set(ready())
  return pool.onChange(() => {
    const now = ready()
    const isNews = now.some((modem) => !before.has(modem))
    before = new Set(now)
    if (isNews) listener()
  })
}

/** A wait for what `listen` tells; where that comes earlier than `atMs`, then. */
export function notBefore(clock: Clock, atMs: number, listen: (tell: () => void) => Cancel): RedialPause['start'] {
  return (goOn) => {
    let cancelTimer: Cancel = () => {}
    const cancelListening = listen(() => {
      cancelTimer()
      if (clock.nowMs() >= atMs) goOn()
      else cancelTimer = clock.at(atMs, goOn)
    })
    return () => {
      cancelTimer()
      cancelListening()
    }
  }
}

function after(first: Promise<void>, start: RedialPause['start']): RedialPause['start'] {
  return (goOn) => {
    let isCancelled = false
    let cancel: Cancel = () => {}
    first.then(() => {
      if (!isCancelled) cancel = start(goOn)
    })
    return () => {
      isCancelled = true
      cancel()
    }
  }
}
