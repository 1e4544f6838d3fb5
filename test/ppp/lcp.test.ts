/** LCP's options as rules, without an automaton. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Lcp } from '../../src/ppp/control/lcp.ts'
import { CLIENT_DEFAULTS, type PppSettings, SERVER_DEFAULTS } from '../../src/ppp/settings.ts'
import { printOption } from '../../src/ppp/wire/printing.ts'
import { LCP } from '../../src/ppp/wire/protocols.ts'
import { SeededRandom } from '../support/seeded-random.ts'

const LISTENER = { protocolRejected() {}, echoReplied() {}, echoRefused() {} }
const SERIAL = { isAsync: true, maxMtuBytes: 0xffff }
const PPPOE = { isAsync: false, maxMtuBytes: 1492 }

function lcp(settings: PppSettings, carrier = SERIAL): Lcp {
  const rules = new Lcp(settings, new SeededRandom(1), carrier, LISTENER)
  rules.begin()
  return rules
}

const causeOf = (rules: Lcp) => rules.objection?.cause
const request = (rules: Lcp) =>
  rules.request().map((option) => printOption(LCP, option).replace(/magic .*>/, 'magic …>'))

test('a new negotiation forgets what the last one agreed', () => {
  const rules = lcp(CLIENT_DEFAULTS)
  rules.accepted([
    { type: 1, data: Uint8Array.of(0, 200) },
    { type: 2, data: new Uint8Array(4) },
    { type: 7, data: new Uint8Array(0) },
  ])
  rules.naked({ type: 2, data: Uint8Array.of(0, 10, 0, 0) })
  rules.rejected({ type: 8, data: new Uint8Array(0) })
  assert.equal(rules.peerMruBytes, 200)
  assert.deepEqual([rules.framing.accm, rules.framing.pfc, rules.framing.acfc], [0, true, false])
  assert.deepEqual(request(rules), ['<asyncmap 0xa0000>', '<magic …>', '<pcomp>'])
  rules.begin()
  assert.equal(rules.peerMruBytes, 1500)
  assert.deepEqual([rules.framing.accm, rules.framing.pfc, rules.framing.acfc], [0xffffffff, false, false])
  assert.deepEqual(request(rules), ['<asyncmap 0x0>', '<magic …>', '<pcomp>', '<accomp>'])
})

test('an MRU is lowered by Nak, never raised', () => {
  const rules = lcp({ ...CLIENT_DEFAULTS, mruBytes: 1400 })
  const nak = (mru: number) => rules.naked({ type: 1, data: Uint8Array.of(mru >>> 8, mru & 0xff) })
  nak(1450)
  assert.equal(request(rules)[0], '<mru 1400>')
  nak(64)
  assert.equal(request(rules)[0], '<mru 1400>')
  nak(1300)
  assert.equal(request(rules)[0], '<mru 1300>')
})

test('on PPPoE there is no ACCM, PFC or ACFC, and the MRU is 1492 at most', () => {
  const rules = lcp(CLIENT_DEFAULTS, PPPOE)
  assert.deepEqual(request(rules), ['<mru 1492>', '<magic …>'])
  for (const type of [2, 7, 8]) assert.equal(rules.judge({ type, data: new Uint8Array(type === 2 ? 4 : 0) }), 'reject')
})

test('a server asks for the strongest log-in, and offers the next where that is rejected', () => {
  const rules = lcp({ ...SERVER_DEFAULTS, requiresAuth: ['chap', 'pap'] })
  assert.ok(request(rules).includes('<auth chap MD5>'))
  rules.rejected({ type: 3, data: Uint8Array.of(0xc2, 0x23, 5) })
  assert.ok(request(rules).includes('<auth pap>'))
  assert.equal(causeOf(rules), undefined)
  rules.naked({ type: 3, data: Uint8Array.of(0xc2, 0x23, 5) })
  assert.ok(request(rules).includes('<auth pap>'), 'what was rejected is not asked for again')
  rules.rejected({ type: 3, data: Uint8Array.of(0xc0, 0x23) })
  assert.equal(causeOf(rules), 'peer-auth-refused')
})
