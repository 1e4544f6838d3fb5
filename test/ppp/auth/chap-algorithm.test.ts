/** The three algorithms of CHAP: what they answer, accept and say, against the RFCs' examples and against lies. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { latin1 } from '../../../src/base/bytes.ts'
import { CHAP_MD5 } from '../../../src/ppp/auth/chap-algorithm.ts'
import { MSCHAP, MSCHAP_V2 } from '../../../src/ppp/auth/mschap.ts'
import { SeededRandom } from '../../support/seeded-random.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex').toUpperCase()
const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'))
const random = new SeededRandom(1)

/** RFC 2759 §9.2. */
const V2 = {
  id: 7,
  name: latin1('User'),
  secret: 'clientPass',
  challenge: bytes('5B5D7C7D7B3F2F3E3C2C602132262628'),
}
const PEER_CHALLENGE = bytes('21402324255E262A28295F2B3A337C7E')
const V2_RESPONSE = bytes(
  '21402324255E262A28295F2B3A337C7E000000000000000082309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF00',
)
const PROOF = 'S=407A5589115FD0D6209F510FE9C04566932CDA56'

test('CHAP MD5 hashes identifier, secret and challenge in this order', () => {
  const exchange = { id: 1, secret: 'secret', challenge: latin1('challenge'), name: latin1('any') }
  const response = CHAP_MD5.respond(exchange, random)
  assert.equal(hex(response), '46E47770030E2B4E26A0DB72A7EFEC00')
  assert.ok(CHAP_MD5.isRight(exchange, response))
  assert.ok(!CHAP_MD5.isRight({ ...exchange, id: 2 }, response))
  assert.ok(!CHAP_MD5.isRight(exchange, response.subarray(0, 15)))
})

test('MS-CHAPv2 answers, checks and proves as RFC 2759 §9.2 says, with a domain and without', () => {
  for (const name of ['User', 'DOMAIN\\User']) {
    const exchange = { ...V2, name: latin1(name) }
    assert.equal(hex(MSCHAP_V2.respond(exchange, { bytes: () => PEER_CHALLENGE })), hex(V2_RESPONSE))
    assert.ok(MSCHAP_V2.isRight(exchange, V2_RESPONSE))
    assert.equal(MSCHAP_V2.successText(exchange, V2_RESPONSE), `${PROOF} M=Access granted`)
  }
})

test('MS-CHAPv2 refuses a wrong name, password, challenge or length', () => {
  const lies = [{ name: latin1('user') }, { secret: 'clientpass' }, { challenge: PEER_CHALLENGE }]
  for (const lie of lies) assert.ok(!MSCHAP_V2.isRight({ ...V2, ...lie }, V2_RESPONSE), JSON.stringify(lie))
  for (const length of [0, 24, 48]) assert.ok(!MSCHAP_V2.isRight(V2, V2_RESPONSE.subarray(0, length)), `${length}`)
  assert.ok(!MSCHAP_V2.takesChallenge(8) && MSCHAP_V2.takesChallenge(16))
})

test('only the right S= is a proof, wherever its message ends', () => {
  const isProof = (text: string) => MSCHAP_V2.isProof(V2, V2_RESPONSE, latin1(text))
  for (const text of [PROOF, `${PROOF} M=Welcome`, `${PROOF} M=`, `S=${PROOF.slice(2).toLowerCase()}`])
    assert.ok(isProof(text), text)
  for (const text of [
    '',
    'Access granted',
    'S=',
    'M=S=407A5589115FD0D6209F510FE9C04566932CDA56',
    PROOF.slice(0, -1),
    `${PROOF.slice(0, -1)}7`,
    `${PROOF}0`,
    ` ${PROOF}`,
  ])
    assert.ok(!isProof(text), text)
})

/** RFC 2433 §B.2. */
const V1 = { id: 7, name: latin1('any'), secret: 'MyPw', challenge: bytes('102DB5DF085D3041') }
const NT_RESPONSE = '4E9D3C8F9CFD385D5BF4D3246791956CA4C351AB409A3D61'

test('MS-CHAPv1 answers by the NT hash alone, and takes no other answer', () => {
  const response = MSCHAP.respond(V1, random)
  assert.equal(hex(response), `${'00'.repeat(24)}${NT_RESPONSE}01`)
  assert.ok(MSCHAP.isRight(V1, response))
  assert.ok(!MSCHAP.isRight({ ...V1, secret: 'mypw' }, response))
  const lanManagerOnly = response.slice()
  lanManagerOnly[48] = 0
  assert.ok(!MSCHAP.isRight(V1, lanManagerOnly))
  assert.ok(!MSCHAP.isRight(V1, response.subarray(0, 48)))
  assert.ok(!MSCHAP.takesChallenge(16) && MSCHAP.takesChallenge(8))
})

test('what a Failure says', () => {
  const { challenge } = V2
  assert.equal(
    MSCHAP_V2.failureText(challenge, 'refused'),
    'E=691 R=0 C=5B5D7C7D7B3F2F3E3C2C602132262628 V=3 M=Access denied',
  )
  assert.equal(MSCHAP.failureText(V1.challenge, 'refused'), 'E=691 R=0 C=102DB5DF085D3041 V=2')
  assert.match(MSCHAP_V2.failureText(challenge, 'no password change'), /^E=709 R=0 /)
})

test('the words of a Failure are found and cleaned, whatever they look like', () => {
  const said: readonly (readonly [string, string])[] = [
    [`E=691 R=1 C=${'00'.repeat(16)} V=3 M=Access denied`, 'with E=691 (wrong name or password) "Access denied"'],
    ['E=648 R=0 V=3', 'with E=648 (the password has expired)'],
    ['E=12345 R=0 M=\x1b[2J', 'with E=12345 "\\x1b[2J"'],
    ['M=no E=here', 'with "M=no E=here"'],
    ['go away', 'with "go away"'],
    ['', 'without a message'],
  ]
  for (const [message, words] of said) assert.equal(MSCHAP_V2.reasonIn(latin1(message)), words)
})
