/** Received bytes that nothing has looked at yet, in order. */

import { concat } from '../base/bytes.ts'

/** What comes while nothing is read (a `\d` in a send) is kept; beyond this it is lost, as on a full tty. */
const LIMIT_BYTES = 65_536
/** So that bytes that come one by one are not copied too often. */
const MOST_PIECES = 64

export class Inbox {
  #pieces: Uint8Array[] = []

  /** The bytes are the caller's until `keep`. */
  add(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#pieces.push(bytes)
  }

  get first(): Uint8Array | undefined {
    return this.#pieces[0]
  }

  /** Drops so many bytes of the first piece. */
  take(count: number): void {
    const rest = this.#pieces[0]!.subarray(count)
    if (rest.length > 0) this.#pieces[0] = rest
    else this.#pieces.shift()
  }

  /** Copies what is left of the last `add`. */
  keep(): void {
    const last = this.#pieces.pop()
    if (!last) return
    const keptBytes = this.#pieces.reduce((sum, piece) => sum + piece.length, 0)
    const copy = last.slice(0, LIMIT_BYTES - keptBytes)
    if (copy.length > 0) this.#pieces.push(copy)
    if (this.#pieces.length > MOST_PIECES) this.#pieces = [concat(this.#pieces)]
  }

  /** A copy of it all. */
  all(): Uint8Array {
    return concat(this.#pieces)
  }
}
