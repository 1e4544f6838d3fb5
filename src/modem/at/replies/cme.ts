/**
 * `ERROR`, `+CME ERROR: n`, `+CMS ERROR: n` and the verbose forms of +CMEE=2 → what it means and which cause it is (3GPP TS
 * 27.007 §9.2, 27.005 §3.2.5). Used for every failed command; the dial has its own, narrower mapping in `dial-result.ts`.
 */

import type { Cause } from '../../../base/cause.ts'
import type { ErrorCode } from '../../../base/errors.ts'
import { CME_MEANINGS, CMS_MEANINGS, OTHER_CME_TEXTS, OTHER_CMS_TEXTS } from './error-texts.ts'

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

type Judgement = readonly [ErrorCode, Cause]

const SIM_ABSENT: Judgement = ['SimAbsent', 'sim-absent']
const SIM_PIN: Judgement = ['SimPin', 'sim-pin']
const SIM_PUK: Judgement = ['SimPuk', 'sim-puk']
const SIM_FAILED: Judgement = ['SimAbsent', 'sim-failed']
const NO_NETWORK: Judgement = ['NoNetwork', 'no-network']
const DENIED: Judgement = ['NoNetwork', 'registration-denied']
const APN_REFUSED: Judgement = ['DialFailed', 'apn-refused']
const UNCLEAR: Judgement = ['Internal', 'modem-error']

const CME_CAUSES: Readonly<Record<number, Judgement>> = {
  5: SIM_PIN,
  10: SIM_ABSENT,
  11: SIM_PIN,
  12: SIM_PUK,
  13: SIM_FAILED,
  15: SIM_FAILED,
  16: ['SimPin', 'sim-pin-refused'],
  30: NO_NETWORK,
  31: NO_NETWORK,
  32: DENIED,
  33: APN_REFUSED,
  103: DENIED,
  106: DENIED,
  107: DENIED,
  108: DENIED,
  111: DENIED,
  112: DENIED,
  113: ['Roaming', 'registration-denied'],
  114: DENIED,
  115: NO_NETWORK,
  122: NO_NETWORK,
  126: NO_NETWORK,
  127: APN_REFUSED,
  128: APN_REFUSED,
  129: ['AuthFailed', 'auth-refused'],
  130: APN_REFUSED,
  131: APN_REFUSED,
  132: APN_REFUSED,
  133: APN_REFUSED,
  134: NO_NETWORK,
  149: ['AuthFailed', 'auth-refused'],
  177: APN_REFUSED,
  179: APN_REFUSED,
  262: SIM_PUK,
}

const CMS_CAUSES: Readonly<Record<number, Judgement>> = {
  38: NO_NETWORK,
  41: NO_NETWORK,
  42: NO_NETWORK,
  310: SIM_ABSENT,
  311: SIM_PIN,
  313: SIM_FAILED,
  315: SIM_FAILED,
  316: SIM_PUK,
  331: NO_NETWORK,
  332: NO_NETWORK,
}

const CME_NUMBERS = numbersByText(CME_MEANINGS, OTHER_CME_TEXTS)
const CMS_NUMBERS = numbersByText(CMS_MEANINGS, OTHER_CMS_TEXTS)

export function parseError(final: string): AtError {
  const match = /^\+?(CM[ES])\s*ERROR\s*[:=]?\s*(.*)$/i.exec(final.trim())
  if (!match) return { kind: 'plain', number: undefined }
  const kind = match[1]!.toUpperCase() === 'CME' ? 'cme' : 'cms'
  const text = match[2]!.replace(/"/g, '').trim()
  const digits = /^(\d{1,5})(?!\d)/.exec(text)?.[1]
  if (digits !== undefined) return { kind, number: Number(digits) }
  return { kind, number: (kind === 'cme' ? CME_NUMBERS : CMS_NUMBERS).get(normalised(text)) }
}

export function explainError(final: string): ErrorMeaning {
  const { kind, number } = parseError(final)
  if (kind === 'plain' || number === undefined) return { code: 'Internal', cause: 'modem-error', meaning: '' }
  const [causes, meanings] = kind === 'cme' ? [CME_CAUSES, CME_MEANINGS] : [CMS_CAUSES, CMS_MEANINGS]
  const [code, cause] = causes[number] ?? UNCLEAR
  return { code, cause, meaning: meanings[number] ?? '' }
}

/** Blanks (some modems have none at all), hyphens, case and `(U)SIM` make no difference. */
function normalised(text: string): string {
  return text
    .toLowerCase()
    .replace(/\(u\)sim|\busim/g, 'sim')
    .replace(/[^a-z0-9]+/g, '')
}

function numbersByText(
  meanings: Readonly<Record<number, string>>,
  others: Readonly<Record<string, number>>,
): ReadonlyMap<string, number> {
  return new Map([
    ...Object.entries(others).map(([text, number]) => [normalised(text), number] as const),
    // The standard's own numbers last, the lowest of several with one text at the very end: it counts.
    ...Object.entries(meanings)
      .reverse()
      .map(([number, text]) => [normalised(text), Number(number)] as const),
  ])
}
