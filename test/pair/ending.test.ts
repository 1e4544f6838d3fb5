/** Our two ends back to back: every way in which a link ends, and its cause. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concat, fromLatin1, latin1 } from '../../src/base/bytes.ts'
import type { Failure } from '../../src/base/cause.ts'
import { HdlcEncoder } from '../../src/ppp/wire/hdlc-encoder.ts'
import { IPV4 } from '../../src/ppp/wire/protocols.ts'
import { down, ending, eventsOf, ipv4Packet, isRunning, type PppCable, packetsSent, pair, phases } from './ends.ts'

const USER_REQUEST: Failure = { cause: 'user-request', detail: 'mmctl disconnect' }

function terminate(link: PppCable, end: 'a' | 'b', failure = USER_REQUEST): void {
  link[end].machine.terminate(failure, link.nowMs)
  link.drain(link[end])
}

for (const [who, other] of [
  ['a', 'b'],
  ['b', 'a'],
] as const) {
  test(`terminate from ${who}: Terminate-Request, Ack, both down`, () => {
    const link = pair().open().run(1000)
    terminate(link, who)
    const startedAtMs = link.nowMs
    assert.deepEqual(phases(link[who]).at(-1), 'terminate')
    link.run(10_000)
    assert.equal(ending(link[who]), 'user-request 5')
    assert.equal(down(link[who])!.failure, USER_REQUEST)
    assert.equal(ending(link[other]), 'hung-up 16')
    assert.match(
      down(link[other])!.failure.detail,
      /^the peer sent Terminate-Request "user request" \(running\); last received \[LCP TermReq id=0x/,
    )
    assert.deepEqual(phases(link[other]).slice(-2), ['terminate', 'dead'])
    assert.ok(link.lastMs - startedAtMs < 500, 'no restart period is waited for')
    assert.equal(link[who].events.at(-1)!.type, 'down')
    assert.equal(link[who].machine.deadline(), undefined)
  })
}

test('the interface goes down at the Terminate-Request, not at the end of the session', () => {
  const link = pair().open().run(1000)
  terminate(link, 'b')
  link.run(6)
  assert.equal(phases(link.a).at(-1), 'terminate')
  assert.equal(down(link.a), undefined)
  assert.equal(link.a.machine.sendPacket(ipv4Packet(40), link.nowMs), false)
})

test('terminate is idempotent and the first failure counts', () => {
  const link = pair().open().run(1000)
  link.damage = () => []
  const startedAtMs = link.nowMs
  terminate(link, 'a')
  terminate(link, 'a', { cause: 'internal', detail: 'later' })
  link.run(60_000)
  assert.equal(ending(link.a), 'user-request 5')
  assert.equal(eventsOf(link.a, 'down').length, 1)
  const requests = packetsSent(link.a).filter((text) => text.includes('TermReq'))
  assert.equal(requests.length, 2, 'Max-Terminate')
  assert.equal(new Set(requests).size, 1)
  assert.ok(link.lastMs - startedAtMs >= 6000)
  assert.ok(eventsOf(link.a, 'down').length === 1)
})

test('terminate before anybody answered is over at once', () => {
  const link = pair()
  link.damage = () => []
  link.input(link.a, { type: 'open' })
  terminate(link, 'a')
  assert.equal(ending(link.a), 'user-request 5')
})

test('terminate before open is over at once', () => {
  const link = pair()
  terminate(link, 'a')
  assert.equal(ending(link.a), 'user-request 5')
  link.open().run(1000)
  assert.equal(link.a.sent.length, 0)
})

test('both ends terminate at the same time', () => {
  const link = pair().open().run(1000)
  terminate(link, 'a')
  terminate(link, 'b', { cause: 'idle', detail: 'nothing to do' })
  link.run(10_000)
  assert.equal(ending(link.a), 'user-request 5')
  assert.equal(ending(link.b), 'idle 12')
})

test('the line closes: down at once, with what was heard last, and nothing is sent after it', () => {
  const link = pair().open().run(1000)
  const sentBefore = link.a.sent.length
  link.input(link.a, { type: 'close', reason: 'input/output error' })
  assert.equal(ending(link.a), 'hung-up 16')
  assert.match(down(link.a)!.failure.detail, /^the line closed: input\/output error; last received \[IPCP Conf/)
  assert.deepEqual(phases(link.a).slice(-2), ['running', 'dead'])
  link.input(link.a, { type: 'data', bytes: link.b.sent[0]! })
  link.input(link.a, { type: 'timeout' })
  assert.equal(link.a.sent.length, sentBefore)
  assert.equal(link.a.machine.deadline(), undefined)
  assert.equal(link.a.events.at(-1)!.type, 'down')
})

test('the line closes while we terminate: the reason to terminate stays', () => {
  const link = pair().open().run(1000)
  link.damage = () => []
  terminate(link, 'a')
  link.input(link.a, { type: 'close', reason: 'hung up' })
  assert.equal(ending(link.a), 'user-request 5')
})

test('dead echo: the link ends after echoFailure replies are missing', () => {
  const link = pair().open().run(25_000)
  assert.ok(isRunning(link.a))
  const diedAtMs = link.nowMs
  link.damage = () => []
  link.run(60_000)
  assert.equal(ending(link.a), 'echo-lost 15')
  assert.match(down(link.a)!.failure.detail, /^no reply to 3 LCP Echo-Requests, 10 s apart; last received \[LCP Echo/)
  assert.ok(link.lastMs - diedAtMs <= 41_000)
})

test('a peer that never answers an echo is not held against it', () => {
  const link = pair({}, { echoIntervalMs: 0 })
  link.damage = (bytes, from) => (from === 'a' && fromLatin1(bytes).includes('\xc0!\t') ? [] : [bytes])
  link.open().run(600_000)
  assert.ok(isRunning(link.a))
  assert.ok(packetsSent(link.a).filter((text) => text.includes('EchoReq')).length > 50)
})

test('echoes may be switched off', () => {
  const link = pair({ echoIntervalMs: 0 }, { echoIntervalMs: 0 }).open().run(600_000)
  assert.ok(isRunning(link.a))
  assert.equal(link.a.machine.deadline(), undefined, 'nothing is due on an idle link')
})

for (const text of ['\r\nNO CARRIER\r\n', 'NO CARRIER\r', '\r\n+CGREG: 0\r\n\r\nNO CARRIER\r\n\r\nOK\r\n']) {
  test(`${JSON.stringify(text)} between frames is a hang-up, cut anywhere`, () => {
    for (let cut = 0; cut <= text.length; cut++) {
      const link = pair().open().run(1000)
      link.input(link.a, { type: 'data', bytes: latin1(text.slice(0, cut)) })
      link.input(link.a, { type: 'data', bytes: latin1(text.slice(cut)) })
      assert.equal(ending(link.a), 'hung-up 16')
      assert.match(down(link.a)!.failure.detail, /^the modem reported NO CARRIER; last received/)
    }
  })
}

test('NO CARRIER before any frame, and closed by a flag', () => {
  for (const text of ['CONNECT 115200\r\n\r\nNO CARRIER\r\n', '\r\nNO CARRIER\r\n~']) {
    const link = pair().open()
    link.input(link.a, { type: 'data', bytes: latin1(text) })
    assert.equal(ending(link.a), 'hung-up 16')
  }
})

test('NO CARRIER after a Terminate-Request keeps the first reason', () => {
  const link = pair().open().run(1000)
  terminate(link, 'b')
  link.run(6)
  link.input(link.a, { type: 'data', bytes: latin1('\r\nNO CARRIER\r\n') })
  assert.equal(ending(link.a), 'hung-up 16')
  assert.match(down(link.a)!.failure.detail, /Terminate-Request/)
})

test('NO CARRIER in a payload is payload, wherever the reads are cut', () => {
  const encoder = new HdlcEncoder()
  encoder.framing = { accm: 0, pfc: true, acfc: true }
  const packet = ipv4Packet(60)
  packet.set(latin1('\r\nNO CARRIER\r\n'), 40)
  const frame = encoder.encode(IPV4, packet)
  for (let cut = 0; cut <= frame.length; cut++) {
    const link = pair().open().run(1000)
    link.input(link.a, { type: 'data', bytes: frame.subarray(0, cut) })
    link.run(3000)
    link.input(link.a, { type: 'data', bytes: frame.subarray(cut) })
    link.run(30_000)
    assert.ok(isRunning(link.a), `cut at ${cut}`)
    assert.deepEqual(eventsOf(link.a, 'packet')[0]!.bytes, packet)
  }
})

test('a damaged frame with NO CARRIER in it is only a damaged frame', () => {
  const encoder = new HdlcEncoder()
  encoder.framing = { accm: 0, pfc: true, acfc: true }
  const packet = ipv4Packet(54)
  packet.set(latin1('\r\nNO CARRIER\r\n'), 40)
  const frame = encoder.encode(IPV4, packet).slice()
  frame[20]! ^= 1
  const link = pair().open().run(1000)
  link.input(link.a, { type: 'data', bytes: frame })
  link.run(30_000)
  assert.ok(isRunning(link.a))
  assert.equal(link.a.machine.counters.damaged, 1)
})

test('a frame that ends in NO CARRIER at a flag is a damaged frame too', () => {
  const encoder = new HdlcEncoder()
  encoder.framing = { accm: 0, pfc: true, acfc: true }
  const cutOff = encoder.encode(IPV4, ipv4Packet(500)).subarray(0, 200)
  const link = pair().open().run(1000)
  link.input(link.a, { type: 'data', bytes: concat([cutOff, latin1('\r\nNO CARRIER\r\n~')]) })
  link.run(30_000)
  assert.ok(isRunning(link.a))
})

test('a frame that a hang-up cut off, and then NO CARRIER and silence', () => {
  const encoder = new HdlcEncoder()
  encoder.framing = { accm: 0, pfc: true, acfc: true }
  const cutOff = encoder.encode(IPV4, ipv4Packet(500)).subarray(0, 200)
  const link = pair({ echoIntervalMs: 0 }, { echoIntervalMs: 0 }).open().run(1000)
  link.input(link.a, { type: 'data', bytes: cutOff })
  link.input(link.a, { type: 'data', bytes: latin1('\r\nNO CARRIER\r\n') })
  assert.equal(down(link.a), undefined)
  link.run(60_000)
  assert.equal(ending(link.a), 'hung-up 16')
  assert.match(down(link.a)!.failure.detail, /NO CARRIER inside a frame, and then nothing/)
})
