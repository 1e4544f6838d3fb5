/**
 * One direction of the line for recordings: PAP passwords (RFC 1334 §2.2.1) become stars of the same length under a right
 * FCS; all else stays as it came. A frame is held until its closing flag. Used by `record-wire.ts`.
 */

import { concat } from '../../base/bytes.ts'
import { INITIAL_FCS, SLICES } from '../wire/fcs.ts'
import { ALL_STATIONS, ESCAPE, ESCAPE_XOR, FLAG, UNNUMBERED_INFORMATION } from '../wire/hdlc-encoder.ts'
import { PAP } from '../wire/protocols.ts'

const STAR = 0x2a
const AUTHENTICATE_REQUEST = 1
const FCS_BYTES = 2
/** Protocol, code, identifier, length, length of the name. */
const NAME_AT = 7
/** More than that without a flag is no PPP. */
const MOST_HELD_BYTES = 70_000

export class FrameRedactor {
  readonly #onFrame: (frame: Uint8Array) => void
  #held: Uint8Array[] = []
  #heldBytes = 0
  #sawFlag = false

  /** `onFrame` gets each undamaged frame, redacted, without flags, escapes and FCS; address and control may be missing. */
  constructor(onFrame: (frame: Uint8Array) => void) {
    this.#onFrame = onFrame
  }

  /** What may be shown now: up to the last flag. */
  push(bytes: Uint8Array): Uint8Array {
    const shown: Uint8Array[] = []
    let from = 0
    for (let at = bytes.indexOf(FLAG); at >= 0; at = bytes.indexOf(FLAG, from)) {
      this.#hold(bytes.subarray(from, at))
      shown.push(this.#release(), Uint8Array.of(FLAG))
      this.#sawFlag = true
      from = at + 1
    }
    this.#hold(bytes.subarray(from))
    // What comes before PPP is no frame, nor is what has no end.
    if (!this.#sawFlag || this.#heldBytes > MOST_HELD_BYTES) shown.push(this.#release())
    return concat(shown)
  }

  /** The line ended within a frame. */
  end(): Uint8Array {
    return this.#release()
  }

  #hold(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#held.push(bytes.slice())
    this.#heldBytes += bytes.length
  }

  #release(): Uint8Array {
    const raw = concat(this.#held)
    this.#held = []
    this.#heldBytes = 0
    const frame = unescaped(raw)
    const isWhole = frame.length > FCS_BYTES + 1 && fcs16(frame.subarray(0, -FCS_BYTES)) === fcsOf(frame)
    const secret = isWhole ? passwordIn(frame) : passwordSomewhere(frame)
    if (!secret) {
      if (isWhole) this.#onFrame(frame.subarray(0, -FCS_BYTES))
      return raw
    }
    frame.fill(STAR, secret.from, secret.to)
    if (isWhole) {
      const fcs = fcs16(frame.subarray(0, -FCS_BYTES))
      frame.set([fcs & 0xff, fcs >>> 8], frame.length - FCS_BYTES)
      this.#onFrame(frame.subarray(0, -FCS_BYTES))
    }
    return escaped(frame)
  }
}

interface Span {
  readonly from: number
  readonly to: number
}

/** Address and control are optional (RFC 1661 §6.6); PAP's number is never compressed. */
function passwordIn(frame: Uint8Array): Span | undefined {
  const at = frame[0] === ALL_STATIONS && frame[1] === UNNUMBERED_INFORMATION ? 2 : 0
  if (((frame[at]! << 8) | frame[at + 1]!) !== PAP || frame[at + 2] !== AUTHENTICATE_REQUEST) return undefined
  const end = frame.length - FCS_BYTES
  const lengthAt = at + NAME_AT + (frame[at + NAME_AT - 1] ?? 0)
  const from = lengthAt + 1
  const to = from + (frame[lengthAt] ?? 0)
  // Where the lengths lie, nothing behind the header is shown.
  return to <= end ? { from, to } : { from: Math.min(at + NAME_AT, end), to: end }
}

/** In a damaged frame, or in several run together: from what looks like a request on. */
function passwordSomewhere(frame: Uint8Array): Span | undefined {
  for (let at = frame.indexOf(PAP >>> 8); at >= 0; at = frame.indexOf(PAP >>> 8, at + 1)) {
    if (frame[at + 1] === (PAP & 0xff) && frame[at + 2] === AUTHENTICATE_REQUEST)
      return { from: Math.min(at + NAME_AT - 1, frame.length), to: frame.length }
  }
  return undefined
}

function fcs16(bytes: Uint8Array): number {
  return ~bytes.reduce((fcs, octet) => (fcs >>> 8) ^ SLICES[0][(fcs ^ octet) & 0xff]!, INITIAL_FCS) & 0xffff
}

function fcsOf(frame: Uint8Array): number {
  return frame.at(-FCS_BYTES)! | (frame.at(-1)! << 8)
}

function unescaped(raw: Uint8Array): Uint8Array {
  const frame = new Uint8Array(raw.length)
  let length = 0
  for (let at = 0; at < raw.length; at++)
    frame[length++] = raw[at] === ESCAPE && at + 1 < raw.length ? raw[++at]! ^ ESCAPE_XOR : raw[at]!
  return frame.subarray(0, length)
}

/** All control characters, as before LCP is open: it is as good for the reader. */
function escaped(frame: Uint8Array): Uint8Array {
  return Uint8Array.from(
    [...frame].flatMap((octet) =>
      octet < 0x20 || octet === ESCAPE || octet === FLAG ? [ESCAPE, octet ^ ESCAPE_XOR] : [octet],
    ),
  )
}
