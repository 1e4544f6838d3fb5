/** Peers that lie, flood, or ask for what nobody has: refused by the RFC's words, counted, bounded, survived. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { latin1 } from '../../src/base/bytes.ts'
import type { Carrier } from '../../src/ppp/control/carrier.ts'
import { PppSession } from '../../src/ppp/session.ts'
import type { SessionEvent } from '../../src/ppp/session-events.ts'
import { HdlcEncoder } from '../../src/ppp/wire/hdlc-encoder.ts'
import { CODE, controlBytes, parseControl, parseOptions, u32Option } from '../../src/ppp/wire/packets.ts'
import { printPacket } from '../../src/ppp/wire/printing.ts'
import { CCP, CHAP, EAP, ECP, IPCP, IPV4, IPV6CP, LCP, PAP } from '../../src/ppp/wire/protocols.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { CLIENT, down, ending, eventsOf, ipv4Packet, isRunning, packetsSent, phases } from './ends.ts'
import { givesAddress, withPeer } from './scripted.ts'

/** A link that runs, what was sent until then forgotten. */
function running(settings = {}, lcpOptions: Parameters<typeof withPeer>[2] = []) {
  const rig = withPeer(givesAddress, settings, lcpOptions)
  rig.link.open().run(1000)
  assert.ok(isRunning(rig.end), ending(rig.end))
  rig.end.sent.length = 0
  const heard = () => {
    rig.flush()
    rig.link.run(10)
    const packets = packetsSent(rig.end)
    rig.end.sent.length = 0
    return packets
  }
  return { ...rig, heard }
}

test('every LCP option but the five of ours is rejected, unmodified and in order: RFC 1570, multilink, vendors', () => {
  const { link, peer, end, flush } = withPeer()
  link.input(link.a, { type: 'open' })
  const known = new Set([1, 2, 3, 5, 7, 8])
  const types = Array.from({ length: 256 }, (_, type) => type).filter((type) => !known.has(type))
  const data = types.flatMap((type) => [type, 2 + (type % 4), ...new Array(type % 4).fill(type)])
  peer.send(LCP, CODE.configureRequest, 1, Uint8Array.from(data))
  peer.onPacket = (packet) => {
    if (packet.code === CODE.configureReject) assert.deepEqual([...packet.data], data)
  }
  flush()
  link.run(10)
  assert.equal(peer.heard.filter(({ code }) => code === CODE.configureReject).length, 1)
  assert.equal(phases(end).at(-1), 'establish')
})

test('every IPCP and IPV6CP option but the address and name servers is rejected', () => {
  for (const [protocol, known] of [
    [IPCP, new Set([3])],
    [IPV6CP, new Set([1])],
  ] as const) {
    const { peer, heard } = running({ ipv6: true })
    const types = Array.from({ length: 256 }, (_, type) => type).filter((type) => !known.has(type))
    peer.heard.length = 0
    peer.send(protocol, CODE.configureRequest, 1, Uint8Array.from(types.flatMap((type) => [type, 3, 1])))
    const [answer] = heard().filter((text) => text.includes('ConfRej'))
    assert.ok(answer)
    const rejected = peer.heard.find(({ code }) => code === CODE.configureReject)!.options.map(({ type }) => type)
    assert.deepEqual(rejected, types)
  }
})

test('compression, encryption, quality reports, bundles, bridging, their data too: Protocol-Reject, at a bounded rate', () => {
  for (const protocol of [
    CCP,
    0xfd,
    0x80fb,
    0xfb,
    ECP,
    0x53,
    0x8055,
    0x55,
    0x2d,
    0x2f,
    0x3d,
    0xc025,
    0x8031,
    0x31,
    0x8029,
    0x29,
    0xcf,
  ]) {
    const { link, peer, heard, session, end } = running()
    peer.sendInfo(protocol, Uint8Array.of(1, 7, 0, 8, 26, 4, 0x78, 0))
    const name = [protocol >>> 8, protocol & 0xff].map((octet) => octet.toString(16).padStart(2, '0')).join(' ')
    assert.match(heard().join(), new RegExp(`^\\[LCP ProtRej id=0x2 ${name} 01 07 00 08 1a 04 78 00\\]$`))
    for (let count = 0; count < 500; count++) peer.sendInfo(protocol, new Uint8Array(200))
    assert.ok(heard().length <= 5)
    assert.ok(session.counters.flood >= 490)
    link.run(60_000)
    assert.ok(isRunning(end), 'and it runs on')
  }
})

