/**
 * Microsoft's CHAP: version 1 (RFC 2433, without LAN Manager's hash) and version 2 (RFC 2759), in which the peer that checks us
 * proves in its Success that it knows the password too. Algorithms for `chap.ts`.
 */

import { ByteReader, concat, printable } from '../../base/bytes.ts'
import { type ChapAlgorithm, type ChapExchange, FAILURE_TEXT, SUCCESS_TEXT } from './chap-algorithm.ts'
import {
  authenticatorResponse,
  challengeHash,
  challengeResponse,
  ntPasswordHash,
  withoutDomain,
} from './mschap-hashes.ts'
import { fromUtf8, inWords, sameSecret } from './secrets.ts'

/** RFC 2433 §4 and RFC 2759 §4: 49 octets, whichever version. */
const RESPONSE_BYTES = 49
const NT_RESPONSE_AT = 24
const FLAGS_AT = 48
const V1_CHALLENGE_BYTES = 8
const V2_CHALLENGE_BYTES = 16
/** The NT response is there; without it a response has LAN Manager's only. */
const USE_NT_RESPONSE = 1

/** RFC 2759 §6. */
const ERRORS: Readonly<Record<number, string>> = {
  646: 'restricted log-on hours',
  647: 'account disabled',
  648: 'the password has expired',
  649: 'no dial-in permission',
  691: 'wrong name or password',
  709: 'the password cannot be changed',
}
const REFUSED = 691
const NO_PASSWORD_CHANGE = 709

interface Version2Response {
  readonly peerChallenge: Uint8Array
  readonly ntResponse: Uint8Array
}

/** Undefined: not 49 octets. */
function parseVersion2(response: Uint8Array): Version2Response | undefined {
  if (response.length !== RESPONSE_BYTES) return undefined
  const reader = new ByteReader(response)
  const peerChallenge = reader.take(V2_CHALLENGE_BYTES)!
  return { peerChallenge, ntResponse: response.subarray(NT_RESPONSE_AT, FLAGS_AT) }
}

function ntResponseTo({ challenge, secret }: ChapExchange): Uint8Array {
  return challengeResponse(challenge, ntPasswordHash(secret))
}

function version2ResponseTo({ challenge, name, secret }: ChapExchange, peerChallenge: Uint8Array): Uint8Array {
  return challengeResponse(challengeHash(peerChallenge, challenge, withoutDomain(name)), ntPasswordHash(secret))
}

/** What the Success has after `S=`: forty hexadecimal digits. */
function proofOf({ challenge, name, secret }: ChapExchange, response: Uint8Array): string {
  const parsed = parseVersion2(response)
  // Where anyone is let in, a response may be anything.
  if (!parsed) return ''
  const { peerChallenge, ntResponse } = parsed
  return hex(authenticatorResponse(secret, ntResponse, peerChallenge, challenge, withoutDomain(name)))
}

/** `R=0`: a peer has one try, as with every log-in here. `version` is that of the password change that we do not have. */
function failureText(challenge: Uint8Array, reason: 'refused' | 'no password change', version: 2 | 3): string {
  const error = reason === 'refused' ? REFUSED : NO_PASSWORD_CHANGE
  return `E=${error} R=0 C=${hex(challenge)} V=${version}`
}

/** `E=691 R=1 C=… V=3 M=…`: the meaning of the number, and the peer's words. The rest is for tries that we do not have. */
function reasonIn(message: Uint8Array): string {
  const text = fromUtf8(message)
  const error = /(?:^|\s)E=(\d{1,10})(?=\s|$)/.exec(text)?.[1]
  if (!error) return inWords(message)
  const meaning = ERRORS[Number(error)]
  const words = /(?:^|\s)M=(.+)$/s.exec(text)?.[1]
  return `with E=${error}${meaning ? ` (${meaning})` : ''}${words ? ` "${printable(words)}"` : ''}`
}

export const MSCHAP: ChapAlgorithm = {
  number: 0x80,
  label: 'MS-CHAP',
  challengeBytes: V1_CHALLENGE_BYTES,
  passwordChangeCodes: [5, 6],
  takesChallenge: (bytes) => bytes === V1_CHALLENGE_BYTES,
  respond: (exchange) =>
    concat([new Uint8Array(NT_RESPONSE_AT), ntResponseTo(exchange), Uint8Array.of(USE_NT_RESPONSE)]),
  isRight: (exchange, response) =>
    response.length === RESPONSE_BYTES &&
    response[FLAGS_AT] === USE_NT_RESPONSE &&
    sameSecret(ntResponseTo(exchange), response.subarray(NT_RESPONSE_AT, FLAGS_AT)),
  successText: () => SUCCESS_TEXT,
  failureText: (challenge, reason) => failureText(challenge, reason, 2),
  isProof: () => true,
  reasonIn,
}

export const MSCHAP_V2: ChapAlgorithm = {
  number: 0x81,
  label: 'MS-CHAPv2',
  challengeBytes: V2_CHALLENGE_BYTES,
  passwordChangeCodes: [7],
  takesChallenge: (bytes) => bytes === V2_CHALLENGE_BYTES,
  respond(exchange, random) {
    const peerChallenge = random.bytes(V2_CHALLENGE_BYTES)
    return concat([peerChallenge, new Uint8Array(8), version2ResponseTo(exchange, peerChallenge), Uint8Array.of(0)])
  },
  isRight(exchange, response) {
    const parsed = parseVersion2(response)
    return !!parsed && sameSecret(version2ResponseTo(exchange, parsed.peerChallenge), parsed.ntResponse)
  },
  successText: (exchange, response) => `S=${proofOf(exchange, response)} M=${SUCCESS_TEXT}`,
  failureText: (challenge, reason) => `${failureText(challenge, reason, 3)} M=${FAILURE_TEXT}`,
  isProof(exchange, response, message) {
    const proof = /^S=([0-9a-f]{40})(?:\s|$)/i.exec(fromUtf8(message))?.[1]
    return proof !== undefined && sameSecret(ascii(proof.toUpperCase()), ascii(proofOf(exchange, response)))
  },
  reasonIn,
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex').toUpperCase()
}

function ascii(text: string): Uint8Array {
  return Buffer.from(text, 'latin1')
}
