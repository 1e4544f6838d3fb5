/** Log-ins against a peer played by hand: what was not earned, what comes twice or too late, what we refuse. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteWriter, latin1 } from '../../src/base/bytes.ts'
import { CODE } from '../../src/ppp/wire/packets.ts'
import { CHAP, IPCP, LCP, PAP } from '../../src/ppp/wire/protocols.ts'
import { down, ending, eventsOf, isRunning, packetsSent, phases } from './ends.ts'
import { givesAddress, withPeer } from './scripted.ts'

test('a Success or Ack that was not earned does not count', () => {
  for (const [auth, option] of [
    ['chap', [0xc2, 0x23, 5]],
    ['pap', [0xc0, 0x23]],
  ] as const) {
    const { link, peer, end, flush } = withPeer(
      () => {},
      { answersAuth: [auth], authTimeoutMs: auth === 'pap' ? 31_000 : 30_000 },
      [{ type: 3, data: Uint8Array.from(option) }],
    )
    link.open().run(20)
    for (const id of [0, 7, 99]) peer.send(auth === 'chap' ? CHAP : PAP, auth === 'chap' ? 3 : 2, id)
    flush()
    link.run(20)
    assert.equal(phases(end).at(-1), 'authenticate')
    link.run(40_000)
    assert.equal(ending(end), 'lcp-timeout 10')
    assert.match(
      down(end)!.failure.detail,
      auth === 'chap' ? /^no verdict on our CHAP log-in within 30 s/ : /^no answer to 10 PAP log-in requests/,
    )
  }
})

test('a PAP Ack without a message, and any answer to CHAP, are enough for a modem', () => {
  const pap = withPeer(
    (packet, peer) => {
      if (packet.protocol === PAP) peer.send(PAP, 2, packet.id)
      else givesAddress(packet, peer)
    },
    { user: '', password: '' },
    [{ type: 3, data: Uint8Array.of(0xc0, 0x23) }],
  )
  pap.link.open().run(1000)
  assert.ok(isRunning(pap.end))
  const chap = withPeer(
    (packet, peer) => {
      if (packet.protocol === CHAP) peer.send(CHAP, 3, packet.id)
      else givesAddress(packet, peer)
    },
    {},
    [{ type: 3, data: Uint8Array.of(0xc2, 0x23, 5) }],
  )
  chap.link.open().run(10)
  chap.peer.send(CHAP, 1, 1, new ByteWriter().u8(16).bytes(new Uint8Array(16)).bytes(latin1('UMTS_CHAP_SRVR')).done())
  chap.flush()
  chap.link.run(1000)
  assert.ok(isRunning(chap.end))
})

test('repeated and later challenges are answered, a repeated response gets the same verdict', () => {
  const challenge = (value: number) => new ByteWriter().u8(4).bytes([value, 2, 3, 4]).bytes(latin1('x')).done()
  const { link, peer, end, flush } = withPeer(
    (packet, from) => {
      if (packet.protocol === CHAP) from.send(CHAP, 3, packet.id)
      else givesAddress(packet, from)
    },
    {},
    [{ type: 3, data: Uint8Array.of(0xc2, 0x23, 5) }],
  )
  link.open().run(10)
  for (const [id, value] of [
    [1, 1],
    [1, 1],
    [2, 9],
  ] as const) {
    peer.send(CHAP, 1, id, challenge(value))
    flush()
    link.run(100)
  }
  assert.equal(packetsSent(end).filter((text) => text.startsWith('[CHAP Response')).length, 3)
  assert.ok(isRunning(end))
  assert.equal(eventsOf(end, 'up').length, 1)
  peer.send(CHAP, 1, 3, challenge(5))
  peer.onPacket = (packet) => packet.protocol === CHAP && peer.send(CHAP, 4, packet.id, latin1('too late'))
  flush()
  link.run(10_000)
  assert.equal(ending(end), 'auth-refused 19')
})

test('one log-in of two is not enough', () => {
  const both = {
    role: 'server',
    answersAuth: ['chap'],
    requiresAuth: ['chap'],
    password: 'sesame',
    user: 'demo',
    secretOf: () => 'sesame',
  } as const
  const option = { type: 3, data: Uint8Array.of(0xc2, 0x23, 5) }
  const { link, peer, end, flush } = withPeer(
    (packet, from) => {
      if (packet.protocol === CHAP && packet.code === 2) from.send(CHAP, 3, packet.id)
    },
    both,
    [option],
  )
  link.open().run(10)
  peer.send(CHAP, 1, 1, Uint8Array.of(2, 8, 8))
  peer.send(IPCP, CODE.configureRequest, 1)
  flush()
  link.run(60_000)
  assert.ok(packetsSent(end).some((text) => text.includes('CHAP Response')))
  assert.ok(!phases(end).includes('network'))
  assert.equal(ending(end), 'peer-auth-refused 11')
})

test('our own challenge is never answered by us', () => {
  const both = {
    role: 'server',
    answersAuth: ['chap'],
    requiresAuth: ['chap'],
    password: 'sesame',
    user: 'demo',
    secretOf: () => 'sesame',
  } as const
  let reflected = 0
  const { link, end } = withPeer(
    (packet, peer) => {
      if (packet.protocol !== CHAP || packet.code !== 1) return
      reflected++
      peer.send(CHAP, 1, packet.id, packet.data)
    },
    both,
    [{ type: 3, data: Uint8Array.of(0xc2, 0x23, 5) }],
  )
  link.open().run(60_000)
  assert.ok(reflected > 0)
  assert.ok(!packetsSent(end).some((text) => text.includes('Response')))
  assert.equal(ending(end), 'lcp-timeout 10')
})

test('a peer that sends Terminate-Request because we refuse its log-in: auth-refused', () => {
  const { link, peer, end, flush } = withPeer()
  link.input(link.a, { type: 'open' })
  peer.sendOptions(LCP, CODE.configureRequest, 1, [{ type: 3, data: Uint8Array.of(0xc0, 0x27) }])
  flush()
  link.run(10)
  assert.ok(packetsSent(end).includes('[LCP ConfNak id=0x1 <auth chap MD5>]'))
  peer.send(LCP, CODE.terminateRequest, 2, latin1('SPAP only'))
  flush()
  link.run(10_000)
  assert.equal(ending(end), 'auth-refused 19')
  assert.match(down(end)!.failure.detail, /asks for a log-in by <auth 0xc027>, .*"SPAP only"/)
})
