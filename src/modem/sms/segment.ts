/**
 * A text cut into short messages: which alphabet it needs, how many parts, and where they end (3GPP TS 23.040 §9.2.3.24.1):
 * never inside ESC and its character, or inside a pair of surrogates. Pure.
 */

import { encodeCharacters, type Languages } from './gsm7.ts'
import { headerBytes, MAX_SEPTETS, MAX_USER_DATA_BYTES } from './user-data.ts'

export interface Segmentation {
  readonly encoding: 'gsm7' | 'ucs2'
  readonly languages: Languages
  readonly parts: readonly string[]
}

const MAX_PARTS = 255

export interface SegmentOptions {
  /** A reference of 16 bits, one octet longer. */
  readonly isWide?: boolean
  /** National tables that may be used where they save parts. Many telephones cannot read them: none by default. */
  readonly languages?: readonly Languages[]
}

/** The choice with the fewest parts; of equals the plainest. undefined: more than 255 parts. */
export function segment(text: string, options: SegmentOptions = {}): Segmentation | undefined {
  const isWide = options.isWide === true
  let best: Segmentation | undefined
  for (const languages of [{}, ...(options.languages ?? [])]) {
    const parts = septetParts(text, languages, isWide)
    if (parts && (!best || parts.length < best.parts.length)) best = { encoding: 'gsm7', languages, parts }
  }
  best ??= { encoding: 'ucs2', languages: {}, parts: ucs2Parts(text, isWide) }
  return best.parts.length <= MAX_PARTS ? best : undefined
}

/** undefined: not in these tables. */
function septetParts(text: string, languages: Languages, isWide: boolean): readonly string[] | undefined {
  const encoded = encodeCharacters(text, languages)
  if (!encoded) return undefined
  const characters = [...text].map((char, index) => ({ char, size: encoded[index]!.length }))
  const room = (isPart: boolean) => MAX_SEPTETS - Math.ceil((headerSize(languages, isPart, isWide) * 8) / 7)
  return cut(characters, room)
}

function ucs2Parts(text: string, isWide: boolean): readonly string[] {
  const characters = [...text].map((char) => ({ char, size: char.length }))
  const room = (isPart: boolean) => Math.floor((MAX_USER_DATA_BYTES - headerSize({}, isPart, isWide)) / 2)
  return cut(characters, room)
}

function headerSize(languages: Languages, isPart: boolean, isWide: boolean): number {
  const concatenation = isPart ? { reference: 0, isWide, total: 1, sequence: 1 } : undefined
  return headerBytes({ concatenation, languages }).length
}

function cut(
  characters: readonly { readonly char: string; readonly size: number }[],
  room: (isPart: boolean) => number,
): readonly string[] {
  const total = characters.reduce((sum, { size }) => sum + size, 0)
  if (total <= room(false)) return [characters.map(({ char }) => char).join('')]
  const roomOfPart = room(true)
  const parts: string[] = []
  let current = ''
  let used = 0
  for (const { char, size } of characters) {
    if (used + size > roomOfPart) {
      parts.push(current)
      current = ''
      used = 0
    }
    current += char
    used += size
  }
  return [...parts, current]
}