test('Identification, Time-Remaining and Discard-Request are ignored, before LCP is opened and after', () => {
  const before = withPeer(givesAddress)
  before.link.input(before.link.a, { type: 'open' })
  for (const code of [CODE.discardRequest, CODE.identification, CODE.timeRemaining])
    before.peer.send(LCP, code, 1, Uint8Array.of(0, 0, 0, 0, ...latin1('MSRASV5.10')))
  before.flush()
  before.link.run(10)
  assert.deepEqual(packetsSent(before.end).length, 1, 'our own request and no more')
  const { peer, heard, end } = running()
  for (const code of [CODE.discardRequest, CODE.identification, CODE.timeRemaining]) {
    peer.send(LCP, code, 1, Uint8Array.of(0, 0, 0, 0, ...latin1('MSRAS-0-BOX')))
    peer.send(LCP, code, 2)
  }
  assert.deepEqual(heard(), [])
  assert.ok(isRunning(end))
})

test('our own magic number in Echo-Requests: no reply, and a loop in the end', () => {
  const { link, peer, end, heard } = running()
  link.run(25_000)
  const echo = peer.heard.find(({ code, protocol }) => protocol === LCP && code === CODE.echoRequest)!
  heard()
  for (let count = 0; count < 4; count++) peer.send(LCP, CODE.echoRequest, count, echo.data)
  assert.deepEqual(heard(), [])
  assert.ok(isRunning(end))
  peer.send(LCP, CODE.echoRequest, 9, echo.data)
  heard()
  assert.equal(ending(end), 'loopback 17')
  assert.match(down(end)!.failure.detail, /our own magic number came back in 5 Echo-Requests/)
})

test('a peer that takes our own magic number as its own gets another one offered, and then the link is called looped', () => {
  const { link, peer, end } = withPeer()
  peer.onOpen = () => {}
  peer.onPacket = (packet) => {
    if (packet.protocol !== LCP || packet.code !== CODE.configureRequest) return
    const magic = packet.options.find(({ type }) => type === 5)!
    peer.ack(packet)
    for (let id = 0; id < 6; id++) peer.sendOptions(LCP, CODE.configureRequest, id, [magic])
  }
  link.open().run(60_000)
  assert.equal(ending(end), 'loopback 17')
  const naks = packetsSent(end).filter((text) => text.includes('ConfNak'))
  assert.equal(naks.length, 4)
  const own = /magic (0x\w+)/.exec(packetsSent(end)[0]!)![1]
  assert.ok(naks.every((text) => !text.includes(`${own}>`)))
})

test('replies and packets that nobody asked for change nothing', () => {
  const { link, peer, end, heard, session } = running()
  const before = session.counters.unexpected
  for (let id = 0; id < 256; id++) {
    peer.send(LCP, CODE.echoReply, id, new Uint8Array(4))
    for (const code of [CODE.configureAck, CODE.configureNak, CODE.configureReject]) {
      peer.sendOptions(LCP, code, id, [u32Option(5, id)])
      peer.sendOptions(IPCP, code, id, [u32Option(3, id)])
    }
    peer.send(PAP, 2, id)
    peer.send(CHAP, 3, id)
    peer.send(EAP, 3, id)
  }
  assert.deepEqual(heard(), [])
  assert.ok(session.counters.unexpected - before >= 1500)
  link.run(60_000)
  assert.ok(isRunning(end))
})

