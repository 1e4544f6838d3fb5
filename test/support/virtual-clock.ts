/** Time as a number that tests move: timers fire in order, no real time passes. */

import type { Cancel, Clock } from '../../src/base/ports.ts'

interface Timer {
  readonly atMs: number
  readonly fn: () => void
}

export class VirtualClock implements Clock {
  #nowMs = 0
  #timers: Timer[] = []
  #wallJumpMs = 0

  nowMs(): number {
    return this.#nowMs
  }

  wallUs(): bigint {
    return BigInt(Math.round((this.#nowMs + this.#wallJumpMs) * 1000)) + 1_700_000_000_000_000n
  }

  /** Somebody sets the time of day; no timer may care. */
  setWall(date: Date): void {
    this.#wallJumpMs += date.getTime() - Number(this.wallUs() / 1000n)
  }

  at(atMs: number, fn: () => void): Cancel {
    const timer: Timer = { atMs: Math.max(atMs, this.#nowMs), fn }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** How many timers wait: 0 means that nothing would ever happen by itself. */
  get pending(): number {
    return this.#timers.length
  }

  /** Jumps to the next timer and fires it; false: there is none (at or before `limitMs`). Microtasks run before and after. */
  async step(limitMs = Number.POSITIVE_INFINITY): Promise<boolean> {
    await settle()
    const next = this.#timers.reduce<Timer | undefined>(
      (soonest, timer) => (soonest && soonest.atMs <= timer.atMs ? soonest : timer),
      undefined,
    )
    if (!next || next.atMs > limitMs) return false
    this.#timers = this.#timers.filter((timer) => timer !== next)
    this.#nowMs = next.atMs
    next.fn()
    await settle()
    return true
  }

  /** Moves time on by `ms`, firing what is due on the way. */
  async advance(ms: number): Promise<void> {
    const until = this.#nowMs + ms
    while (await this.step(until));
    this.#nowMs = until
  }
}

/** Lets promise chains run to where they wait for something. */
async function settle(): Promise<void> {
  for (let round = 0; round < 4; round++) await new Promise((resolve) => setImmediate(resolve))
}
