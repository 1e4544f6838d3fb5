/**
 * The data of one call inside the modem: both directions with the air's speed, and the watch for `+++`. Pure; `at-port.ts`
 * drives it.
 */

import { EscapeGuard } from './escape-guard.ts'
import { PacedQueue } from './paced-queue.ts'

/** Hayes' S12: 50 × 20 ms. */
const GUARD_MS = 1000
const HIGH_WATER_BYTES = 32_768
/** A host that goes on above this loses bytes, as on the air. */
const MAX_UPLINK_BYTES = 262_144

export type DataPathOutput =
  | { readonly type: 'downlink' | 'uplink'; readonly bytes: Uint8Array }
  /** `downlink` takes bytes again. */
  | { readonly type: 'drained' }
  /** The last byte after `finish`. */
  | { readonly type: 'finished' }
  /** The host wants to give commands. */
  | { readonly type: 'escape' }

export class DataPath {
  readonly #up: PacedQueue
  readonly #down: PacedQueue
  #guard: EscapeGuard
  #owesDrain = false
  #isFinishing = false
  #drops = 0

  /** Bit/s, 0: no limit. */
  constructor(speed: number, nowMs: number) {
    this.#up = new PacedQueue(speed)
    this.#down = new PacedQueue(speed)
    this.#guard = new EscapeGuard(GUARD_MS, nowMs)
  }

  get deadlineMs(): number | undefined {
    const due = [this.#up.deadlineMs, this.#down.deadlineMs, this.#guard.deadlineMs].filter(
      (each) => each !== undefined,
    )
    return due.length > 0 ? Math.min(...due) : undefined
  }

  uplink(bytes: Uint8Array, nowMs: number): void {
    const data = this.#guard.feed(bytes, nowMs)
    if (this.#up.queuedBytes + data.length > MAX_UPLINK_BYTES) this.#drops++
    else if (data.length > 0) this.#up.push(data, nowMs)
  }

  /** False: wait for `drained`. */
  downlink(bytes: Uint8Array, nowMs: number): boolean {
    this.#down.push(bytes, nowMs)
    this.#owesDrain ||= this.#down.queuedBytes > HIGH_WATER_BYTES
    return !this.#owesDrain
  }

  /** No more downlink comes; `finished` follows the last of it. */
  finish(): void {
    this.#isFinishing = true
  }

  /** After ATO. */
  resume(nowMs: number): void {
    this.#guard = new EscapeGuard(GUARD_MS, nowMs)
  }

  /** Until undefined. */
  take(nowMs: number): DataPathOutput | undefined {
    const down = this.#down.take(nowMs)
    if (down) return { type: 'downlink', bytes: down }
    const up = this.#up.take(nowMs)
    if (up) return { type: 'uplink', bytes: up }
    if (this.#down.queuedBytes === 0 && this.#owesDrain) {
      this.#owesDrain = false
      return { type: 'drained' }
    }
    if (this.#down.queuedBytes === 0 && this.#isFinishing) {
      this.#isFinishing = false
      return { type: 'finished' }
    }
    return this.#takeEscape(nowMs)
  }

  takeDrops(): number {
    const drops = this.#drops
    this.#drops = 0
    return drops
  }

  #takeEscape(nowMs: number): DataPathOutput | undefined {
    if (this.#guard.deadlineMs === undefined || this.#guard.deadlineMs > nowMs) return undefined
    const held = this.#guard.expire()
    if (held === 'escape') return { type: 'escape' }
    this.#up.push(held, nowMs)
    const up = this.#up.take(nowMs)
    return up && { type: 'uplink', bytes: up }
  }
}
