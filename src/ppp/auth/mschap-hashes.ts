/**
 * What MS-CHAP computes with (RFC 2759 §8, RFC 2433 §A), under the RFC's names. Used by `mschap.ts`. The NT hash is as good as
 * the password: it stays in here.
 */

import { createCipheriv, createHash } from 'node:crypto'
import { concat, latin1 } from '../../base/bytes.ts'
import { md4 } from './md4.ts'

const SERVER_SIGNING = latin1('Magic server to client signing constant')
const MORE_ITERATIONS = latin1('Pad to make it do more than one iteration')
const DES_KEY_BYTES = 7

/** §8.3. The password is UTF-16, little-endian. */
export function ntPasswordHash(password: string): Uint8Array {
  return md4(Buffer.from(password, 'utf16le'))
}

/** §8.2. `userName` is without a domain. */
export function challengeHash(
  peerChallenge: Uint8Array,
  authenticatorChallenge: Uint8Array,
  userName: Uint8Array,
): Uint8Array {
  return sha1(peerChallenge, authenticatorChallenge, userName).subarray(0, 8)
}

/** §8.5: the challenge encrypted under three parts of the padded hash. */
export function challengeResponse(challenge: Uint8Array, passwordHash: Uint8Array): Uint8Array {
  const keys = new Uint8Array(3 * DES_KEY_BYTES)
  keys.set(passwordHash)
  return concat(
    [0, 1, 2].map((part) => desEncrypt(challenge, keys.subarray(part * DES_KEY_BYTES, (part + 1) * DES_KEY_BYTES))),
  )
}

/** §8.7: what proves to the client that the server knows the password too; 20 octets. */
export function authenticatorResponse(
  password: string,
  ntResponse: Uint8Array,
  peerChallenge: Uint8Array,
  authenticatorChallenge: Uint8Array,
  userName: Uint8Array,
): Uint8Array {
  const hashHash = md4(ntPasswordHash(password))
  const signed = sha1(hashHash, ntResponse, SERVER_SIGNING)
  return sha1(signed, challengeHash(peerChallenge, authenticatorChallenge, userName), MORE_ITERATIONS)
}

/** `DOMAIN\user`: only the user is hashed (RFC 2759 §4). */
export function withoutDomain(name: Uint8Array): Uint8Array {
  return name.subarray(name.lastIndexOf(0x5c) + 1)
}

/**
 * Single DES (§8.6), which OpenSSL 3 only does as triple DES with one key three times. The parity bit of each key octet is
 * what nobody looks at.
 */
function desEncrypt(block: Uint8Array, key: Uint8Array): Uint8Array {
  const bits = key.reduce((sum, octet) => (sum << 8n) | BigInt(octet), 0n)
  const withParity = Uint8Array.from({ length: 8 }, (_, index) => Number((bits >> BigInt(49 - 7 * index)) & 0x7fn) << 1)
  const cipher = createCipheriv('des-ede3-ecb', concat([withParity, withParity, withParity]), null)
  cipher.setAutoPadding(false)
  return concat([cipher.update(block), cipher.final()])
}

function sha1(...parts: readonly Uint8Array[]): Uint8Array {
  return createHash('sha1').update(concat(parts)).digest()
}
