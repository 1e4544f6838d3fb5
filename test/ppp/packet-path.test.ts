/** How packets pass `SerialSession` without an event for each, and the memory of frames that nobody keeps. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concat } from '../../src/base/bytes.ts'
import { SerialSession } from '../../src/ppp/serial-session.ts'
import { CLIENT_DEFAULTS, SERVER_DEFAULTS } from '../../src/ppp/settings.ts'
import { HdlcDecoder } from '../../src/ppp/wire/hdlc-decoder.ts'
import { HdlcEncoder } from '../../src/ppp/wire/hdlc-encoder.ts'
import { IPV4, LCP } from '../../src/ppp/wire/protocols.ts'
import { SeededRandom } from '../support/seeded-random.ts'

const CLIENT = { ...CLIENT_DEFAULTS, echoIntervalMs: 0 }
const SERVER = { ...SERVER_DEFAULTS, echoIntervalMs: 0, localAddress: 0x0a404040, remoteAddress: 0x0a400002 }

function packet(length: number, fill: number): Uint8Array {
  const bytes = new Uint8Array(length).fill(fill)
  bytes[0] = 0x45
  return bytes
}

/** What it has to send, and its events by name. */
function drain(session: SerialSession, events: string[]): Uint8Array {
  const sent: Uint8Array[] = []
  for (let output = session.poll(); output; output = session.poll()) {
    if (output.type === 'send') sent.push(output.bytes.slice())
    else events.push(output.event.type)
  }
  return concat(sent)
}

test('packets come at once, but never before an event that has to be heard first', () => {
  const heard: string[] = []
  const client = new SerialSession(CLIENT, new SeededRandom(1), undefined, (bytes) =>
    heard.push(`packet ${bytes.length}`),
  )
  const server = new SerialSession(SERVER, new SeededRandom(2))
  client.handle({ type: 'open' }, 0)
  server.handle({ type: 'open' }, 0)
  const ignored: string[] = []
  let last: Uint8Array = new Uint8Array()
  for (let round = 0; round < 20; round++) {
    const bytes = drain(client, ignored)
    if (bytes.length > 0) server.handle({ type: 'data', bytes }, 0)
    const answer = drain(server, ignored)
    if (answer.length === 0) break
    // The acknowledgement that opens the client's IPCP, with two packets right behind it.
    if (server.sendPacket(packet(40, 1), 0) && server.sendPacket(packet(41, 2), 0)) {
      last = concat([answer, drain(server, ignored)])
      break
    }
    client.handle({ type: 'data', bytes: answer }, 0)
  }
  client.handle({ type: 'data', bytes: last }, 0)
  assert.deepEqual(heard, [], 'not before `up` was polled')
  const events: string[] = []
  drain(client, events)
  assert.deepEqual(events.slice(-3), ['up', 'packet', 'packet'])
  server.sendPacket(packet(60, 3), 0)
  client.handle({ type: 'data', bytes: drain(server, ignored) }, 0)
  assert.deepEqual([heard, drain(client, events).length], [['packet 60'], 0])
  assert.equal(client.counters.rxPackets, 3)
})

test('frames that follow each other go out in one piece, in the order of what was said', () => {
  const server = new SerialSession(SERVER, new SeededRandom(2))
  const client = new SerialSession(CLIENT, new SeededRandom(1))
  client.handle({ type: 'open' }, 0)
  server.handle({ type: 'open' }, 0)
  for (let round = 0; round < 20; round++) {
    server.handle({ type: 'data', bytes: drain(client, []) }, 0)
    client.handle({ type: 'data', bytes: drain(server, []) }, 0)
  }
  for (let index = 0; index < 5; index++) assert.ok(client.sendPacket(packet(100, index), 0))
  client.terminate({ cause: 'user-request', detail: '' }, 0)
  const kinds: string[] = []
  for (let output = client.poll(); output; output = client.poll()) kinds.push(output.type)
  assert.deepEqual(kinds, ['send', 'event', 'send'])
})

test('the memory of a frame is written again only when it is done with', () => {
  const kept: Uint8Array[] = []
  const places = new Set<number>()
  let isDone = false
  const decoder = new HdlcDecoder(1600, {
    frame: (protocol, info) => {
      isDone = protocol === IPV4
      if (isDone) places.add(info.byteOffset)
      else kept.push(info)
      assert.ok(info.subarray(1).every((octet) => octet === info[1]))
    },
    isFrameDone: () => isDone,
    junk: () => assert.fail('junk'),
  })
  decoder.accm = 0
  const encoder = new HdlcEncoder()
  encoder.framing = { accm: 0, pfc: true, acfc: true }
  const random = new SeededRandom(3)
  for (let round = 0; round < 200; round++) {
    decoder.push(encoder.encode(LCP, packet(20, round)))
    // Cut in two, in bytes that come from elsewhere each time.
    for (let index = 0; index < 5; index++) {
      const frame = encoder.encode(IPV4, packet(20 + (random.bytes(1)[0]! % 200), random.bytes(1)[0]!)).slice()
      const cut = random.bytes(1)[0]! % frame.length
      decoder.push(frame.subarray(0, cut))
      decoder.push(frame.slice(cut))
    }
  }
  assert.equal(decoder.counters.frames, 1200)
  assert.deepEqual(
    kept.map((info) => info[1]),
    Array.from({ length: 200 }, (_, round) => round),
  )
  assert.ok(places.size <= 200, `${places.size} places for 1000 packets`)
})
