import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteWriter, concat, latin1 } from '../../src/base/bytes.ts'
import { formatIpv4 } from '../../src/base/ipv4.ts'
import { SerialSession } from '../../src/ppp/serial-session.ts'
import type { SessionEvent } from '../../src/ppp/session-events.ts'
import type { PppSettings } from '../../src/ppp/settings.ts'
import { CODE, type ConfigOption, u32Option, u32Value } from '../../src/ppp/wire/packets.ts'
import { CHAP, IPCP, IPV4, LCP, PAP } from '../../src/ppp/wire/protocols.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { Cable, type End } from './cable.ts'
import {
  CLIENT,
  down,
  ending,
  eventsOf,
  framesIn,
  ip,
  ipv4Packet,
  isRunning,
  packetsSent,
  phases,
  SERVER,
} from './ends.ts'
import { type Heard, ScriptedPeer } from './peer.ts'

const ADDRESS = 3
const DNS1 = 129
const DNS2 = 131

/** A session with a peer that acknowledges all of LCP, and leaves the rest to `answer`. */
function withPeer(
  answer: (packet: Heard, peer: ScriptedPeer) => void = () => {},
  settings: Partial<PppSettings> = {},
  lcpOptions: ConfigOption[] = [],
) {
  const peer = new ScriptedPeer()
  const session = new SerialSession({ ...CLIENT, ...settings }, new SeededRandom(5))
  const link = new Cable<SessionEvent>(session, peer)
  peer.onOpen = () => peer.sendOptions(LCP, CODE.configureRequest, 1, lcpOptions)
  peer.onPacket = (packet) => {
    if (packet.protocol === LCP && packet.code === CODE.configureRequest) peer.ack(packet)
    else if (packet.protocol === LCP && packet.code === CODE.terminateRequest)
      peer.send(LCP, CODE.terminateAck, packet.id)
    else answer(packet, peer)
  }
  return { link, peer, session, end: link.a, flush: () => link.drain(link.b) }
}

/** Answers IPCP as a modem does once its network is there; its own request names no address. */
function givesAddress(packet: Heard, peer: ScriptedPeer, dns = ['192.0.2.53', '192.0.2.54']): void {
  if (packet.protocol !== IPCP || packet.code !== CODE.configureRequest) return
  if (packet.options.some((option) => u32Value(option) === 0)) {
    const naks = [u32Option(ADDRESS, ip('100.64.3.7')), u32Option(DNS1, ip(dns[0]!)), u32Option(DNS2, ip(dns[1]!))]
    peer.sendOptions(IPCP, CODE.configureNak, packet.id, naks)
    peer.send(IPCP, CODE.configureRequest, 0)
  } else {
    peer.ack(packet)
  }
}

function address(end: End<SessionEvent>) {
  const { local, peer, dns } = eventsOf(end, 'up')[0]!.address
  return { local: formatIpv4(local), peer: formatIpv4(peer), dns: dns.map(formatIpv4) }
}

for (const naks of [10, 30]) {
  test(`${naks} Naks with the placeholders 10.11.12.13 and .14: tolerated, slower and slower, never published`, () => {
    let count = 0
    const { link, end } = withPeer((packet, peer) => {
      if (packet.protocol !== IPCP || packet.code !== CODE.configureRequest) return
      if (++count > naks) return givesAddress(packet, peer)
      const placeholders = [
        u32Option(DNS1, ip('10.11.12.13')),
        u32Option(DNS2, ip('10.11.12.14')),
        u32Option(130, ip('10.11.12.13')),
      ]
      peer.sendOptions(IPCP, CODE.configureNak, packet.id, placeholders)
    })
    link.open().run(60_000)
    assert.ok(isRunning(end), ending(end))
    assert.deepEqual(address(end), { local: '100.64.3.7', peer: '0.0.0.0', dns: ['192.0.2.53', '192.0.2.54'] })
    const requests = packetsSent(end).filter((text) => text.includes('IPCP ConfReq'))
    assert.equal(requests.length, naks + 2)
    assert.ok(!requests.join().includes('10.11.12'))
    assert.equal(
      new Set(requests.map((text) => /id=(\S+)/.exec(text)![1])).size,
      requests.length,
      'each has a new identifier',
    )
  })
}

test('the Naks are spaced half a second to a second apart', () => {
  const times: number[] = []
  const { link } = withPeer((packet, peer) => {
    if (packet.protocol !== IPCP || packet.code !== CODE.configureRequest) return
    times.push(link.nowMs)
    peer.sendOptions(IPCP, CODE.configureNak, packet.id, [u32Option(DNS1, ip('10.11.12.13'))])
  })
  link.open().run(20_000)
  const gaps = times.slice(2).map((time, index) => time - times[index + 1]!)
  assert.ok(gaps.length > 15)
  assert.ok(
    gaps.every((gap) => gap >= 500 && gap <= 1100),
    gaps.join(),
  )
})

