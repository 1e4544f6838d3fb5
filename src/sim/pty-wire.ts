/**
 * A modem's tty: a pty whose slave programs open, as a Wire. It survives them, and notices when the last one closes it,
 * which on a real modem drops DTR.
 */

import type { WireListener } from '../serial/wire.ts'
import { openPty, type Pty } from '../system/pty.ts'
import type { ModemTty } from './modem-tty.ts'

/** What nobody reads above this is lost, as in a modem's own buffer. */
const MAX_UNREAD_BYTES = 262_144

export class PtyWire implements ModemTty {
  readonly fd = undefined
  readonly path: string
  readonly #pty: Pty
  readonly #onHostClosed: () => void
  #listener: WireListener | undefined
  #isClosed = false
  #isFull = false
  #unreadBytes = 0

  /** Throws ModemdError. `onHostClosed`: the last program has closed the tty. */
  constructor(path: string, onHostClosed: () => void) {
    this.path = path
    this.#onHostClosed = onHostClosed
    this.#pty = openPty({ keepSlaveOpen: false })
    this.#pty.onSlaveClosed(() => this.#hostClosed())
    this.#pty.onDrain(() => this.#drained())
  }

  /** `/dev/pts/7`. */
  get slavePath(): string {
    return this.#pty.slavePath
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  listen(listener: WireListener | undefined): void {
    const isFirst = this.#listener === undefined
    this.#listener = listener
    if (isFirst) this.#pty.onData((bytes) => this.#listener?.data(bytes))
  }

  write(bytes: Uint8Array): boolean {
    if (this.#isClosed) return true
    if (this.#isFull) {
      this.#unreadBytes += bytes.length
      if (this.#unreadBytes > MAX_UNREAD_BYTES) return false
    }
    this.#isFull = !this.#pty.write(bytes)
    return !this.#isFull
  }

  /** Programs that have it open get a hang-up. */
  hangUp(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#pty.hangUp()
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

  #drained(): void {
    this.#isFull = false
    this.#unreadBytes = 0
    this.#listener?.drain()
  }

  /** Without an open slave the master would only read errors, and the next program would get a cooked tty. */
  #hostClosed(): void {
    if (this.#isClosed) return
    this.#isFull = false
    this.#unreadBytes = 0
    this.#pty.holdSlave()
    this.#onHostClosed()
  }
}
