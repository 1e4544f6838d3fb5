/** Text ↔ septets ↔ octets of the 7-bit alphabets (3GPP TS 23.038 §6.1.2.1 and §6.2.1). Pure. Used by `user-data.ts`, `address.ts` and USSD. */

import { type Alphabet, DEFAULT_ALPHABET, DEFAULT_EXTENSION, ESCAPE, NATIONAL_LANGUAGES } from './alphabets.ts'

/** National language identifiers (§6.2.1.2.4); undefined: the default table. */
export interface Languages {
  readonly locking?: number | undefined
  readonly singleShift?: number | undefined
}

const REPLACEMENT = '\ufffd'
const CR = 0x0d

/** An identifier that nobody knows, or that has no such table, stands for the default table (TS 23.040 §9.2.3.24.15). */
export function decodeSeptets(septets: ArrayLike<number>, languages: Languages = {}): string {
  const { main, shifted } = tablesOf(languages)
  let text = ''
  for (let at = 0; at < septets.length; at++) {
    const septet = septets[at]! & 0x7f
    if (septet !== ESCAPE) {
      text += main[septet] || REPLACEMENT
      continue
    }
    const next = septets[++at]
    // ESC twice is kept for yet another table, which is shown as a space; so is one at the very end.
    if (next === undefined || (next & 0x7f) === ESCAPE) text += ' '
    else text += shifted[next & 0x7f] || main[next & 0x7f] || REPLACEMENT
  }
  return text
}

/** The septets of each character (one, or ESC and one); undefined: some character is in neither table. */
export function encodeCharacters(text: string, languages: Languages = {}): (readonly number[])[] | undefined {
  const septetsOf = encoderOf(languages)
  const encoded: (readonly number[])[] = []
  for (const char of text) {
    const septets = septetsOf.get(char)
    if (!septets) return undefined
    encoded.push(septets)
  }
  return encoded
}

export function encodeSeptets(text: string, languages: Languages = {}): number[] | undefined {
  return encodeCharacters(text, languages)?.flat()
}

/** `fillBits` zeros stand before the first septet, so that text behind a header begins at a septet's edge. */
export function packSeptets(septets: ArrayLike<number>, fillBits = 0): Uint8Array {
  const packed = new Uint8Array(Math.ceil((septets.length * 7 + fillBits) / 8))
  for (let index = 0; index < septets.length; index++) {
    const bit = index * 7 + fillBits
    const value = (septets[index]! & 0x7f) << (bit % 8)
    packed[bit >> 3]! |= value & 0xff
    if (value > 0xff) packed[(bit >> 3) + 1]! |= value >> 8
  }
  return packed
}

/** At most `count`, and no more than there are whole ones. */
export function unpackSeptets(bytes: Uint8Array, count: number, fillBits = 0): Uint8Array {
  const whole = Math.floor((bytes.length * 8 - fillBits) / 7)
  const septets = new Uint8Array(Math.max(0, Math.min(count, whole)))
  for (let index = 0; index < septets.length; index++) {
    const bit = index * 7 + fillBits
    septets[index] = (((bytes[bit >> 3]! | ((bytes[(bit >> 3) + 1] ?? 0) << 8)) >> (bit % 8)) & 0x7f) as number
  }
  return septets
}

/** Text of a USSD string (§6.1.2.3.1): a CR fills the last septet, and no length tells it from text. */
export function decodeUssdSeptets(bytes: Uint8Array): string {
  const septets = unpackSeptets(bytes, Number.POSITIVE_INFINITY)
  const isFilled = septets.length % 8 === 0 && septets.at(-1) === CR
  return decodeSeptets(isFilled ? septets.subarray(0, -1) : septets)
}

interface Tables {
  readonly main: Alphabet
  readonly shifted: Alphabet
}

function tablesOf({ locking, singleShift }: Languages): Tables {
  return {
    main: (locking !== undefined && NATIONAL_LANGUAGES.get(locking)?.locking) || DEFAULT_ALPHABET,
    shifted: (singleShift !== undefined && NATIONAL_LANGUAGES.get(singleShift)?.singleShift) || DEFAULT_EXTENSION,
  }
}

const encoders = new Map<string, ReadonlyMap<string, readonly number[]>>()

function encoderOf(languages: Languages): ReadonlyMap<string, readonly number[]> {
  const key = `${languages.locking ?? 0}/${languages.singleShift ?? 0}`
  let encoder = encoders.get(key)
  if (!encoder) {
    encoder = makeEncoder(tablesOf(languages))
    encoders.set(key, encoder)
  }
  return encoder
}

function makeEncoder({ main, shifted }: Tables): ReadonlyMap<string, readonly number[]> {
  const encoder = new Map<string, readonly number[]>()
  for (const [place, char] of shifted.entries()) if (char !== '') encoder.set(char, [ESCAPE, place])
  for (const [place, char] of main.entries()) if (char !== '' && place !== ESCAPE) encoder.set(char, [place])
  return encoder
}
