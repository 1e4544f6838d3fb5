/** The REPORT strings and the report that is being gathered: the string and what follows it up to a control byte. */

import { WatchedStrings } from './watched-strings.ts'

/** Against a modem that never ends its line: so much of one report is kept, and so much is read for it after the end of the script. */
const LONGEST_REPORT = 65_536
/** Joined in pieces: a string that grows by single chars takes 32 bytes for each. */
const PIECE_CHARS = 1024

export interface Report {
  readonly text: string
  /** When the string was complete. */
  readonly atMs: number
}

export class Reports {
  readonly strings = new WatchedStrings('REPORT')
  readonly #longest: number
  #pieces: string[] = []
  #codes: number[] = []
  #length = 0
  #restLength = 0
  #atMs: number | undefined

  constructor(longest = LONGEST_REPORT) {
    this.#longest = longest
  }

  get isGathering(): boolean {
    return this.#atMs !== undefined
  }

  /** Strings were just found. Each counts once. */
  begin(found: readonly number[], nowMs: number): void {
    const text = this.strings.fire(found)
    if (text === undefined) return
    this.#pieces = [text]
    this.#length = text.length
    this.#atMs = nowMs
  }

  /** Answers whether the report is complete. */
  take(byte: number): boolean {
    if (byte < 0x20 || byte === 0x7f) return true
    if (this.#length >= this.#longest) return false
    this.#length++
    this.#codes.push(byte)
    if (this.#codes.length === PIECE_CHARS) this.#join()
    return false
  }

  /** After the end of the script: complete, or more than anybody wants to wait for. */
  takeRest(byte: number): boolean {
    return this.take(byte) || ++this.#restLength >= LONGEST_REPORT || this.#length >= this.#longest
  }

  /** What was gathered; nothing is gathered any more. */
  end(): Report | undefined {
    if (this.#atMs === undefined) return undefined
    this.#join()
    const report = { text: this.#pieces.join(''), atMs: this.#atMs }
    this.#atMs = undefined
    return report
  }

  #join(): void {
    this.#pieces.push(String.fromCharCode(...this.#codes))
    this.#codes = []
  }
}
