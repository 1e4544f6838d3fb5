/** A tty between modem-sim's modem and the daemon, on virtual time: what `pty-wire.ts` is in a running simulator. */

import type { Clock } from '../../src/base/ports.ts'
import type { Wire, WireListener } from '../../src/serial/wire.ts'
import type { ModemTty } from '../../src/sim/modem-tty.ts'
import { type VirtualWire, virtualWires } from '../support/virtual-wire.ts'

export class VirtualTty implements ModemTty {
  readonly fd = undefined
  readonly path: string
  readonly #clock: Clock
  readonly #onHostClosed: () => void
  #listener: WireListener | undefined
  /** The modem's end while the daemon has it open. */
  #far: VirtualWire | undefined
  #isClosed = false

  constructor(path: string, clock: Clock, onHostClosed: () => void) {
    this.path = path
    this.#clock = clock
    this.#onHostClosed = onHostClosed
  }

  get slavePath(): string {
    return this.path
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** The daemon's end. */
  open(): Wire {
    const [near, far] = virtualWires(this.#clock, { path: this.path })
    this.#far = far
    far.listen({
      data: (bytes) => this.#listener?.data(bytes),
      drain: () => this.#listener?.drain(),
      closed: () => {
        if (this.#far !== far) return
        this.#far = undefined
        if (!this.#isClosed) this.#onHostClosed()
      },
    })
    return near
  }

  listen(listener: WireListener | undefined): void {
    this.#listener = listener
  }

  /** What nobody has open takes nothing. */
  write(bytes: Uint8Array): boolean {
    return this.#far?.write(bytes) ?? true
  }

  hangUp(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    void this.#far?.close()
    this.#listener?.closed('unplugged')
  }

  async close(): Promise<void> {
    this.hangUp()
  }

  async setBaud(): Promise<void> {}
  async setLines(): Promise<void> {}
  async sendBreak(): Promise<void> {}
  async flush(): Promise<void> {}
  setReadSize(): void {}
}
