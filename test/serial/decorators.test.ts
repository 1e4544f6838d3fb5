import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concat, fromLatin1, latin1 } from '../../src/base/bytes.ts'
import { type Faults, FaultyWire } from '../../src/serial/faults.ts'
import { recordLine, TappedWire } from '../../src/serial/tap.ts'
import type { Wire } from '../../src/serial/wire.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { virtualWires } from '../support/virtual-wire.ts'

function hear(wire: Wire) {
  const heard = { pieces: [] as Uint8Array[], closed: undefined as string | undefined }
  wire.listen({
    data: (bytes) => heard.pieces.push(bytes),
    drain() {},
    closed: (reason) => {
      heard.closed = reason
    },
  })
  return heard
}

const MESSAGE = latin1(Array.from({ length: 40 }, (_, index) => `line ${index}\r\n`).join(''))

async function through(seed: number, faults: Faults) {
  const clock = new VirtualClock()
  const [near, far] = virtualWires(clock)
  const heard = hear(new FaultyWire(near, { clock, random: new SeededRandom(seed), faults: () => faults }))
  for (let at = 0; at < MESSAGE.length; at += 50) far.write(MESSAGE.subarray(at, at + 50))
  await clock.advance(0)
  await far.close()
  await clock.advance(60_000)
  assert.equal(clock.pending, 0)
  assert.equal(heard.closed, 'hung up', 'the end comes, and last')
  return { text: fromLatin1(concat(heard.pieces)), pieces: heard.pieces.length }
}

test('a tap shows both directions, redacted, and changes nothing', async () => {
  const clock = new VirtualClock()
  const [near, far] = virtualWires(clock)
  const lines: string[] = []
  const tap = new TappedWire(near, {
    clock,
    redact: (direction, bytes) => (direction === 'sent' ? latin1(fromLatin1(bytes).replace(/"\d+"/, '"****"')) : bytes),
    onRecord: (record) => lines.push(`${record.atUs - 1_700_000_000_000_000n} ${recordLine(record)}`),
  })
  const atTap = hear(tap)
  const atFar = hear(far)
  tap.write(latin1('AT+CPIN="1234"\r'))
  await clock.advance(5)
  far.write(latin1('\r\nOK\r\n'))
  await clock.advance(5)
  await tap.close()
  tap.write(latin1('not sent'))
  assert.deepEqual(lines, ['0 > AT+CPIN="****"\\x0d', '5000 < \\x0d\\x0aOK\\x0d\\x0a'])
  assert.equal(fromLatin1(concat(atFar.pieces)), 'AT+CPIN="1234"\r')
  assert.equal(fromLatin1(concat(atTap.pieces)), '\r\nOK\r\n')
  assert.equal(atTap.closed, 'closed')
})

test('no faults: nothing is changed', async () => {
  assert.equal((await through(1, {})).text, fromLatin1(MESSAGE))
})

test('split and late keep every byte in order', async () => {
  const { text, pieces } = await through(7, { split: 0.3, lateMs: 500 })
  assert.equal(text, fromLatin1(MESSAGE))
  assert.ok(pieces > 60, `${pieces} pieces`)
})

test('garbage is added, dropped bytes are gone, bits are turned, each in its measure', async () => {
  const garbage = await through(3, { garbage: 1 })
  assert.ok(garbage.text.length > MESSAGE.length + 7 && garbage.text.length <= MESSAGE.length + 8 * 16)
  const dropped = await through(3, { dropped: 0.1 })
  assert.ok(dropped.text.length > MESSAGE.length * 0.8 && dropped.text.length < MESSAGE.length * 0.97)
  const flipped = await through(3, { bitErrors: 0.01 })
  assert.equal(flipped.text.length, MESSAGE.length)
  const changed = [...flipped.text].filter((char, index) => char.charCodeAt(0) !== MESSAGE[index]).length
  assert.ok(changed > 10 && changed < 70, `${changed} bytes changed`)
})

test('the same seed does the same, another does another', async () => {
  const all = { garbage: 0.5, split: 0.2, lateMs: 30, dropped: 0.05, bitErrors: 0.002 }
  assert.deepEqual(await through(11, all), await through(11, all))
  assert.notDeepEqual(await through(11, all), await through(12, all))
})

test('what is under way while nobody listens waits', async () => {
  const clock = new VirtualClock()
  const [near, far] = virtualWires(clock)
  const faulty = new FaultyWire(near, { clock, random: new SeededRandom(5), faults: () => ({ split: 1, lateMs: 100 }) })
  hear(faulty)
  far.write(latin1('abcdef'))
  await clock.step()
  faulty.listen(undefined)
  await clock.advance(1000)
  const heard = hear(faulty)
  await clock.advance(1000)
  assert.equal(fromLatin1(concat(heard.pieces)), 'abcdef')
})
