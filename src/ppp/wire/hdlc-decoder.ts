/**
 * Asynchronous framing, the receiving half (RFC 1662 §4): finds frames in whatever a line brings, cut anywhere. Called by
 * `serial-session.ts`. Never throws; a frame that is damaged, too short or too long is counted and dropped. Header
 * compression is understood whether it was agreed or not (RFC 1661 §6.5 and §6.6 ask for it only where it was).
 */

import { GOOD_FCS, INITIAL_FCS, SLICES } from './fcs.ts'
import { ALL_STATIONS, ESCAPE, ESCAPE_XOR, FLAG, UNNUMBERED_INFORMATION } from './hdlc-encoder.ts'

export interface FrameSink {
  /** An undamaged frame. `info` stays what it is for as long as the sink keeps it. */
  frame(protocol: number, info: Uint8Array): void
  /** Asked after each frame; true: nothing of it was kept, its memory may be written again. */
  isFrameDone?(): boolean
  /** What stood between two flags and was no frame, unescaped; only valid during the call. */
  junk(bytes: Uint8Array): void
}

export interface FrameCounters {
  frames: number
  /** Frames with a wrong checksum. */
  damaged: number
  tooShort: number
  tooLong: number
  /** Frames that their sender broke off (0x7d 0x7e). */
  aborted: number
  /** Octets before the first flag, or behind the limit of a frame. */
  strayOctets: number
}

const PLAIN = 0
const DROPPED = 1
const SPECIAL = 2

/** Octets taken one by one before two words are tested again; more of them where escapes are many. */
const STRIDE = 8
const DENSE_STRIDE = 128

const CHUNK_BYTES = 16_384
/** A compressed protocol and the FCS. */
const MIN_FRAME_BYTES = 3

const [S0, S1, S2, S3, S4, S5, S6, S7] = SLICES

/** `hunting`: no flag has come yet. `discarding`: a frame over the limit, up to the next flag. */
type Mode = 'hunting' | 'frame' | 'discarding'

export class HdlcDecoder {
  readonly counters: FrameCounters = { frames: 0, damaged: 0, tooShort: 0, tooLong: 0, aborted: 0, strayOctets: 0 }
  readonly #maxFrameBytes: number
  readonly #sink: FrameSink
  readonly #kinds = new Uint8Array(256)
  #controlMask = 0
  #mode: Mode = 'hunting'
  #escaping = false
  #fcs = INITIAL_FCS
  /** The frame so far is `#chunk` from `#start` to `#at`. A chunk is never written twice, so that frames need no copy. */
  #chunk = new Uint8Array(0)
  #view = new DataView(this.#chunk.buffer)
  #start = 0
  #at = 0
  /** What was delivered from one place again and again, by its length: packets that were done with at once. */
  #views: (Uint8Array | undefined)[] = []
  #viewsAt = -1
  #source: DataView<ArrayBufferLike> = new DataView(new ArrayBuffer(0))

  /** `maxFrameBytes` counts header and FCS. */
  constructor(maxFrameBytes: number, sink: FrameSink) {
    this.#maxFrameBytes = maxFrameBytes
    this.#sink = sink
    this.accm = 0xffffffff
  }

  /** Unescaped control octets flagged here were put in by equipment on the way, and are dropped (RFC 1662 §7.1). */
  set accm(accm: number) {
    for (let octet = 0; octet < 0x20; octet++) this.#kinds[octet] = (accm >>> octet) & 1 ? DROPPED : PLAIN
    this.#kinds[FLAG] = SPECIAL
    this.#kinds[ESCAPE] = SPECIAL
    this.#controlMask = accm === 0 ? 0 : 0x80808080
  }

  /** What came since the last flag, unescaped; only valid until the next `push`. */
  get pending(): Uint8Array {
    return this.#chunk.subarray(this.#start, this.#at)
  }

  push(bytes: Uint8Array): void {
    let from = 0
    while (from < bytes.length)
      from = this.#mode === 'discarding' ? this.#discard(bytes, from) : this.#take(bytes, from)
  }

