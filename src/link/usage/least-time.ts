/**
 * The time of day, for counting by months, from a clock that may be wrong: many modems' hosts start in 1970, and get the time only
 * by the link. A clock that shows less than what is surely past is not believed, so that no jump brings back data that are used
 * up; one that jumped forward and comes back is. Pure. Used by `ledger.ts`.
 */

/** More than this at once is a jump. */
const JUMP_MS = 600_000
/** After a jump forward, before the new time is what is surely past. */
const STEADY_MS = 600_000
/** A clock that is behind for so long without a jump is right, and what was known before was wrong. */
const BELIEVED_MS = 86_400_000

export class LeastTime {
  /** Surely past, at `#atMs`. */
  #leastMs: number
  #atMs: number
  /** The clock's, against the monotonic one. */
  #offsetMs: number | undefined
  #steadySinceMs: number

  /** `leastMs`: what was surely past when it was looked at last, perhaps by a daemon before; `nowMs` is monotonic. */
  constructor(leastMs: number, nowMs: number) {
    this.#leastMs = leastMs
    this.#atMs = nowMs
    this.#steadySinceMs = nowMs
  }

  /** For the next daemon. */
  get leastMs(): number {
    return this.#leastMs
  }

  /** Milliseconds since 1970. */
  read(wallMs: number, nowMs: number): number {
    this.#leastMs += nowMs - this.#atMs
    this.#atMs = nowMs
    const offsetMs = wallMs - nowMs
    if (this.#offsetMs === undefined || Math.abs(offsetMs - this.#offsetMs) > JUMP_MS) {
      this.#offsetMs = offsetMs
      this.#steadySinceMs = nowMs
    }
    const isBehind = wallMs < this.#leastMs
    if (nowMs - this.#steadySinceMs >= (isBehind ? BELIEVED_MS : STEADY_MS)) this.#leastMs = wallMs
    return Math.max(wallMs, this.#leastMs)
  }
}

/** In local time, `2026-11`. */
export function monthOf(wallMs: number): string {
  const date = new Date(wallMs)
  return `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, '0')}`
}

/** When the month after that of `wallMs` begins. */
export function nextMonthMs(wallMs: number): number {
  const date = new Date(wallMs)
  return new Date(date.getFullYear(), date.getMonth() + 1, 1).getTime()
}
