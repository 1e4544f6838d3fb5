/**
 * Two machines joined by a line on virtual time: what one sends reaches the other after `latencyMs`, and time jumps to the next
 * thing that happens. `damage` sees every piece on its way and says what arrives: nothing, the piece, or others, in order.
 */

import type { Input, Machine } from '../../src/base/machine.ts'

export type Damage = (bytes: Uint8Array, from: 'a' | 'b', nowMs: number) => readonly Uint8Array[]

interface Delivery {
  readonly atMs: number
  readonly to: End<unknown>
  readonly bytes: Uint8Array
}

export class End<E> {
  readonly events: E[] = []
  readonly sent: Uint8Array[] = []
  readonly machine: Machine<E>
  readonly name: 'a' | 'b'

  constructor(name: 'a' | 'b', machine: Machine<E>) {
    this.name = name
    this.machine = machine
  }
}

export class Cable<E> {
  readonly a: End<E>
  readonly b: End<E>
  nowMs = 1000
  /** When something last happened. */
  lastMs = this.nowMs
  latencyMs = 5
  damage: Damage = (bytes) => [bytes]
  #deliveries: Delivery[] = []

  constructor(a: Machine<E>, b: Machine<E>) {
    this.a = new End('a', a)
    this.b = new End('b', b)
  }

  open(): this {
    this.input(this.a, { type: 'open' })
    this.input(this.b, { type: 'open' })
    return this
  }

  input(end: End<E>, input: Input): void {
    end.machine.handle(input, this.nowMs)
    this.drain(end)
  }

  /** After a machine was called directly. */
  drain(end: End<E>): void {
    const peer = end === this.a ? this.b : this.a
    for (let output = end.machine.poll(); output; output = end.machine.poll()) {
      if (output.type === 'event') {
        end.events.push(output.event)
        continue
      }
      end.sent.push(output.bytes.slice())
      for (const bytes of this.damage(output.bytes.slice(), end.name, this.nowMs)) {
        this.#deliveries.push({ atMs: this.nowMs + this.latencyMs, to: peer as End<unknown>, bytes })
      }
    }
  }

  /** One thing that happens; false: nothing will, before `limitMs`. */
  step(limitMs: number): boolean {
    const delivery = this.#deliveries[0]
    const timers = [this.a, this.b]
      .map((end) => ({ end, atMs: end.machine.deadline()?.atMs ?? Number.POSITIVE_INFINITY }))
      .sort((x, y) => x.atMs - y.atMs)
    const timer = timers[0]!
    const atMs = Math.min(delivery?.atMs ?? Number.POSITIVE_INFINITY, timer.atMs)
    if (atMs > limitMs || atMs === Number.POSITIVE_INFINITY) return false
    this.nowMs = Math.max(this.nowMs, atMs)
    this.lastMs = this.nowMs
    if (delivery && delivery.atMs <= timer.atMs) {
      this.#deliveries.shift()
      this.input(delivery.to as End<E>, { type: 'data', bytes: delivery.bytes })
    } else {
      this.input(timer.end, { type: 'timeout' })
    }
    return true
  }

  /** Lets `ms` pass. More steps than any sane pair needs are a spin. */
  run(ms: number): this {
    const limitMs = this.nowMs + ms
    for (let steps = 0; this.step(limitMs); steps++) {
      if (steps > 20_000) throw new Error(`the pair spins: 20,000 steps by ${this.nowMs} ms`)
    }
    this.nowMs = limitMs
    return this
  }
}
