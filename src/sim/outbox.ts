/** What a port has to say and when, in order: replies that are late hold up what comes behind them. Used by `at-port.ts`. */

import type { Output } from '../base/machine.ts'

/** Unread replies and reports above this are lost, as in a modem. */
const MAX_BYTES = 65_536

export class Outbox<E> {
  #waiting: { readonly output: Output<E>; readonly dueMs: number }[] = []
  #bytes = 0

  get length(): number {
    return this.#waiting.length
  }

  /** Of the first; undefined: nothing waits. */
  get dueMs(): number | undefined {
    return this.#waiting[0]?.dueMs
  }

  /** false: it is full, and this is lost. */
  push(output: Output<E>, nowMs: number, afterMs: number): boolean {
    if (output.type === 'send') {
      if (this.#bytes > MAX_BYTES) return false
      this.#bytes += output.bytes.length
    }
    this.#waiting.push({ output, dueMs: Math.max(this.#waiting.at(-1)?.dueMs ?? 0, nowMs) + afterMs })
    return true
  }

  /** What is due. */
  take(nowMs: number): Output<E> | undefined {
    const first = this.#waiting[0]
    if (!first || first.dueMs > nowMs) return undefined
    this.#waiting.shift()
    if (first.output.type === 'send') this.#bytes -= first.output.bytes.length
    return first.output
  }
}
