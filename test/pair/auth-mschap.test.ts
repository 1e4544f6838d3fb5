/** MS-CHAP against a peer played by hand: servers that cannot prove themselves, errors by number, changes of password. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { latin1 } from '../../src/base/bytes.ts'
import { MSCHAP_V2 } from '../../src/ppp/auth/mschap.ts'
import type { PppSettings } from '../../src/ppp/settings.ts'
import { CHAP } from '../../src/ppp/wire/protocols.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { down, ending, framesIn, packetsSent, pair, phases, SERVER } from './ends.ts'
import type { Heard, ScriptedPeer } from './peer.ts'
import { givesAddress, withPeer } from './scripted.ts'

const V1 = { type: 3, data: Uint8Array.of(0xc2, 0x23, 0x80) }
const V2 = { type: 3, data: Uint8Array.of(0xc2, 0x23, 0x81) }
const CHALLENGE = [16, ...new Array(16).fill(7), ...latin1('ras')]
const [RESPONSE, SUCCESS, FAILURE] = [2, 3, 4]

function client(
  option: typeof V1,
  answer: (packet: Heard, peer: ScriptedPeer) => void,
  settings: Partial<PppSettings> = {},
  challenge: readonly number[] = CHALLENGE,
) {
  const scene = withPeer(
    (packet, peer) => {
      givesAddress(packet, peer)
      answer(packet, peer)
    },
    settings,
    [option],
  )
  scene.link.open().run(20)
  scene.peer.send(CHAP, 1, 1, Uint8Array.from(challenge))
  scene.flush()
  scene.link.run(20)
  return scene
}

const says = (code: number, text: string) => (packet: Heard, peer: ScriptedPeer) => {
  if (packet.protocol === CHAP && packet.code === RESPONSE) peer.send(CHAP, code, packet.id, latin1(text))
}

test('MS-CHAPv2: a server that lets us in without the proof is refused', () => {
  for (const text of ['', 'Access granted', `S=${'0'.repeat(40)} M=Access granted`]) {
    const { link, end } = client(V2, says(SUCCESS, text))
    link.run(10_000)
    assert.equal(ending(end), 'auth-refused 19', text)
    assert.match(down(end)!.failure.detail, /^the peer accepts our MS-CHAPv2 log-in, but does not prove that it knows/)
    assert.ok(!phases(end).includes('network'))
  }
})

test('MS-CHAPv2: a server that knows another password is refused, and a later Success does not help', () => {
  const link = pair({}, { requiresAuth: ['mschapv2'], admitsAnyone: true, secretOf: () => 'guess' })
  link.open().run(10_000)
  assert.equal(ending(link.a), 'auth-refused 19')
  assert.match(down(link.a)!.failure.detail, /does not prove/)
})

test('MS-CHAPv1 has no proof to ask for', () => {
  const { end } = client(V1, says(SUCCESS, 'hello'), {}, [8, ...new Array(8).fill(7), ...latin1('ras')])
  assert.ok(phases(end).includes('network'))
})

test('the numbers of a Failure are told in words; what else it offers is not taken up', () => {
  const errors: readonly (readonly [string, RegExp])[] = [
    [`E=691 R=1 C=${'0'.repeat(32)} V=3 M=Access denied`, /with E=691 \(wrong name or password\) "Access denied"/],
    ['E=648 R=0 C=00 V=3 M=', /with E=648 \(the password has expired\)/],
    ['E=647 R=0', /with E=647 \(account disabled\)/],
  ]
  for (const [text, words] of errors) {
    const { link, end } = client(V2, says(FAILURE, text))
    link.run(10_000)
    assert.equal(ending(end), 'auth-refused 19')
    assert.match(down(end)!.failure.detail, words)
    const sent = packetsSent(end).filter((line) => line.startsWith('[CHAP'))
    assert.equal(sent.length, 1, sent.join('\n'))
  }
})

test('a challenge of a wrong length is dropped, and the right one then answered', () => {
  for (const [option, length] of [
    [V1, 16],
    [V2, 8],
    [V2, 255],
  ] as const) {
    const { end, session } = client(option, () => {}, {}, [length, ...new Array(length).fill(7)])
    assert.equal(packetsSent(end).filter((line) => line.startsWith('[CHAP')).length, 0)
    assert.equal(session.counters.malformed, 1)
  }
})

test('a repeated challenge gets the same response, so that every verdict fits', () => {
  const { link, peer, end, flush } = client(V2, () => {})
  peer.send(CHAP, 1, 1, Uint8Array.from(CHALLENGE))
  flush()
  link.run(20)
  const [first, again] = framesIn(end.sent).filter(({ protocol }) => protocol === CHAP)
  assert.ok(again)
  assert.deepEqual(again.info, first!.info)
  peer.send(CHAP, 1, 1, Uint8Array.from([16, ...new Array(16).fill(8)]))
  flush()
  link.run(20)
  const other = framesIn(end.sent).filter(({ protocol }) => protocol === CHAP)[2]
  assert.notDeepEqual(other!.info, first!.info)
})

for (const [requiresAuth, code] of [
  ['mschapv2', 7],
  ['mschap', 5],
  ['mschap', 6],
] as const) {
  test(`${requiresAuth}: a peer that wants to change its password (code ${code}) is told that this cannot be`, () => {
    const { link, end } = withPeer(
      (packet, peer) => {
        if (packet.protocol === CHAP && packet.code === 1) peer.send(CHAP, code, packet.id, new Uint8Array(582))
      },
      { ...SERVER, requiresAuth: [requiresAuth] },
    )
    link.open().run(10_000)
    assert.equal(ending(end), 'peer-auth-refused 11')
    assert.match(down(end)!.failure.detail, /wants to change its password/)
    assert.match(packetsSent(end).join('\n'), /\[CHAP Failure id=0x\w+ "E=709 R=0 C=\w+ V=[23]/)
  })
}

test('a peer that is in asks for a new password in vain, and stays in', () => {
  const secret = { name: latin1('demo'), secret: 'sesame' }
  const { link, peer, end, flush, session } = withPeer(
    ({ protocol, code, id, data }, from) => {
      if (protocol !== CHAP || code !== 1) return
      const value = MSCHAP_V2.respond({ ...secret, id, challenge: data.subarray(1, 17) }, new SeededRandom(1))
      from.send(CHAP, RESPONSE, id, Uint8Array.from([value.length, ...value, ...secret.name]))
    },
    { ...SERVER, requiresAuth: ['mschapv2'] },
  )
  link.open().run(100)
  assert.ok(phases(end).includes('network'))
  peer.send(CHAP, 7, 99, new Uint8Array(582))
  flush()
  link.run(100)
  assert.equal(phases(end).at(-1), 'network')
  assert.equal(session.counters.unexpected, 1)
})

test('our server says E=691 once, and no second try follows', () => {
  const link = pair({ password: 'wrong' }, { requiresAuth: ['mschapv2'] })
    .open()
    .run(10_000)
  const verdicts = packetsSent(link.b).filter((line) => line.startsWith('[CHAP Failure'))
  assert.equal(verdicts.length, 1)
  assert.match(verdicts[0]!, /"E=691 R=0 C=[0-9A-F]{32} V=3 M=Access denied"/)
  assert.match(down(link.a)!.failure.detail, /E=691 \(wrong name or password\) "Access denied"/)
})
