/** +CUSD: USSD answers and requests of the network (3GPP TS 27.007 §7.15). Used by the USSD feature. */

import { decodeUssd } from '../text.ts'
import { bodiesOf } from './fields.ts'

/** `<m>` 0 to 5 in the standard's order. */
const USSD_STATUS = ['done', 'reply-wanted', 'terminated', 'other-client', 'unsupported', 'network-timeout'] as const
export type UssdStatus = (typeof USSD_STATUS)[number]

export interface UssdReply {
  readonly status: UssdStatus
  /** As the modem wrote it; undefined where the line has none. */
  readonly raw?: string | undefined
  /** The text of `raw` by its coding scheme. */
  readonly text?: string | undefined
  /** The cell broadcast data coding scheme. */
  readonly dcs?: number | undefined
}

/**
 * `+CUSD: 0,"Your balance is 5",15`; the lines behind the head belong to it, since texts have several. Quotes inside the text are
 * the text's: it goes from the first to the last one. Where they are missing, a last number is the coding scheme only if it can be.
 */
export function parseCusd(lines: readonly string[]): UssdReply | undefined {
  const whole = lines.flatMap((line) => line.split(/\r\n|\n|\r/))
  const at = whole.findLastIndex((line) => bodiesOf([line], '+CUSD').length > 0)
  if (at < 0) return undefined
  const body = [bodiesOf([whole[at]!], '+CUSD')[0]!, ...continuationOf(whole.slice(at + 1))].join('\n')
  const head = /^\s*"?(\d)"?\s*(?:,|$)/.exec(body)
  if (!head) return /^\s*"/.test(body) ? replyOf('done', body) : undefined
  const status = USSD_STATUS[Number(head[1])]
  return status && replyOf(status, body.slice(head[0].length))
}

/** Up to what is another answer's or the end of this one's. */
function continuationOf(lines: readonly string[]): readonly string[] {
  const end = lines.findIndex((line) => /^(OK|ERROR)$|^[+^*#$%_][A-Z0-9]+:/.test(line.trim()))
  return end < 0 ? lines : lines.slice(0, end)
}

function replyOf(status: UssdStatus, rest: string): UssdReply {
  const { raw, dcs } = partsOf(rest.trim())
  if (raw === undefined) return { status }
  const text = decodeUssd(raw, dcs)
  return dcs === undefined ? { status, raw, text } : { status, raw, text, dcs }
}

function partsOf(rest: string): { readonly raw?: string; readonly dcs?: number } {
  if (rest === '') return {}
  const quoted = /^"([\s\S]*)"\s*(?:,\s*([^"]*))?$/.exec(rest)
  if (quoted) return withDcs(quoted[1]!.replace(/\\"/g, '"'), quoted[2])
  // One quote is missing, or both.
  const bare = rest.replace(/^"|"$/g, '')
  const tail = /^([\s\S]*?)"?\s*,\s*(0x[0-9A-Fa-f]{1,2}|\d{1,3})\s*$/.exec(bare)
  if (tail && isDcs(tail[2]!)) return withDcs(tail[1]!, tail[2])
  return { raw: bare }
}

function withDcs(raw: string, dcs: string | undefined): { readonly raw: string; readonly dcs?: number } {
  const number = Number(/^(0x[0-9A-Fa-f]+|\d+)/.exec(dcs?.trim() ?? '')?.[1] ?? Number.NaN)
  return number >= 0 && number <= 255 ? { raw, dcs: number } : { raw }
}

/** The schemes that networks use for USSD; another number at a text's end is the text's. */
function isDcs(text: string): boolean {
  const dcs = Number(text)
  return dcs <= 17 || [64, 65, 66, 67, 68, 72, 76, 96, 240, 241, 244, 245].includes(dcs)
}
