/** PPP under whatever a line or a hostile peer can bring; fixed seeds. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { concat } from '../../src/base/bytes.ts'
import { SerialSession } from '../../src/ppp/serial-session.ts'
import type { SessionEvent } from '../../src/ppp/session-events.ts'
import { HdlcDecoder } from '../../src/ppp/wire/hdlc-decoder.ts'
import { HdlcEncoder } from '../../src/ppp/wire/hdlc-encoder.ts'
import { parseControl, parseOptions } from '../../src/ppp/wire/packets.ts'
import { printPacket } from '../../src/ppp/wire/printing.ts'
import { CHAP, IPCP, IPV4, LCP, PAP } from '../../src/ppp/wire/protocols.ts'
import { Cable } from '../pair/cable.ts'
import { CLIENT, ending, eventsOf, framesIn, ipv4Packet, isRunning, type PppCable, pair, SERVER } from '../pair/ends.ts'
import { ScriptedPeer } from '../pair/peer.ts'
import { SeededRandom } from '../support/seeded-random.ts'

const SEED = 20_240_501

const octets = (maxLength: number) => fc.uint8Array({ maxLength })
/** Rich in what framing is about. */
const nasty = (maxLength: number) =>
  fc
    .array(
      fc.oneof(fc.constantFrom(0x7e, 0x7d, 0xff, 0x03, 0x11, 0x5e, 0x20, 0x00), fc.integer({ min: 0, max: 255 })),
      { maxLength },
    )
    .map((list) => Uint8Array.from(list))
const protocol = fc.constantFrom(LCP, PAP, CHAP, IPCP, IPV4, 0x8057, 0x80fd, 0xc025, 0x0057, 0x4e4f)
const accm = fc.oneof(fc.constantFrom(0, 0xffffffff, 0x000a0000), fc.integer({ min: 0, max: 0xffffffff }))

interface Frame {
  readonly protocol: number
  readonly info: Uint8Array
}

function decodeAll(pieces: readonly Uint8Array[], receiveAccm: number): Frame[] {
  const frames: Frame[] = []
  const decoder = new HdlcDecoder(2000, {
    frame: (number, info) => frames.push({ protocol: number, info: info.slice() }),
    junk() {},
  })
  decoder.accm = receiveAccm
  for (const piece of pieces) decoder.push(piece)
  return frames
}

function cutUp(stream: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [...new Set(cuts.map((cut) => cut % (stream.length + 1)))].sort((a, b) => a - b)
  return [...places, stream.length].map((place, index, all) => stream.subarray(index === 0 ? 0 : all[index - 1], place))
}

test('what is encoded is decoded, with any ACCM and compression, in any reads', () => {
  const frame = fc.record({ protocol, info: fc.oneof(octets(300), nasty(300)) })
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 6 }),
      accm,
      fc.boolean(),
      fc.boolean(),
      fc.array(fc.nat(), { maxLength: 8 }),
      (frames, map, pfc, acfc, cuts) => {
        const encoder = new HdlcEncoder()
        encoder.framing = { accm: map, pfc, acfc }
        const stream = concat(frames.map((each) => encoder.encode(each.protocol, each.info)))
        const sent = frames.map((each) => ({ protocol: each.protocol, info: each.info }))
        assert.deepEqual(decodeAll(cutUp(stream, cuts), map), sent)
      },
    ),
    { seed: SEED, numRuns: 300 },
  )
})

test('a valid frame after any garbage is accepted, and the garbage throws nothing', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(octets(200), nasty(200)), { maxLength: 5 }), accm, (garbage, map) => {
      const encoder = new HdlcEncoder()
      const good = { protocol: LCP, info: Uint8Array.of(1, 7, 0, 6, 7, 2) }
      const frames = decodeAll([...garbage, encoder.encode(good.protocol, good.info)], map)
      assert.deepEqual(frames.at(-1), good)
    }),
    { seed: SEED, numRuns: 500 },
  )
})

test('parsers and printer take any octets', () => {
  fc.assert(
    fc.property(protocol, octets(60), (number, info) => {
      parseControl(info)
      parseOptions(info)
      assert.ok(!/[\x00-\x1f\x7f]/.test(printPacket(number, info)))
    }),
    { seed: SEED, numRuns: 1000 },
  )
})

for (const settings of [CLIENT, { ...SERVER, requiresAuth: ['chap', 'pap'] as const }]) {
  test(`random octets in any reads do nothing to a ${settings.role}: no exception, no growth, no spin`, () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(octets(400), nasty(400)), { maxLength: 12 }), (reads) => {
        const session = new SerialSession(settings, new SeededRandom(3))
        session.handle({ type: 'open' }, 0)
        let sent = 0
        reads.forEach((bytes, index) => {
          session.handle({ type: 'data', bytes }, index * 10)
          while (session.poll()) sent++
        })
        session.handle({ type: 'timeout' }, 3000)
        while (session.poll()) sent++
        assert.ok(sent < 20)
      }),
      { seed: SEED, numRuns: 300 },
    )
  })
}

