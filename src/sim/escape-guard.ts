/**
 * The way back from data to commands: a second of silence, `+++`, a second of silence (Hayes; V.250 leaves it to the
 * maker). Pure: told the time, asked for its deadline. Used by `at-port.ts`.
 */

import { concat } from '../base/bytes.ts'

const PLUS = 0x2b
const NOTHING = new Uint8Array(0)

export class EscapeGuard {
  readonly #guardMs: number
  #lastByteMs: number
  #heldPluses = 0

  constructor(guardMs: number, nowMs: number) {
    this.#guardMs = guardMs
    this.#lastByteMs = nowMs
  }

  get deadlineMs(): number | undefined {
    return this.#heldPluses > 0 ? this.#lastByteMs + this.#guardMs : undefined
  }

  /** What of the bytes, and of those held before, is data after all. */
  feed(bytes: Uint8Array, nowMs: number): Uint8Array {
    const wasQuiet = nowMs - this.#lastByteMs >= this.#guardMs
    const mayGoOn = this.#heldPluses > 0 ? !wasQuiet : wasQuiet
    this.#lastByteMs = nowMs
    if (mayGoOn && this.#heldPluses + bytes.length <= 3 && bytes.every((value) => value === PLUS)) {
      this.#heldPluses += bytes.length
      return NOTHING
    }
    return this.#heldPluses > 0 ? concat([this.#release(), bytes]) : bytes
  }

  /** At the deadline: the host escaped, or these bytes were data. */
  expire(): 'escape' | Uint8Array {
    const pluses = this.#release()
    return pluses.length === 3 ? 'escape' : pluses
  }

  #release(): Uint8Array {
    const pluses = new Uint8Array(this.#heldPluses).fill(PLUS)
    this.#heldPluses = 0
    return pluses
  }
}
