/**
 * Telephone numbers and names as short messages carry them: 3GPP TS 23.040 §9.1.2.5 (addresses), TS 24.011 §8.2.5.2 (service
 * centre). Pure; parse and emit.
 */

import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import { decodeSeptets, encodeSeptets, packSeptets, unpackSeptets } from './gsm7.ts'

export interface SmsAddress {
  /** `+358401234567`, `16400`, or a name (`Operator`), as the network sent it: anything may stand in it. '' where none is given. */
  readonly text: string
  readonly isName: boolean
  /** Type of number and numbering plan, as sent. */
  readonly type: number
}

export const INTERNATIONAL = 0x91
const UNKNOWN_NUMBER = 0x81
const NAME = 0xd0
const TYPE_OF_NUMBER = 0x70
const TYPE_INTERNATIONAL = 0x10
const TYPE_ALPHANUMERIC = 0x50

/** §9.1.2.3: semi-octets. `F` fills the last. */
const DIGITS = '0123456789*#abc'
const FILL = 0x0f
/** A number has 20 digits, a name 11 letters. */
const MAX_ADDRESS_BYTES = 10

export function toAddress(text: string): SmsAddress {
  const isNumber = /^\+?[0-9*#a-c]+$/.test(text)
  if (text !== '' && !isNumber) return { text, isName: true, type: NAME }
  return { text, isName: false, type: text.startsWith('+') ? INTERNATIONAL : UNKNOWN_NUMBER }
}

/** TP-OA, TP-DA, TP-RA: length in digits, type, digits. undefined: it breaks off. */
export function readAddress(reader: ByteReader): SmsAddress | undefined {
  const digits = reader.u8()
  const type = reader.u8()
  if (digits === undefined || type === undefined) return undefined
  const bytes = reader.take((digits + 1) >> 1)
  return bytes && addressOf(bytes, type, digits)
}

export function writeAddress(writer: ByteWriter, address: SmsAddress): void {
  if (address.isName) {
    const septets = (encodeSeptets(address.text) ?? []).slice(0, Math.floor((MAX_ADDRESS_BYTES * 8) / 7))
    const bytes = packSeptets(septets)
    writer
      .u8(Math.ceil((septets.length * 7) / 4))
      .u8(address.type)
      .bytes(bytes)
    return
  }
  const digits = address.text.replace(/^\+/, '').slice(0, MAX_ADDRESS_BYTES * 2)
  writer.u8(digits.length).u8(address.type).bytes(semiOctets(digits))
}

/** The service centre before a PDU: its length counts octets, the type among them; 0 for "the one that is set". */
export function readServiceCentre(reader: ByteReader): SmsAddress | undefined {
  const length = reader.u8()
  if (length === undefined) return undefined
  if (length === 0) return toAddress('')
  const type = reader.u8()
  const bytes = reader.take(length - 1)
  return type === undefined || !bytes ? undefined : addressOf(bytes, type, bytes.length * 2)
}

export function writeServiceCentre(writer: ByteWriter, address: SmsAddress): void {
  const digits = address.text.replace(/^\+/, '')
  if (digits === '') {
    writer.u8(0)
    return
  }
  const bytes = semiOctets(digits)
  writer
    .u8(bytes.length + 1)
    .u8(address.type)
    .bytes(bytes)
}

function addressOf(bytes: Uint8Array, type: number, digits: number): SmsAddress {
  const typeOfNumber = type & TYPE_OF_NUMBER
  if (typeOfNumber === TYPE_ALPHANUMERIC) {
    const septets = unpackSeptets(bytes, Math.floor((digits * 4) / 7))
    return { text: decodeSeptets(septets), isName: true, type }
  }
  const number = digitsOf(bytes, digits)
  return { text: typeOfNumber === TYPE_INTERNATIONAL && number !== '' ? `+${number}` : number, isName: false, type }
}

function digitsOf(bytes: Uint8Array, count: number): string {
  let text = ''
  for (let index = 0; index < count; index++) {
    const value = (bytes[index >> 1]! >> (index % 2 === 0 ? 0 : 4)) & 0x0f
    if (value === FILL) break
    text += DIGITS[value]
  }
  return text
}

/** `*`, `#`, a, b and c are digits here; what is no digit at all is left out. */
function semiOctets(digits: string): Uint8Array {
  const values = [...digits.toLowerCase()].map((digit) => DIGITS.indexOf(digit)).filter((value) => value >= 0)
  const bytes = new Uint8Array((values.length + 1) >> 1)
  for (let index = 0; index < bytes.length; index++)
    bytes[index] = values[index * 2]! | ((values[index * 2 + 1] ?? FILL) << 4)
  return bytes
}
