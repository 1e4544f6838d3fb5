/** The hashes of MS-CHAP against the examples of RFC 2759 §9.2 and RFC 2433 §B.2. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { latin1 } from '../../../src/base/bytes.ts'
import { md4 } from '../../../src/ppp/auth/md4.ts'
import {
  authenticatorResponse,
  challengeHash,
  challengeResponse,
  ntPasswordHash,
  withoutDomain,
} from '../../../src/ppp/auth/mschap-hashes.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex').toUpperCase()
const bytes = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))

const USER = latin1('User')
const PASSWORD = 'clientPass'
const AUTHENTICATOR_CHALLENGE = bytes('5B5D7C7D7B3F2F3E3C2C602132262628')
const PEER_CHALLENGE = bytes('21402324255E262A28295F2B3A337C7E')
const NT_RESPONSE = bytes('82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF')

test('RFC 2759 §9.2: the whole of MS-CHAPv2', () => {
  const challenge = challengeHash(PEER_CHALLENGE, AUTHENTICATOR_CHALLENGE, USER)
  assert.equal(hex(challenge), 'D02E4386BCE91226')
  assert.equal(hex(ntPasswordHash(PASSWORD)), '44EBBA8D5312B8D611474411F56989AE')
  assert.equal(hex(challengeResponse(challenge, ntPasswordHash(PASSWORD))), hex(NT_RESPONSE))
  assert.equal(hex(md4(ntPasswordHash(PASSWORD))), '41C00C584BD2D91C4017A2A12FA59F3F')
  assert.equal(
    hex(authenticatorResponse(PASSWORD, NT_RESPONSE, PEER_CHALLENGE, AUTHENTICATOR_CHALLENGE, USER)),
    '407A5589115FD0D6209F510FE9C04566932CDA56',
  )
})

test('RFC 2433 §B.2: the NT response of MS-CHAPv1', () => {
  const response = challengeResponse(bytes('102DB5DF085D3041'), ntPasswordHash('MyPw'))
  assert.equal(hex(ntPasswordHash('MyPw')), 'FC156AF7EDCD6C0EDDE3337D427F4EAC')
  assert.equal(hex(response), '4E9D3C8F9CFD385D5BF4D3246791956CA4C351AB409A3D61')
})

test('a domain is not hashed, an umlaut is UTF-16', () => {
  assert.deepEqual(withoutDomain(latin1('BIGCO\\johndoe')), latin1('johndoe'))
  assert.deepEqual(withoutDomain(latin1('johndoe')), latin1('johndoe'))
  assert.notDeepEqual(ntPasswordHash('ü'), ntPasswordHash('u'))
  assert.deepEqual(ntPasswordHash('ü'), md4(Uint8Array.of(0xfc, 0)))
})
