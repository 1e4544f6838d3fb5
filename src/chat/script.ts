/**
 * A chat(8) script file as words. Text here and in all of `chat/` is a string of bytes: one char (0 to 255) a byte, since
 * scripts and modems know no character sets. The engine takes the words one by one, so that a fault in a later line
 * shows only when the script gets there, as with chat.
 */

/** What ends the script with exit code 1 when it is reached. */
export interface ScriptError {
  readonly message: string
}

export type ScriptWord = string | ScriptError

/** chat reads lines into a buffer of 1024 with its closing NUL: a longer line falls into pieces, each counted as a line. */
const LONGEST_PIECE = 1023

export function* scriptWords(text: string): Generator<ScriptWord> {
  let lineNumber = 0
  for (const line of scriptLines(text)) {
    lineNumber++
    if (line.startsWith('#')) continue
    yield* lineWords(line, lineNumber)
  }
}

/** Without their line feeds, and each only up to its first NUL. */
function* scriptLines(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    const lineEnd = text.indexOf('\n', start) + 1 || text.length
    const end = Math.min(lineEnd, start + LONGEST_PIECE)
    yield text.slice(start, end).split(/[\n\0]/, 1)[0]!
    start = end
  }
}

/** Blank and tab part words; a quote opens a quoted word only where a word begins. */
function* lineWords(line: string, lineNumber: number): Generator<ScriptWord> {
  for (let at = 0; at < line.length; ) {
    const first = line[at]!
    if (first === ' ' || first === '\t') {
      at++
      continue
    }
    if (first !== '"' && first !== "'") {
      const word = /^[^ \t]+/.exec(line.slice(at))![0]
      yield word
      at += word.length
      continue
    }
    const end = closingQuote(line, at)
    if (end === undefined) {
      yield { message: `unterminated quote (line ${lineNumber})` }
      return
    }
    yield line.slice(at + 1, end)
    at = end + 1
  }
}

/** A backslash keeps the next character from closing the word; both stay in it for the escape pass. */
function closingQuote(line: string, start: number): number | undefined {
  for (let at = start + 1; at < line.length; at++) {
    if (line[at] === '\\') at++
    else if (line[at] === line[start]) return at
  }
  return undefined
}
