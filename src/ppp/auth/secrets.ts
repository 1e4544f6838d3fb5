/** Finding, comparing and writing secrets. Used by every log-in of this folder. */

import { createHash, timingSafeEqual } from 'node:crypto'
import { printable } from '../../base/bytes.ts'
import type { PppSettings } from '../settings.ts'

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** As it came: a byte order mark is a part of a name like any other. */
export function fromUtf8(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
}

/** What we prove to a challenger of that name; undefined: nothing. */
export function loginSecret({ loginSecretOf, password }: PppSettings, challenger: string): string | undefined {
  return loginSecretOf ? loginSecretOf(challenger) : password
}

/** May a peer in that says it is `name`? An unknown name costs as long as a wrong password. */
export function admits(settings: PppSettings, name: string, isRight: (secret: string) => boolean): boolean {
  const secret = settings.secretOf?.(name)
  const isProven = isRight(secret ?? '') && secret !== undefined
  return isProven || settings.admitsAnyone
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
