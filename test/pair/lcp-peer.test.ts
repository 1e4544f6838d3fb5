/** LCP against a peer played by hand: the rules of RFC 1661 for answers, and peers that never come to an end. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concat, latin1 } from '../../src/base/bytes.ts'
import { SerialSession } from '../../src/ppp/serial-session.ts'
import type { SessionEvent } from '../../src/ppp/session-events.ts'
import { HdlcEncoder } from '../../src/ppp/wire/hdlc-encoder.ts'
import { CODE, type ConfigOption, controlBytes, u32Option } from '../../src/ppp/wire/packets.ts'
import { CHAP, IPCP, IPV4, LCP, PAP } from '../../src/ppp/wire/protocols.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { Cable } from './cable.ts'
import { CLIENT, down, ending, eventsOf, framesIn, ipv4Packet, isRunning, packetsSent, phases, SERVER } from './ends.ts'
import { ScriptedPeer } from './peer.ts'
import { givesAddress, withPeer } from './scripted.ts'

test('a peer that naks a changed MRU, ACCM or magic number for ever is bounded', () => {
  let magic = 1
  const peer = new ScriptedPeer()
  const link = new Cable<SessionEvent>(new SerialSession(CLIENT, new SeededRandom(5)), peer)
  peer.onPacket = (packet) => {
    if (packet.code === CODE.configureRequest)
      peer.sendOptions(LCP, CODE.configureNak, packet.id, [u32Option(5, ++magic)])
  }
  link.open().run(200_000)
  assert.equal(ending(link.a), 'lcp-timeout 10')
  assert.match(
    down(link.a)!.failure.detail,
    /^LCP: the peer refused 21 Configure-Requests; last received \[LCP ConfNak/,
  )
  assert.ok(link.a.sent.length < 40)
})

test('a peer that asks for ever for what is refused is bounded, and at line speed too', () => {
  const peer = new ScriptedPeer()
  const link = new Cable<SessionEvent>(new SerialSession(CLIENT, new SeededRandom(5)), peer)
  peer.onPacket = (packet) => {
    if (packet.code === CODE.configureRequest) peer.ack(packet)
    if (packet.code === CODE.configureRequest || packet.code === CODE.configureReject) {
      peer.sendOptions(LCP, CODE.configureRequest, packet.id + 1, [
        { type: 4, data: Uint8Array.of(0xc0, 0x25, 0, 0, 0, 0) },
      ])
    }
  }
  link.latencyMs = 1
  link.open().run(200_000)
  assert.equal(ending(link.a), 'lcp-timeout 10')
  assert.ok(link.a.sent.length < 80, `${link.a.sent.length}`)
})

test('a peer that acknowledges but never asks is bounded', () => {
  const peer = new ScriptedPeer()
  const link = new Cable<SessionEvent>(new SerialSession(CLIENT, new SeededRandom(5)), peer)
  peer.onPacket = (packet) => {
    if (packet.code === CODE.configureRequest) peer.ack(packet)
  }
  link.open().run(200_000)
  assert.equal(ending(link.a), 'lcp-timeout 10')
  assert.match(down(link.a)!.failure.detail, /^LCP: no agreement within 60 s/)
})

test('Acks count only with exact identifier and content, Rejects only unmodified and in order', () => {
  const peer = new ScriptedPeer()
  const link = new Cable<SessionEvent>(new SerialSession({ ...CLIENT, maxConfigure: 1 }, new SeededRandom(5)), peer)
  peer.onPacket = ({ code, id, options, data }) => {
    if (code !== CODE.configureRequest) return
    const changed = data.slice()
    changed[5]! ^= 1
    peer.send(LCP, CODE.configureAck, id + 1, data)
    peer.send(LCP, CODE.configureAck, id, changed)
    peer.send(LCP, CODE.configureAck, id, data.subarray(0, data.length - 2))
    peer.sendOptions(LCP, CODE.configureReject, id, [...options].reverse())
    peer.sendOptions(LCP, CODE.configureReject, id, [{ type: 3, data: Uint8Array.of(0xc0, 0x23) }])
    peer.send(LCP, CODE.configureNak, id, Uint8Array.of(2, 9, 0, 0))
    peer.sendOptions(LCP, CODE.configureRequest, 1, [])
  }
  link.open().run(5000)
  assert.ok(!phases(link.a).includes('network'))
  assert.equal(packetsSent(link.a).filter((text) => text.includes('ConfReq')).length, 1, 'none of them was taken')
})

test('rejected options are left out, in LCP too, and the link comes up without them', () => {
  const peer = new ScriptedPeer()
  const link = new Cable<SessionEvent>(new SerialSession(CLIENT, new SeededRandom(5)), peer)
  peer.onOpen = () => peer.sendOptions(LCP, CODE.configureRequest, 1, [])
  peer.onPacket = (packet) => {
    if (packet.protocol === IPCP) givesAddress(packet, peer)
    else if (packet.code !== CODE.configureRequest) return
    else if (packet.options.length > 0) peer.sendOptions(LCP, CODE.configureReject, packet.id, packet.options)
    else peer.ack(packet)
  }
  link.open().run(1000)
  assert.ok(isRunning(link.a))
  assert.ok(packetsSent(link.a).includes('[LCP ConfReq id=0x2]'))
  link.run(10_000)
  assert.ok(
    packetsSent(link.a).some((text) => text.endsWith('EchoReq id=0x3 magic=0x0]')),
    'no magic number was agreed',
  )
})

test('malformed requests are never acknowledged, and padding is ignored', () => {
  const { link, peer, end, flush } = withPeer(givesAddress)
  link.input(link.a, { type: 'open' })
  for (const options of [
    [1, 3, 5],
    [1, 1],
    [5, 5, 1, 2, 3],
    [2, 7, 0, 0, 0, 0, 0],
    [7, 3, 0],
    [1, 200, 1],
  ]) {
    peer.send(LCP, CODE.configureRequest, 3, Uint8Array.from(options))
  }
  peer.sendInfo(LCP, Uint8Array.of(1, 4, 0, 3))
  peer.sendInfo(LCP, Uint8Array.of(1, 4, 0, 99, 1))
  peer.sendInfo(LCP, Uint8Array.of(1))
  flush()
  link.run(10)
  const answers = packetsSent(end).filter((text) => !text.includes('ConfReq'))
  assert.ok(
    answers.every((text) => text.includes('ConfRej')),
    answers.join(),
  )
  assert.ok(link.a.machine instanceof SerialSession && link.a.machine.counters.malformed >= 5)
  peer.sendInfo(LCP, Uint8Array.of(1, 9, 0, 8, 1, 4, 5, 0xdc, 0, 0, 0, 0))
  flush()
  link.run(10)
  assert.ok(packetsSent(end).includes('[LCP ConfAck id=0x9 <mru 1500>]'))
})

test('Reject comes before Nak, and Naks become Rejects after Max-Failure, but never for the magic number', () => {
  const peer = new ScriptedPeer()
  const link = new Cable<SessionEvent>(new SerialSession(CLIENT, new SeededRandom(5)), peer)
  link.open().run(1)
  const smallMru: ConfigOption = { type: 1, data: Uint8Array.of(0, 10) }
  const flush = () => {
    link.drain(link.b)
    link.run(10)
  }
  peer.sendOptions(LCP, CODE.configureRequest, 1, [smallMru, { type: 10, data: Uint8Array.of(6) }])
  flush()
  for (let id = 2; id <= 8; id++) {
    peer.sendOptions(LCP, CODE.configureRequest, id, [smallMru])
    flush()
  }
  const answers = packetsSent(link.a).filter((text) => !text.includes('ConfReq'))
  assert.equal(answers[0], '[LCP ConfRej id=0x1 < 0a 03 06>]')
  assert.deepEqual(
    answers.slice(1, 6),
    [2, 3, 4, 5, 6].map((id) => `[LCP ConfNak id=0x${id} <mru 128>]`),
  )
  assert.deepEqual(
    answers.slice(6),
    [7, 8].map((id) => `[LCP ConfRej id=0x${id} <mru 10>]`),
  )
})

test('a magic number of zero is naked on and on, never rejected', () => {
  const peer = new ScriptedPeer()
  const link = new Cable<SessionEvent>(new SerialSession(CLIENT, new SeededRandom(5)), peer)
  link.open().run(1)
  for (let id = 1; id <= 9; id++) {
    peer.sendOptions(LCP, CODE.configureRequest, id, [u32Option(5, 0)])
    link.drain(link.b)
    link.run(10)
  }
  const answers = packetsSent(link.a).filter((text) => !text.includes('ConfReq'))
  assert.equal(answers.length, 9)
  assert.ok(
    answers.every((text) => /ConfNak id=0x\d <magic 0x[0-9a-f]+>\]$/.test(text)),
    answers.join(),
  )
})

test('a flood of requests that could all be acknowledged gets few answers', () => {
  const peer = new ScriptedPeer()
  const link = new Cable<SessionEvent>(new SerialSession(CLIENT, new SeededRandom(5)), peer)
  link.open().run(1)
  for (let count = 0; count < 1000; count++) peer.send(LCP, CODE.configureRequest, count & 0xff)
  for (let count = 0; count < 1000; count++) peer.send(LCP, CODE.terminateRequest, count & 0xff)
  link.drain(link.b)
  link.run(100)
  assert.ok(packetsSent(link.a).length < 70, `${packetsSent(link.a).length} answers`)
})

test('an option that comes twice is rejected the second time', () => {
  const { link, peer, end, flush } = withPeer()
  link.input(link.a, { type: 'open' })
  const pap = { type: 3, data: Uint8Array.of(0xc0, 0x23) }
  const chap = { type: 3, data: Uint8Array.of(0xc2, 0x23, 5) }
  peer.sendOptions(LCP, CODE.configureRequest, 1, [chap, pap])
  flush()
  link.run(10)
  assert.ok(packetsSent(end).includes('[LCP ConfRej id=0x1 <auth pap>]'))
})

test('Code-Rejects and Protocol-Rejects are cut to the MRU of the peer, with fresh identifiers, and rate-limited', () => {
  const { link, peer, end, flush } = withPeer(givesAddress, {}, [{ type: 1, data: Uint8Array.of(0, 200) }])
  link.open().run(1000)
  assert.ok(isRunning(end))
  link.a.sent.length = 0
  peer.sendInfo(0x80fd, concat([Uint8Array.of(1, 1, 1, 44), new Uint8Array(296)]))
  peer.send(LCP, 200, 9, new Uint8Array(400))
  flush()
  link.run(10)
  const [protocolReject, codeReject] = packetsSent(end)
  assert.match(protocolReject!, /^\[LCP ProtRej id=0x2 80 fd 01 01/)
  assert.match(codeReject!, /^\[LCP CodeRej id=0x3 c8 09 01 94/)
  assert.deepEqual(
    framesIn(link.a.sent).map(({ info }) => info.length),
    [200, 200],
  )
  for (let count = 0; count < 1000; count++) peer.sendInfo(0x80fd, Uint8Array.of(1, count, 0, 4))
  for (let count = 0; count < 1000; count++) peer.send(LCP, 201, count & 0xff)
  for (let count = 0; count < 1000; count++) peer.send(LCP, CODE.echoRequest, count & 0xff, Uint8Array.of(9, 9, 9, 9))
  for (let count = 0; count < 1000; count++) peer.send(LCP, CODE.configureRequest, count & 0xff, Uint8Array.of(9, 9, 9))
  flush()
  link.run(100)
  assert.ok(packetsSent(end).length < 40, `${packetsSent(end).length} answers`)
  link.run(5000)
  assert.ok(isRunning(end), 'a flood does not end the link')
})

test('before LCP is opened nothing is protocol-rejected; before the log-in nothing of IPCP or IP is taken', () => {
  const { link, peer, end, flush } = withPeer(() => {}, { ...SERVER, requiresAuth: ['chap'] })
  link.input(link.a, { type: 'open' })
  peer.sendInfo(0x80fd, Uint8Array.of(1, 1, 0, 4))
  peer.sendInfo(IPCP, Uint8Array.of(1, 1, 0, 4))
  flush()
  link.run(10)
  assert.deepEqual(
    packetsSent(end).map((text) => text.slice(0, 12)),
    ['[LCP ConfReq'],
  )
  peer.onOpen()
  flush()
  link.run(10)
  assert.equal(phases(end).at(-1), 'authenticate')
  link.a.sent.length = 0
  peer.sendInfo(0x80fd, Uint8Array.of(1, 1, 0, 4))
  peer.sendInfo(IPCP, Uint8Array.of(1, 1, 0, 4))
  peer.sendInfo(IPV4, ipv4Packet(40))
  peer.send(CHAP, 3, 1)
  peer.send(PAP, 1, 1, Uint8Array.of(4, ...latin1('demo'), 6, ...latin1('sesame')))
  flush()
  link.run(10)
  assert.deepEqual(packetsSent(end), [])
  assert.equal(eventsOf(end, 'packet').length, 0)
  assert.ok(!phases(end).includes('network'))
  link.run(40_000)
  assert.equal(ending(end), 'peer-auth-refused 11')
  assert.match(down(end)!.failure.detail, /^(the peer did not log in within 30 s|no answer to 10 CHAP challenges); /)
})

test('LCP that begins anew drops inserted control octets again', () => {
  const { link, peer, end, flush } = withPeer(givesAddress)
  link.open().run(1000)
  assert.ok(isRunning(end))
  link.a.sent.length = 0
  peer.onPacket = () => {}
  peer.send(LCP, CODE.configureRequest, 5)
  flush()
  link.run(10)
  const frame = new HdlcEncoder().encode(LCP, controlBytes(CODE.configureRequest, 6, new Uint8Array(0)))
  peer.sendRaw(Uint8Array.from([...frame].flatMap((octet) => [octet, 0x11])))
  flush()
  link.run(10)
  assert.ok(packetsSent(end).includes('[LCP ConfAck id=0x6]'))
})

test('Code-Reject of 1 to 7 is fatal, of others harmless; Protocol-Reject of IPCP is ipcp-failed', () => {
  const fatal = withPeer()
  fatal.link.open().run(10)
  fatal.peer.send(LCP, CODE.codeReject, 1, Uint8Array.of(1, 1, 0, 4))
  fatal.flush()
  fatal.link.run(20_000)
  assert.equal(ending(fatal.end), 'lcp-timeout 10')
  assert.match(down(fatal.end)!.failure.detail, /^LCP: the peer does not know code 1 \(Code-Reject\)/)

  const harmless = withPeer(givesAddress)
  harmless.link.open().run(1000)
  harmless.peer.send(LCP, CODE.codeReject, 1, Uint8Array.of(9, 1, 0, 8))
  harmless.flush()
  harmless.link.run(100_000)
  assert.ok(isRunning(harmless.end))
  assert.ok(!packetsSent(harmless.end).some((text) => text.includes('EchoReq')), 'echoes stop')

  const noIpcp = withPeer((packet, peer) => {
    if (packet.protocol === IPCP)
      peer.send(LCP, CODE.protocolReject, 4, Uint8Array.of(0x80, 0x21, packet.code, packet.id, 0, 4))
  })
  noIpcp.link.open().run(20_000)
  assert.equal(ending(noIpcp.end), 'ipcp-failed 10')
  assert.match(
    down(noIpcp.end)!.failure.detail,
    /^IPCP: the peer does not speak IPCP \(Protocol-Reject\); last received \[LCP ProtRej/,
  )
})

test('an echo reply carries our magic number; a reply without data and with another magic is taken', () => {
  const { link, peer, end, flush } = withPeer((packet, from) => {
    if (packet.code === CODE.echoRequest) from.send(LCP, CODE.echoReply, packet.id)
    else givesAddress(packet, from)
  })
  link.open().run(100_000)
  assert.ok(isRunning(end))
  const magic = /magic 0x([0-9a-f]+)/.exec(packetsSent(end)[0]!)![1]!
  peer.send(LCP, CODE.echoRequest, 42, Uint8Array.of(1, 2, 3, 4, 5, 6))
  flush()
  link.run(100)
  assert.ok(packetsSent(end).includes(`[LCP EchoRep id=0x2a magic=0x${magic} 05 06]`))
  const reply = framesIn(link.a.sent).find(({ protocol, info }) => protocol === LCP && info[0] === CODE.echoReply)
  assert.deepEqual([...reply!.info.subarray(-2)], [5, 6], 'the data is returned')
})

test('a Terminate-Request left over from the call before does not end the new one', () => {
  const { link, peer, end, flush } = withPeer(givesAddress)
  link.input(link.a, { type: 'open' })
  peer.send(LCP, CODE.terminateRequest, 9)
  flush()
  link.run(10)
  peer.onOpen()
  flush()
  link.run(5000)
  assert.ok(packetsSent(end).includes('[LCP TermAck id=0x9]'))
  assert.ok(isRunning(end))
})
