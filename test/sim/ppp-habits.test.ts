/** The habits of GSM modems, frame by frame. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HdlcDecoder } from '../../src/ppp/wire/hdlc-decoder.ts'
import { HdlcEncoder } from '../../src/ppp/wire/hdlc-encoder.ts'
import { IPCP, IPV4, LCP, PAP } from '../../src/ppp/wire/protocols.ts'
import { type Habits, PppHabits } from '../../src/sim/ppp-habits.ts'

const PLAIN: Habits = {
  echoReplies: () => 'full',
  dnsPlaceholders: { servers: [], naks: 0 },
  naksLcpForever: false,
  hasNoAddress: false,
  namesItsAddress: true,
  papAckMessage: true,
}

/** Frames as `PROTOCOL: octets` in hexadecimal. */
function framesOf(parts: readonly Uint8Array[]): string[] {
  const frames: string[] = []
  const decoder = new HdlcDecoder(2000, {
    frame: (protocol, info) => frames.push(`${protocol.toString(16)}: ${Buffer.from(info).toString('hex')}`),
    junk() {},
  })
  for (const part of parts) decoder.push(part)
  return frames
}

class HabitsBench {
  readonly answered: Uint8Array[] = []
  readonly passed: Uint8Array[] = []
  readonly #habits: PppHabits
  readonly #encoder = new HdlcEncoder()

  constructor(habits: Partial<Habits>) {
    this.#habits = new PppHabits({ ...PLAIN, ...habits }, (bytes) => this.answered.push(bytes))
  }

  /** Cut in two, as a line may. */
  send(protocol: number, hex: string): void {
    const frame = this.#encoder.encode(protocol, Buffer.from(hex, 'hex'))
    for (const part of [frame.subarray(0, 5), frame.subarray(5)]) this.passed.push(...this.#habits.fromHost(part))
  }

  /** The operator's frames, as they come to the host. */
  sayToHost(protocol: number, hex: string): string[] {
    return framesOf(this.#habits.toHost(this.#encoder.encode(protocol, Buffer.from(hex, 'hex'))))
  }

  get frames(): { answered: string[]; passed: string[] } {
    return { answered: framesOf(this.answered), passed: framesOf(this.passed) }
  }
}

const REQUEST_WITH_DNS = '01050016030600000000810600000000830600000000'

test('name servers are naked with placeholders for so many requests, then asked of the operator', () => {
  const bench = new HabitsBench({ dnsPlaceholders: { servers: [0x0a0b0c0d, 0x0a0b0c0e], naks: 2 } })
  for (let round = 0; round < 3; round++) bench.send(IPCP, REQUEST_WITH_DNS)
  const nak = '8021: 0305001081060a0b0c0d83060a0b0c0e'
  assert.deepEqual(bench.frames, { answered: [nak, nak], passed: [`8021: ${REQUEST_WITH_DNS}`] })
})

test('a request without name servers is none of its business', () => {
  const bench = new HabitsBench({ dnsPlaceholders: { servers: [1, 2], naks: 2 } })
  bench.send(IPCP, '0105000a030600000000')
  assert.deepEqual(bench.frames, { answered: [], passed: ['8021: 0105000a030600000000'] })
})

test('echo requests are swallowed, everything else goes on', () => {
  const bench = new HabitsBench({ echoReplies: () => 'none' })
  bench.send(LCP, '0901000800000000')
  bench.send(LCP, '0a01000800000000')
  bench.send(IPV4, '45007e7d1103')
  assert.deepEqual(bench.frames, { answered: [], passed: ['c021: 0a01000800000000', '21: 45007e7d1103'] })
})

test('lcp-nak-forever wants another MRU each time', () => {
  const bench = new HabitsBench({ naksLcpForever: true })
  for (let round = 0; round < 3; round++) bench.send(LCP, '01070004')
  assert.deepEqual(bench.frames, {
    answered: ['c021: 03070008010405d3', 'c021: 03070008010405d4', 'c021: 03070008010405d3'],
    passed: [],
  })
})

test('no address to give: the option is rejected', () => {
  const bench = new HabitsBench({ hasNoAddress: true })
  bench.send(IPCP, REQUEST_WITH_DNS)
  assert.deepEqual(bench.frames, { answered: ['8021: 0405000a030600000000'], passed: [] })
})

test('malformed requests are left to the session', () => {
  const bench = new HabitsBench({ hasNoAddress: true, naksLcpForever: true })
  for (const malformed of ['01', '0105', '010500040300', '01050004030900000000', '0105000c0306000000008109'])
    bench.send(IPCP, malformed)
  assert.equal(bench.frames.passed.length, 5)
  assert.deepEqual(bench.frames.answered, [])
})

test('bare echo replies have no magic number and no data', () => {
  const bench = new HabitsBench({ echoReplies: () => 'bare' })
  assert.deepEqual(bench.sayToHost(LCP, '0a07000c12345678aabbccdd'), ['c021: 0a07000800000000'])
  assert.deepEqual(bench.sayToHost(LCP, '0907000812345678'), ['c021: 0907000812345678'])
})

test('a PAP Ack without a word; a Nak keeps its own', () => {
  const bench = new HabitsBench({ papAckMessage: false })
  assert.deepEqual(bench.sayToHost(PAP, '0201000704486579'.slice(0, 14)), ['c023: 02010004'])
  assert.deepEqual(bench.sayToHost(PAP, '03010007024e6f'), ['c023: 03010007024e6f'])
})

test('an address that is not named is asked for by the session and never by the modem', () => {
  const bench = new HabitsBench({ namesItsAddress: false })
  assert.deepEqual(bench.sayToHost(IPCP, '0109000a03060a400001'), ['8021: 01090004'])
  bench.send(IPCP, '02090004')
  bench.send(IPCP, '02080004')
  assert.deepEqual(bench.frames.passed, ['8021: 0209000a03060a400001', '8021: 02080004'])
})
