/** A pty's master as a `Wire`: what our end of the line is while another program has the slave. */

import type { Wire, WireListener } from '../../src/serial/wire.ts'
import { openPty, type Pty } from '../../src/system/pty.ts'

export class PtyWire implements Wire {
  readonly fd = undefined
  readonly pty: Pty
  #listener: WireListener | undefined
  #isClosed = false

  /** The line is closed when the other program, having written something, closes the slave. */
  constructor() {
    this.pty = openPty({ keepSlaveOpen: false })
    this.pty.onDrain(() => this.#listener?.drain())
    this.pty.onSlaveClosed(() => this.#end('hung up'))
  }

  get path(): string {
    return this.pty.slavePath
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  listen(listener: WireListener | undefined): void {
    this.#listener = listener
    if (listener) this.pty.onData((bytes) => this.#listener?.data(bytes))
    else this.pty.pauseReading()
  }

  write(bytes: Uint8Array): boolean {
    return this.pty.write(bytes)
  }

  async setBaud(): Promise<void> {}
  async setLines(): Promise<void> {}
  async sendBreak(): Promise<void> {}
  async flush(): Promise<void> {}
  setReadSize(): void {}

  async close(): Promise<void> {
    this.pty.close()
    this.#end('closed')
  }

  #end(reason: string): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#listener?.closed(reason)
  }
}
