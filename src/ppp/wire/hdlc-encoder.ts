/**
 * Asynchronous framing, the sending half (RFC 1662 §4): flags, escapes, FCS, and the compressed headers that LCP agreed.
 * Called by `serial-session.ts`. The hot path is one pass over eight bytes at a step.
 */

import { INITIAL_FCS, SLICES } from './fcs.ts'
import { LCP } from './protocols.ts'

export const FLAG = 0x7e
export const ESCAPE = 0x7d
export const ESCAPE_XOR = 0x20
export const ALL_STATIONS = 0xff
export const UNNUMBERED_INFORMATION = 0x03

/** How frames are sent: the peer's Async-Control-Character-Map and header compressions. */
export interface Framing {
  readonly accm: number
  readonly pfc: boolean
  readonly acfc: boolean
}

/** Before LCP is opened, and always for LCP's own codes 1 to 7 (RFC 1661 §5). */
export const DEFAULT_FRAMING: Framing = { accm: 0xffffffff, pfc: false, acfc: false }

/** Many small frames share one piece of memory, which is never written twice: the bytes of a frame stay what they are. */
const CHUNK_BYTES = 16_384
const LAST_NEGOTIATION_CODE = 7

const [S0, S1, S2, S3, S4, S5, S6, S7] = SLICES

/** 1 for each octet that goes out escaped. */
function escapedOctets(accm: number): Uint8Array {
  const escaped = new Uint8Array(256)
  escaped[FLAG] = 1
  escaped[ESCAPE] = 1
  for (let octet = 0; octet < 0x20; octet++) escaped[octet] = (accm >>> octet) & 1
  return escaped
}

const DEFAULT_ESCAPED = escapedOctets(DEFAULT_FRAMING.accm)

export class HdlcEncoder {
  #framing: Framing = DEFAULT_FRAMING
  #escaped = DEFAULT_ESCAPED
  #chunk = new Uint8Array(0)
  #view = new DataView(this.#chunk.buffer)
  #source: DataView<ArrayBufferLike> = new DataView(new ArrayBuffer(0))
  #at = 0
  #fcs = INITIAL_FCS

  set framing(framing: Framing) {
    this.#framing = framing
    this.#escaped = escapedOctets(framing.accm)
  }

  /** The whole frame with both flags. The bytes are the caller's. */
  encode(protocol: number, info: Uint8Array): Uint8Array {
    const start = this.append(protocol, info)
    return this.#chunk.subarray(start, this.#at)
  }

  /** Where the frame of the last `append` is: in `chunk`, up to `end`. */
  get chunk(): Uint8Array {
    return this.#chunk
  }

  get end(): number {
    return this.#at
  }

  /** `encode` without making anything: answers where in `chunk` the frame begins. */
  append(protocol: number, info: Uint8Array): number {
    const isNegotiation = protocol === LCP && info[0]! >= 1 && info[0]! <= LAST_NEGOTIATION_CODE
    const { pfc, acfc, accm } = isNegotiation ? DEFAULT_FRAMING : this.#framing
    const escaped = isNegotiation ? DEFAULT_ESCAPED : this.#escaped
    this.#makeRoom(2 * (info.length + 6) + 2)
    const start = this.#at
    const chunk = this.#chunk
    chunk[this.#at++] = FLAG
    this.#fcs = INITIAL_FCS
    if (!acfc) {
      this.#octet(ALL_STATIONS, escaped)
      this.#octet(UNNUMBERED_INFORMATION, escaped)
    }
    if (!pfc || protocol > 0xff) this.#octet(protocol >>> 8, escaped)
    this.#octet(protocol & 0xff, escaped)
    this.#body(info, escaped, accm === 0 ? 0 : 0x80808080)
    const check = this.#fcs ^ 0xffff
    this.#octet(check & 0xff, escaped)
    this.#octet(check >>> 8, escaped)
    chunk[this.#at++] = FLAG
    return start
  }

  #octet(octet: number, escaped: Uint8Array): void {
    this.#fcs = (this.#fcs >>> 8) ^ S0[(this.#fcs ^ octet) & 0xff]!
    if (escaped[octet] === 0) {
      this.#chunk[this.#at++] = octet
      return
    }
    this.#chunk[this.#at++] = ESCAPE
    this.#chunk[this.#at++] = octet ^ ESCAPE_XOR
  }

  /**
   * Two 32-bit words at a step: while no octet in them can need an escape they are copied as they are. The test adds to
   * the low seven bits of all octets at once: +3 carries into bit 7 from 0x7d on, +0x60 from 0x20 on (`controlMask` 0: no
   * control octet is escaped, so none is looked for). 0x7f is tested once too often; the slow path knows better.
   */
  #body(info: Uint8Array, escaped: Uint8Array, controlMask: number): void {
    const source = this.#viewOf(info.buffer)
    const offset = info.byteOffset
    const lastStep = info.length - 8
    const out = this.#chunk
    const view = this.#view
    let at = this.#at
    let fcs = this.#fcs
    let from = 0
    while (from < info.length) {
      if (from <= lastStep) {
        const a = source.getInt32(offset + from, true)
        const b = source.getInt32(offset + from + 4, true)
        const lowA = a & 0x7f7f7f7f
        const lowB = b & 0x7f7f7f7f
        const suspects =
          ((((lowA + 0x03030303) & ~a) | ((lowB + 0x03030303) & ~b)) & 0x80808080) |
          (((~(lowA + 0x60606060) & ~a) | (~(lowB + 0x60606060) & ~b)) & controlMask)
        if (suspects === 0) {
          view.setInt32(at, a, true)
          view.setInt32(at + 4, b, true)
          const x = a ^ fcs
          fcs =
            S7[x & 0xff]! ^
            S6[(x >>> 8) & 0xff]! ^
            S5[(x >>> 16) & 0xff]! ^
            S4[x >>> 24]! ^
            S3[b & 0xff]! ^
            S2[(b >>> 8) & 0xff]! ^
            S1[(b >>> 16) & 0xff]! ^
            S0[b >>> 24]!
          at += 8
          from += 8
          continue
        }
      }
      for (const until = Math.min(from + 8, info.length); from < until; from++) {
        const octet = info[from]!
        fcs = (fcs >>> 8) ^ S0[(fcs ^ octet) & 0xff]!
        if (escaped[octet] === 0) {
          out[at++] = octet
        } else {
          out[at++] = ESCAPE
          out[at++] = octet ^ ESCAPE_XOR
        }
      }
    }
    this.#at = at
    this.#fcs = fcs
  }

  /** Packets come in one buffer, again and again. */
  #viewOf(buffer: ArrayBufferLike): DataView<ArrayBufferLike> {
    if (this.#source.buffer !== buffer) this.#source = new DataView(buffer)
    return this.#source
  }

  #makeRoom(bytes: number): void {
    if (this.#at + bytes <= this.#chunk.length) return
    this.#chunk = new Uint8Array(Math.max(CHUNK_BYTES, bytes))
    this.#view = new DataView(this.#chunk.buffer)
    this.#at = 0
  }
}
