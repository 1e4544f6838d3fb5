/** Our two ends on a bad line: loss, bit errors, loops, cuts, and a peer that begins anew. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PppSettings } from '../../src/ppp/settings.ts'
import { CODE } from '../../src/ppp/wire/packets.ts'
import { printPacket } from '../../src/ppp/wire/printing.ts'
import { LCP } from '../../src/ppp/wire/protocols.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { ending, eventsOf, framesIn, ipv4Packet, isRunning, type PppCable, packetsSent, pair, phases } from './ends.ts'

function chance(seed: number): () => number {
  const random = new SeededRandom(seed)
  return () => {
    const [a = 0, b = 0] = random.bytes(2)
    return (a * 256 + b) / 65_536
  }
}

function assertPasses(link: PppCable, context: string): void {
  for (const [from, to] of [
    [link.a, link.b],
    [link.b, link.a],
  ] as const) {
    const before = eventsOf(to, 'packet').length
    assert.ok(from.machine.sendPacket(ipv4Packet(100), link.nowMs), context)
    link.drain(from)
    link.run(20)
    assert.equal(eventsOf(to, 'packet').length, before + 1, context)
  }
}

for (const auth of [[], ['pap'], ['chap']] as PppSettings['requiresAuth'][]) {
  test(`a third of the frames is lost on the way up (${auth[0] ?? 'no authentication'}): it comes up all the same, whatever the seed`, () => {
    let up = 0
    for (let seed = 1; seed <= 40; seed++) {
      const next = chance(seed)
      const link = pair({}, { requiresAuth: auth }, seed)
      link.damage = (bytes) => (next() < 0.33 ? [] : [bytes])
      link.open()
      for (let tries = 0; tries < 200 && !(isRunning(link.a) && isRunning(link.b)); tries++) link.run(500)
      assert.ok(link.lastMs < 120_000)
      if (!isRunning(link.a) || !isRunning(link.b)) {
        assert.notEqual(`${ending(link.a)} ${ending(link.b)}`, 'none none', `seed ${seed} hangs`)
        continue
      }
      link.damage = (bytes) => [bytes]
      assertPasses(link, `seed ${seed}`)
      up++
    }
    assert.ok(up >= 36, `${up} of 40 came up`)
  })
}

test('a bit error in a third of the frames: survived and counted', () => {
  let up = 0
  for (let seed = 1; seed <= 20; seed++) {
    const next = chance(seed)
    const link = pair({}, { requiresAuth: ['chap'] }, seed)
    link.damage = (bytes) => {
      if (next() < 0.33) bytes[Math.floor(next() * bytes.length)]! ^= 1 << Math.floor(next() * 8)
      return [bytes]
    }
    link.open()
    for (let tries = 0; tries < 200 && !(isRunning(link.a) && isRunning(link.b)); tries++) link.run(500)
    assert.ok(link.a.machine.counters.damaged > 0)
    if (!isRunning(link.a) || !isRunning(link.b)) {
      assert.notEqual(`${ending(link.a)} ${ending(link.b)}`, 'none none', `seed ${seed} hangs`)
      continue
    }
    link.damage = (bytes) => [bytes]
    link.run(100)
    assertPasses(link, `seed ${seed}`)
    up++
  }
  assert.ok(up >= 18, `${up} of 20 came up`)
})

test('every stream replayed cut at every byte gives the same events', () => {
  const whole = pair({}, { requiresAuth: ['chap'] })
    .open()
    .run(1000)
  const wanted = JSON.stringify(whole.a.events)
  const longest = Math.max(...whole.b.sent.map((piece) => piece.length))
  for (let cut = 1; cut < longest; cut++) {
    const link = pair({}, { requiresAuth: ['chap'] })
    link.damage = (bytes) => [bytes.subarray(0, cut), bytes.subarray(cut)]
    link.open().run(1000)
    assert.equal(JSON.stringify(link.a.events), wanted, `cut at ${cut}`)
  }
})

test('a looped line is told as such, and quickly', () => {
  const link = pair()
  loopBack(link)
  link.input(link.a, { type: 'open' })
  runLooped(link, 100)
  assert.equal(ending(link.a), 'loopback 17')
  const { detail } = eventsOf(link.a, 'down')[0]!.failure
  assert.match(detail, /^LCP: our own magic number came back in 5 Configure-Requests; last received \[LCP ConfReq/)
  assert.ok(link.a.sent.length < 20)
  assert.ok(!packetsSent(link.a).some((text) => text.includes('ConfRej')), 'the magic number is never rejected')
})

test('a line that becomes looped while the link is up ends it', () => {
  const link = pair().open().run(15_000)
  assert.ok(isRunning(link.a))
  loopBack(link)
  runLooped(link, 100_000)
  assert.equal(ending(link.a), 'loopback 17')
})

/** From now on `a` hears itself. */
function loopBack(link: PppCable): void {
  const looped: Uint8Array[] = []
  link.damage = (bytes, from) => {
    if (from === 'a') looped.push(bytes)
    return []
  }
  loops.set(link, looped)
}

