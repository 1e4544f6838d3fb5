/** A question for the addresses of a name and its answer, as DNS has them on the wire (RFC 1035 §4, RFC 3596). Pure. For `name-lookup.ts`. */

import { ByteReader, ByteWriter, latin1 } from '../../base/bytes.ts'
import { ipv6OfBytes } from '../../base/ipv6.ts'

export const TYPE_A = 1
export const TYPE_AAAA = 28
export type AddressType = typeof TYPE_A | typeof TYPE_AAAA

const CLASS_IN = 1
const RECURSION_DESIRED = 0x0100
const IS_ANSWER = 0x8000
const RCODE_MASK = 0x000f
/** The two high bits of a length: the rest of the name is elsewhere in the message. */
const IS_POINTER = 0xc0

export interface DnsAnswer {
  /** Of the type that was asked for, wherever aliases led; a number is an IPv4 address, a bigint an IPv6 one. */
  readonly addresses: readonly (number | bigint)[]
  /** 0: no error; 3: there is no such name. */
  readonly rcode: number
}

/** `name`: of labels of 1 to 63 letters, digits and hyphens. */
export function dnsQuestion(id: number, name: string, type: AddressType): Uint8Array {
  const message = new ByteWriter().u16(id).u16(RECURSION_DESIRED).u16(1).u16(0).u16(0).u16(0)
  for (const label of name.replace(/\.$/, '').split('.')) message.u8(label.length).bytes(latin1(label))
  return message.u8(0).u16(type).u16(CLASS_IN).done()
}

/** undefined: not the answer to this question. One that is cut short has what came whole. */
export function readDnsAnswer(bytes: Uint8Array, id: number, type: AddressType): DnsAnswer | undefined {
  const reader = new ByteReader(bytes)
  const [gotId, flags, questions, answers] = [reader.u16(), reader.u16(), reader.u16(), reader.u16()]
  if (gotId !== id || flags === undefined || (flags & IS_ANSWER) === 0) return undefined
  reader.take(4)
  for (let left = questions ?? 0; left > 0; left--) if (!skipName(reader) || !reader.take(4)) return undefined
  const addresses: (number | bigint)[] = []
  for (let left = answers ?? 0; left > 0; left--) {
    if (!skipName(reader)) break
    const [gotType, gotClass, , length] = [reader.u16(), reader.u16(), reader.u32(), reader.u16()]
    const data = length === undefined ? undefined : reader.take(length)
    if (!data) break
    const address = gotType === type && gotClass === CLASS_IN ? addressOf(data, type) : undefined
    if (address !== undefined) addresses.push(address)
  }
  return { addresses, rcode: flags & RCODE_MASK }
}

function skipName(reader: ByteReader): boolean {
  for (;;) {
    const length = reader.u8()
    if (length === undefined) return false
    if (length >= IS_POINTER) return reader.u8() !== undefined
    if (length === 0) return true
    if (!reader.take(length)) return false
  }
}

function addressOf(data: Uint8Array, type: AddressType): number | bigint | undefined {
  if (type === TYPE_A) return data.length === 4 ? new ByteReader(data).u32() : undefined
  return data.length === 16 ? ipv6OfBytes(data) : undefined
}
