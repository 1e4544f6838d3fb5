/** A reply as it goes over the line: V.250 §5.7.1 (ATV, ATQ), +CMEE, and the personality's spacing. Used by `at-port.ts`. */

import { cmeText, type Final } from './answer.ts'
import type { Personality } from './personality.ts'
import type { PortSettings } from './port-settings.ts'

/** Used where ATV0 asks for numbers; a word that is not here stays a word. */
const RESULT_CODES: Readonly<Record<string, number>> = {
  OK: 0,
  CONNECT: 1,
  'NO CARRIER': 3,
  ERROR: 4,
  'NO DIALTONE': 6,
  BUSY: 7,
  'NO ANSWER': 8,
}

export function replyText(
  lines: readonly string[],
  final: Final,
  settings: PortSettings,
  dialect: Personality['dialect'],
): string {
  const text = lines.map((line) => `${spaced(line, dialect)}\r\n`).join('')
  return `${text && settings.isVerbose ? '\r\n' : ''}${text}${finalText(final, settings)}`
}

/** `+CSQ: 18,99` as the personality writes it. */
export function spaced(line: string, dialect: Personality['dialect']): string {
  return dialect.spaceAfterColon ? line : line.replace(/^(\+\w+): /, '$1:')
}

/** A result as a personality's file writes it; `+CME ERROR: 30` obeys +CMEE. */
export function finalOf(text: string): Final {
  const code = /^\+CME ERROR: (\d+)$/.exec(text)?.[1]
  if (code) return { cme: Number(code) }
  return text === 'ERROR' ? text : { own: text }
}

function finalText(final: Final, { isQuiet, isVerbose, errorLevel }: PortSettings): string {
  if (isQuiet) return ''
  const word = wordOf(final, errorLevel)
  if (isVerbose) return `\r\n${word}\r\n`
  const code = RESULT_CODES[word.replace(/^CONNECT .*/, 'CONNECT')]
  return code === undefined ? `${word}\r\n` : `${code}\r`
}

function wordOf(final: Final, errorLevel: number): string {
  if (typeof final === 'string') return final
  if ('own' in final) return final.own
  // Of messages the number comes whatever +CMEE says (3GPP TS 27.005 §3.2.5).
  if ('cms' in final) return `+CMS ERROR: ${final.cms}`
  if (errorLevel === 0) return 'ERROR'
  return `+CME ERROR: ${errorLevel === 1 ? final.cme : cmeText(final.cme)}`
}
