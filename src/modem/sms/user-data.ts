/**
 * What a short message carries: data coding scheme (3GPP TS 23.038 §4), header and text (TS 23.040 §9.2.3.16 and §9.2.3.24).
 * Pure; parse and emit.
 */

import { ByteReader, concat } from '../../base/bytes.ts'
import { decodeSeptets, encodeSeptets, type Languages, packSeptets, unpackSeptets } from './gsm7.ts'

/** `compressed` (§9.2.3.10) is in use nowhere and not undone. */
export type Encoding = 'gsm7' | '8bit' | 'ucs2' | 'compressed'

export interface CodingScheme {
  readonly encoding: Encoding
  /** 0 is shown at once and not stored (flash), 1 to 3 say where it is kept. */
  readonly messageClass: number | undefined
}

/** One part of a longer message (§9.2.3.24.1 and .8). */
export interface Concatenation {
  readonly reference: number
  /** The reference has 16 bits: one of 8 bits with the same value is another message's. */
  readonly isWide: boolean
  readonly total: number
  /** From 1. */
  readonly sequence: number
}

export interface UserData extends CodingScheme {
  /** What people read. Of data that is no text: undefined. */
  readonly text: string | undefined
  /** Behind the header, as sent; of gsm7 the septets. */
  readonly bytes: Uint8Array
  readonly concatenation?: Concatenation | undefined
  /** Application ports (§9.2.3.24.3 and .4): WAP push and the like, not for people. */
  readonly destinationPort?: number | undefined
  readonly languages: Languages
}

export interface HeaderFields {
  readonly concatenation?: Concatenation | undefined
  readonly destinationPort?: number | undefined
  readonly languages: Languages
}

/** Octets of TP-User-Data. */
export const MAX_USER_DATA_BYTES = 140
export const MAX_SEPTETS = 160

const IE_CONCATENATED = 0x00
const IE_PORTS_8 = 0x04
const IE_PORTS_16 = 0x05
const IE_CONCATENATED_16 = 0x08
const IE_SINGLE_SHIFT = 0x24
const IE_LOCKING_SHIFT = 0x25

/** What is reserved is read as the default alphabet, as §4 asks for. */
function readCodingScheme(dcs: number): CodingScheme {
  const group = dcs >> 4
  const messageClass = dcs & 0x03
  if (group === 0x0f) return { encoding: dcs & 0x04 ? '8bit' : 'gsm7', messageClass }
  if (group === 0x0e) return { encoding: 'ucs2', messageClass: undefined }
  if (group >= 0x08) return { encoding: 'gsm7', messageClass: undefined }
  const encoding = (['gsm7', '8bit', 'ucs2', 'gsm7'] as const)[(dcs >> 2) & 0x03]!
  return { encoding: dcs & 0x20 ? 'compressed' : encoding, messageClass: dcs & 0x10 ? messageClass : undefined }
}

export function codingSchemeByte({ encoding, messageClass }: CodingScheme): number {
  const alphabet = encoding === 'ucs2' ? 0x08 : encoding === '8bit' ? 0x04 : 0x00
  return messageClass === undefined ? alphabet : 0x10 | alphabet | messageClass
}

/**
 * `length` is TP-UDL: septets of gsm7, octets of all else. What is cut off, or lies about its length, is read as far as it goes;
 * `faults` gets a word for each.
 */
export function readUserData(
  dcs: number,
  length: number,
  data: Uint8Array,
  hasHeader: boolean,
  faults: string[],
): UserData {
  const scheme = readCodingScheme(dcs)
  const isSeptets = scheme.encoding === 'gsm7'
  const wantedBytes = isSeptets ? Math.ceil((length * 7) / 8) : length
  if (data.length < wantedBytes) faults.push('the text is cut off')
  const own = data.subarray(0, wantedBytes)
  const headerBytes = hasHeader ? (own[0] ?? 0) + 1 : 0
  const isHeaderWhole = headerBytes <= own.length
  if (!isHeaderWhole) faults.push('the header is longer than the message')
  const fields: HeaderFields =
    hasHeader && isHeaderWhole ? readHeader(own.subarray(1, headerBytes), faults) : { languages: {} }
  const skipped = isHeaderWhole ? headerBytes : 0
  if (!isSeptets) return { ...scheme, ...fields, ...octetText(scheme.encoding, own.subarray(skipped), faults) }
  const headerSeptets = Math.ceil((skipped * 8) / 7)
  const septets = unpackSeptets(own, length).subarray(headerSeptets)
  return { ...scheme, ...fields, bytes: septets, text: decodeSeptets(septets, fields.languages) }
}

