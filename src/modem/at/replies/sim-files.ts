/**
 * Files of the SIM read by +CRSM (3GPP TS 27.007 §8.18): EF-AD (3GPP TS 31.102 §4.2.18), EF-SPN (§4.2.12). Used by
 * `features/subscriber`.
 */

import { decodeSeptets } from '../../sms/gsm7.ts'
import { bodiesOf, fieldsOf, numberOf } from './fields.ts'

/** The length of the MNC in the IMSI is the low half of EF-AD's fourth byte; cards from before 1998 have three bytes. */
export function parseMncLength(lines: readonly string[]): 2 | 3 | undefined {
  const length = (parseSimFile(lines)?.[3] ?? 0) & 0x0f
  return length === 2 || length === 3 ? length : undefined
}

/** The name that the SIM's provider gives himself. The first byte only says when to show it. */
export function parseProviderName(lines: readonly string[]): string | undefined {
  const file = parseSimFile(lines)
  const name = file && alphaText(file.subarray(1)).trim()
  return name === '' ? undefined : name
}

/** `+CRSM: 144,0,"00000102"`: the bytes of the file where the status is one of success. */
function parseSimFile(lines: readonly string[]): Uint8Array | undefined {
  const [status, , data] = fieldsOf(bodiesOf(lines, '+CRSM').at(-1) ?? '')
  const isRead = [0x90, 0x91, 0x92, 0x9e, 0x9f].includes(numberOf(status) ?? 0)
  if (!isRead || !data || !/^(?:[0-9A-Fa-f]{2}){1,256}$/.test(data.text)) return undefined
  return Uint8Array.from(data.text.match(/../g)!, (pair) => Number.parseInt(pair, 16))
}

const UCS2 = 0x80
const HALF_PAGE = 0x81
const ANY_PAGE = 0x82
const FILLER = 0xff

/** An alpha identifier (ETSI TS 102 221 Annex A): GSM letters a byte each, or UCS2 in one of three ways. */
function alphaText(bytes: Uint8Array): string {
  const [coding = FILLER, count = 0, base = 0, low = 0] = bytes
  if (coding === UCS2) return ucs2Text(bytes.subarray(1))
  if (coding === HALF_PAGE) return pagedText(bytes.subarray(3, 3 + count), base << 7)
  if (coding === ANY_PAGE) return pagedText(bytes.subarray(4, 4 + count), (base << 8) | low)
  const end = bytes.indexOf(FILLER)
  return decodeSeptets(end < 0 ? bytes : bytes.subarray(0, end))
}

function ucs2Text(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at + 1 < bytes.length; at += 2) {
    const unit = (bytes[at]! << 8) | bytes[at + 1]!
    if (unit === 0xffff) break
    text += ucs2Letter(unit)
  }
  return text
}

/** A byte with the high bit is a letter that far from the page's start; another one is GSM's. */
function pagedText(bytes: Uint8Array, start: number): string {
  return Array.from(bytes, (byte) => (byte >= 0x80 ? ucs2Letter(start + (byte & 0x7f)) : decodeSeptets([byte]))).join(
    '',
  )
}

/** UCS2 has no surrogate pairs. */
function ucs2Letter(unit: number): string {
  return unit >= 0xd800 && unit <= 0xdfff ? '\ufffd' : String.fromCharCode(unit)
}
