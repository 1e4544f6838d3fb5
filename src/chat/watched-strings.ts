/** The ABORT or the REPORT strings of a script: at most 50 at a time, each known by its place. */

import { type PatternTable, patternTable } from './patterns.ts'

const MOST_STRINGS = 50
/** chat keeps them in 50 bytes with the closing NUL. */
const LONGEST_STRING = 49

interface WatchedString {
  readonly text: string
  /** A report comes once; its place stays taken. */
  hasFired: boolean
}

export class WatchedStrings {
  #strings: WatchedString[] = []
  #table: PatternTable | undefined

  get isFull(): boolean {
    return this.#strings.length >= MOST_STRINGS
  }

  get table(): PatternTable {
    this.#table ??= patternTable(this.#strings.map(({ text }) => text))
    return this.#table
  }

  add(text: string): void {
    this.#strings.push({ text, hasFired: false })
    this.#table = undefined
  }

  /**
   * Removes the equal ones and answers how many those were; later ones move down. As in chat, each removal makes the
   * scan end one place earlier, so that one of two equal strings can stay.
   */
  remove(text: string): number {
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

/** Too long, or grown longer than it was written, which only a variable can do: chat 2.4.9 refuses both. */
export function isTooLongToWatch(text: string, written: string): boolean {
  return text.length > written.length || text.length > LONGEST_STRING
}