function octetText(
  encoding: Encoding,
  bytes: Uint8Array,
  faults: string[],
): { readonly bytes: Uint8Array; readonly text: string | undefined } {
  if (encoding !== 'ucs2') return { bytes, text: undefined }
  if (bytes.length % 2 === 1) faults.push('half a character at the end')
  return { bytes, text: decodeUcs2(bytes) }
}

/** UTF-16, big end first, as every telephone sends it; halves of pairs stay what they are. */
function decodeUcs2(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at + 1 < bytes.length; at += 2) text += String.fromCharCode((bytes[at]! << 8) | bytes[at + 1]!)
  return text
}

function encodeUcs2(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 2)
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    bytes[index * 2] = unit >> 8
    bytes[index * 2 + 1] = unit & 0xff
  }
  return bytes
}

/** Of elements that come twice the last one counts; a header that breaks off is ignored as a whole (§9.2.3.24). */
function readHeader(bytes: Uint8Array, faults: string[]): HeaderFields {
  const reader = new ByteReader(bytes)
  let fields: HeaderFields = { languages: {} }
  while (reader.remaining > 0) {
    const id = reader.u8()!
    const body = reader.take(reader.u8() ?? -1)
    if (!body) {
      faults.push('the header breaks off')
      return { languages: {} }
    }
    fields = { ...fields, ...readElement(id, body, fields.languages) }
  }
  return fields
}

function readElement(id: number, body: Uint8Array, languages: Languages): Partial<HeaderFields> {
  const [a = 0, b = 0, c = 0, d = 0] = body
  if (id === IE_CONCATENATED && body.length === 3) return part({ reference: a, isWide: false, total: b, sequence: c })
  if (id === IE_CONCATENATED_16 && body.length === 4)
    return part({ reference: (a << 8) | b, isWide: true, total: c, sequence: d })
  if (id === IE_PORTS_8 && body.length === 2) return { destinationPort: a }
  if (id === IE_PORTS_16 && body.length === 4) return { destinationPort: (a << 8) | b }
  if (id === IE_SINGLE_SHIFT && body.length === 1) return { languages: { ...languages, singleShift: a } }
  if (id === IE_LOCKING_SHIFT && body.length === 1) return { languages: { ...languages, locking: a } }
  return {}
}

/** One that counts from 0 or beyond its total says nothing. */
function part(concatenation: Concatenation): Partial<HeaderFields> {
  const { total, sequence } = concatenation
  return total >= 1 && sequence >= 1 && sequence <= total ? { concatenation } : {}
}

/** With its length octet; nothing where there is nothing to say. */
export function headerBytes({ concatenation, destinationPort, languages }: HeaderFields): Uint8Array {
  const elements: number[] = []
  if (concatenation) {
    const { reference, isWide, total, sequence } = concatenation
    if (isWide) elements.push(IE_CONCATENATED_16, 4, (reference >> 8) & 0xff, reference & 0xff, total, sequence)
    else elements.push(IE_CONCATENATED, 3, reference & 0xff, total, sequence)
  }
  if (destinationPort !== undefined)
    elements.push(IE_PORTS_16, 4, (destinationPort >> 8) & 0xff, destinationPort & 0xff, 0, 0)
  if (languages.singleShift !== undefined) elements.push(IE_SINGLE_SHIFT, 1, languages.singleShift)
  if (languages.locking !== undefined) elements.push(IE_LOCKING_SHIFT, 1, languages.locking)
  return elements.length === 0 ? new Uint8Array() : Uint8Array.of(elements.length, ...elements)
}

export interface EmittedUserData {
  /** TP-UDL. */
  readonly length: number
  readonly bytes: Uint8Array
  readonly hasHeader: boolean
}

/** `text` must fit: `segment.ts` sees to it. What the alphabet lacks becomes `?`. */
export function emitUserData(encoding: 'gsm7' | 'ucs2', text: string, fields: HeaderFields): EmittedUserData {
  const header = headerBytes(fields)
  const hasHeader = header.length > 0
  if (encoding === 'ucs2') {
    const bytes = concat([header, encodeUcs2(text)])
    return { length: bytes.length, bytes, hasHeader }
  }
  const septets =
    encodeSeptets(text, fields.languages) ??
    [...text].flatMap((char) => encodeSeptets(char, fields.languages) ?? [0x3f])
  const headerSeptets = Math.ceil((header.length * 8) / 7)
  const bytes = packSeptets(septets, headerSeptets * 7)
  bytes.set(header)
  return { length: headerSeptets + septets.length, bytes, hasHeader }
}
