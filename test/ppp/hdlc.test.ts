/** Framing against frames of other implementations, and against RFC 1662 octet by octet. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concat, equalBytes, latin1 } from '../../src/base/bytes.ts'
import { GOOD_FCS, INITIAL_FCS, SLICES } from '../../src/ppp/wire/fcs.ts'
import { HdlcDecoder } from '../../src/ppp/wire/hdlc-decoder.ts'
import { HdlcEncoder } from '../../src/ppp/wire/hdlc-encoder.ts'
import { mayEndInNoCarrier, saysNoCarrier } from '../../src/ppp/wire/line-text.ts'
import { IPV4, LCP } from '../../src/ppp/wire/protocols.ts'

const bytes = (hex: string): Uint8Array =>
  Uint8Array.from(hex.trim().split(/\s+/), (octet) => Number.parseInt(octet, 16))

/** The running FCS after `octets`, as RFC 1662 §C.2 has it. */
function updateFcs(fcs: number, octets: Uint8Array): number {
  return octets.reduce((value, octet) => (value >>> 8) ^ SLICES[0][(value ^ octet) & 0xff]!, fcs)
}

class Receiver {
  readonly frames: { protocol: number; info: number[] }[] = []
  readonly junk: number[][] = []
  readonly decoder: HdlcDecoder

  constructor(accm = 0xffffffff, maxFrameBytes = 1600) {
    this.decoder = new HdlcDecoder(maxFrameBytes, {
      frame: (protocol, info) => this.frames.push({ protocol, info: [...info] }),
      junk: (octets) => this.junk.push([...octets]),
    })
    this.decoder.accm = accm
  }
}

function received(stream: Uint8Array, accm?: number): Receiver {
  const receiver = new Receiver(accm)
  receiver.decoder.push(stream)
  return receiver
}

test('the FCS of RFC 1662: check value, and the good value over a frame with its FCS', () => {
  assert.equal(updateFcs(INITIAL_FCS, latin1('123456789')) ^ 0xffff, 0x906e)
  assert.equal(updateFcs(INITIAL_FCS, concat([latin1('123456789'), Uint8Array.of(0x6e, 0x90)])), GOOD_FCS)
})

/** LCP frames of other implementations, seen on their lines: a handheld's, a modem module's and two embedded stacks'. */
const GOLDEN: readonly { readonly name: string; readonly line: string; readonly info: string }[] = [
  {
    name: 'a handheld, ACCM, PFC and ACFC',
    line: `7e ff 7d 23 c0 21 7d 21 7d 21 7d 20 7d 2e 7d 22 7d 26 7d 20 7d 20 7d 20 7d 20 7d 27 7d 22 7d 28 7d 22 70 34 7e`,
    info: '01 01 00 0e 02 06 00 00 00 00 07 02 08 02',
  },
  {
    name: 'MRU, ACCM, PFC, ACFC and PAP',
    line: `7e ff 7d 23 c0 21 7d 21 7d 21 7d 20 7d 36 7d 21 7d 24 7d 25 dc 7d 22 7d 26 7d 20 7d 20 7d 20 7d 20 7d 27 7d 22 7d 28
           7d 22 7d 23 7d 24 c0 23 26 b4 7e`,
    info: '01 01 00 16 01 04 05 dc 02 06 00 00 00 00 07 02 08 02 03 04 c0 23',
  },
  {
    name: 'a GSM module that asks for CHAP',
    line: `7e ff 7d 23 c0 21 7d 21 7d 21 7d 20 7d 39 7d 22 7d 26 7d 20 7d 20 7d 20 7d 20 7d 23 7d 25 c2 23 7d 25 7d 25 7d 26 b9
           7d 21 af 7d 28 7d 27 7d 22 7d 28 7d 22 59 a7 7e`,
    info: '01 01 00 19 02 06 00 00 00 00 03 05 c2 23 05 05 06 b9 01 af 08 07 02 08 02',
  },
]

for (const { name, line, info } of GOLDEN) {
  test(`golden frame: ${name}`, () => {
    assert.deepEqual(received(bytes(line)).frames, [{ protocol: LCP, info: [...bytes(info)] }])
    assert.deepEqual(new HdlcEncoder().encode(LCP, bytes(info)), bytes(line))
  })
}

