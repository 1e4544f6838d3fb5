/**
 * The heads of messages in +CMGL, +CMGR, +CMT and +CDS (3GPP TS 27.005 §3.4, §4.1, §4.2): PDU mode gives status and length, text
 * mode who, when and which kind. Used by `cmgl.ts` and `cmti.ts`.
 */

import { decodeNumber, decodeText } from '../text.ts'
import { type Field, numberOf } from './fields.ts'

export type MessageStatus = 'received-unread' | 'received-read' | 'stored-unsent' | 'stored-sent'

export interface MessageHeader {
  readonly status?: MessageStatus | undefined
  /** PDU mode: octets of the TPDU, without the service centre before it. */
  readonly length?: number | undefined
  /** The name that the phone book has for the number. */
  readonly alpha?: string | undefined
  /** Text mode: who sent it, or whom it is for. */
  readonly number?: string | undefined
  /** Text mode: `yy/MM/dd,hh:mm:ss±zz` as it stands; see `cclk.ts`. */
  readonly timestamp?: string | undefined
  /** Text mode, a delivery report. */
  readonly report?: DeliveryReport | undefined
}

export interface DeliveryReport {
  readonly firstOctet: number
  readonly reference: number
  readonly dischargeTime?: string | undefined
  /** TP-Status: 0 to 31 delivered, 32 to 63 still tried, from 64 on failed (3GPP TS 23.040 §9.2.3.15). */
  readonly deliveryStatus?: number | undefined
}

const STATUS: readonly MessageStatus[] = ['received-unread', 'received-read', 'stored-unsent', 'stored-sent']

const STATUS_WORDS: Readonly<Record<string, MessageStatus>> = {
  'REC UNREAD': 'received-unread',
  'REC READ': 'received-read',
  'STO UNSENT': 'stored-unsent',
  'STO SENT': 'stored-sent',
}

export function statusOf(field: Field | undefined): MessageStatus | undefined {
  if (!field) return undefined
  const word = field.text.toUpperCase().replace(/[\s_-]+/g, ' ')
  return STATUS_WORDS[word] ?? (/^[0-3]$/.test(word) ? STATUS[Number(word)] : undefined)
}

/** Is the status a word, as text mode has it? */
export function isTextMode(field: Field | undefined): boolean {
  return field !== undefined && /^(REC|STO)/i.test(field.text)
}

/** `[<alpha>],<length>` of PDU mode; the name may lack with its comma. */
export function pduHeaderOf(fields: readonly Field[]): MessageHeader {
  const last = fields.at(-1)
  const length = last ? Number(/^(\d{1,3})(?:\s|$)/.exec(last.text)?.[1] ?? Number.NaN) : Number.NaN
  const alpha = fields.length > 1 ? fields[0]!.text : ''
  return {
    ...(Number.isNaN(length) ? {} : { length }),
    ...(alpha === '' ? {} : { alpha: decodeText(alpha) }),
  }
}

/**
 * `<number>,[<alpha>],[<timestamp>],…` of text mode, or the numbers of a delivery report. The comma inside a timestamp without
 * quotes parts it in two fields, and some modems leave the name out with its comma, so the timestamp is looked for.
 */
export function textHeaderOf(fields: readonly Field[]): MessageHeader {
  const report = reportOf(fields)
  if (report) return report
  const at = fields.findIndex(({ text }) => isDate(text))
  const [number, alpha] = at >= 0 ? fields.slice(0, at) : fields
  const timestamp = timestampAt(fields, at)
  return {
    ...(number?.text ? { number: decodeNumber(number.text) } : {}),
    ...(alpha?.text ? { alpha: decodeText(alpha.text) } : {}),
    ...(timestamp === undefined ? {} : { timestamp }),
  }
}

/** `<fo>,<mr>,[<ra>],[<tora>],<scts>,<dt>,<st>` */
function reportOf(fields: readonly Field[]): MessageHeader | undefined {
  const firstOctet = numberOf(fields[0])
  const reference = numberOf(fields[1])
  if (firstOctet === undefined || reference === undefined || fields[0]!.isQuoted || fields[1]!.isQuoted)
    return undefined
  if (firstOctet > 255 || reference > 255) return undefined
  const dates = fields.flatMap(({ text }, at) => (isDate(text) ? [at] : []))
  if (dates.length === 0) return undefined
  const deliveryStatus = numberOf(fields.at(-1))
  const number = fields[2]!.text
  const [timestamp, dischargeTime] = dates.map((at) => timestampAt(fields, at))
  return {
    ...(number && !isDate(number) ? { number: decodeNumber(number) } : {}),
    ...(timestamp === undefined ? {} : { timestamp }),
    report: { firstOctet, reference, dischargeTime, deliveryStatus },
  }
}

function isDate(text: string): boolean {
  return /^(?:\d\d)?\d\d[/.-]\d\d[/.-]\d\d/.test(text)
}

function timestampAt(fields: readonly Field[], at: number): string | undefined {
  const date = fields[at]?.text
  if (date === undefined) return undefined
  const time = fields[at + 1]?.text ?? ''
  return !date.includes(':') && /^\d\d:\d\d/.test(time) ? `${date},${time}` : date
}