test('placeholders for ever: up without name servers', () => {
  const { link, end } = withPeer((packet, peer) => {
    if (packet.protocol !== IPCP || packet.code !== CODE.configureRequest) return
    const naks: ConfigOption[] = []
    for (const { type, data } of packet.options) {
      if (type === ADDRESS && data.every((octet) => octet === 0)) naks.push(u32Option(ADDRESS, ip('100.64.3.7')))
      if (type === DNS1 || type === DNS2) naks.push(u32Option(type, ip('10.11.12.13')))
    }
    if (naks.length > 0) return peer.sendOptions(IPCP, CODE.configureNak, packet.id, naks)
    peer.ack(packet)
    peer.send(IPCP, CODE.configureRequest, 0)
  })
  link.open().run(60_000)
  assert.ok(isRunning(end), ending(end))
  assert.deepEqual(address(end), { local: '100.64.3.7', peer: '0.0.0.0', dns: [] })
})

test('DNS that is rejected, or useless, is dropped singly', () => {
  const { link, end } = withPeer((packet, peer) => {
    if (packet.protocol !== IPCP || packet.code !== CODE.configureRequest) return
    const second = packet.options.find(({ type }) => type === DNS2)
    const first = packet.options.find(({ type }) => type === DNS1)
    if (second) return peer.sendOptions(IPCP, CODE.configureReject, packet.id, [second])
    if (u32Value(packet.options[0]!) === 0) {
      return peer.sendOptions(IPCP, CODE.configureNak, packet.id, [
        u32Option(ADDRESS, ip('100.64.3.7')),
        u32Option(DNS1, ip('127.0.0.1')),
      ])
    }
    assert.equal(first, undefined)
    peer.ack(packet)
    peer.sendOptions(IPCP, CODE.configureRequest, 9, [u32Option(ADDRESS, ip('10.64.64.64'))])
  })
  link.open().run(5000)
  assert.deepEqual(address(end), { local: '100.64.3.7', peer: '10.64.64.64', dns: [] })
})

