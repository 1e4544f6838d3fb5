/**
 * News of messages: +CMTI and +CDSI (one came, and where it is), +CMT and +CDS (here it is), +CMGS and its like (the network's
 * number for one that was sent) (3GPP TS 27.005 §3.4.1, §3.5). Used by messaging. The channel gives +CMT and +CDS as one report of
 * two lines.
 */

import { decodeText } from '../text.ts'
import { bodiesOf, fieldsOf, numberOf } from './fields.ts'
import { type MessageHeader, pduHeaderOf, textHeaderOf } from './message-header.ts'

export interface NewMessage {
  readonly kind: 'message' | 'delivery-report'
  /** `SM`, `ME`, `MT`, `SR`, `BM`; undefined where the report names none. */
  readonly storage?: string | undefined
  readonly index: number
}

export interface DirectMessage extends MessageHeader {
  readonly kind: 'message' | 'delivery-report'
  /** Hexadecimal, upper case; see `cmgl.ts`. */
  readonly pdu?: string | undefined
  readonly text?: string | undefined
}

/** `+CMTI: "SM",3` and `+CDSI: "SR",1`; quotes and blanks as they come. */
export function parseCmti(lines: readonly string[]): NewMessage | undefined {
  for (const line of lines) {
    const kind = /^\s*\+?CDSI/i.test(line) ? 'delivery-report' : 'message'
    const fields = fieldsOf(bodiesOf([line], '+CMTI', '+CDSI')[0] ?? '')
    const at = fields.findIndex((field) => (numberOf(field) ?? -1) >= 0)
    if (at < 0) continue
    const storage = fields.slice(0, at).find(({ text }) => /^[A-Z_]{2,4}$/i.test(text))?.text
    const news = { kind, index: numberOf(fields[at])! } as const
    return storage === undefined ? news : { ...news, storage: storage.toUpperCase() }
  }
  return undefined
}

/** `+CMT: ,23` and its PDU, `+CMT: "+34…",,"24/01/31,12:00:00+04"` and its text. */
export function parseCmt(lines: readonly string[]): DirectMessage | undefined {
  return direct(lines, '+CMT', 'message')
}

/** `+CDS: 25` and its PDU, `+CDS: 6,17,"+34…",145,"24/…","24/…",0`. */
export function parseCds(lines: readonly string[]): DirectMessage | undefined {
  return direct(lines, '+CDS', 'delivery-report')
}

/** `+CMGS: 23`, `+CMSS: 23`, `+CMGW: 7` → the number. */
export function parseCmgs(lines: readonly string[]): number | undefined {
  const number = numberOf(fieldsOf(bodiesOf(lines, '+CMGS', '+CMSS', '+CMGW').at(-1) ?? '')[0])
  return number !== undefined && number >= 0 ? number : undefined
}

function direct(lines: readonly string[], prefix: string, kind: DirectMessage['kind']): DirectMessage | undefined {
  const whole = lines.flatMap((line) => line.split(/\r\n|\n|\r/))
  const at = whole.findIndex((line) => bodiesOf([line], prefix).length > 0)
  if (at < 0) return undefined
  const fields = fieldsOf(bodiesOf([whole[at]!], prefix)[0]!)
  const rest = whole.slice(at + 1).filter((line) => line.trim() !== '')
  const hex = rest[0]?.replace(/["\s]/g, '') ?? ''
  const isPdu = fields.length <= 2 && numberOf(fields.at(-1)) !== undefined
  if (isPdu) {
    const header = pduHeaderOf(fields)
    return /^(?:[0-9A-F]{2}){7,}$/i.test(hex) ? { kind, ...header, pdu: hex.toUpperCase() } : { kind, ...header }
  }
  const header = textHeaderOf(fields)
  return rest.length === 0 ? { kind, ...header } : { kind, ...header, text: decodeText(rest.join('\n')) }
}
