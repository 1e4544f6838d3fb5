/** A modem of a few lines at the other end of a line: answers AT, and a pppd behind CONNECT until it ends. */

import { fromLatin1, latin1 } from '../../../src/base/bytes.ts'
import { close, O_NOCTTY, O_NONBLOCK, O_RDWR, open, read, write } from '../../../src/system/libc.ts'
import { setRaw } from '../../../src/system/termios.ts'
import type { Line } from './line.ts'
import { Peer } from './peer.ts'

const LOOK_MS = 5

export class AtModem {
  readonly commands: string[] = []
  readonly #path: string
  readonly #options: readonly string[]
  readonly #timer: NodeJS.Timeout
  #fd: number
  #line = ''

  constructor({ theirs }: Line, pppdOptions: readonly string[]) {
    this.#path = theirs
    this.#options = pppdOptions
    this.#fd = this.#open()
    this.#timer = setInterval(() => this.#look(), LOOK_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
    if (this.#fd >= 0) close(this.#fd)
  }

  #open(): number {
    const fd = open(this.#path, O_RDWR | O_NOCTTY | O_NONBLOCK)
    setRaw(fd)
    return fd
  }

  #look(): void {
    const bytes = new Uint8Array(256)
    const count = this.#fd < 0 ? 0 : read(this.#fd, bytes, bytes.length)
    if (count <= 0) return
    for (const char of fromLatin1(bytes.subarray(0, count))) {
      if (char !== '\r') this.#line += char
      else {
        const line = this.#line.trim()
        this.#line = ''
        if (line !== '') this.#answer(line)
      }
    }
  }

  #answer(command: string): void {
    this.commands.push(command)
    if (!command.startsWith('ATD')) {
      this.#say('OK')
      return
    }
    this.#say('CONNECT 7200000')
    close(this.#fd)
    this.#fd = -1
    void this.#runPeer()
  }

  async #runPeer(): Promise<void> {
    const peer = new Peer(this.#path, this.#options)
    await peer.ended()
    this.#fd = this.#open()
    this.#say('NO CARRIER')
  }

  #say(text: string): void {
    const bytes = latin1(`\r\n${text}\r\n`)
    write(this.#fd, bytes, bytes.length)
  }
}