for (const useless of ['0.0.0.0', '127.0.0.5', '224.0.0.1', '255.255.255.255', '0.1.2.3', '240.0.0.1']) {
  test(`no address: the peer offers only ${useless}`, () => {
    const { link, end } = withPeer((packet, peer) => {
      if (packet.protocol === IPCP && packet.code === CODE.configureRequest)
        peer.sendOptions(IPCP, CODE.configureNak, packet.id, [u32Option(ADDRESS, ip(useless))])
    })
    link.open().run(60_000)
    assert.equal(ending(end), 'no-address 10')
    assert.match(
      down(end)!.failure.detail,
      /^IPCP: the peer offered only .* as our address; last received \[IPCP ConfNak/,
    )
  })
}

test('no address: the option is rejected, or 0.0.0.0 acknowledged', () => {
  for (const code of [CODE.configureReject, CODE.configureAck]) {
    const { link, end } = withPeer((packet, peer) => {
      if (packet.protocol !== IPCP || packet.code !== CODE.configureRequest) return
      peer.sendOptions(IPCP, code, packet.id, code === CODE.configureAck ? packet.options : packet.options.slice(0, 1))
    })
    link.open().run(60_000)
    assert.equal(ending(end), 'no-address 10')
  }
})

test("the peer's address: unusable ones are rejected, VJ and old options too, in order and unmodified", () => {
  const { link, peer, end, flush } = withPeer(givesAddress)
  link.open().run(100)
  const vj = { type: 2, data: Uint8Array.of(0, 0x2d, 15, 1) }
  const old = { type: 1, data: new Uint8Array(8) }
  peer.sendOptions(IPCP, CODE.configureRequest, 77, [vj, u32Option(ADDRESS, ip('127.0.0.1')), old, u32Option(DNS1, 0)])
  flush()
  link.run(100)
  assert.ok(
    packetsSent(end).includes(
      '[IPCP ConfRej id=0x4d <compress VJ 0f 01> <addr 127.0.0.1> < 01 0a 00 00 00 00 00 00 00 00> <ms-dns1 0.0.0.0>]',
    ),
  )
})

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

test('IPCP naks for ever: ipcp-failed', () => {
  let host = 1
  const { link, end } = withPeer((packet, peer) => {
    if (packet.protocol === IPCP && packet.code === CODE.configureRequest)
      peer.sendOptions(IPCP, CODE.configureNak, packet.id, [u32Option(ADDRESS, ip('100.64.0.0') + ++host)])
  })
  link.open().run(60_000)
  assert.equal(ending(end), 'ipcp-failed 10')
  assert.ok(end.sent.length < 80)
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
    packetsSent(link.a).some((text) => text.endsWith('EchoReq id=0x3 magic=0x00000000]')),
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
  peer.sendOptions(LCP, CODE.configureRequest, 1, [smallMru, { type: 13, data: Uint8Array.of(6) }])
  flush()
  for (let id = 2; id <= 8; id++) {
    peer.sendOptions(LCP, CODE.configureRequest, id, [smallMru])
    flush()
  }
  const answers = packetsSent(link.a).filter((text) => !text.includes('ConfReq'))
  assert.equal(answers[0], '[LCP ConfRej id=0x1 < 0d 03 06>]')
  assert.deepEqual(
    answers.slice(1, 6),
    [2, 3, 4, 5, 6].map((id) => `[LCP ConfNak id=0x${id} <mru 128>]`),
  )
  assert.deepEqual(
    answers.slice(6),
    [7, 8].map((id) => `[LCP ConfRej id=0x${id} <mru 10>]`),
  )
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
  const { link, peer, end, flush } = withPeer(() => {}, { ...SERVER, auth: ['chap'] })
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

test('a Success or Ack that was not earned does not count', () => {
  for (const [auth, option] of [
    ['chap', [0xc2, 0x23, 5]],
    ['pap', [0xc0, 0x23]],
  ] as const) {
    const { link, peer, end, flush } = withPeer(
      () => {},
      { auth: [auth], authTimeoutMs: auth === 'pap' ? 31_000 : 30_000 },
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

test('our own challenge is never answered by us', () => {
  const both = { role: 'server', auth: ['chap'], password: 'sesame', user: 'demo', secretOf: () => 'sesame' } as const
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

test('echo codes inside IPCP get a Code-Reject', () => {
  const { link, peer, end, flush } = withPeer(givesAddress)
  link.open().run(1000)
  peer.send(IPCP, CODE.echoRequest, 5, new Uint8Array(4))
  peer.send(IPCP, CODE.protocolReject, 6, new Uint8Array(4))
  flush()
  link.run(100)
  const rejects = packetsSent(end).filter((text) => text.startsWith('[IPCP CodeRej'))
  assert.equal(rejects.length, 2)
  assert.ok(isRunning(end))
})

test('an echo reply carries our magic number; a reply without data and with another magic is taken', () => {
  const { link, peer, end, flush } = withPeer((packet, from) => {
    if (packet.code === CODE.echoRequest) from.send(LCP, CODE.echoReply, packet.id)
    else givesAddress(packet, from)
  })
  link.open().run(100_000)
  assert.ok(isRunning(end))
  const magic = /magic 0x([0-9a-f]+)/.exec(packetsSent(end)[0]!)![1]!.padStart(8, '0')
  peer.send(LCP, CODE.echoRequest, 42, Uint8Array.of(1, 2, 3, 4, 5, 6))
  flush()
  link.run(100)
  assert.ok(packetsSent(end).includes(`[LCP EchoRep id=0x2a magic=0x${magic}]`))
  const reply = framesIn(link.a.sent).find(({ protocol, info }) => protocol === LCP && info[0] === CODE.echoReply)
  assert.deepEqual([...reply!.info.subarray(-2)], [5, 6], 'the data is returned')
})

test('a peer that sends Terminate-Request because we refuse its log-in: auth-refused', () => {
  const { link, peer, end, flush } = withPeer()
  link.input(link.a, { type: 'open' })
  peer.sendOptions(LCP, CODE.configureRequest, 1, [{ type: 3, data: Uint8Array.of(0xc2, 0x27) }])
  flush()
  link.run(10)
  assert.ok(packetsSent(end).includes('[LCP ConfNak id=0x1 <auth chap MD5>]'))
  peer.send(LCP, CODE.terminateRequest, 2, latin1('EAP only'))
  flush()
  link.run(10_000)
  assert.equal(ending(end), 'auth-refused 19')
  assert.match(down(end)!.failure.detail, /asks for a log-in by <auth eap>, .*"EAP only"/)
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

test('a server gives the address and the name servers it has, and takes a peer that names no address', () => {
  const { link, peer, end, flush } = withPeer((packet, from) => {
    if (packet.protocol === IPCP && packet.code === CODE.configureRequest) from.ack(packet)
  }, SERVER)
  link.open().run(50)
  peer.sendOptions(IPCP, CODE.configureRequest, 1, [u32Option(ADDRESS, 0), u32Option(DNS1, 0), u32Option(DNS2, 0)])
  flush()
  link.run(50)
  assert.ok(
    packetsSent(end).includes('[IPCP ConfNak id=0x1 <addr 10.64.0.2> <ms-dns1 10.64.0.53> <ms-dns2 10.64.0.54>]'),
  )
  peer.sendOptions(IPCP, CODE.configureRequest, 2, [])
  peer.sendOptions(IPCP, CODE.configureRequest, 3, [])
  flush()
  link.run(50)
  assert.ok(packetsSent(end).includes('[IPCP ConfNak id=0x2 <addr 10.64.0.2>]'), 'asks once')
  assert.ok(packetsSent(end).includes('[IPCP ConfAck id=0x3]'))
  assert.ok(isRunning(end))
})

test('a server without an address to give rejects 0.0.0.0', () => {
  const { link, peer, end, flush } = withPeer(() => {}, { ...SERVER, remoteAddress: 0, dnsServers: [] })
  link.open().run(50)
  peer.sendOptions(IPCP, CODE.configureRequest, 1, [u32Option(ADDRESS, 0), u32Option(DNS1, 0)])
  flush()
  link.run(50)
  assert.ok(packetsSent(end).includes('[IPCP ConfRej id=0x1 <addr 0.0.0.0> <ms-dns1 0.0.0.0>]'))
})
