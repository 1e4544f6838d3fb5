/**
 * A tty that is there already (`--tty /dev/ttyGS0`) as the modem's side of a line: a USB gadget's port, or a UART with a cable to
 * another machine. When its line ends (the host's side was unplugged) the modem loses its power.
 */

import { FdWire, OUR_CLOSE } from '../ppp/command/fd-wire.ts'
import type { Wire, WireListener } from '../serial/wire.ts'
import { checked, close, O_NOCTTY, O_NONBLOCK, O_RDWR, open } from '../system/libc.ts'
import { readLine, setUpLine } from '../system/serial-line.ts'
import type { ModemTty } from './modem-tty.ts'

const SPEED_BAUD = 115_200

export class TtyWire implements ModemTty {
  readonly fd = undefined
  readonly path: string
  readonly #fd: number
  readonly #wire: Wire
  readonly #onGone: () => void
  #listener: WireListener | undefined
  #isOpen = true

  /** Raw before the first byte is read. `onGone`: the line ended by itself. Throws ModemdError. */
  constructor(path: string, onGone: () => void) {
    this.path = path
    this.#onGone = onGone
    this.#fd = checked(open(path, O_RDWR | O_NOCTTY | O_NONBLOCK), `cannot open ${path}`)
    try {
      const settings = { speedBaud: SPEED_BAUD, flowControl: 'none', stopBits: 1, watchesCarrier: false } as const
      checked(setUpLine(this.#fd, readLine(this.#fd), settings), `cannot set up ${path}`)
      this.#wire = new FdWire({ path, readFd: this.#fd, writeFd: this.#fd, isTty: true })
    } catch (error) {
      close(this.#fd)
      throw error
    }
  }

  get slavePath(): string {
    return this.path
  }

  get isClosed(): boolean {
    return this.#wire.isClosed
  }

  listen(listener: WireListener | undefined): void {
    this.#listener = listener
    this.#wire.listen(
      listener && {
        data: (bytes) => this.#listener?.data(bytes),
        drain: () => this.#listener?.drain(),
        closed: (reason) => {
          this.#letGo()
          this.#listener?.closed(reason)
          if (reason !== OUR_CLOSE) this.#onGone()
        },
      },
    )
  }

  write(bytes: Uint8Array): boolean {
    return this.#wire.write(bytes)
  }

  hangUp(): void {
    void this.#wire.close()
    this.#letGo()
  }

  async close(): Promise<void> {
    this.hangUp()
  }

  async setBaud(): Promise<void> {}
  async setLines(): Promise<void> {}
  async sendBreak(): Promise<void> {}
  async flush(): Promise<void> {}
  setReadSize(): void {}

  #letGo(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    close(this.#fd)
  }
}
