/** For what everybody may call: many callers cost no more than one. */

import type { Cancel, Clock } from '../base/ports.ts'

/** Runs at once, then at most once an interval: what is asked for in between is done at its end. */
export class Throttle {
  readonly #clock: Clock
  readonly #intervalMs: number
  readonly #run: () => void
  #lastMs = Number.NEGATIVE_INFINITY
  #cancelTimer: Cancel | undefined

  constructor(clock: Clock, intervalMs: number, run: () => void) {
    this.#clock = clock
    this.#intervalMs = intervalMs
    this.#run = run
  }

  request(): void {
    if (this.#cancelTimer) return
    const dueMs = this.#lastMs + this.#intervalMs
    if (this.#clock.nowMs() >= dueMs) this.#runNow()
    else this.#cancelTimer = this.#clock.at(dueMs, () => this.#runNow())
  }

  close(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }

  #runNow(): void {
    this.#cancelTimer = undefined
    this.#lastMs = this.#clock.nowMs()
    this.#run()
  }
}

/** Who calls while a run goes on gets that one's result. */
export function shareRun<T>(run: () => Promise<T>): () => Promise<T> {
  let current: Promise<T> | undefined
  return () => {
    current ??= run().finally(() => {
      current = undefined
    })
    return current
  }
}
