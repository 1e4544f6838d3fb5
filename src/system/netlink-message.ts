/**
 * Netlink messages and their attributes (netlink(7), RFC 3549), in the byte order of the machine. Pure; `netlink.ts` and
 * `uevents.ts` send and receive them.
 */

import { endianness } from 'node:os'
import { ipv6Bytes } from '../base/ipv6.ts'

const LITTLE = endianness() === 'LE'
const HEADER_BYTES = 16

export const NLM_F_REQUEST = 0x1
export const NLM_F_ACK = 0x4
export const NLM_F_DUMP = 0x300
export const NLM_F_EXCL = 0x200
export const NLM_F_CREATE = 0x400
export const NLM_F_APPEND = 0x800
const NLM_F_CAPPED = 0x100
const NLM_F_ACK_TLVS = 0x200

export const NLMSG_ERROR = 2
export const NLMSG_DONE = 3
const NLMSGERR_ATTR_MSG = 1

const align = (bytes: number) => (bytes + 3) & ~3

export class MessageBuilder {
  readonly sequence: number
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #length = HEADER_BYTES

  /** `roomBytes`: for what comes after the header. */
  constructor(type: number, flags: number, sequence: number, roomBytes = 512) {
    this.#bytes = new Uint8Array(HEADER_BYTES + roomBytes)
    this.#view = new DataView(this.#bytes.buffer)
    this.sequence = sequence
    this.#view.setUint16(4, type, LITTLE)
    this.#view.setUint16(6, flags, LITTLE)
    this.#view.setUint32(8, sequence, LITTLE)
  }

  u8(...values: number[]): this {
    this.#bytes.set(values, this.#length)
    this.#length += values.length
    return this
  }

  u16(value: number): this {
    this.#view.setUint16(this.#length, value, LITTLE)
    this.#length += 2
    return this
  }

  u32(value: number): this {
    this.#view.setUint32(this.#length, value, LITTLE)
    this.#length += 4
    return this
  }

  attribute(type: number, value: Uint8Array): this {
    this.u16(4 + value.length).u16(type)
    this.#bytes.set(value, this.#length)
    this.#length = align(this.#length + value.length)
    return this
  }

  attributeU32(type: number, value: number): this {
    return this.u16(8).u16(type).u32(value)
  }

  /** Addresses are in network order wherever they are. A number: IPv4; a bigint: IPv6. */
  attributeAddress(type: number, address: number | bigint): this {
    if (typeof address === 'bigint') return this.attribute(type, ipv6Bytes(address))
    return this.attribute(type, Uint8Array.of(address >>> 24, address >>> 16, address >>> 8, address))
  }

  /** An attribute made of attributes. */
  attributeNest(type: number, ...parts: readonly Uint8Array[]): this {
    const value = new Uint8Array(parts.reduce((sum, part) => sum + align(part.length), 0))
    let at = 0
    for (const part of parts) {
      value.set(part, at)
      at += align(part.length)
    }
    return this.attribute(type, value)
  }

  attributeString(type: number, text: string): this {
    return this.attribute(type, new TextEncoder().encode(`${text}\0`))
  }

  bytes(values: Uint8Array): this {
    this.#bytes.set(values, this.#length)
    this.#length += values.length
    return this
  }

  done(): Uint8Array {
    this.#view.setUint32(0, this.#length, LITTLE)
    return this.#bytes.subarray(0, this.#length)
  }
}

/** One attribute, for `attributeNest`. */
export function attributeBytes(type: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + value.length)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, bytes.length, LITTLE)
  view.setUint16(2, type, LITTLE)
  bytes.set(value, 4)
  return bytes
}

/** A number in the machine's byte order, for `attributeBytes`. */
export function u32Bytes(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer)
}

export interface NetlinkMessage {
  readonly type: number
  readonly flags: number
  readonly sequence: number
  readonly payload: Uint8Array
}

/** The messages of one datagram; what is cut off at its end is left out. */
export function* messagesOf(datagram: Uint8Array): Generator<NetlinkMessage> {
  for (let at = 0; at + HEADER_BYTES <= datagram.length; ) {
    const length = readU32(datagram, at)
    if (length < HEADER_BYTES || at + length > datagram.length) return
    yield {
      type: readU16(datagram, at + 4),
      flags: readU16(datagram, at + 6),
      sequence: readU32(datagram, at + 8),
      payload: datagram.subarray(at + HEADER_BYTES, at + length),
    }
    at += align(length)
  }
}

/** Attributes by type, from `offset` of a message's payload. */
export function attributesOf(payload: Uint8Array, offset: number): Map<number, Uint8Array> {
  const attributes = new Map<number, Uint8Array>()
  for (let at = offset; at + 4 <= payload.length; ) {
    const length = readU16(payload, at)
    if (length < 4 || at + length > payload.length) break
    attributes.set(readU16(payload, at + 2) & 0x3fff, payload.subarray(at + 4, at + length))
    at += align(length)
  }
  return attributes
}

export interface NetlinkVerdict {
  /** 0 or a negative errno. */
  readonly answer: number
  /** The kernel's own sentence, where it gives one. */
  readonly text: string | undefined
}

/** What an NLMSG_ERROR message says. */
export function verdictOf(message: NetlinkMessage): NetlinkVerdict {
  const { payload, flags } = message
  const answer = readU32(payload, 0) | 0
  if (!(flags & NLM_F_ACK_TLVS)) return { answer, text: undefined }
  const requestBytes = flags & NLM_F_CAPPED ? HEADER_BYTES : align(readU32(payload, 4))
  const text = attributesOf(payload, 4 + requestBytes).get(NLMSGERR_ATTR_MSG)
  return { answer, text: text && readString(text) }
}

export function readU32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, LITTLE)
}

function readU16(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint16(at, LITTLE)
}

/** Up to the first NUL. */
export function readString(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end))
}
