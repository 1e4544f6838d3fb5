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

/** What was found a moment ago is told again. */
export function reuseFor<T>(clock: Clock, ms: number, run: () => T): () => T {
  let last: { readonly value: T; readonly atMs: number } | undefined
  return () => {
    const nowMs = clock.nowMs()
    if (!last || nowMs - last.atMs >= ms) last = { value: run(), atMs: nowMs }
    return last.value
  }
}

/** Of a turn of the event loop. */
const SLICE_MS = 5
/** Of one owner: above what anybody asks who waits for answers, and what memory has room for. */
const MOST_WAITING = 16_384

/**
 * At once, but of a flood only a few milliseconds a turn: the packets of the links pass in between. Each owner's in order, and of several
 * owners one of each after the other: who floods keeps only himself waiting.
 */
export class SliceQueue<T> {
  readonly #clock: Clock
  readonly #handle: (item: T) => void
  readonly #ownerOf: (item: T) => string
  /** By owner; whose turn it is first. None is empty. */
  readonly #waiting = new Map<string, T[]>()
  #leftMs = SLICE_MS
  #turn: NodeJS.Immediate | undefined

  /** `handle` does not throw. */
  constructor(clock: Clock, handle: (item: T) => void, ownerOf: (item: T) => string = () => '') {
    this.#clock = clock
    this.#handle = handle
    this.#ownerOf = ownerOf
  }

  /** False: too many of its owner's wait; it is not taken. */
  push(item: T): boolean {
    const owner = this.#ownerOf(item)
    const before = this.#waiting.get(owner)
    if (before && before.length >= MOST_WAITING) return false
    if (before) before.push(item)
    else this.#waiting.set(owner, [item])
    this.#turn ??= setImmediate(() => this.#nextTurn())
    this.#work()
    return true
  }

  #nextTurn(): void {
    this.#leftMs = SLICE_MS
    this.#turn = this.#waiting.size > 0 ? setImmediate(() => this.#nextTurn()) : undefined
    this.#work()
  }

  #work(): void {
    while (this.#leftMs > 0 && this.#waiting.size > 0) {
      const startedMs = this.#clock.nowMs()
      this.#handle(this.#next())
      this.#leftMs -= this.#clock.nowMs() - startedMs
    }
  }

  #next(): T {
    const [owner, items] = this.#waiting.entries().next().value!
    const item = items.shift()!
    this.#waiting.delete(owner)
    if (items.length > 0) this.#waiting.set(owner, items)
    return item
  }
}
