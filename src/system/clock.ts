/** The real time and the real chance behind `Clock` and `Random` (base/ports.ts); the one place with timers. The daemon and the simulator hand them down. */

import { randomBytes } from 'node:crypto'
import type { Cancel, Clock, Random } from '../base/ports.ts'

/** The longest delay setTimeout knows; more would fire at once. */
const LONGEST_DELAY_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallUs: () => BigInt(Date.now()) * 1000n,
  at,
}

export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
}

/** setTimeout counts whole milliseconds, so that it may fire a part of one before `atMs`: what is early waits again. */
function at(atMs: number, fn: () => void): Cancel {
  let timer: NodeJS.Timeout | undefined
  let immediate: NodeJS.Immediate | undefined
  const arm = () => {
    const delayMs = atMs - performance.now()
    if (delayMs > 0) timer = setTimeout(check, Math.min(Math.ceil(delayMs), LONGEST_DELAY_MS))
    else immediate = setImmediate(fn)
  }
  const check = () => (performance.now() >= atMs ? fn() : arm())
  arm()
  return () => {
    clearTimeout(timer)
    clearImmediate(immediate)
  }
}
