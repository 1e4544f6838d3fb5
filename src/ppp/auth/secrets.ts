/** Comparing and writing secrets. Used by `pap.ts` and `chap.ts`. */

import { createHash, timingSafeEqual } from 'node:crypto'
import { printable } from '../../base/bytes.ts'

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

export function fromUtf8(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}

/** In a time that tells nothing about where the two differ, nor how long they are. */
export function sameSecret(a: Uint8Array, b: Uint8Array): boolean {
  const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest()
  return timingSafeEqual(digest(a), digest(b))
}

/** The peer's words in a failure's detail. */
export function inWords(message: Uint8Array): string {
  return message.length === 0 ? 'without a message' : `with "${printable(fromUtf8(message))}"`
}
