/**
 * The operator's end of a call as a Wire for a PPP engine: the modem's data path on one side, and the line's own faults
 * (loop, bit errors) in between. `simulated-modem.ts` feeds it.
 */

import { type Random, randomFraction } from '../base/ports.ts'
import type { WireListener } from '../serial/wire.ts'
import type { CallLine, LineDisturbance, LineFilter } from './operator.ts'

export interface CallWireOptions {
  readonly path: string
  /** Towards the host; false: wait for `drained`. */
  send(bytes: Uint8Array): boolean
  /** The engine closed the line. */
  onClose(): void
  readonly random: Random
}

export class CallWire implements CallLine {
  readonly fd = undefined
  readonly path: string
  readonly #options: CallWireOptions
  #listener: WireListener | undefined
  #filter: LineFilter = { fromHost: (bytes) => [bytes], toHost: (bytes) => [bytes] }
  #disturbance: LineDisturbance = { loopsBack: false, bitErrors: 0 }
  #unread: Uint8Array[] = []
  #closedReason: string | undefined

  constructor(options: CallWireOptions) {
    this.path = options.path
    this.#options = options
  }

  get isClosed(): boolean {
    return this.#closedReason !== undefined
  }

  filterWith(filter: LineFilter): void {
    this.#filter = filter
  }

  disturb(disturbance: LineDisturbance): void {
    this.#disturbance = disturbance
  }

  /** From the host. */
  received(bytes: Uint8Array): void {
    if (this.isClosed) return
    const damaged = this.#damaged(bytes)
    if (this.#disturbance.loopsBack) {
      this.#options.send(damaged)
      return
    }
    for (const passed of this.#filter.fromHost(damaged)) {
      if (this.#listener) this.#listener.data(passed)
      else this.#unread.push(passed)
    }
  }

  drained(): void {
    this.#listener?.drain()
  }

  /** The line is gone. */
  over(reason: string): void {
    if (this.isClosed) return
    this.#closedReason = reason
    this.#tellClosed()
  }

  listen(listener: WireListener | undefined): void {
    this.#listener = listener
    queueMicrotask(() => {
      if (this.#listener !== listener || !listener) return
      const unread = this.#unread
      this.#unread = []
      for (const bytes of unread) this.#listener?.data(bytes)
      this.#tellClosed()
    })
  }

  write(bytes: Uint8Array): boolean {
    if (this.isClosed || this.#disturbance.loopsBack) return true
    let mayGoOn = true
    for (const passed of this.#filter.toHost(bytes)) mayGoOn = this.#options.send(this.#damaged(passed))
    return mayGoOn
  }

  async close(): Promise<void> {
    if (this.isClosed) return
    this.over('closed')
    this.#options.onClose()
  }

  async setBaud(): Promise<void> {}
  async setLines(): Promise<void> {}
  async sendBreak(): Promise<void> {}
  async flush(): Promise<void> {}
  setReadSize(): void {}

  #tellClosed(): void {
    const listener = this.#listener
    if (this.#closedReason === undefined || !listener) return
    this.#listener = undefined
    listener.closed(this.#closedReason)
  }

  #damaged(bytes: Uint8Array): Uint8Array {
    const { bitErrors } = this.#disturbance
    const { random } = this.#options
    if (bitErrors === 0) return bytes
    return bytes.map((value) =>
      randomFraction(random) < bitErrors ? value ^ (1 << Math.floor(randomFraction(random) * 8)) : value,
    )
  }
}
