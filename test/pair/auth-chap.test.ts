/** CHAP against a peer played by hand: identifiers, second answers, later challenges, a peer that changes its name. */

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { concat, latin1 } from '../../src/base/bytes.ts'
import type { PppSettings } from '../../src/ppp/settings.ts'
import { CHAP, EAP } from '../../src/ppp/wire/protocols.ts'
import { down, ending, isRunning, packetsSent, phases, SERVER } from './ends.ts'
import type { Heard } from './peer.ts'
import { givesAddress, withPeer } from './scripted.ts'

const [CHALLENGE, RESPONSE, SUCCESS] = [1, 2, 3]
const IDENTITY = 1
const MD5 = 4

/** The data of a Response to the value that stands at the start of `challenge`. */
function response(id: number, challenge: Uint8Array, secret: string, name: string): number[] {
  const value = challenge.subarray(1, 1 + challenge[0]!)
  const hash = createHash('md5')
    .update(concat([Uint8Array.of(id), latin1(secret), value]))
    .digest()
  return [16, ...hash, ...latin1(name)]
}

const asksUs = () =>
  withPeer((packet, peer) => givesAddress(packet, peer), {}, [{ type: 3, data: Uint8Array.of(0xc2, 0x23, 5) }])

test('a Success under another identifier than the answer does not count', () => {
  const { link, peer, end, flush } = asksUs()
  link.open().run(20)
  peer.send(CHAP, CHALLENGE, 7, Uint8Array.of(2, 1, 2))
  for (const id of [0, 6, 8]) peer.send(CHAP, SUCCESS, id)
  flush()
  link.run(20)
  assert.equal(phases(end).at(-1), 'authenticate')
  peer.send(CHAP, SUCCESS, 7)
  flush()
  link.run(1000)
  assert.ok(isRunning(end))
})

test('who is in stays in when no verdict on a later answer comes', () => {
  const { link, peer, end, flush } = asksUs()
  link.open().run(20)
  peer.send(CHAP, CHALLENGE, 7, Uint8Array.of(2, 1, 2))
  flush()
  link.run(20)
  peer.send(CHAP, SUCCESS, 7)
  flush()
  link.run(1000)
  peer.send(CHAP, CHALLENGE, 8, Uint8Array.of(2, 3, 4))
  flush()
  link.run(100_000)
  assert.equal(packetsSent(end).filter((text) => /^\[CHAP Response id=0x8/.test(text)).length, 10)
  assert.ok(isRunning(end))
})

/** A server of ours, and the logging-in peer's answer to each challenge, by its number. */
function server(
  answer: (count: number, challenge: Heard) => readonly (readonly [id: number, data: number[]])[],
  settings: Partial<PppSettings> = {},
) {
  let count = 0
  const scene = withPeer(
    (packet, peer) => {
      if (packet.protocol === EAP && packet.code === 1 && packet.data[0] === IDENTITY)
        peer.send(EAP, RESPONSE, packet.id, Uint8Array.from([IDENTITY, ...latin1('demo')]))
      const isEap = packet.protocol === EAP && packet.data[0] === MD5
      if (packet.code !== 1 || (packet.protocol !== CHAP && !isEap)) return
      const challenge = isEap ? { ...packet, data: packet.data.subarray(1) } : packet
      for (const [id, data] of answer(++count, challenge))
        peer.send(packet.protocol, RESPONSE, id, Uint8Array.from(isEap ? [MD5, ...data] : data))
    },
    { ...SERVER, requiresAuth: ['chap'], ...settings },
  )
  scene.link.open()
  return scene
}

test('a response under another identifier is none', () => {
  const { link, end, session } = server(
    (_, { id, data }) => [[(id + 1) & 0xff, response((id + 1) & 0xff, data, 'sesame', 'demo')]],
    { authTimeoutMs: 60_000 },
  )
  link.run(60_000)
  assert.equal(ending(end), 'peer-auth-refused 11')
  assert.match(down(end)!.failure.detail, /^no answer to 10 CHAP challenges/)
  assert.equal(session.counters.unexpected, 10)
})

test('a second answer gets the verdict on the first, whatever it says', () => {
  const { link, end } = server((_, { id, data }) => [
    [id, response(id, data, 'sesame', 'demo')],
    [id, response(id, data, 'wrong', 'demo')],
  ])
  link.run(1000)
  const verdicts = packetsSent(end).filter((text) => /^\[CHAP (Success|Failure)/.test(text))
  assert.equal(verdicts.length, 2)
  assert.equal(verdicts[0], verdicts[1])
  assert.ok(phases(end).includes('network'))
})

for (const method of ['chap', 'eap'] as const) {
  const again = { rechallengeMs: 5000 }
  const SECRETS: Readonly<Record<string, string>> = { demo: 'sesame', other: 'also right' }
  const settings = { requiresAuth: [method], chap: again, eap: again, secretOf: (name: string) => SECRETS[name] }

  test(`${method}: a later challenge is another one`, () => {
    const values: string[] = []
    const { link } = server((_, { id, data }) => {
      values.push(Buffer.from(data.subarray(0, 17)).toString('hex'))
      return [[id, response(id, data, 'sesame', 'demo')]]
    }, settings)
    link.run(16_000)
    assert.equal(values.length, 4)
    assert.equal(new Set(values).size, 4)
  })

  test(`${method}: a peer that comes back from a later challenge under another name is out`, () => {
    const { link, end, session } = server(
      (count, { id, data }) => [
        [id, count === 1 ? response(id, data, 'sesame', 'demo') : response(id, data, 'also right', 'other')],
      ],
      settings,
    )
    link.run(4000)
    assert.equal(session.peerName, 'demo')
    link.run(20_000)
    assert.equal(ending(end), 'peer-auth-refused 11')
    assert.match(down(end)!.failure.detail, /log-in of "other" comes from a peer that logged in as "demo"/)
  })
}
