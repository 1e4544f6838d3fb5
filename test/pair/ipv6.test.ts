/** IPV6CP (RFC 5072) between two of ours and against a peer played by hand, and the two network protocols beside each other. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { latin1 } from '../../src/base/bytes.ts'
import type { SessionEvent } from '../../src/ppp/session-events.ts'
import type { PppSettings } from '../../src/ppp/settings.ts'
import { CODE, u64Option, u64Value } from '../../src/ppp/wire/packets.ts'
import { IPCP, IPV4, IPV6, IPV6CP, LCP } from '../../src/ppp/wire/protocols.ts'
import type { End } from './cable.ts'
import {
  down,
  ending,
  eventsOf,
  ipv4Packet,
  ipv6Packet,
  isRunning,
  type PppCable,
  packetsSent,
  pair,
  phases,
} from './ends.ts'
import type { Heard, ScriptedPeer } from './peer.ts'
import { givesAddress, withPeer } from './scripted.ts'

const BOTH: Partial<PppSettings> = { ipv6: true }
const ONLY_IPV6: Partial<PppSettings> = { ipv4: false, ipv6: true }

const lastAddress = (end: End<SessionEvent>) => eventsOf(end, 'up').at(-1)?.address

function passes(link: PppCable, from: 'a' | 'b', packet: Uint8Array): boolean {
  const to = from === 'a' ? link.b : link.a
  const before = eventsOf(to, 'packet').length
  link[from].machine.sendPacket(packet, link.nowMs)
  link.drain(link[from])
  link.run(20)
  return eventsOf(to, 'packet').length === before + 1
}

test('two ends agree on IPv4 and IPv6, one after the other, and packets of both pass both ways', () => {
  const link = pair(BOTH, BOTH).open().run(1000)
  for (const end of [link.a, link.b]) {
    assert.deepEqual(phases(end), ['establish', 'network', 'running'])
    const ups = eventsOf(end, 'up').map(({ address }) => [address.ip4 !== undefined, address.ip6 !== undefined])
    assert.equal(ups.length, 2)
    assert.deepEqual(ups[1], [true, true])
    assert.equal(ups[0]!.filter(Boolean).length, 1, 'the first one opened alone')
  }
  const { ip6 } = lastAddress(link.a)!
  assert.deepEqual(lastAddress(link.b)!.ip6, { local: ip6!.peer, peer: ip6!.local })
  assert.notEqual(ip6!.local, ip6!.peer)
  for (const identifier of [ip6!.local, ip6!.peer]) {
    assert.ok(identifier > 0n && identifier < 1n << 64n)
    assert.equal((identifier >> 57n) & 1n, 0n, 'drawn at random, so not universal')
  }
  for (const from of ['a', 'b'] as const) {
    assert.ok(passes(link, from, ipv4Packet(100)))
    assert.ok(passes(link, from, ipv6Packet(1280)))
  }
})

test('IPv6 alone: no IPCP, no IPv4 packet, and a peer that asks for IPv4 is told so', () => {
  const link = pair(ONLY_IPV6, BOTH).open().run(1000)
  assert.deepEqual(lastAddress(link.a)!.ip4, undefined)
  assert.ok(lastAddress(link.a)!.ip6)
  assert.ok(!packetsSent(link.a).some((text) => text.startsWith('[IPCP')))
  assert.ok(packetsSent(link.a).some((text) => text.startsWith('[LCP ProtRej id=0x2 80 21 01 01')))
  assert.equal(passes(link, 'a', ipv4Packet(100)), false)
  assert.ok(passes(link, 'a', ipv6Packet(100)))
  const [stopped] = eventsOf(link.b, 'stopped')
  assert.equal(stopped!.network, 'ipv4')
  assert.match(stopped!.failure.detail, /^IPCP: the peer does not speak IPCP \(Protocol-Reject\)/)
  assert.ok(isRunning(link.b))
  assert.equal(lastAddress(link.b)!.ip4, undefined)
})

test('IPv6 that the settings do not want is Protocol-Rejected, packets of it too', () => {
  const { link, peer, end, flush } = withPeer(givesAddress)
  link.open().run(1000)
  peer.sendOptions(IPV6CP, CODE.configureRequest, 1, [u64Option(1, 5n)])
  peer.sendInfo(IPV6, ipv6Packet(60))
  flush()
  link.run(100)
  const rejects = packetsSent(end).filter((text) => text.startsWith('[LCP ProtRej'))
  assert.match(rejects[0]!, /^\[LCP ProtRej id=0x\w+ 80 57 01 01 00 0e 01 0a 00 00 00 00 00 00 00 05\]$/)
  assert.match(rejects[1]!, /^\[LCP ProtRej id=0x\w+ 00 57 60/)
  assert.equal(eventsOf(end, 'packet').length, 0)
  assert.ok(isRunning(end))
})

test('neither is left: the link ends, and both reasons are told', () => {
  const { link, end } = withPeer((packet, peer) => rejectsProtocol(packet, peer), BOTH)
  link.open().run(20_000)
  assert.equal(ending(end), 'ipcp-failed 10')
  assert.match(
    down(end)!.failure.detail,
    /^IPCP: the peer does not speak IPCP .*; IPV6CP: the peer does not speak IPV6CP/,
  )
  assert.equal(eventsOf(end, 'stopped').length, 1)
})

function rejectsProtocol({ protocol, code, id }: Heard, peer: ScriptedPeer): void {
  if (protocol !== LCP)
    peer.send(LCP, CODE.protocolReject, id, Uint8Array.of(protocol >>> 8, protocol & 0xff, code, id, 0, 4))
}

test('identifiers of the settings are kept, given and taken', () => {
  const link = pair({ ...BOTH }, { ...BOTH, localInterfaceId: 1n, remoteInterfaceId: 2n })
    .open()
    .run(1000)
  assert.deepEqual(lastAddress(link.a)!.ip6, { local: 2n, peer: 1n })
  assert.deepEqual(lastAddress(link.b)!.ip6, { local: 1n, peer: 2n })
  assert.ok(
    packetsSent(link.b).some((text) => /^\[IPV6CP ConfNak id=0x1 <addr fe80::0000:0000:0000:0002>\]$/.test(text)),
  )
})

test('both ends with the same identifier: the one that may moves away', () => {
  const fixed = { ...BOTH, localInterfaceId: 7n }
  for (const [client, server] of [
    [{ ...fixed, acceptLocal: true }, fixed],
    [fixed, { ...fixed, acceptLocal: true }],
  ] as const) {
    const link = pair(client, server).open().run(1000)
    const { ip6 } = lastAddress(link.a)!
    assert.ok(ip6!.local === 7n || ip6!.peer === 7n)
    assert.notEqual(ip6!.local, ip6!.peer)
    assert.deepEqual(lastAddress(link.b)!.ip6, { local: ip6!.peer, peer: ip6!.local })
  }
})

test('two fixed identifiers that are the same: IPv6 stops, IPv4 runs', () => {
  const link = pair({ ...BOTH, localInterfaceId: 7n }, { ...BOTH, localInterfaceId: 7n })
    .open()
    .run(60_000)
  assert.ok(isRunning(link.a) && isRunning(link.b))
  assert.equal(lastAddress(link.a)!.ip6, undefined)
  assert.equal(eventsOf(link.a, 'stopped')[0]!.network, 'ipv6')
  assert.ok(passes(link, 'a', ipv4Packet(100)))
  assert.ok(packetsSent(link.a).length < 60)
})

/** A peer whose IPv6 the test plays; it gives an IPv4 address. */
function ipv6Peer(answer: (packet: Heard, peer: ScriptedPeer) => void, settings: Partial<PppSettings> = {}) {
  return withPeer(
    (packet, peer) => {
      if (packet.protocol === IPV6CP) answer(packet, peer)
      else givesAddress(packet, peer)
    },
    { ...BOTH, ...settings },
  )
}

