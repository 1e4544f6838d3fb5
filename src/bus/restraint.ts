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

/** Of a turn of the event loop. */
const SLICE_MS = 5

/** In order and at once, but of a flood only a few milliseconds a turn: the packets of the links pass in between. */
export class SliceQueue<T> {
  readonly #clock: Clock
  readonly #handle: (item: T) => void
  readonly #waiting: T[] = []
  #leftMs = SLICE_MS
  #turn: NodeJS.Immediate | undefined

  /** `handle` does not throw. */
  constructor(clock: Clock, handle: (item: T) => void) {
    this.#clock = clock
    this.#handle = handle
  }

  push(item: T): void {
    this.#waiting.push(item)
    this.#turn ??= setImmediate(() => this.#nextTurn())
    this.#work()
  }

  #nextTurn(): void {
    this.#leftMs = SLICE_MS
    this.#turn = this.#waiting.length > 0 ? setImmediate(() => this.#nextTurn()) : undefined
    this.#work()
  }

  #work(): void {
    while (this.#leftMs > 0 && this.#waiting.length > 0) {
      const startedMs = this.#clock.nowMs()
      this.#handle(this.#waiting.shift()!)
      this.#leftMs -= this.#clock.nowMs() - startedMs
    }
  }
}
