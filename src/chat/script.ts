/**
 * A chat(8) script file as words. Text here and in all of `chat/` is a string of bytes: one char (0 to 255) a byte, since
 * scripts and modems know no character sets. The engine takes the words one by one, so that a fault in a later line
 * shows only when the script gets there, as with chat.
 */

/** What ends the script with exit code 1 when it is reached. */
export interface ScriptError {
  readonly message: string
  /** What stands there, as far as it may be a word. */
  readonly text?: string
}

export type ScriptWord = string | ScriptError

/** In place of a word, of text or of a file's content that is still to come (through a FIFO). */
export const NOT_YET = Symbol('not yet')

export type NotYet = typeof NOT_YET

/** A word and where it begins in its file, both from 1; the column counts bytes. */
export interface PlacedWord {
  readonly word: ScriptWord
  readonly line: number
  readonly column: number
}

/** chat reads lines into a buffer of 1024 with its closing NUL: a longer line falls into pieces, each counted as a line. */
const LONGEST_PIECE = 1023

/** `text` may come in parts. */
export function scriptWords(text: string): Generator<ScriptWord>
export function scriptWords(text: Iterable<string | NotYet>): Generator<ScriptWord | NotYet>
export function* scriptWords(text: string | Iterable<string | NotYet>): Generator<ScriptWord | NotYet> {
  for (const placed of placedWords(text)) yield placed === NOT_YET ? NOT_YET : placed.word
}

export function* placedWords(text: string | Iterable<string | NotYet>): Generator<PlacedWord | NotYet> {
  let pieceNumber = 0
  let line = 1
  let column = 1
  for (const piece of scriptPieces(typeof text === 'string' ? [text] : text)) {
    if (piece === NOT_YET) {
      yield NOT_YET
      continue
    }
    pieceNumber++
    const content = piece.split(/[\n\0]/, 1)[0]!
    if (!content.startsWith('#'))
      for (const { word, at } of pieceWords(content, pieceNumber)) yield { word, line, column: column + at }
    const isLineEnd = piece.endsWith('\n')
    line += isLineEnd ? 1 : 0
    column = isLineEnd ? 1 : column + piece.length
  }
}

/** Lines with their line feeds, or what of them chat reads at a time. */
function* scriptPieces(parts: Iterable<string | NotYet>): Generator<string | NotYet> {
  let rest = ''
  for (const part of parts) {
    if (part === NOT_YET) {
      yield NOT_YET
      continue
    }
    const text = rest + part
    let start = 0
    for (let end = pieceEnd(text, start); end !== undefined; end = pieceEnd(text, start)) {
      yield text.slice(start, end)
      start = end
    }
    rest = text.slice(start)
  }
  if (rest) yield rest
}

/** undefined: what there is may still go on. */
function pieceEnd(text: string, start: number): number | undefined {
  const longest = start + LONGEST_PIECE
  const lineFeed = text.slice(start, longest).indexOf('\n')
  if (lineFeed >= 0) return start + lineFeed + 1
  return text.length >= longest ? longest : undefined
}

interface PieceWord {
  readonly word: ScriptWord
  readonly at: number
}

/** Blank and tab part words; a quote opens a quoted word only where a word begins. */
function* pieceWords(piece: string, pieceNumber: number): Generator<PieceWord> {
  for (let at = 0; at < piece.length; ) {
    const first = piece[at]!
    if (first === ' ' || first === '\t') {
      at++
      continue
    }
    if (first !== '"' && first !== "'") {
      const word = /^[^ \t]+/.exec(piece.slice(at))![0]
      yield { word, at }
      at += word.length
      continue
    }
    const end = closingQuote(piece, at)
    if (end === undefined) {
      const text = /^[^ \t]+/.exec(piece.slice(at))![0]
      yield { word: { message: `unterminated quote (line ${pieceNumber})`, text }, at }
      return
    }
    yield { word: piece.slice(at + 1, end), at }
    at = end + 1
  }
}

/** A backslash keeps the next character from closing the word; both stay in it for the escape pass. */
function closingQuote(piece: string, start: number): number | undefined {
  for (let at = start + 1; at < piece.length; at++) {
    if (piece[at] === '\\') at++
    else if (piece[at] === piece[start]) return at
  }
  return undefined
}