test('golden streams, cut at every byte, give the same frames', () => {
  const [a, b, c] = GOLDEN.map(({ line }) => bytes(line))
  const shared = concat([a!, b!.subarray(1), c!.subarray(1)])
  const damaged = a!.slice()
  damaged[12]! ^= 4
  const aborted = concat([a!.subarray(0, 10), bytes('7d 7e')])
  const stream = concat([
    latin1('CONNECT\r\n'),
    shared,
    bytes('7e 7e 7e'),
    damaged,
    aborted,
    b!,
    latin1('\r\nNO CARRIER\r\n'),
  ])
  const whole = received(stream)
  assert.equal(whole.frames.length, 4)
  for (let cut = 0; cut <= stream.length; cut++) {
    const receiver = new Receiver()
    receiver.decoder.push(stream.subarray(0, cut))
    receiver.decoder.push(stream.subarray(cut))
    assert.deepEqual(receiver.frames, whole.frames)
    assert.deepEqual(receiver.junk, whole.junk)
    assert.deepEqual(receiver.decoder.counters, whole.decoder.counters)
    assert.deepEqual(receiver.decoder.pending, whole.decoder.pending)
  }
  const single = new Receiver()
  for (const octet of stream) single.decoder.push(Uint8Array.of(octet))
  assert.deepEqual(single.frames, whole.frames)
  const { frames, damaged: wrong, aborted: broken, strayOctets } = whole.decoder.counters
  assert.deepEqual({ frames, wrong, broken, strayOctets }, { frames: 4, wrong: 1, broken: 1, strayOctets: 7 })
})

test('the examples of RFC 1662 §4.2: 7e, 7d, 03 and the parity forms of XON and XOFF', () => {
  const encoder = new HdlcEncoder()
  encoder.framing = { accm: 0xffffffff, pfc: false, acfc: false }
  const line = [...encoder.encode(IPV4, bytes('7e 7d 03 11 13 91 93'))]
  assert.deepEqual(line.slice(0, 3), [0x7e, 0xff, 0x7d])
  const payload = [...bytes('7d 5e 7d 5d 7d 23 7d 31 7d 33 91 93')]
  assert.deepEqual(line.slice(7, 7 + payload.length), payload)
})

/** RFC 1662 octet by octet, as its text says it. */
function plainly(protocol: number, info: Uint8Array, accm: number): Uint8Array {
  const content = [0xff, 3, protocol >>> 8, protocol & 0xff, ...info]
  const fcs = updateFcs(INITIAL_FCS, Uint8Array.from(content)) ^ 0xffff
  const escaped = [...content, fcs & 0xff, fcs >>> 8].flatMap((octet) => {
    const isEscaped = octet === 0x7e || octet === 0x7d || (octet < 0x20 && ((accm >>> octet) & 1) === 1)
    return isEscaped ? [0x7d, octet ^ 0x20] : [octet]
  })
  return Uint8Array.from([0x7e, ...escaped, 0x7e])
}

test('every octet at every place of a step of eight, with and without control octets escaped', () => {
  for (const accm of [0, 0xffffffff, 0x80000000, 1]) {
    const encoder = new HdlcEncoder()
    encoder.framing = { accm, pfc: false, acfc: false }
    for (let octet = 0; octet < 256; octet++) {
      for (let place = 0; place < 16; place++) {
        const info = new Uint8Array(18).fill(0x41)
        info[place] = octet
        const line = encoder.encode(IPV4, info)
        if (!equalBytes(line, plainly(IPV4, info, accm))) assert.fail(`${octet} at ${place}, ACCM ${accm}`)
        const { frames } = received(line, accm)
        if (!equalBytes(Uint8Array.from(frames[0]?.info ?? []), info)) assert.fail(`${octet} at ${place} is lost`)
      }
    }
  }
})

test('LCP codes 1 to 7 go out with the framing of the beginning, 8 and up as agreed', () => {
  const encoder = new HdlcEncoder()
  encoder.framing = { accm: 0, pfc: true, acfc: true }
  for (let code = 1; code <= 7; code++) {
    assert.deepEqual(
      [...encoder.encode(LCP, Uint8Array.of(code, 1, 0, 4)).subarray(0, 7)],
      [0x7e, 0xff, 0x7d, 0x23, 0xc0, 0x21, 0x7d],
    )
  }
  assert.deepEqual([...encoder.encode(LCP, Uint8Array.of(9, 1, 0, 4)).subarray(0, 5)], [0x7e, 0xc0, 0x21, 9, 1])
  assert.deepEqual([...encoder.encode(IPV4, Uint8Array.of(0x45, 0)).subarray(0, 4)], [0x7e, 0x21, 0x45, 0])
})

