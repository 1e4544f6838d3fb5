/** One wait for one string: what of it, and which ABORT and REPORT strings, the bytes so far complete. Made anew for each expect. */

import { latin1 } from '../base/bytes.ts'
import { borders, type PatternTable } from './patterns.ts'

export class Expectation {
  /** Infinity: waits for ever. */
  readonly dueMs: number
  readonly #pattern: Uint8Array
  readonly #borders: Int32Array
  readonly #reports: PatternTable
  readonly #aborts: PatternTable
  #matched = 0
  #reportNode = 0
  #abortNode = 0

  constructor(text: string, reports: PatternTable, aborts: PatternTable, dueMs: number) {
    this.#pattern = latin1(text)
    this.#borders = borders(this.#pattern)
    this.#reports = reports
    this.#aborts = aborts
    this.dueMs = dueMs
  }

  /** `byte` has seven bits. Not after `isMet`. */
  take(byte: number): void {
    this.#reportNode = this.#reports.next[this.#reportNode + byte]!
    this.#abortNode = this.#aborts.next[this.#abortNode + byte]!
    let matched = this.#matched
    while (matched > 0 && this.#pattern[matched] !== byte) matched = this.#borders[matched]!
    this.#matched = this.#pattern[matched] === byte ? matched + 1 : matched
  }

  get isMet(): boolean {
    return this.#matched === this.#pattern.length
  }

  /** The numbers of the REPORT strings that end with the last byte. */
  get reportsFound(): readonly number[] | undefined {
    return this.#reports.hits[this.#reportNode >> 7]
  }

  get abortsFound(): readonly number[] | undefined {
    return this.#aborts.hits[this.#abortNode >> 7]
  }
}
