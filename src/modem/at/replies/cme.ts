/**
 * `ERROR`, `+CME ERROR: n`, `+CMS ERROR: n` and the verbose forms of +CMEE=2 → what it means and which cause it is (3GPP TS
 * 27.007 §9.2, 27.005 §3.2.5). Used for every failed command; the dial has its own, narrower mapping in `dial-result.ts`.
 */

import type { Cause } from '../../../base/cause.ts'
import type { ErrorCode } from '../../../base/errors.ts'

export interface AtError {
  readonly kind: 'plain' | 'cme' | 'cms'
  /** The number, also of a known verbose text. */
  readonly number: number | undefined
}

export interface ErrorMeaning {
  readonly code: ErrorCode
  readonly cause: Cause
  /** What the number means, for people; '' where nobody knows. */
  readonly meaning: string
}

const MEANINGS: Readonly<Record<number, string>> = {
  0: 'phone failure',
  1: 'no connection to phone',
  2: 'phone-adaptor link reserved',
  3: 'operation not allowed',
  4: 'operation not supported',
  5: 'PH-SIM PIN required',
  6: 'PH-FSIM PIN required',
  7: 'PH-FSIM PUK required',
  10: 'SIM not inserted',
  11: 'SIM PIN required',
  12: 'SIM PUK required',
  13: 'SIM failure',
  14: 'SIM busy',
  15: 'SIM wrong',
  16: 'incorrect password',
  17: 'SIM PIN2 required',
  18: 'SIM PUK2 required',
  20: 'memory full',
  21: 'invalid index',
  22: 'not found',
  23: 'memory failure',
  24: 'text string too long',
  25: 'invalid characters in text string',
  26: 'dial string too long',
  27: 'invalid characters in dial string',
  30: 'no network service',
  31: 'network timeout',
  32: 'network not allowed - emergency calls only',
  33: 'requested service option not subscribed',
  40: 'network personalization PIN required',
  41: 'network personalization PUK required',
  42: 'network subset personalization PIN required',
  43: 'network subset personalization PUK required',
  44: 'service provider personalization PIN required',
  45: 'service provider personalization PUK required',
  46: 'corporate personalization PIN required',
  47: 'corporate personalization PUK required',
  50: 'incorrect parameters',
  100: 'unknown',
  103: 'illegal MS',
  106: 'illegal ME',
  107: 'GPRS services not allowed',
  111: 'PLMN not allowed',
  112: 'location area not allowed',
  113: 'roaming not allowed in this location area',
  132: 'service option not supported',
  133: 'requested service option not subscribed',
  134: 'service option temporarily out of order',
  148: 'unspecified GPRS error',
  149: 'PDP authentication failure',
  150: 'invalid mobile class',
}

/** Texts that modems use for a number beside the standard's own. */
const OTHER_TEXTS: Readonly<Record<string, number>> = {
  'sim interface not started': 10,
  'sim interface not started yet': 14,
  'sim not present': 10,
  'no sim': 10,
  'pin required': 11,
  'puk required': 12,
  'wrong password': 16,
  'unknown error': 100,
}

const CAUSES: Readonly<Record<number, readonly [ErrorCode, Cause]>> = {
  5: ['SimPin', 'sim-pin'],
  10: ['SimAbsent', 'sim-absent'],
  11: ['SimPin', 'sim-pin'],
  12: ['SimPuk', 'sim-puk'],
  13: ['SimAbsent', 'sim-failed'],
  15: ['SimAbsent', 'sim-failed'],
  16: ['SimPin', 'sim-pin-refused'],
  30: ['NoNetwork', 'no-network'],
  31: ['NoNetwork', 'no-network'],
  32: ['NoNetwork', 'registration-denied'],
  103: ['NoNetwork', 'registration-denied'],
  106: ['NoNetwork', 'registration-denied'],
  107: ['NoNetwork', 'registration-denied'],
  111: ['NoNetwork', 'registration-denied'],
  112: ['NoNetwork', 'registration-denied'],
  113: ['Roaming', 'registration-denied'],
}

const NUMBERS_BY_TEXT = new Map<string, number>([
  ...Object.entries(OTHER_TEXTS),
  ...Object.entries(MEANINGS).map(([number, text]) => [text.toLowerCase(), Number(number)] as const),
])

export function parseError(final: string): AtError {
  const match = /^\+(CM[ES]) ERROR\s*:?\s*(.*)$/i.exec(final.trim())
  if (!match) return { kind: 'plain', number: undefined }
  const kind = match[1]!.toUpperCase() === 'CME' ? 'cme' : 'cms'
  const text = match[2]!.replace(/"/g, '').trim()
  if (/^\d{1,5}$/.test(text)) return { kind, number: Number(text) }
  return { kind, number: kind === 'cme' ? NUMBERS_BY_TEXT.get(text.toLowerCase()) : undefined }
}

export function explainError(final: string): ErrorMeaning {
  const { kind, number } = parseError(final)
  if (kind !== 'cme' || number === undefined) return { code: 'Internal', cause: 'modem-error', meaning: '' }
  const [code, cause] = CAUSES[number] ?? (['Internal', 'modem-error'] as const)
  return { code, cause, meaning: MEANINGS[number] ?? '' }
}
