/** How `chat -v` logs what it receives during one expect: by lines, by pieces of 80 bytes, and as its window of 1024 bytes fills. */

import { visible } from './visible.ts'

const PIECE_BYTES = 80
const WINDOW_BYTES = 1024
/** The window keeps at least what the longest ABORT or REPORT string needs. */
const LEAST_KEPT_BYTES = 49

export class ExpectLog {
  readonly #log: (message: string) => void
  readonly #keptBytes: number
  #waiting = ''
  #windowBytes = 0

  constructor(log: (message: string) => void, expectLength: number) {
    this.#log = log
    this.#keptBytes = Math.max(LEAST_KEPT_BYTES, expectLength - 1)
  }

  received(byte: number): void {
    this.#windowBytes++
    if (byte === 0x0a) {
      this.#flush()
      return
    }
    this.#waiting += String.fromCharCode(byte)
    if (this.#waiting.length >= PIECE_BYTES) this.#flush()
  }

  /** After a byte that ended nothing. */
  slide(): void {
    if (this.#windowBytes < WINDOW_BYTES) return
    if (this.#waiting.length > this.#keptBytes) this.#flush()
    this.#windowBytes = this.#keptBytes
  }

  matched(): void {
    if (this.#waiting) this.#flush()
    this.#log(' -- got it\n')
  }

  aborted(): void {
    if (this.#waiting) this.#flush()
    this.#log(' -- failed')
  }

  #flush(): void {
    this.#log(visible(this.#waiting))
    this.#waiting = ''
  }
}