test("a Nak's identifier is taken, unless it is zero or the peer's own", () => {
  const naks = [0n, 0xaan, 0x1234_5678_9abc_def0n]
  const asked: bigint[] = []
  const { link, end } = ipv6Peer((packet, peer) => {
    if (packet.code !== CODE.configureRequest) return
    const identifier = u64Value(packet.options[0]!)!
    asked.push(identifier)
    if (asked.length === 1) peer.sendOptions(IPV6CP, CODE.configureRequest, 1, [u64Option(1, 0xaan)])
    const nak = naks.shift()
    if (nak === undefined) peer.ack(packet)
    else peer.sendOptions(IPV6CP, CODE.configureNak, packet.id, [u64Option(1, nak)])
  })
  link.open().run(2000)
  assert.deepEqual(lastAddress(end)!.ip6, { local: 0x1234_5678_9abc_def0n, peer: 0xaan })
  assert.equal(asked.length, 4)
  assert.ok(!asked.includes(0n) && !asked.includes(0xaan))
  assert.equal(new Set(asked).size, 4)
})

test('zero and our own identifier are naked with another one, compression and wrong lengths are rejected', () => {
  const { link, peer, end, flush } = ipv6Peer((packet, from) => {
    if (packet.code === CODE.configureRequest) from.ack(packet)
  })
  link.open().run(1000)
  const own = /IPV6CP ConfReq id=0x1 <addr fe80::(\S+)>/.exec(
    packetsSent(end).find((text) => text.includes('IPV6CP'))!,
  )![1]!
  const ownId = BigInt(`0x${own.replaceAll(':', '')}`)
  link.a.sent.length = 0
  peer.sendOptions(IPV6CP, CODE.configureRequest, 1, [u64Option(1, 0n)])
  peer.sendOptions(IPV6CP, CODE.configureRequest, 2, [u64Option(1, ownId)])
  peer.sendOptions(IPV6CP, CODE.configureRequest, 3, [
    u64Option(1, 9n),
    { type: 2, data: Uint8Array.of(0, 0x61) },
    { type: 1, data: Uint8Array.of(1, 2, 3) },
  ])
  peer.sendOptions(IPV6CP, CODE.configureRequest, 4, [u64Option(1, 9n)])
  flush()
  link.run(100)
  const answers = packetsSent(end).filter((text) => text.startsWith('[IPV6CP'))
  const suggested = /ConfNak id=0x1 <addr fe80::(\S+)>\]/.exec(answers[0]!)![1]
  assert.notEqual(suggested, '0000:0000:0000:0000')
  assert.notEqual(suggested, own)
  assert.equal(answers[1], `[IPV6CP ConfNak id=0x2 <addr fe80::${suggested}>]`)
  assert.equal(answers[2], '[IPV6CP ConfRej id=0x3 <compress 0x61> < 01 05 01 02 03>]')
  assert.equal(answers[3], '[IPV6CP ConfAck id=0x4 <addr fe80::0000:0000:0000:0009>]')
  assert.deepEqual(lastAddress(end)!.ip6, { local: ownId, peer: 9n })
})

