/** Values on their way to a property: what is not a sound value is not known, so that no made-up number is ever published. */

import { printable } from '../../base/bytes.ts'
import type { Argument } from '../definition.ts'

const MAX_TEXT_LENGTH = 500

/** No arguments. */
export const NONE: readonly Argument[] = []

/** Text of a modem or network: control characters as `\xNN`. Empty text is not known. */
export function knownText(text: string | undefined): string | undefined {
  return text ? printable(text, MAX_TEXT_LENGTH) : undefined
}

/** Text that may be empty. */
export function anyText(text: string): string {
  return printable(text, MAX_TEXT_LENGTH)
}

export function knownNumber(value: number | undefined): number | undefined {
  return value !== undefined && Number.isFinite(value) ? value : undefined
}

export function knownPercent(value: number | undefined): number | undefined {
  return isIntegerWithin(value, 0, 100) ? value : undefined
}

export function knownUint32(value: number | undefined): number | undefined {
  return isIntegerWithin(value, 0, 0xffffffff) ? value : undefined
}

export function knownInt32(value: number | undefined): number | undefined {
  return isIntegerWithin(value, -0x80000000, 0x7fffffff) ? value : undefined
}

export function knownUint64(value: bigint | undefined): bigint | undefined {
  return value !== undefined && value >= 0n && value < 1n << 64n ? value : undefined
}

function isIntegerWithin(value: number | undefined, min: number, max: number): value is number {
  return Number.isInteger(value) && value! >= min && value! <= max
}
