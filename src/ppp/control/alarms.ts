/**
 * The named deadlines of one session, and its present time. No timer is behind them: the session's owner asks for the next
 * deadline and calls back when it is due (DESIGN §4). Used by `session.ts` and all that it is made of.
 */

import type { Deadline } from '../../base/machine.ts'

interface Alarm {
  readonly atMs: number
  readonly fire: () => void
}

export class Alarms {
  /** Set by the session at each input; monotonic. */
  nowMs = 0
  readonly #pending = new Map<string, Alarm>()

  /** Replaces the alarm of that name. `why` is its name. */
  set(why: string, delayMs: number, fire: () => void): void {
    this.#pending.set(why, { atMs: this.nowMs + Math.max(1, delayMs), fire })
  }

  cancel(why: string): void {
    this.#pending.delete(why)
  }

  clear(): void {
    this.#pending.clear()
  }

  get next(): Deadline | undefined {
    let soonest: Deadline | undefined
    for (const [why, { atMs }] of this.#pending) if (!soonest || atMs < soonest.atMs) soonest = { atMs, why }
    return soonest
  }

  /** Fires what is due, in order. */
  fireDue(): void {
    for (let due = this.next; due && due.atMs <= this.nowMs; due = this.next) {
      const alarm = this.#pending.get(due.why)
      this.#pending.delete(due.why)
      alarm?.fire()
    }
  }
}