test('a log-in that was not agreed on is not answered, two at once neither', () => {
  const { link, peer, end, flush } = withPeer(() => {}, {}, [{ type: 3, data: Uint8Array.of(0xc0, 0x23) }])
  link.open().run(100)
  assert.equal(phases(end).at(-1), 'authenticate')
  end.sent.length = 0
  peer.send(CHAP, 1, 1, Uint8Array.of(4, 1, 2, 3, 4, ...latin1('x')))
  peer.send(EAP, 1, 1, Uint8Array.of(4, 4, 1, 2, 3, 4))
  peer.send(CHAP, 3, 1)
  peer.send(EAP, 3, 1)
  flush()
  link.run(100)
  assert.ok(!packetsSent(end).some((text) => /CHAP|EAP/.test(text)), packetsSent(end).join())
  assert.equal(phases(end).at(-1), 'authenticate')
})

test('lengths that lie, in every protocol: dropped and counted, nothing answered', () => {
  const { peer, end, heard, session } = running({ ipv6: true })
  let lies = 0
  const before = session.counters.malformed
  for (const protocol of [LCP, IPCP, IPV6CP, PAP, CHAP, EAP]) {
    for (const info of [
      [],
      [1],
      [1, 1],
      [1, 1, 0],
      [1, 1, 0, 3, 0],
      [1, 1, 0, 5],
      [1, 1, 255, 255, 1, 2],
      [9, 1, 0, 0],
    ]) {
      peer.sendInfo(protocol, Uint8Array.from(info))
      lies++
    }
  }
  assert.deepEqual(heard(), [])
  assert.equal(session.counters.malformed - before, lies)
  assert.ok(isRunning(end))
})

test('frames of 64 KiB, good and bad, escaped and open-ended: dropped, and the next frame is taken', () => {
  const { link, peer, end, session } = running()
  const encoder = new HdlcEncoder()
  encoder.framing = { accm: 0, pfc: true, acfc: true }
  const before = session.counters.tooLong
  for (const fill of [0x55, 0x7e, 0x7d, 0x00]) peer.sendRaw(encoder.encode(IPV4, ipv4Packet(65_535, fill)))
  peer.sendRaw(new Uint8Array(65_536).fill(0x55))
  peer.sendRaw(Uint8Array.of(0x7e))
  peer.sendRaw(new Uint8Array(65_536).fill(0x7d))
  peer.sendRaw(Uint8Array.of(0x7e))
  peer.sendInfo(IPV4, ipv4Packet(100))
  link.drain(link.b)
  link.run(10)
  assert.equal(session.counters.tooLong - before, 5)
  assert.equal(session.counters.aborted, 1, 'nothing but escapes')
  assert.equal(eventsOf(end, 'packet').length, 1)
  assert.ok(isRunning(end))
})

/** A carrier without framing, as PPPoE's: frames as long as they like reach the session. */
function bareSession(settings = CLIENT) {
  const sent: { protocol: number; info: Uint8Array }[] = []
  const events: SessionEvent[] = []
  const carrier: Carrier = {
    isAsync: false,
    maxMtuBytes: 1492,
    send: (protocol, info) => sent.push({ protocol, info }),
    reframe() {},
    evidence: () => '',
  }
  const session = new PppSession(settings, new SeededRandom(8), carrier, (event) => events.push(event))
  session.open(0)
  return { session, sent, events }
}

test('a request of 64 KiB gets an answer that fits the peer, the whole of it never', () => {
  const { session, sent } = bareSession()
  sent.length = 0
  const data = new Uint8Array(65_520).fill(2).map((_, index) => (index % 4 === 0 ? 9 : index % 4 === 1 ? 4 : 0))
  session.receive(LCP, controlBytes(CODE.configureRequest, 1, data), 0)
  session.receive(LCP, controlBytes(200, 2, data), 0)
  assert.deepEqual(
    sent.map(({ info }) => [info[0], info.length]),
    [
      [CODE.configureReject, 1500],
      [CODE.codeReject, 1500],
    ],
  )
  assert.ok(parseOptions(parseControl(sent[0]!.info)!.data), 'no option is cut in two')
  session.receive(LCP, controlBytes(CODE.configureRequest, 3, new Uint8Array(65_000)), 0)
  session.receive(LCP, controlBytes(CODE.terminateRequest, 4, new Uint8Array(65_000)), 0)
  assert.ok(sent.slice(2).every(({ info }) => info.length <= 1500))
  assert.ok(printPacket(LCP, controlBytes(CODE.configureRequest, 1, data)).length > 1000)
})

