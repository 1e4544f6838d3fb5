/** The REPORT strings and the report that is being gathered: the string and what follows it up to a control byte. */

import { WatchedStrings } from './watched-strings.ts'

/** Against a modem that never ends its line. */
const LONGEST_REPORT = 65_536

export interface Report {
  readonly text: string
  /** When the string was complete. */
  readonly atMs: number
}

export class Reports {
  readonly strings = new WatchedStrings('REPORT')
  #text = ''
  #atMs: number | undefined

  get isGathering(): boolean {
    return this.#atMs !== undefined
  }

  /** Strings were just found. Each counts once. */
  begin(found: readonly number[], nowMs: number): void {
    const text = this.strings.fire(found)
    if (text === undefined) return
    this.#text = text
    this.#atMs = nowMs
  }

  /** Answers whether the report is complete. */
  take(byte: number): boolean {
    if (byte < 0x20 || byte === 0x7f) return true
    if (this.#text.length < LONGEST_REPORT) this.#text += String.fromCharCode(byte)
    return false
  }

  get isFull(): boolean {
    return this.#text.length >= LONGEST_REPORT
  }

  /** What was gathered; nothing is gathered any more. */
  end(): Report | undefined {
    if (this.#atMs === undefined) return undefined
    const report = { text: this.#text, atMs: this.#atMs }
    this.#atMs = undefined
    return report
  }
}
