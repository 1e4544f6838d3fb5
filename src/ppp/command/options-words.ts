/**
 * The words of pppd's files (options and secrets, pppd(8) "OPTIONS FILES"): quotes of both kinds, C's backslash escapes,
 * comments, a backslash at a line's end. Used by `options-reader.ts` and `secrets.ts`.
 */

export interface FileWord {
  readonly text: string
  /** Nothing but blanks and comments stands before it on its line. */
  readonly startsLine: boolean
  /** Its closing quote is missing. */
  readonly isUnfinished: boolean
}

const NAMED_ESCAPES: Readonly<Record<string, number>> = { a: 7, b: 8, f: 12, n: 10, r: 13, s: 32, t: 9 }
/** isspace(3) in the C locale. */
const BLANK = /[ \t\n\v\f\r]/
/** pppd's MAXWORDLEN less its NUL: what is longer is cut. */
const LONGEST_WORD = 1023

/** `text` has a character for each byte (latin1): an escape may stand for part of a UTF-8 character. */
export function* wordsOf(text: string): Generator<FileWord> {
  let at = 0
  let startsLine = true
  while (true) {
    const start = skipBlanks(text, at)
    startsLine ||= start.sawNewline
    if (start.at >= text.length) return
    const word = readWord(text, start.at)
    // As with pppd an empty word that the file's end ends is none.
    if (word.at >= text.length && word.bytes.length === 0) return
    yield { text: fromBytes(word.bytes), startsLine, isUnfinished: word.isUnfinished }
    at = word.at
    startsLine = false
  }
}

function skipBlanks(text: string, from: number): { at: number; sawNewline: boolean } {
  let sawNewline = false
  let at = from
  while (at < text.length) {
    const letter = text[at]!
    if (letter === '\\' && text[at + 1] === '\n') at += 2
    else if (letter === '#') {
      const end = text.indexOf('\n', at)
      at = end < 0 ? text.length : end
    } else if (BLANK.test(letter)) {
      sawNewline ||= letter === '\n'
      at++
    } else break
  }
  return { at, sawNewline }
}

function readWord(text: string, from: number): { bytes: number[]; at: number; isUnfinished: boolean } {
  const bytes: number[] = []
  let quote = ''
  let at = from
  while (at < text.length) {
    const letter = text[at]!
    if (letter === '\\') {
      const escaped = readEscape(text, at + 1)
      if (escaped.value !== undefined) bytes.push(escaped.value)
      at = escaped.at
      continue
    }
    if (quote === '' && (BLANK.test(letter) || letter === '#')) break
    if (letter === quote) quote = ''
    else if (quote === '' && (letter === '"' || letter === "'")) quote = letter
    else bytes.push(letter.charCodeAt(0))
    at++
  }
  return { bytes: bytes.slice(0, LONGEST_WORD), at, isUnfinished: quote !== '' }
}

/** What stands after a backslash. No value: it joins two lines, or the file ends. */
function readEscape(text: string, at: number): { value: number | undefined; at: number } {
  const letter = text[at]
  if (letter === undefined || letter === '\n') return { value: undefined, at: at + 1 }
  const octal = /^[0-7]{1,3}/.exec(text.slice(at, at + 3))?.[0]
  if (octal !== undefined) return { value: Number.parseInt(octal, 8) & 0xff, at: at + octal.length }
  if (letter === 'x') {
    const digits = /^[0-9a-fA-F]{0,2}/.exec(text.slice(at + 1, at + 3))![0]
    return { value: Number.parseInt(digits || '0', 16), at: at + 1 + digits.length }
  }
  return { value: NAMED_ESCAPES[letter] ?? letter.charCodeAt(0), at: at + 1 }
}

/** A NUL ends a word, as it ends a string in C. */
function fromBytes(bytes: readonly number[]): string {
  const end = bytes.indexOf(0)
  return Buffer.from(end < 0 ? bytes : bytes.slice(0, end)).toString('utf8')
}
