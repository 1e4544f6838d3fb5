/** One send under way: its bytes, delays and breaks in turn, within its time limit. */

import type { SendStep } from './escapes.ts'

/** A wire's break is 250 ms (`Wire.sendBreak`); what follows must not run into it. */
const BREAK_MS = 300

const LIMIT_AGAIN_MS = 1000

export type NextStep = SendStep | { readonly type: 'wait' | 'limit' | 'done' }

export class Sending {
  readonly #steps: readonly SendStep[]
  #limitMs: number
  #at = 0
  #resumeMs: number | undefined
  #isOutOfTime = false

  constructor(steps: readonly SendStep[], limitMs: number) {
    this.#steps = steps
    this.#limitMs = limitMs
  }

  /** The limit has passed: the next byte must fail, while delays still go on, as in chat. */
  get isOutOfTime(): boolean {
    return this.#isOutOfTime
  }

  /** When `next` will have more than `wait`. */
  get dueMs(): number {
    return Math.min(this.#limitMs, this.#resumeMs ?? this.#limitMs)
  }

  /** `limit` cuts the delay short in which it comes, and comes again with each second that delays go on. */
  next(nowMs: number): NextStep {
    if (nowMs >= this.#limitMs) {
      this.endTime(nowMs)
      return { type: 'limit' }
    }
    if (this.#resumeMs !== undefined && nowMs < this.#resumeMs) return { type: 'wait' }
    this.#resumeMs = undefined
    const step = this.#steps[this.#at++]
    if (step?.type === 'delay') this.#resumeMs = nowMs + step.ms
    return step ?? { type: 'done' }
  }

  pauseForBreak(nowMs: number): void {
    this.#resumeMs = nowMs + BREAK_MS
  }

  /** An alarm from outside: as if the limit had passed. */
  endTime(nowMs: number): void {
    this.#isOutOfTime = true
    this.#limitMs = nowMs + LIMIT_AGAIN_MS
    this.#resumeMs = undefined
  }
}
