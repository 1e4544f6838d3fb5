/**
 * What tells one CHAP from another (RFC 1994, 2433, 2759): how a challenge is answered, and what the verdict says. `chap.ts` runs
 * it; `mschap.ts` has Microsoft's two. And MD5, which EAP uses too.
 */

import { createHash } from 'node:crypto'
import { concat } from '../../base/bytes.ts'
import type { Random } from '../../base/ports.ts'
import { inWords, sameSecret, utf8 } from './secrets.ts'

/** One challenge and who answers it. */
export interface ChapExchange {
  readonly id: number
  readonly challenge: Uint8Array
  /** Of the one that logs in, as it is on the line. */
  readonly name: Uint8Array
  readonly secret: string
}

export interface ChapAlgorithm {
  /** As it stands in LCP's option. */
  readonly number: number
  readonly label: string
  readonly challengeBytes: number
  /** Codes by which a peer wants to change its password instead of logging in. */
  readonly passwordChangeCodes: readonly number[]
  /** Can a challenge of that length be answered? */
  takesChallenge(bytes: number): boolean
  /** The Value of a Response. */
  respond(exchange: ChapExchange, random: Random): Uint8Array
  isRight(exchange: ChapExchange, response: Uint8Array): boolean
  /** The Message of a Success and of a Failure. */
  successText(exchange: ChapExchange, response: Uint8Array): string
  failureText(challenge: Uint8Array, reason: 'refused' | 'no password change'): string
  /** Does this Success come from one who knows the secret, as far as the algorithm can tell? */
  isProof(exchange: ChapExchange, response: Uint8Array, message: Uint8Array): boolean
  /** Why a Failure says no, for a failure's detail: `with "…"`. */
  reasonIn(message: Uint8Array): string
}

export const SUCCESS_TEXT = 'Access granted'
export const FAILURE_TEXT = 'Access denied'

/** The identifier is the first octet hashed (RFC 1994 §4.1). */
function md5Response({ id, secret, challenge }: ChapExchange): Uint8Array {
  return createHash('md5')
    .update(concat([Uint8Array.of(id), utf8(secret), challenge]))
    .digest()
}

export const CHAP_MD5: ChapAlgorithm = {
  number: 5,
  label: 'CHAP',
  challengeBytes: 16,
  passwordChangeCodes: [],
  takesChallenge: () => true,
  respond: md5Response,
  isRight: (exchange, response) => sameSecret(md5Response(exchange), response),
  successText: () => SUCCESS_TEXT,
  failureText: () => FAILURE_TEXT,
  isProof: () => true,
  reasonIn: inWords,
}
