/** Which log-in a value of LCP's option names, and which is offered instead. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { methodInstead, methodNamed } from '../../../src/ppp/auth/methods.ts'
import { Lcp } from '../../../src/ppp/control/lcp.ts'
import { type AuthProtocol, SERVER_DEFAULTS } from '../../../src/ppp/settings.ts'
import { SeededRandom } from '../../support/seeded-random.ts'

const ALL: readonly AuthProtocol[] = ['chap', 'mschapv2', 'mschap', 'eap', 'pap']
const OPTIONS: readonly (readonly [AuthProtocol, readonly number[]])[] = [
  ['pap', [0xc0, 0x23]],
  ['chap', [0xc2, 0x23, 5]],
  ['mschap', [0xc2, 0x23, 0x80]],
  ['mschapv2', [0xc2, 0x23, 0x81]],
  ['eap', [0xc2, 0x27]],
]

test('each method by its octets, and nothing by others', () => {
  for (const [name, octets] of OPTIONS) {
    assert.equal(methodNamed(Uint8Array.from(octets), ALL), name)
    assert.equal(methodNamed(Uint8Array.from([...octets, 0]), ALL), undefined)
    assert.equal(methodNamed(Uint8Array.from(octets), []), undefined)
  }
  for (const octets of [[], [0xc2], [0xc2, 0x23], [0xc2, 0x23, 6], [0xc0, 0x27]])
    assert.equal(methodNamed(Uint8Array.from(octets), ALL), undefined)
})

test('instead: another CHAP for a CHAP, else the best', () => {
  assert.equal(methodInstead(Uint8Array.of(0xc2, 0x23, 5), ['eap', 'mschapv2']), 'mschapv2')
  assert.equal(methodInstead(Uint8Array.of(0xc0, 0x23), ['eap', 'mschapv2']), 'eap')
  assert.equal(methodInstead(Uint8Array.of(0xc0, 0x23), []), undefined)
})

test('a Nak that names what we do not ask for leads to our next, and no further than our last', () => {
  const listener = { protocolRejected() {}, echoReplied() {}, echoRefused() {} }
  const settings = { ...SERVER_DEFAULTS, requiresAuth: ['mschapv2', 'eap', 'chap'] as const }
  const rules = new Lcp(settings, new SeededRandom(1), { isAsync: true, maxMtuBytes: 1500 }, listener)
  rules.begin()
  const asked = ['mschapv2', 'eap', 'chap', 'chap', 'chap', 'chap'].map((name) => {
    assert.equal(rules.examination, name)
    rules.naked({ type: 3, data: Uint8Array.of(0xc0, 0x23) })
    return name
  })
  assert.equal(asked.length, 6)
  assert.equal(rules.examination, 'chap')
  assert.equal(rules.objection?.cause, 'peer-auth-refused')
})
