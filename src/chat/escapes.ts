/**
 * The two passes of chat(8)'s escapes. The first makes the string, for sends and for what is expected a little
 * differently; the second, in sends only, acts while sending (`\d` waits, `\K` breaks, `\p` pauses).
 */

import { latin1 } from '../base/bytes.ts'

/** What is put in for `\T`, `\U` and, where there is a lookup, `$NAME`. They meet the second pass only. */
export interface Substitutions {
  readonly phoneNumber?: string | undefined
  readonly phoneNumber2?: string | undefined
  readonly env?: ((name: string) => string | undefined) | undefined
}

export interface Unescaped {
  readonly text: string
  /** `\q` was there: the text must not be logged. */
  readonly isQuiet: boolean
}

const SHORT_FORMS: Readonly<Record<string, string>> = { b: '\b', n: '\n', r: '\r', s: ' ', t: '\t' }

/** For SAY and sends: with the CR at its end, unless `\c` was last. A backslash in it is the second pass's. */
export function unescapeSend(word: string, substitutions: Substitutions): Unescaped {
  return firstPass(word, true, substitutions)
}

/** For expects and the arguments of ABORT, REPORT, TIMEOUT and their like. */
export function unescapeExpect(word: string, substitutions: Substitutions): string {
  return firstPass(word, false, substitutions).text
}

function firstPass(word: string, isSend: boolean, substitutions: Substitutions): Unescaped {
  let text = ''
  let isQuiet = false
  let wantsReturn = isSend
  for (let at = 0; at < word.length; ) {
    const char = word[at++]!
    if (char === '^') {
      if (at === word.length) text += '^'
      else text += withoutNul(word.charCodeAt(at++) & 0x1f)
    } else if (char === '$' && substitutions.env) {
      const name = /^[A-Za-z0-9_]*/.exec(word.slice(at))![0]
      at += name.length
      text += upToNul(substitutions.env(name) ?? '')
    } else if (char !== '\\') {
      text += char
    } else if (at === word.length) {
      if (isSend) text += '\\\\'
    } else {
      const octal = /^[0-7]{1,3}/.exec(word.slice(at, at + 3))?.[0]
      const escaped = octal ?? word[at]!
      at += escaped.length
      if (octal) text += octalByte(octal, isSend)
      else if (escaped === 'q') isQuiet = true
      else if (escaped === 'c' && isSend && at === word.length) wantsReturn = false
      else text += escapedChar(escaped, isSend, substitutions)
    }
  }
  return { text: wantsReturn ? `${text}\r` : text, isQuiet }
}

function escapedChar(char: string, isSend: boolean, { phoneNumber, phoneNumber2, env }: Substitutions): string {
  const short = SHORT_FORMS[char]
  if (short) return short
  if (char === 'T') return (isSend ? phoneNumber : undefined) ?? '\\T'
  if (char === 'U') return (isSend ? phoneNumber2 : undefined) ?? '\\U'
  if (char === 'c' || (char === '$' && env)) return char
  if (char === 'N') return isSend ? '\\\0' : 'N'
  return isSend ? `\\${char}` : char
}

function octalByte(digits: string, isSend: boolean): string {
  const byte = Number.parseInt(digits, 8) & 0xff
  if (!isSend) return withoutNul(byte)
  return byte === 0 || byte === 0x5c ? `\\${String.fromCharCode(byte)}` : String.fromCharCode(byte)
}

function withoutNul(byte: number): string {
  return byte === 0 ? '' : String.fromCharCode(byte)
}

/** As C sees it: up to the first NUL. SAY and the log show a send so. */
export function upToNul(text: string): string {
  const end = text.indexOf('\0')
  return end < 0 ? text : text.slice(0, end)
}

export type SendStep =
  | { readonly type: 'bytes'; readonly bytes: Uint8Array }
  | { readonly type: 'delay'; readonly ms: number }
  | { readonly type: 'break' }

const DELAY_MS = 1000
/** The manual page says a tenth of a second; the program takes a hundredth. */
const PAUSE_MS = 10

/** The second pass, over what `unescapeSend` gave. A backslash that ends the text (only a value's can) sends the closing NUL. With `paceMs` each byte comes after such a delay. */
export function sendSteps(text: string, paceMs = 0): SendStep[] {
  const steps: SendStep[] = []
  let run = ''
  const endRun = () => {
    if (run) steps.push({ type: 'bytes', bytes: latin1(run) })
    run = ''
  }
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!
    const escaped = char === '\\' ? (text[++at] ?? '\0') : undefined
    if (escaped !== 'd' && escaped !== 'p' && escaped !== 'K') {
      if (paceMs > 0) {
        endRun()
        steps.push({ type: 'delay', ms: paceMs })
      }
      run += escaped ?? char
      continue
    }
    endRun()
    if (escaped === 'K') steps.push({ type: 'break' })
    else steps.push({ type: 'delay', ms: escaped === 'd' ? DELAY_MS : PAUSE_MS })
  }
  endRun()
  return steps
}

/** Expect, sub-send, sub-expect, sub-send …: parted at each `-` not after a backslash. An empty last part does not count. */
export function expectParts(word: string): string[] {
  const parts: string[] = []
  let start = 0
  for (let at = 0; at < word.length; at++) {
    if (word[at] === '\\') at++
    else if (word[at] === '-') {
      parts.push(word.slice(start, at))
      start = at + 1
    }
  }
  if (start < word.length) parts.push(word.slice(start))
  return parts
}