test('a peer that asks for zero for ever loses IPv6 alone, and without many words', () => {
  const { link, end } = ipv6Peer((packet, peer) => {
    if (packet.code === CODE.configureRequest) peer.ack(packet)
    if (packet.code === CODE.configureRequest || packet.code === CODE.configureNak)
      peer.sendOptions(IPV6CP, CODE.configureRequest, packet.id + 1, [u64Option(1, 0n)])
  })
  link.open().run(60_000)
  assert.ok(isRunning(end))
  assert.match(eventsOf(end, 'stopped')[0]!.failure.detail, /^IPV6CP: the peer keeps asking for what was refused/)
  assert.ok(!packetsSent(end).some((text) => text.includes('IPV6CP ConfRej')))
  assert.ok(end.sent.length < 80)
})

test('a peer that names no identifier is asked for one; it may stay without where the settings know it', () => {
  const nameless = (packet: Heard, peer: ScriptedPeer) => {
    if (packet.code === CODE.configureRequest) peer.ack(packet)
    if (packet.code === CODE.configureRequest || packet.code === CODE.configureNak)
      peer.sendOptions(IPV6CP, CODE.configureRequest, packet.id + 1, [])
  }
  const unknown = ipv6Peer(nameless)
  unknown.link.open().run(60_000)
  assert.ok(isRunning(unknown.end))
  assert.equal(eventsOf(unknown.end, 'stopped')[0]!.failure.detail, 'IPV6CP: the peer names no interface identifier')
  const known = ipv6Peer(nameless, { remoteInterfaceId: 42n })
  known.link.open().run(60_000)
  assert.equal(lastAddress(known.end)!.ip6!.peer, 42n)
})

test('our identifier is rejected: it is used without', () => {
  const { link, end } = ipv6Peer(
    (packet, peer) => {
      if (packet.code !== CODE.configureRequest) return
      if (packet.options.length === 0) peer.ack(packet)
      else {
        peer.sendOptions(IPV6CP, CODE.configureReject, packet.id, packet.options)
        peer.sendOptions(IPV6CP, CODE.configureRequest, 1, [u64Option(1, 9n)])
      }
    },
    { localInterfaceId: 3n },
  )
  link.open().run(1000)
  assert.deepEqual(lastAddress(end)!.ip6, { local: 3n, peer: 9n })
})