const loops = new WeakMap<PppCable, Uint8Array[]>()

function runLooped(link: PppCable, ms: number): void {
  const untilMs = link.nowMs + ms
  const looped = loops.get(link)!
  while (link.nowMs < untilMs) {
    for (let bytes = looped.shift(); bytes; bytes = looped.shift()) link.input(link.a, { type: 'data', bytes })
    link.run(Math.min(50, untilMs - link.nowMs))
  }
}

test('a Configure-Request in Opened: everything anew, with the framing of the beginning', () => {
  const link = pair({}, { requiresAuth: ['chap'] })
    .open()
    .run(1000)
  const restarted = pair({}, { requiresAuth: ['chap'] }, 99).b.machine
  Object.assign(link.b, { machine: restarted })
  const firstRequests = packetsSent(link.a).map((text) => text.replace('0x1', '0x2'))
  link.a.sent.length = 0
  link.input(link.b, { type: 'open' })
  link.run(1000)
  assert.deepEqual(phases(link.a), [
    'establish',
    'authenticate',
    'network',
    'running',
    'establish',
    'authenticate',
    'network',
    'running',
  ])
  assert.equal(eventsOf(link.a, 'up').length, 2)
  assert.equal(ending(link.a), 'none')
  const lcp = link.a.sent.flatMap((piece) => framesIn([piece]).map((frame) => ({ frame, piece })))
  for (const { frame, piece } of lcp) {
    if (frame.protocol !== LCP || frame.info[0]! > CODE.codeReject) continue
    assert.deepEqual([...piece.subarray(0, 5)], [0x7e, 0xff, 0x7d, 0x23, 0xc0], 'default framing')
  }
  const requests = packetsSent(link.a).filter((text) => text.startsWith('[LCP ConfReq'))
  assert.equal(requests.length, 1)
  assert.ok(!firstRequests.includes(requests[0]!), 'a new magic number')
  assert.ok(
    packetsSent(link.a).some((text) => text.includes('<addr 0.0.0.0> <ms-dns1 0.0.0.0>')),
    'IPCP begins anew',
  )
  assertPasses(link, 'after the renegotiation')
})

test('answers that come twice count once', () => {
  const link = pair({}, { requiresAuth: ['pap'] })
  link.damage = (bytes) => (packetsIn(bytes).some((text) => text.includes('ConfReq')) ? [bytes] : [bytes, bytes])
  link.open().run(5000)
  assert.ok(isRunning(link.a) && isRunning(link.b))
  assert.equal(eventsOf(link.a, 'up').length, 1)
  assert.equal(eventsOf(link.b, 'up').length, 1)
})

test('requests that come twice renegotiate, and not for ever', () => {
  const link = pair()
  link.damage = (bytes) => [bytes, bytes]
  link.open().run(60_000)
  assert.match(`${ending(link.a)} ${ending(link.b)}`, /(lcp-timeout|ipcp-failed) 10/)
  assert.ok(link.a.sent.length < 200)
})

function packetsIn(bytes: Uint8Array): string[] {
  return framesIn([bytes]).map(({ protocol, info }) => printPacket(protocol, info))
}
