/** Two wires joined in memory; bytes travel on the clock they are given, so nothing moves until a test moves time. */

import type { Clock } from '../../src/base/ports.ts'
import type { ModemLines, Wire, WireListener } from '../../src/serial/wire.ts'

export interface VirtualWireOptions {
  /** How long a byte travels; 0: it arrives at the clock's next step. */
  readonly latencyMs?: number
  /** `write` answers false while more than this is under way. */
  readonly highWaterBytes?: number
  readonly path?: string
}

/** Near end and far end. Closing one hangs up the other. */
export function virtualWires(clock: Clock, options: VirtualWireOptions = {}): [VirtualWire, VirtualWire] {
  const near = new VirtualWire(clock, options.path ?? '/dev/ttyVirtual0', options)
  const far = new VirtualWire(clock, 'far end', options)
  near.join(far)
  far.join(near)
  return [near, far]
}

export class VirtualWire implements Wire {
  readonly fd = undefined
  readonly path: string
  /** What was done to it, for a test to look at. */
  readonly done: string[] = []
  readonly #clock: Clock
  readonly #latencyMs: number
  readonly #highWaterBytes: number
  #peer: VirtualWire | undefined
  #listener: WireListener | undefined
  #inbox: Uint8Array[] = []
  #underWayBytes = 0
  #wantsDrain = false
  #readSize = Number.POSITIVE_INFINITY
  #closedReason: string | undefined
  #isDelivering = false

  constructor(clock: Clock, path: string, options: VirtualWireOptions) {
    this.#clock = clock
    this.path = path
    this.#latencyMs = options.latencyMs ?? 0
    this.#highWaterBytes = options.highWaterBytes ?? Number.POSITIVE_INFINITY
  }

  join(peer: VirtualWire): void {
    this.#peer = peer
  }

  get isClosed(): boolean {
    return this.#closedReason !== undefined
  }

  listen(listener: WireListener | undefined): void {
    this.#listener = listener
    if (listener) queueMicrotask(() => this.#deliver())
  }

  write(bytes: Uint8Array): boolean {
    if (this.isClosed || bytes.length === 0) return true
    const copy = bytes.slice()
    this.#underWayBytes += copy.length
    this.#later(() => {
      this.#peer?.receive(copy)
      this.#underWayBytes -= copy.length
      if (this.#underWayBytes > 0 || !this.#wantsDrain) return
      this.#wantsDrain = false
      this.#listener?.drain()
    })
    if (this.#underWayBytes <= this.#highWaterBytes) return true
    this.#wantsDrain = true
    return false
  }

  receive(bytes: Uint8Array): void {
    if (this.isClosed) return
    this.#inbox.push(bytes)
    this.#deliver()
  }

  /** The line dies at this end, after what has already arrived. */
  hangUp(reason: string): void {
    if (this.isClosed) return
    this.#closedReason = reason
    this.#deliver()
  }

  async setBaud(baud: number): Promise<void> {
    this.done.push(`baud ${baud}`)
  }

  async setLines(lines: ModemLines): Promise<void> {
    this.done.push(`lines ${JSON.stringify(lines)}`)
  }

  async sendBreak(): Promise<void> {
    this.done.push('break')
  }

  async flush(): Promise<void> {
    this.done.push('flush')
    this.#inbox = []
  }

  setReadSize(bytes: number): void {
    this.#readSize = bytes
  }

  async close(): Promise<void> {
    if (this.isClosed) return
    this.#inbox = []
    this.hangUp('closed')
    this.#later(() => this.#peer?.hangUp('hung up'))
  }

  #later(fn: () => void): void {
    this.#clock.at(this.#clock.nowMs() + this.#latencyMs, fn)
  }

  #deliver(): void {
    if (this.#isDelivering) return
    this.#isDelivering = true
    while (this.#listener && this.#inbox.length > 0) {
      const bytes = this.#inbox.shift()!
      if (bytes.length > this.#readSize) this.#inbox.unshift(bytes.slice(this.#readSize))
      this.#listener.data(bytes.slice(0, Math.min(this.#readSize, bytes.length)))
    }
    this.#isDelivering = false
    if (this.#closedReason === undefined || !this.#listener) return
    const listener = this.#listener
    this.#listener = undefined
    listener.closed(this.#closedReason)
  }
}
