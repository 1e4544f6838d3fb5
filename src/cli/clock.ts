/** The time in mmctl (base/ports.ts). Its own, so that `mmctl list` loads nothing of the daemon's `system/`. */

import type { Clock } from '../base/ports.ts'

export const clock: Clock = {
  nowMs,
  wallUs: () => BigInt(Date.now()) * 1000n,
  at: (atMs, fn) => {
    const timer = setTimeout(fn, Math.max(0, Math.ceil(atMs - nowMs())))
    return () => clearTimeout(timer)
  },
}

/** Not performance.now(): its module alone takes 1.5 ms to load. */
function nowMs(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1000 + nanoseconds / 1e6
}