/** One octet of one frame after another is changed, and the frame gets a right checksum again. */
test('frames with lies in them, well framed: no exception, an end with a cause or a link that runs', () => {
  const mutation = fc.record({
    at: fc.nat(60),
    value: fc.integer({ min: 0, max: 255 }),
    way: fc.constantFrom('set', 'cut', 'grow'),
  })
  fc.assert(
    fc.property(
      fc.array(fc.option(mutation, { freq: 3 }), { minLength: 5, maxLength: 30 }),
      fc.constantFrom([], ['pap'] as const, ['chap'] as const),
      (mutations, auth) => {
        const link = pair({}, { requiresAuth: auth }, 11)
        const encoder = new HdlcEncoder()
        let index = 0
        link.damage = (bytes) =>
          framesIn([bytes]).map((frame) => encoder.encode(frame.protocol, mutated(frame.info, mutations[index++])))
        link.open()
        for (let tries = 0; tries < 120 && !isOver(link); tries++) link.run(1000)
        assert.ok(isOver(link), 'neither runs nor ends')
      },
    ),
    { seed: SEED, numRuns: 200 },
  )
})

function mutated(
  info: Uint8Array,
  mutation: { at: number; value: number; way: string } | null | undefined,
): Uint8Array {
  if (!mutation || info.length === 0) return info
  const at = mutation.at % info.length
  if (mutation.way === 'cut') return info.subarray(0, at)
  if (mutation.way === 'grow') return concat([info, new Uint8Array(mutation.at).fill(mutation.value)])
  const changed = info.slice()
  changed[at] = mutation.value
  return changed
}

function isOver(link: PppCable): boolean {
  return (isRunning(link.a) && isRunning(link.b)) || (ending(link.a) !== 'none' && ending(link.b) !== 'none')
}

test('frames damaged on the line, and then a clean line: the session negotiates', () => {
  const damage = fc.record({ at: fc.nat(), bit: fc.integer({ min: 0, max: 7 }) })
  fc.assert(
    fc.property(fc.array(fc.option(damage, { freq: 2 }), { minLength: 4, maxLength: 12 }), (damages) => {
      const link = pair({}, { requiresAuth: ['pap'] }, 12)
      let index = 0
      link.damage = (bytes) => {
        const how = damages[index++]
        if (how) bytes[how.at % bytes.length]! ^= 1 << how.bit
        return [bytes]
      }
      link.open()
      for (let tries = 0; tries < 120 && !isOver(link); tries++) link.run(1000)
      assert.ok(isRunning(link.a) && isRunning(link.b), `${ending(link.a)} ${ending(link.b)}`)
      link.a.machine.sendPacket(ipv4Packet(500, 0x7d), link.nowMs)
      link.drain(link.a)
      link.run(100)
      assert.ok(eventsOf(link.b, 'packet').length > 0)
    }),
    { seed: SEED, numRuns: 150 },
  )
})

test('any control packets at any time: no exception, few answers, and the end comes once', () => {
  const packet = fc.record({
    protocol,
    code: fc.integer({ min: 0, max: 14 }),
    id: fc.integer({ min: 0, max: 3 }),
    data: fc.oneof(
      octets(24),
      fc
        .array(fc.tuple(fc.constantFrom(1, 2, 3, 5, 7, 8, 129, 131), octets(6)), { maxLength: 4 })
        .map((list) => Uint8Array.from(list.flatMap(([type, data]) => [type, data.length + 2, ...data]))),
    ),
    waitMs: fc.constantFrom(0, 0, 0, 10, 1000),
  })
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 40 }), fc.boolean(), (packets, isServer) => {
      const peer = new ScriptedPeer()
      const settings = isServer ? { ...SERVER, requiresAuth: ['chap'] as const } : CLIENT
      const link = new Cable<SessionEvent>(new SerialSession(settings, new SeededRandom(4)), peer)
      peer.onPacket = (heard) => {
        if (heard.code === 1) peer.ack(heard)
      }
      link.open()
      for (const each of packets) {
        peer.send(each.protocol, each.code, each.id, each.data)
        link.drain(link.b)
        link.run(each.waitMs)
      }
      link.run(300_000)
      assert.ok(link.a.sent.length < 400, `${link.a.sent.length} pieces sent`)
      const ends = link.a.events.filter((event) => event.type === 'down')
      assert.ok(ends.length <= 1)
      if (ends.length === 1) assert.equal(link.a.events.at(-1), ends[0])
    }),
    { seed: SEED, numRuns: 300 },
  )
})
