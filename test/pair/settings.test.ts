/** What the settings ask of LCP and of the session: offers, limits, waiting, idle and connect time, echoes, a restart of our own. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PppSettings } from '../../src/ppp/settings.ts'
import { CODE, type ConfigOption, u32Option } from '../../src/ppp/wire/packets.ts'
import { LCP } from '../../src/ppp/wire/protocols.ts'
import { down, ending, eventsOf, ipv4Packet, isRunning, packetsSent, pair, phases } from './ends.ts'
import { givesAddress, withPeer } from './scripted.ts'

const OFFERS = { mru: true, accm: true, magic: true, pfc: true, acfc: true }
const EVERY_OPTION: readonly (readonly [keyof typeof OFFERS, string, ConfigOption])[] = [
  ['mru', 'mru 1400', { type: 1, data: Uint8Array.of(5, 0x78) }],
  ['accm', 'asyncmap 0x0', u32Option(2, 0)],
  ['magic', 'magic 0x1020304', u32Option(5, 0x01020304)],
  ['pfc', 'pcomp', { type: 7, data: new Uint8Array(0) }],
  ['acfc', 'accomp', { type: 8, data: new Uint8Array(0) }],
]

for (const [name, text, option] of EVERY_OPTION) {
  test(`no ${name}: neither asked for nor acknowledged`, () => {
    const word = text.split(' ')[0]!
    const { link, peer, end, flush } = withPeer(givesAddress, {
      mruBytes: 1400,
      lcpOffers: { ...OFFERS, [name]: false },
    })
    link.input(link.a, { type: 'open' })
    const [request] = packetsSent(end)
    for (const [, other] of EVERY_OPTION)
      assert.equal(request!.includes(other.split(' ')[0]!), other.split(' ')[0] !== word, request)
    peer.sendOptions(LCP, CODE.configureRequest, 1, [option])
    flush()
    link.run(10)
    assert.ok(packetsSent(end).some((sent) => sent.startsWith('[LCP ConfRej id=0x1 <') && sent.includes(word)))
    peer.sendOptions(LCP, CODE.configureRequest, 2, [])
    flush()
    link.run(1000)
    assert.ok(isRunning(end))
  })
}

test('two ends that offer nothing come up, and their echoes carry no magic number', () => {
  const bare: Partial<PppSettings> = { lcpOffers: { mru: false, accm: false, magic: false, pfc: false, acfc: false } }
  const link = pair(bare, bare).open().run(25_000)
  assert.ok(isRunning(link.a) && isRunning(link.b))
  assert.equal(packetsSent(link.a)[0], '[LCP ConfReq id=0x1]')
  assert.ok(
    packetsSent(link.a).some((text) => text.endsWith('EchoReq id=0x2 magic=0x0]')),
    packetsSent(link.a).join(),
  )
})

test('IPCP and IPV6CP have limits of their own, and LCP keeps its', () => {
  const { link, end } = withPeer(() => {}, {
    ipv6: true,
    maxConfigure: 4,
    restartMs: 1000,
    ipcp: { maxConfigure: 2 },
    ipv6cp: { maxConfigure: 7, restartMs: 100 },
  })
  const openedAtMs = link.nowMs
  link.open().run(20_000)
  const count = (start: string) => packetsSent(end).filter((text) => text.startsWith(start)).length
  assert.equal(count('[IPCP ConfReq'), 2)
  assert.equal(count('[IPV6CP ConfReq'), 7)
  assert.equal(ending(end), 'ipcp-failed 10')
  assert.match(down(end)!.failure.detail, /^IPCP: no reply to 2 Configure-Requests; IPV6CP: no reply to 7 Conf/)
  assert.ok(link.lastMs - openedAtMs < 2500, 'the last of the two ends it')
})

test('passive: an unanswered negotiation waits, and a peer that comes later finds us', () => {
  const link = pair({ passive: true })
  link.input(link.a, { type: 'open' })
  link.run(600_000)
  assert.equal(ending(link.a), 'none')
  assert.equal(packetsSent(link.a).length, 10)
  assert.equal(link.a.machine.deadline(), undefined, 'nothing is due while it waits')
  link.input(link.b, { type: 'open' })
  link.run(1000)
  assert.ok(isRunning(link.a) && isRunning(link.b))
})

test('passive does not keep a link that was up', () => {
  const link = pair({ passive: true, echoFromStart: true }).open().run(1000)
  assert.ok(isRunning(link.a))
  link.damage = () => []
  link.run(100_000)
  assert.equal(ending(link.a), 'echo-lost 15')
})

test('echoes from the start: a peer that never answers one is lost', () => {
  const { link, end } = withPeer(givesAddress, { echoFromStart: true, echoIntervalMs: 1000, echoFailure: 4 })
  link.open().run(60_000)
  assert.equal(ending(end), 'echo-lost 15')
  assert.match(down(end)!.failure.detail, /^no reply to 4 LCP Echo-Requests, 1 s apart/)
  assert.equal(packetsSent(end).filter((text) => text.includes('EchoReq')).length, 4)
})

test('idle: without a packet in either direction the link ends, with pppd’s exit code 12', () => {
  for (const from of ['a', 'b'] as const) {
    const link = pair({ idleMs: 60_000 }).open().run(1000)
    for (let minute = 0; minute < 5; minute++) {
      link.run(50_000)
      link[from].machine.sendPacket(ipv4Packet(60), link.nowMs)
      link.drain(link[from])
    }
    const lastPacketMs = link.nowMs
    link.run(100)
    assert.ok(isRunning(link.a))
    link.run(120_000)
    assert.equal(ending(link.a), 'idle 12')
    assert.equal(down(link.a)!.failure.detail, 'no packet for 60 s')
    const tookMs = link.lastMs - lastPacketMs
    assert.ok(tookMs >= 60_000 && tookMs < 60_500, `${tookMs}`)
    assert.ok(packetsSent(link.a).some((text) => text.includes('TermReq') && text.includes('"idle"')))
  }
})

test('idle counts from when the link came up, not the time before', () => {
  const { link, peer, end, flush } = withPeer(() => {}, { idleMs: 5000 })
  link.open().run(8000)
  assert.equal(phases(end).at(-1), 'network')
  peer.onPacket = (packet) => givesAddress(packet, peer)
  flush()
  link.run(4000)
  assert.ok(isRunning(end), ending(end))
  link.run(10_000)
  assert.equal(ending(end), 'idle 12')
})

test('connect time: it ends however busy it is, with 13, and a renegotiation does not prolong it', () => {
  const link = pair({ connectLimitMs: 100_000 }).open().run(1000)
  const upAtMs = link.nowMs - 1000
  for (let count = 0; count < 9; count++) {
    link.run(10_000)
    link.a.machine.sendPacket(ipv4Packet(60), link.nowMs)
    if (count === 4) link.a.machine.renegotiate(link.nowMs)
    link.drain(link.a)
  }
  assert.ok(isRunning(link.a))
  link.run(20_000)
  assert.equal(ending(link.a), 'time-limit 13')
  assert.equal(down(link.a)!.failure.detail, 'the link was up for 100 s')
  assert.ok(link.lastMs - upAtMs < 101_000)
})

test('we begin anew on a link that is up: both ends come back, the address comes again', () => {
  const link = pair({ ipv6: true }, { ipv6: true, requiresAuth: ['chap'] })
    .open()
    .run(1000)
  const before = eventsOf(link.a, 'up').length
  link.a.machine.renegotiate(link.nowMs)
  link.drain(link.a)
  assert.equal(phases(link.a).at(-1), 'establish')
  assert.equal(link.a.machine.sendPacket(ipv4Packet(60), link.nowMs), false)
  link.run(1000)
  assert.deepEqual(phases(link.a).slice(-4), ['establish', 'authenticate', 'network', 'running'])
  assert.ok(isRunning(link.b))
  assert.equal(eventsOf(link.a, 'up').length, 2 * before)
  assert.deepEqual(eventsOf(link.a, 'up').at(-1), eventsOf(link.a, 'up')[before - 1])
})

test('to begin anew before the link is up does nothing', () => {
  const link = pair().open()
  link.a.machine.renegotiate(link.nowMs)
  link.drain(link.a)
  link.run(1000)
  assert.equal(packetsSent(link.a).filter((text) => text.startsWith('[LCP ConfReq')).length, 1)
  assert.ok(isRunning(link.a))
})