test('one protocol is closed by the peer while both run: the other goes on, and the address says so', () => {
  for (const [protocol, name] of [
    [IPV6CP, 'ipv6'],
    [IPCP, 'ipv4'],
  ] as const) {
    const { link, peer, end, flush } = ipv6Peer((packet, from) => {
      if (packet.code !== CODE.configureRequest) return
      from.ack(packet)
      from.sendOptions(IPV6CP, CODE.configureRequest, 1, [u64Option(1, 9n)])
    })
    link.open().run(1000)
    const both = lastAddress(end)!
    assert.ok(both.ip4 && both.ip6)
    peer.send(protocol, CODE.terminateRequest, 9, latin1('no more'))
    flush()
    link.run(5000)
    assert.deepEqual(phases(end), ['establish', 'network', 'running'], 'running all the time')
    assert.deepEqual(lastAddress(end), { ...both, [name === 'ipv6' ? 'ip6' : 'ip4']: undefined })
    assert.match(eventsOf(end, 'stopped')[0]!.failure.detail, /the peer sent Terminate-Request "no more"/)
    peer.sendInfo(name === 'ipv6' ? IPV6 : IPV4, name === 'ipv6' ? ipv6Packet(60) : ipv4Packet(60))
    peer.sendInfo(name === 'ipv6' ? IPV4 : IPV6, name === 'ipv6' ? ipv4Packet(60) : ipv6Packet(60))
    flush()
    link.run(100)
    assert.equal(eventsOf(end, 'packet').length, 1)
    peer.send(protocol === IPCP ? IPV6CP : IPCP, CODE.terminateRequest, 9)
    flush()
    link.run(5000)
    assert.equal(ending(end), 'hung-up 16')
  }
})

test('a version that does not fit the protocol is no packet', () => {
  const { link, peer, session, end, flush } = ipv6Peer((packet, from) => {
    if (packet.code !== CODE.configureRequest) return
    from.ack(packet)
    from.sendOptions(IPV6CP, CODE.configureRequest, 1, [u64Option(1, 9n)])
  })
  link.open().run(1000)
  const before = session.counters.malformed
  peer.sendInfo(IPV4, ipv6Packet(60))
  peer.sendInfo(IPV6, ipv4Packet(60))
  peer.sendInfo(IPV6, new Uint8Array(0))
  flush()
  link.run(100)
  assert.equal(eventsOf(end, 'packet').length, 0)
  assert.equal(session.counters.malformed, before + 3)
  for (const version of [0, 1, 5, 7, 15])
    assert.equal(session.sendPacket(Uint8Array.of(version << 4, 0), link.nowMs), false)
})

test('a peer that takes no 1280 bytes gets no IPv6', () => {
  const link = pair(BOTH, { ...BOTH, mruBytes: 1200 })
    .open()
    .run(1000)
  assert.equal(lastAddress(link.a)!.ip6, undefined)
  assert.ok(lastAddress(link.a)!.ip4)
  assert.equal(
    eventsOf(link.a, 'stopped')[0]!.failure.detail,
    'IPv6 needs packets of 1280 bytes, and the link carries 1200',
  )
})

test('the peer begins anew: both protocols do, and our identifier stays', () => {
  const link = pair(BOTH, BOTH).open().run(1000)
  const before = lastAddress(link.a)!.ip6!.local
  Object.assign(link.b, { machine: pair(BOTH, BOTH, 99).b.machine })
  link.input(link.b, { type: 'open' })
  link.run(1000)
  assert.deepEqual(phases(link.a).slice(-3), ['establish', 'network', 'running'])
  assert.equal(lastAddress(link.a)!.ip6!.local, before)
  assert.ok(lastAddress(link.a)!.ip4)
  assert.ok(passes(link, 'a', ipv6Packet(100)))
})

test('IPv6 that stopped gets another chance when the peer begins anew', () => {
  let takesIpv6 = false
  const { link, peer, end, flush } = ipv6Peer((packet, from) => {
    if (!takesIpv6) return rejectsProtocol(packet, from)
    if (packet.code !== CODE.configureRequest) return
    from.ack(packet)
    from.sendOptions(IPV6CP, CODE.configureRequest, 1, [u64Option(1, 9n)])
  })
  link.open().run(1000)
  assert.equal(lastAddress(end)!.ip6, undefined)
  takesIpv6 = true
  peer.onOpen()
  flush()
  link.run(1000)
  assert.ok(lastAddress(end)!.ip6)
})

test('Naks without end, and a Code-Reject of what every protocol has, stop IPv6 alone', () => {
  let suggestion = 100n
  const naks = ipv6Peer((packet, peer) => {
    if (packet.code === CODE.configureRequest)
      peer.sendOptions(IPV6CP, CODE.configureNak, packet.id, [u64Option(1, ++suggestion)])
  })
  naks.link.open().run(60_000)
  assert.ok(isRunning(naks.end))
  assert.equal(eventsOf(naks.end, 'stopped')[0]!.failure.detail, 'IPV6CP: the peer refused 21 Configure-Requests')
  assert.ok(naks.end.sent.length < 60)

  const refusal = ipv6Peer((packet, peer) => {
    if (packet.code === CODE.configureRequest) peer.send(IPV6CP, CODE.codeReject, 1, Uint8Array.of(1, packet.id, 0, 4))
  })
  refusal.link.open().run(60_000)
  assert.ok(isRunning(refusal.end))
  assert.match(eventsOf(refusal.end, 'stopped')[0]!.failure.detail, /^IPV6CP: the peer does not know code 1/)
})
