/** The ABORT or the REPORT strings of a script: at most 50 at a time, each known by its place. */

import { type PatternTable, patternTable } from './patterns.ts'
import { visible } from './visible.ts'

const MOST_STRINGS = 50
/** chat keeps them in 50 bytes with the closing NUL. */
const LONGEST_STRING = 49

interface WatchedString {
  readonly text: string
  /** A report comes once; its place stays taken. */
  hasFired: boolean
}

/** What ends the script instead. */
export interface Refusal {
  readonly exitCode: number
  readonly message: string
}

export class WatchedStrings {
  readonly #keyword: string
  #strings: WatchedString[] = []
  #table: PatternTable | undefined

  /** `ABORT` or `REPORT`, for messages. */
  constructor(keyword: string) {
    this.#keyword = keyword
  }

  get table(): PatternTable {
    this.#table ??= patternTable(this.#strings.map(({ text }) => text))
    return this.#table
  }

  /** `text` is `written` unescaped. */
  add(written: string, text: string): Refusal | undefined {
    if (this.#strings.length >= MOST_STRINGS) return { exitCode: 2, message: `Too many ${this.#keyword} strings` }
    if (isTooLong(text, written)) return tooLong(this.#keyword, written)
    this.#strings.push({ text, hasFired: false })
    this.#table = undefined
    return undefined
  }

  /**
   * Removes the equal ones and answers how many those were; later ones move down. As in chat, each removal makes the
   * scan end one place earlier, so that one of two equal strings can stay.
   */
  remove(keyword: string, written: string, text: string): number | Refusal {
    if (isTooLong(text, written)) return tooLong(keyword, written)
    const removed = new Set<WatchedString>()
    for (let index = 0; index < this.#strings.length - removed.size; index++) {
      const string = this.#strings[index]!
      if (string.text === text && !string.hasFired) removed.add(string)
    }
    this.#strings = this.#strings.filter((string) => !removed.has(string))
    this.#table = undefined
    return removed.size
  }

  text(index: number): string {
    return this.#strings[index]!.text
  }

  /** Of the strings that were just found, the first that has not been found before, marked so; undefined for none. */
  fire(found: readonly number[]): string | undefined {
    const index = found.find((each) => !this.#strings[each]!.hasFired)
    if (index === undefined) return undefined
    this.#strings[index]!.hasFired = true
    return this.text(index)
  }
}

/** Or grown longer than it was written, which only a variable can do: chat 2.4.9 refuses both. */
function isTooLong(text: string, written: string): boolean {
  return text.length > written.length || text.length > LONGEST_STRING
}

function tooLong(keyword: string, written: string): Refusal {
  return { exitCode: 1, message: `Illegal or too-long ${keyword} string ('${visible(written)}')` }
}