test('headers: compressed or not, the frame is understood', () => {
  for (const pfc of [false, true]) {
    for (const acfc of [false, true]) {
      const encoder = new HdlcEncoder()
      encoder.framing = { accm: 0, pfc, acfc }
      const stream = concat([encoder.encode(IPV4, bytes('45 00')), encoder.encode(0x8021, bytes('01'))])
      assert.deepEqual(received(stream, 0).frames, [
        { protocol: IPV4, info: [0x45, 0] },
        { protocol: 0x8021, info: [1] },
      ])
    }
  }
})

test('frames too short for a protocol, and of no length at all, are dropped', () => {
  const frameOf = (content: Uint8Array) => {
    const fcs = updateFcs(INITIAL_FCS, content) ^ 0xffff
    return concat([Uint8Array.of(0x7e), content, Uint8Array.of(fcs & 0xff, fcs >>> 8), Uint8Array.of(0x7e)])
  }
  const receiver = new Receiver(0)
  for (const content of ['', 'ff 03', 'ff 03 80', '00'])
    receiver.decoder.push(frameOf(content ? bytes(content) : new Uint8Array(0)))
  assert.deepEqual(receiver.frames, [])
  receiver.decoder.push(frameOf(bytes('ff 03 21')))
  receiver.decoder.push(frameOf(bytes('ff 03 80 20 01')))
  assert.deepEqual(receiver.frames, [
    { protocol: IPV4, info: [] },
    { protocol: 0x8020, info: [1] },
  ])
})

test('unescaped control octets that the ACCM flags are dropped, even behind an escape; others stay', () => {
  const line = [...bytes(GOLDEN[0]!.line)]
  const noisy = Uint8Array.from(line.flatMap((octet) => [octet, 0x11, 0x13]))
  assert.equal(received(noisy).frames.length, 1)
  assert.equal(received(noisy, 0x000a0000).frames.length, 1)
  assert.equal(received(noisy, 0).frames.length, 0)
})

test('a frame over the limit is discarded up to the next flag, in bounded memory', () => {
  const receiver = new Receiver(0, 1600)
  const golden = bytes(GOLDEN[0]!.line)
  receiver.decoder.push(golden)
  for (let piece = 0; piece < 64; piece++) receiver.decoder.push(new Uint8Array(1024).fill(0x41))
  assert.ok(receiver.decoder.pending.length <= 1600)
  receiver.decoder.push(golden)
  assert.equal(receiver.frames.length, 2)
  assert.equal(receiver.decoder.counters.tooLong, 1)
  const exact = new HdlcEncoder()
  exact.framing = { accm: 0, pfc: true, acfc: true }
  receiver.decoder.push(exact.encode(IPV4, new Uint8Array(1597)))
  receiver.decoder.push(exact.encode(IPV4, new Uint8Array(1598)))
  assert.equal(receiver.frames.length, 3)
  assert.equal(receiver.decoder.counters.tooLong, 2)
})

test('frames stay what they are while others follow', () => {
  const kept: Uint8Array[] = []
  const decoder = new HdlcDecoder(1600, { frame: (_protocol, info) => kept.push(info), junk() {} })
  decoder.accm = 0
  const encoder = new HdlcEncoder()
  encoder.framing = { accm: 0, pfc: true, acfc: true }
  const lines: Uint8Array[] = []
  for (let index = 0; index < 60; index++) lines.push(encoder.encode(IPV4, new Uint8Array(1400).fill(index)))
  for (const line of lines) decoder.push(line)
  assert.equal(kept.length, 60)
  for (const [index, info] of kept.entries()) assert.ok(info.length === 1400 && info.every((octet) => octet === index))
})

test('NO CARRIER is seen in text only', () => {
  assert.ok(saysNoCarrier(latin1('\r\nNO CARRIER\r\n')))
  assert.ok(saysNoCarrier(latin1('+COPS: 0\r\nNO CARRIER')))
  assert.ok(!saysNoCarrier(latin1('\r\nNO CARRIE')))
  assert.ok(!saysNoCarrier(latin1('\xff\x03NO CARRIER\r\n')))
  assert.ok(mayEndInNoCarrier(latin1('\xff\x03\x00\x21E\x00\r\nNO CARRIER\r\n')))
  assert.ok(!mayEndInNoCarrier(latin1('\xff\x03NO CARRIER\r\n.')))
  assert.ok(!mayEndInNoCarrier(latin1('CARRIER')))
})
