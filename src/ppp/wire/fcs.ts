/**
 * The 16-bit frame check sequence of RFC 1662 §C.2 (CRC-16/X-25). `SLICES[0]` is the RFC's table; `SLICES[k]` moves a
 * byte k places further, so that `hdlc-encoder.ts` and `hdlc-decoder.ts` take eight bytes at a step.
 */

export const INITIAL_FCS = 0xffff
/** What is left over a whole undamaged frame, its own FCS included. */
export const GOOD_FCS = 0xf0b8

const POLYNOMIAL = 0x8408

type Slices = readonly [
  Uint16Array,
  Uint16Array,
  Uint16Array,
  Uint16Array,
  Uint16Array,
  Uint16Array,
  Uint16Array,
  Uint16Array,
]

export const SLICES = buildSlices() as readonly Uint16Array[] as Slices

function buildSlices(): Uint16Array[] {
  const slices = Array.from({ length: 8 }, () => new Uint16Array(256))
  const first = slices[0]!
  for (let byte = 0; byte < 256; byte++) {
    let value = byte
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1
    first[byte] = value
  }
  for (let place = 1; place < 8; place++) {
    for (let byte = 0; byte < 256; byte++) {
      const before = slices[place - 1]![byte]!
      slices[place]![byte] = (before >>> 8) ^ first[before & 0xff]!
    }
  }
  return slices
}