  #discard(bytes: Uint8Array, from: number): number {
    const flag = bytes.indexOf(FLAG, from)
    this.counters.strayOctets += (flag < 0 ? bytes.length : flag) - from
    if (flag < 0) return bytes.length
    this.#begin('frame')
    return flag + 1
  }

  /** Reads on to just behind the next flag, or to the end. The test of two words at once is `hdlc-encoder.ts`'s. */
  #take(bytes: Uint8Array, from: number): number {
    this.#makeRoom()
    if (this.#source.buffer !== bytes.buffer) this.#source = new DataView(bytes.buffer)
    const source = this.#source
    const offset = bytes.byteOffset
    const lastStep = bytes.length - 8
    const limit = this.#start + this.#maxFrameBytes
    const controlMask = this.#controlMask
    const kinds = this.#kinds
    const out = this.#chunk
    const view = this.#view
    let at = this.#at
    let fcs = this.#fcs
    let escaping = this.#escaping
    let stride = STRIDE
    while (from < bytes.length) {
      if (from <= lastStep && !escaping && at + 8 <= limit) {
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
      const atBefore = at
      const until = Math.min(from + stride, bytes.length)
      while (from < until) {
        let octet = bytes[from++]!
        if (kinds[octet] !== PLAIN) {
          if (kinds[octet] === DROPPED) continue
          if (octet === FLAG) {
            this.#at = at
            this.#fcs = fcs
            this.#escaping = escaping
            this.#end()
            return from
          }
          escaping = true
          if (from === bytes.length || kinds[bytes[from]!] !== PLAIN) continue
          octet = bytes[from++]!
        }
        if (escaping) octet ^= ESCAPE_XOR
        escaping = false
        if (at === limit) {
          this.#at = at
          this.#overflow()
          return from
        }
        fcs = (fcs >>> 8) ^ S0[(fcs ^ octet) & 0xff]!
        out[at++] = octet
      }
      stride = (at - atBefore) * 4 < stride * 3 ? DENSE_STRIDE : STRIDE
    }
    this.#at = at
    this.#fcs = fcs
    this.#escaping = escaping
    return from
  }

  #begin(mode: Mode): void {
    this.#mode = mode
    this.#escaping = false
    this.#fcs = INITIAL_FCS
    this.#at = this.#start
  }

  #overflow(): void {
    this.counters.tooLong++
    this.counters.strayOctets += this.#at - this.#start
    this.#sink.junk(this.pending)
    this.#begin('discarding')
  }

  #end(): void {
    const length = this.#at - this.#start
    const isFirst = this.#mode === 'hunting'
    if (!this.#escaping && length >= MIN_FRAME_BYTES && this.#fcs === GOOD_FCS) {
      this.#deliver()
      return
    }
    if (this.#escaping) this.counters.aborted++
    else if (isFirst) this.counters.strayOctets += length
    else if (length >= MIN_FRAME_BYTES) this.counters.damaged++
    else if (length > 0) this.counters.tooShort++
    if (length > 0) this.#sink.junk(this.pending)
    this.#begin('frame')
  }

  /**
   * The address and control fields may be absent, the protocol may be one octet: a protocol's first octet is even and its
   * last one odd (RFC 1661 §2), so that an odd first octet is all of it.
   */
  #deliver(): void {
    const chunk = this.#chunk
    const end = this.#at - 2
    const start = this.#start
    let at = start
    this.#start = this.#at
    this.#begin('frame')
    if (chunk[at] === ALL_STATIONS && chunk[at + 1] === UNNUMBERED_INFORMATION) at += 2
    let protocol = at < end ? chunk[at++]! : 0
    if ((protocol & 1) === 0) protocol = at < end ? (protocol << 8) | chunk[at++]! : 0
    if (protocol === 0) {
      this.counters.tooShort++
      return
    }
    this.counters.frames++
    this.#sink.frame(protocol, this.#viewOf(at, end))
    if (!this.#sink.isFrameDone?.()) {
      this.#viewsAt = -1
      return
    }
    if (this.#viewsAt !== at) this.#views = []
    this.#viewsAt = at
    this.#start = start
    this.#at = start
  }

  #viewOf(at: number, end: number): Uint8Array {
    if (this.#viewsAt !== at) return this.#chunk.subarray(at, end)
    this.#views[end - at] ??= this.#chunk.subarray(at, end)
    return this.#views[end - at]!
  }

  /** Room for a whole frame from `#start` on. */
  #makeRoom(): void {
    if (this.#start + this.#maxFrameBytes <= this.#chunk.length) return
    const begun = this.pending
    this.#chunk = new Uint8Array(Math.max(CHUNK_BYTES, 2 * this.#maxFrameBytes))
    this.#view = new DataView(this.#chunk.buffer)
    this.#chunk.set(begun)
    this.#viewsAt = -1
    this.#start = 0
    this.#at = begun.length
  }
}
