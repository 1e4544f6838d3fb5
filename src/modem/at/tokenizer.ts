/**
 * Bytes of a modem in command mode → tokens (ITU-T V.250 §5.7, 3GPP TS 27.007 §9). Pure. `channel.ts` decides what a line
 * belongs to; here it only matters where one ends and whether it is a result code.
 *
 * A line ends at CR or LF and empty lines are nothing, so `\r\n`, `\r`, `\n` and `\r\r\n` are all the same, and the tokens do
 * not depend on how the bytes were cut. NUL, XON, XOFF and the bytes of an idle or broken line (FE, FF) are no text in any character
 * set that modems speak.
 */

import { splitGlued } from './glued.ts'

export type AtToken =
  /** An information line, an unsolicited report or an echo. */
  | { readonly type: 'line'; readonly text: string }
  /** OK or an error: the end of a reply. */
  | { readonly type: 'final'; readonly text: string; readonly isOk: boolean }
  /** The end of a dial command's reply; at any other time news about a call (`NO CARRIER`). */
  | { readonly type: 'call'; readonly text: string }
  /** `> `: the modem waits for text. */
  | { readonly type: 'prompt' }

/** An operator scan in a busy place is about 4 KiB; nothing longer is known. */
export const MAX_LINE_BYTES = 8192

const NUL = 0
const LF = 10
const CR = 13
const XON = 17
const XOFF = 19
const BLANK = 32
const GREATER = 62
const NOT_TEXT = 0xfe

const OK = /^OK$/i
/**
 * `COMMAND NOT SUPPORT` and `TOO MANY PARAMETERS` are Huawei's, `MODEM ERROR` Motorola's, `ABORTED` is V.250's for an aborted command
 * in some firmwares.
 */
const ERROR =
  /^(ERROR|ERROR\s*:.*|\+?CM[ES] ?ERROR\b.*|\+EXT ERROR\b.*|MODEM ERROR\b.*|(COMMAND )?NOT SUPPORT(ED)?|TOO MANY PARAMETERS|ABORTED)$/i
const CALL = /^(NO CARRIER|BUSY|NO ANSWER|NO DIAL ?TONE|DELAYED|BLACKLISTED|CONNECT)(?=$|[ /:,(]).*$/
/** A command that is answered with a prompt, echoed without its CR. */
const PROMPTED_ECHO = /^AT\+[A-Z]+=.*$/i

export class AtTokenizer {
  /** A `>` at the start of a line is a prompt only then, and once: text of messages may start with one, too. */
  isPromptExpected = false
  /** Bytes beyond the longest line, thrown away. */
  droppedBytes = 0
  #line = ''
  #isAfterPrompt = false

  push(bytes: Uint8Array): AtToken[] {
    const tokens: AtToken[] = []
    for (const value of bytes) this.#take(value, tokens)
    return tokens
  }

  #take(value: number, tokens: AtToken[]): void {
    if (value === CR || value === LF) {
      this.#endLine(tokens)
      return
    }
    if (value === NUL || value === XON || value === XOFF || value >= NOT_TEXT) return
    if (value === GREATER && this.isPromptExpected && (this.#line === '' || PROMPTED_ECHO.test(this.#line))) {
      this.#line = ''
      this.#isAfterPrompt = true
      this.isPromptExpected = false
      tokens.push({ type: 'prompt' })
      return
    }
    if (this.#line === '') {
      if (value === BLANK && this.#isAfterPrompt) return
      this.#isAfterPrompt = false
    }
    if (this.#line.length < MAX_LINE_BYTES) this.#line += String.fromCharCode(value)
    else this.droppedBytes++
  }

  #endLine(tokens: AtToken[]): void {
    const text = this.#line.trim()
    this.#line = ''
    this.#isAfterPrompt = false
    if (text !== '') tokens.push(...tokensOf(text))
  }
}

/** A line may be more than one where the modem left out the end between them. */
export function tokensOf(text: string): AtToken[] {
  return splitGlued(text).map(tokenOf)
}

function tokenOf(text: string): AtToken {
  if (OK.test(text)) return { type: 'final', text, isOk: true }
  if (ERROR.test(text)) return { type: 'final', text, isOk: false }
  if (CALL.test(text)) return { type: 'call', text }
  return { type: 'line', text }
}
