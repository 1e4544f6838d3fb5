/**
 * Lines that a modem wrote without the line end between them: `OK+CREG: 1`, `+CSQ: 20,99OK`, `RING+CLIP: …`,
 * `+CREG: 1^RSSI:18`. Pure; used by `tokenizer.ts` on every line and by `channel.ts` for the answer that it waits for.
 */

import { isReportPrefix } from './unsolicited.ts'

const SIGN = '[+^*#$%_!&]'
const HEAD = `${SIGN}[A-Za-z0-9_]+\\s*:`
/** What stands alone in its line before something with a head. */
const LEADING = new RegExp(
  `^(OK|ERROR|NO CARRIER|BUSY|NO ANSWER|NO DIAL ?TONE|RING|RDY|CALL READY|SMS READY|SMS DONE|PB DONE)\\s*(?=${HEAD})`,
  'i',
)
/** Behind the values of a headed line or the digits of a message; a word that ends in OK does not end in a digit or quote before it. */
const TRAILING_RESULT = new RegExp(`^((?:${HEAD}.*[0-9")])|[0-9A-Fa-f]{14,}|${HEAD}\\s*READY)\\s*(OK|ERROR)$`, 'i')
const TRAILING_ERROR = new RegExp(`^(${HEAD}.*?|AT${SIGN}.*?)(\\+CM[ES] ERROR\\s*:.*)$`, 'i')
const INNER_HEAD = /[+^*#$%_!&][A-Za-z0-9_]+(?=\s*:)/g

/** The line, or what it is made of. */
export function splitGlued(line: string): readonly string[] {
  // Nearly every line is one: nothing but a result or a second head can be glued to it.
  if (!/^[+^*#$%_!&]|:|OK$/i.test(line)) return [line]
  const leading = LEADING.exec(line)
  if (leading) return [leading[1]!, ...splitGlued(line.slice(leading[0].length))]
  const trailing = TRAILING_RESULT.exec(line) ?? TRAILING_ERROR.exec(line)
  if (trailing && !/^\+CM[ES] ERROR/i.test(line)) return [...splitGlued(trailing[1]!.trim()), trailing[2]!]
  return splitReports(line)
}

/** A report in the middle of a headed line, outside quotes. */
function splitReports(line: string): readonly string[] {
  if (!/^[+^*#$%_!&]/.test(line) || line.indexOf(':', line.indexOf(':') + 1) < 0) return [line]
  for (const match of line.matchAll(INNER_HEAD))
    if (match.index > 0 && isReportPrefix(match[0].toUpperCase()) && !isInQuotes(line, match.index))
      return [...splitGlued(line.slice(0, match.index).trim()), ...splitGlued(line.slice(match.index))]
  return [line]
}

/** What stands before the head of the answer, and the answer; undefined where the line begins with it or has none. */
export function splitAtHead(line: string, prefix: string): readonly [string, string] | undefined {
  const at = line.toUpperCase().indexOf(prefix)
  if (at <= 0 || !/^\s*:/.test(line.slice(at + prefix.length)) || isInQuotes(line, at)) return undefined
  return [line.slice(0, at).trim(), line.slice(at)]
}

function isInQuotes(line: string, end: number): boolean {
  let isQuoted = false
  for (let at = line.indexOf('"'); at >= 0 && at < end; at = line.indexOf('"', at + 1)) isQuoted = !isQuoted
  // A quote that never closes quotes nothing.
  return isQuoted && line.indexOf('"', end) >= 0
}
