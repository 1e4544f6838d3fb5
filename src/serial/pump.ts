/**
 * Runs a pure machine over a wire: bytes in, outputs out, and the one timer its deadline asks for. With its siblings for
 * packets the only place where a machine's time is real (DESIGN §4). Used for chat, PPP and the simulator's modem.
 */

import type { Input, Machine } from '../base/machine.ts'
import type { Cancel, Clock } from '../base/ports.ts'
import type { Wire } from './wire.ts'

export interface PumpOptions<E> {
  readonly clock: Clock
  onEvent(event: E): void
  /** The wire takes bytes again after `blocked`. */
  onDrain?(): void
}

export class Pump<E> {
  readonly #wire: Wire
  readonly #machine: Machine<E>
  readonly #options: PumpOptions<E>
  #isStarted = false
  #isStopped = false
  #isDraining = false
  #isBlocked = false
  #timer: { readonly atMs: number; readonly cancel: Cancel } | undefined

  /** The machine gets `open` in a microtask, or at the first byte, so that `onEvent` may use the pump. */
  constructor(wire: Wire, machine: Machine<E>, options: PumpOptions<E>) {
    this.#wire = wire
    this.#machine = machine
    this.#options = options
    queueMicrotask(() => this.#start())
    wire.listen({
      data: (bytes) => this.#feed({ type: 'data', bytes }),
      drain: () => this.#onDrain(),
      closed: (reason) => this.#feed({ type: 'close', reason }),
    })
  }

  /** The last write filled the wire's queue: whoever produces bulk data should wait for `onDrain`. */
  get blocked(): boolean {
    return this.#isBlocked
  }

  /** Carries out what the machine has to say after one of its own methods was called. Safe from within `onEvent`. */
  poke(): void {
    this.#start()
    this.#drain()
  }

  /** Lets go of the wire; bytes that come from now on stay for its next listener. */
  stop(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#disarm()
    this.#wire.listen(undefined)
  }

  #start(): void {
    if (this.#isStarted || this.#isStopped) return
    this.#isStarted = true
    this.#feed({ type: 'open' })
  }

  #feed(input: Input): void {
    this.#start()
    if (this.#isStopped) return
    this.#machine.handle(input, this.#options.clock.nowMs())
    this.#drain()
  }

  #drain(): void {
    if (this.#isDraining) return
    this.#isDraining = true
    try {
      while (!this.#isStopped) {
        const output = this.#machine.poll()
        if (!output) break
        if (output.type === 'send') this.#isBlocked = !this.#wire.write(output.bytes)
        else this.#options.onEvent(output.event)
      }
    } finally {
      this.#isDraining = false
    }
    this.#arm()
  }

  /** A timer that fires too early only looks again, so a deadline that keeps moving on costs no new timers. */
  #arm(): void {
    const atMs = this.#isStopped ? undefined : this.#machine.deadline()?.atMs
    if (atMs !== undefined && this.#timer && this.#timer.atMs <= atMs) return
    this.#disarm()
    if (atMs === undefined) return
    this.#timer = { atMs, cancel: this.#options.clock.at(atMs, () => this.#onTimer()) }
  }

  #disarm(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #onTimer(): void {
    this.#timer = undefined
    const deadline = this.#machine.deadline()
    if (deadline && deadline.atMs <= this.#options.clock.nowMs()) this.#feed({ type: 'timeout' })
    else this.#arm()
  }

  #onDrain(): void {
    this.#isBlocked = false
    if (!this.#isStopped) this.#options.onDrain?.()
  }
}
