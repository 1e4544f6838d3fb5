/**
 * A clock that notices when the machine has slept: /proc/uptime (CLOCK_BOOTTIME) went on meanwhile, timers (CLOCK_MONOTONIC) did not. It
 * looks when a timer fires that somebody has set, at most once a second, and sets none itself: a machine that is idle stays so.
 */

import { uptime } from 'node:os'
import type { Cancel, Clock } from '../base/ports.ts'

const LOOK_EVERY_MS = 1000
/** What the two may differ by without a sleep: their steps, and a process that stood still between the two looks. */
const SHORTEST_SLEEP_MS = 3000

export class SleepClock implements Clock {
  readonly #clock: Clock
  readonly #uptimeMs: () => number
  readonly #onSlept: (ms: number) => void
  #awakeSinceMs: number
  #lookedAtMs: number

  constructor(clock: Clock, onSlept: (ms: number) => void, uptimeMs: () => number = () => uptime() * 1000) {
    this.#clock = clock
    this.#uptimeMs = uptimeMs
    this.#onSlept = onSlept
    this.#lookedAtMs = clock.nowMs()
    this.#awakeSinceMs = this.#differenceMs()
  }

  nowMs(): number {
    return this.#clock.nowMs()
  }

  wallUs(): bigint {
    return this.#clock.wallUs()
  }

  at(atMs: number, fn: () => void): Cancel {
    return this.#clock.at(atMs, () => {
      this.#look()
      fn()
    })
  }

  /** Somebody else has told of it. */
  forget(): void {
    this.#awakeSinceMs = this.#differenceMs()
  }

  #look(): void {
    const nowMs = this.#clock.nowMs()
    if (nowMs - this.#lookedAtMs < LOOK_EVERY_MS) return
    this.#lookedAtMs = nowMs
    const sleptMs = this.#differenceMs() - this.#awakeSinceMs
    if (sleptMs < SHORTEST_SLEEP_MS) return
    this.forget()
    this.#onSlept(sleptMs)
  }

  #differenceMs(): number {
    return this.#uptimeMs() - this.#clock.nowMs()
  }
}
