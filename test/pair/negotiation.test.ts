/** Our client and our server back to back: coming up, with every log-in right and wrong. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromLatin1 } from '../../src/base/bytes.ts'
import type { PppSettings } from '../../src/ppp/settings.ts'
import { down, ending, eventsOf, ip, ipv4Packet, isRunning, packetsSent, pair, phases } from './ends.ts'

test('two ends without authentication come up, and packets pass both ways', () => {
  const link = pair().open().run(1000)
  assert.deepEqual(phases(link.a), ['establish', 'network', 'running'])
  assert.deepEqual(phases(link.b), ['establish', 'network', 'running'])
  assert.deepEqual(eventsOf(link.a, 'up')[0]!.address, {
    ip4: { local: ip('10.64.0.2'), peer: ip('10.64.0.1'), dns: [ip('10.64.0.53'), ip('10.64.0.54')] },
    ip6: undefined,
    mtuBytes: 1500,
  })
  assert.deepEqual(eventsOf(link.b, 'up')[0]!.address, {
    ip4: { local: ip('10.64.0.1'), peer: ip('10.64.0.2'), dns: [] },
    ip6: undefined,
    mtuBytes: 1500,
  })
  const request = ipv4Packet(1500, 0x7e)
  const reply = ipv4Packet(40, 0x03)
  assert.equal(link.a.machine.sendPacket(request, link.nowMs), true)
  assert.equal(link.b.machine.sendPacket(reply, link.nowMs), true)
  link.drain(link.a)
  link.drain(link.b)
  link.run(100)
  assert.deepEqual(eventsOf(link.b, 'packet')[0]!.bytes, request)
  assert.deepEqual(eventsOf(link.a, 'packet')[0]!.bytes, reply)
  const { rxPackets, rxBytes, txPackets, txBytes, damaged } = link.a.machine.counters
  assert.deepEqual(
    { rxPackets, rxBytes, txPackets, txBytes, damaged },
    { rxPackets: 1, rxBytes: 40, txPackets: 1, txBytes: 1500, damaged: 0 },
  )
})

test('the first request is what pppd sends', () => {
  const link = pair().open()
  assert.match(
    packetsSent(link.a)[0]!,
    /^\[LCP ConfReq id=0x1 <asyncmap 0x0> <magic 0x[0-9a-f]{8}> <pcomp> <accomp>\]$/,
  )
})

const RIGHT: Partial<PppSettings> = {}
const WRONG: Partial<PppSettings> = { password: 'open' }
const UNKNOWN: Partial<PppSettings> = { user: 'stranger' }

for (const auth of ['pap', 'chap'] as const) {
  test(`${auth}: the right password`, () => {
    const link = pair(RIGHT, { requiresAuth: [auth] })
      .open()
      .run(1000)
    assert.deepEqual(phases(link.a), ['establish', 'authenticate', 'network', 'running'])
    assert.ok(isRunning(link.b))
    assert.equal(link.b.machine.peerName, 'demo')
  })

  for (const [name, client] of [
    ['a wrong password', WRONG],
    ['an unknown name', UNKNOWN],
  ] as const) {
    test(`${auth}: ${name}`, () => {
      const link = pair(client, { requiresAuth: [auth] })
        .open()
        .run(20_000)
      assert.equal(ending(link.a), 'auth-refused 19')
      assert.equal(ending(link.b), 'peer-auth-refused 11')
      assert.match(
        down(link.a)!.failure.detail,
        auth === 'pap'
          ? /refused the PAP log-in of ".*" with "Login incorrect"; last received \[PAP AuthNak/
          : /refused the CHAP log-in of ".*" with "Access denied"; last received \[CHAP Failure/,
      )
      for (const event of [...link.a.events, ...link.b.events])
        assert.doesNotMatch(JSON.stringify(event), /sesame|open"/)
      assert.ok(!phases(link.a).includes('network'))
      assert.ok(!phases(link.b).includes('network'))
      assert.ok(link.lastMs < 3000, 'nobody waits for a time-out')
    })
  }
}

test('a server that lists CHAP and PAP asks for CHAP, and takes PAP from a client that has no other', () => {
  const link = pair({ answersAuth: ['pap'] }, { requiresAuth: ['chap', 'pap'] })
    .open()
    .run(1000)
  assert.ok(isRunning(link.a))
  assert.ok(packetsSent(link.b)[0]!.includes('<auth chap MD5>'))
  assert.ok(packetsSent(link.a).some((text) => text.startsWith('[PAP AuthReq')))
})

test('a server that lists only CHAP never takes PAP', () => {
  const link = pair({ answersAuth: ['pap'] }, { requiresAuth: ['chap'] })
    .open()
    .run(60_000)
  assert.equal(ending(link.b), 'peer-auth-refused 11')
  assert.equal(ending(link.a), 'auth-refused 19')
  assert.match(down(link.a)!.failure.detail, /asks for a log-in by <auth chap MD5>, which the settings do not allow/)
  assert.ok(!packetsSent(link.a).some((text) => text.startsWith('[PAP')))
})

test('a client that refuses every log-in is turned away', () => {
  const link = pair({ answersAuth: [] }, { requiresAuth: ['chap', 'pap'] })
    .open()
    .run(60_000)
  assert.equal(ending(link.b), 'peer-auth-refused 11')
  assert.equal(ending(link.a), 'auth-refused 19')
})

test('a server with a password of its own proves itself too, while it asks the client to', () => {
  const mutual = {
    requiresAuth: ['chap'] as const,
    answersAuth: ['chap'] as const,
    password: 'sesame',
    user: 'demo',
    remoteAddress: 0,
  }
  const link = pair({ role: 'server', ...mutual, secretOf: () => 'sesame', localAddress: ip('10.64.0.2') }, mutual)
  link.open().run(1000)
  assert.ok(isRunning(link.a) && isRunning(link.b))
})

test('no answer: lcp-timeout after Max-Configure requests', () => {
  const link = pair()
  link.input(link.a, { type: 'open' })
  const openedAtMs = link.nowMs
  link.damage = () => []
  link.run(100_000)
  assert.equal(ending(link.a), 'lcp-timeout 10')
  assert.equal(down(link.a)!.failure.detail, 'LCP: no reply to 10 Configure-Requests; nothing received')
  assert.equal(packetsSent(link.a).length, 10)
  assert.equal(new Set(packetsSent(link.a)).size, 1, 'retransmissions keep their identifier')
  assert.equal(link.lastMs - openedAtMs, 30_000)
})

test('an IPCP that nobody answers is ipcp-failed', () => {
  const link = pair()
  link.damage = (bytes) => (fromLatin1(bytes).includes('\x80!') ? [] : [bytes])
  link.open().run(100_000)
  assert.equal(ending(link.a), 'ipcp-failed 10')
  assert.match(down(link.a)!.failure.detail, /^IPCP: no reply to 10 Configure-Requests; last received \[LCP/)
})

test('MRU, MTU and ACCM of both ends are kept', () => {
  const link = pair({ mruBytes: 1400, accm: 0x000a0000 }, { mruBytes: 576, mtuBytes: 1300 }).open().run(1000)
  assert.equal(eventsOf(link.a, 'up')[0]!.address.mtuBytes, 576)
  assert.equal(eventsOf(link.b, 'up')[0]!.address.mtuBytes, 1300)
  assert.equal(link.a.machine.sendPacket(ipv4Packet(577), link.nowMs), false)
  assert.equal(link.a.machine.counters.txDrops, 1)
  link.b.sent.length = 0
  link.b.machine.sendPacket(ipv4Packet(100, 0x11), link.nowMs)
  link.drain(link.b)
  const octets = Array.from(link.b.sent[0]!)
  assert.ok(!octets.includes(0x11), 'what the client asked to have escaped is escaped')
  assert.ok(octets.includes(0x00), 'the rest is not')
})

test('a silent server waits for the first packet', () => {
  const link = pair({}, { silent: true })
  link.input(link.b, { type: 'open' })
  link.run(60_000)
  assert.equal(link.b.sent.length, 0)
  link.input(link.a, { type: 'open' })
  link.run(1000)
  assert.ok(isRunning(link.a) && isRunning(link.b))
})

test('packets before the link runs, and what is no IPv4, are dropped', () => {
  const link = pair().open()
  assert.equal(link.a.machine.sendPacket(ipv4Packet(40), link.nowMs), false)
  link.run(1000)
  assert.equal(link.a.machine.sendPacket(Uint8Array.of(0x60, 0, 0, 0), link.nowMs), false)
  assert.equal(link.a.machine.sendPacket(new Uint8Array(0), link.nowMs), false)
  assert.equal(link.a.machine.counters.txDrops, 3)
})
