/** The chat script's end → the cause of a failed dial (D-Bus contract, "Causes"). Pure; used by `dial.ts`. */

import { printable } from '../base/bytes.ts'
import type { Cause } from '../base/cause.ts'
import { type AtError, parseError } from './at/replies/cme.ts'
import { ipLimitOf } from './at/replies/network-cause.ts'
import type { DialFailure } from './snapshot.ts'

/**
 * The built-in script's ABORT strings in their published order: `ChatExit` is 4 for BUSY, 5 for NO CARRIER, 6 for NO DIALTONE,
 * 7 for NO ANSWER, 8 for ERROR (with or without +CME), 9 to 11 for the rest. Only ever added to at the end.
 */
export const ABORT_STRINGS = [
  'BUSY',
  'NO CARRIER',
  'NO DIALTONE',
  'NO ANSWER',
  'ERROR',
  'NO DIAL TONE',
  'DELAYED',
  'COMMAND NOT SUPPORT',
] as const

const CAUSE_BY_TEXT: readonly (readonly [RegExp, Cause])[] = [
  [/NO CARRIER/, 'no-carrier'],
  [/NO DIAL ?TONE/, 'no-dialtone'],
  [/NO ANSWER/, 'no-answer'],
  [/BUSY/, 'busy'],
  [/DELAYED|BLACKLISTED/, 'call-rejected'],
  [/ERROR|COMMAND NOT SUPPORT|TOO MANY PARAMETERS/, 'modem-error'],
]

const CAUSE_BY_CME: Readonly<Record<number, Cause>> = {
  30: 'no-network',
  31: 'no-network',
  33: 'apn-refused',
  127: 'apn-refused',
  128: 'apn-refused',
  129: 'auth-refused',
  132: 'apn-refused',
  133: 'apn-refused',
  149: 'auth-refused',
}

/** +CME's numbers for a session's causes (3GPP TS 27.007 §9.2.2.2). */
const SESSION_BY_CME: Readonly<Record<number, number>> = { 33: 33, 127: 27, 128: 28, 132: 32, 133: 33 }

export interface ChatEnd {
  readonly exitCode: number
  readonly abortString?: string | undefined
  /** The script's own words about its end. */
  readonly message: string
  /** The last line that came. */
  readonly lastLine: string
  readonly isLineGone: boolean
}

/** Of `ERROR` or `+CME ERROR: n`, as answer to any command of a dial. */
export function causeOfError(final: string): Cause {
  return causeOf(parseError(final))
}

/** Behind whatever else is on its line. */
function errorIn(line: string): AtError {
  return parseError(line.replace(/^.*?(?=\+CM[ES])/, ''))
}

function causeOf({ kind, number }: AtError): Cause {
  return (kind === 'cme' && number !== undefined && CAUSE_BY_CME[number]) || 'modem-error'
}

/** Did the modem itself end the script? Then it is in command mode. A string that a chat-script waits for may be the far end's. */
export function isModemsWord({ chatExit = 0, cause }: DialFailure, chatScript: string | undefined): boolean {
  return chatExit >= 4 && (chatScript === undefined || cause !== 'call-rejected')
}

export function dialFailure(end: ChatEnd, command: string): DialFailure {
  const { exitCode: chatExit, lastLine } = end
  if (end.isLineGone)
    return { cause: 'modem-gone', detail: `the port ended during ${command}: ${printable(end.message)}`, chatExit }
  if (chatExit >= 4) {
    const seen = lastLine === '' ? (end.abortString ?? '') : lastLine
    const cause = causeOfAbort(end.abortString ?? '', seen)
    const ipLimit = cause === 'apn-refused' ? ipLimitOf(SESSION_BY_CME[errorIn(seen).number ?? 0] ?? 0) : undefined
    return { cause, detail: `${printable(seen)} to ${command}`, chatExit, ...(ipLimit && { ipLimit }) }
  }
  if (chatExit === 3) {
    const seen = lastLine === '' ? 'no answer' : `no CONNECT, the last line was ${printable(lastLine)},`
    return { cause: 'dial-timeout', detail: `${seen} to ${command} in time`, chatExit }
  }
  return { cause: 'script-error', detail: printable(end.message), chatExit }
}

function causeOfAbort(abortString: string, seen: string): Cause {
  if (/ERROR/.test(seen) && /ERROR/.test(abortString)) return causeOf(errorIn(seen))
  for (const text of [abortString, seen]) {
    const known = CAUSE_BY_TEXT.find(([pattern]) => pattern.test(text))
    if (known) return known[1]
  }
  return 'call-rejected'
}