test('PPPoE negotiates neither ACCM nor header compression, and no more than 1492 bytes', () => {
  const { session, sent, events } = bareSession()
  const [request] = sent
  assert.match(printPacket(LCP, request!.info), /^\[LCP ConfReq id=0x1 <mru 1492> <magic 0x[0-9a-f]+>\]$/)
  session.receive(
    LCP,
    controlBytes(CODE.configureRequest, 1, Uint8Array.of(1, 4, 5, 0xd4, 2, 6, 0, 0, 0, 0, 7, 2, 8, 2, 9, 3, 4)),
    1,
  )
  assert.equal(printPacket(LCP, sent.at(-1)!.info), '[LCP ConfRej id=0x1 <asyncmap 0x0> <pcomp> <accomp> < 09 03 04>]')
  session.receive(LCP, controlBytes(CODE.configureRequest, 2, Uint8Array.of(1, 4, 5, 0xdc)), 2)
  session.receive(LCP, Uint8Array.of(2, ...request!.info.subarray(1)), 3)
  const ipcp = () => sent.findLast(({ protocol, info }) => protocol === IPCP && info[0] === CODE.configureRequest)!.info
  session.receive(IPCP, controlBytes(CODE.configureNak, ipcp()[1]!, Uint8Array.of(3, 6, 10, 1, 2, 3)), 4)
  session.receive(
    IPCP,
    controlBytes(CODE.configureReject, ipcp()[1]!, Uint8Array.of(129, 6, 0, 0, 0, 0, 131, 6, 0, 0, 0, 0)),
    5,
  )
  session.receive(IPCP, controlBytes(CODE.configureRequest, 1, new Uint8Array(0)), 6)
  session.receive(IPCP, Uint8Array.of(2, ...ipcp().subarray(1)), 7)
  const up = events.find((event) => event.type === 'up')
  assert.equal(up?.address.mtuBytes, 1492, 'the peer takes 1500, Ethernet does not')
  assert.equal(session.sendPacket(ipv4Packet(1493), 8), false)
  assert.equal(session.sendPacket(ipv4Packet(1492), 8), true)
})

test('an idle time that the carrier knows is what counts', () => {
  let idleMs: number | undefined
  const carrier: Carrier = {
    isAsync: true,
    maxMtuBytes: 1500,
    send: (protocol, info) => sent.push({ protocol, info }),
    reframe() {},
    evidence: () => '',
    idleMs: () => idleMs,
  }
  const sent: { protocol: number; info: Uint8Array }[] = []
  const events: SessionEvent[] = []
  const settings = { ...CLIENT, idleMs: 10_000, localAddress: 0x0a000001, requestDns: false, echoIntervalMs: 0 }
  const session = new PppSession(settings, new SeededRandom(8), carrier, (event) => events.push(event))
  const acks = (protocol: number) => {
    const { info } = sent.findLast((each) => each.protocol === protocol && each.info[0] === CODE.configureRequest)!
    session.receive(protocol, controlBytes(CODE.configureRequest, 1, new Uint8Array(0)), 0)
    session.receive(protocol, Uint8Array.of(2, ...info.subarray(1)), 0)
  }
  session.open(0)
  acks(LCP)
  acks(IPCP)
  assert.equal(session.phase, 'running')
  const passTo = (nowMs: number) => {
    for (let next = session.deadline; next && next.atMs <= nowMs; next = session.deadline) session.timeout(next.atMs)
  }
  passTo(60_000)
  assert.equal(session.phase, 'running', 'not known is not idle')
  idleMs = 4000
  passTo(70_000)
  assert.equal(session.phase, 'running')
  idleMs = 10_000
  passTo(80_000)
  assert.equal(session.phase, 'terminate')
  passTo(100_000)
  assert.deepEqual(
    events.flatMap((event) => (event.type === 'down' ? [event.failure.cause, event.exitCode] : [])),
    ['idle', 12],
  )
})
