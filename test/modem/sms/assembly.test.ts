/** Which parts are of one message, and which only look so. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Assembler, isWhole, textOf } from '../../../src/modem/sms/assembly.ts'
import { type Deliver, emitDeliver, parsePdu } from '../../../src/modem/sms/pdu.ts'
import { emitUserData } from '../../../src/modem/sms/user-data.ts'

interface PartOptions {
  readonly from?: string
  readonly reference?: number
  readonly isWide?: boolean
  readonly total?: number
  readonly epochMs?: number
}

const NOW_MS = 1.75e12

class Bench {
  readonly assembler = new Assembler()
  #places = 0

  part(sequence: number, text: string, options: PartOptions = {}): void {
    const { from = '+1', reference = 5, isWide = false, total = 2, epochMs = NOW_MS } = options
    const data = emitUserData('gsm7', text, { languages: {}, concatenation: { reference, isWide, total, sequence } })
    const { hex } = emitDeliver({ from, at: { epochMs, zoneMinutes: 0 }, encoding: 'gsm7', data })
    this.assembler.add(parsePdu(hex) as Deliver, hex, { memory: 'SM', index: this.#places++ }, 0)
  }

  get texts(): readonly string[] {
    return [...this.assembler.messages].map((message) => `${isWhole(message) ? '' : '?'}${textOf(message)}`)
  }
}

test('a reference that comes again is another message', () => {
  const bench = new Bench()
  bench.part(1, 'a')
  bench.part(2, 'b')
  bench.part(2, 'd')
  bench.part(1, 'c')
  assert.deepEqual(bench.texts, ['ab', 'cd'])
})

test('the same part with another text does not stand in for the one that is there', () => {
  const bench = new Bench()
  bench.part(1, 'a')
  bench.part(1, 'c')
  bench.part(2, 'd')
  assert.deepEqual(bench.texts, ['?a […] ', 'cd'])
})

test('senders, sizes of references, totals and hours keep messages apart', () => {
  for (const other of [{ from: '+2' }, { isWide: true }, { total: 3 }, { epochMs: NOW_MS + 2 * 3600_000 }]) {
    const bench = new Bench()
    bench.part(1, 'a')
    bench.part(2, 'x', other)
    assert.equal(bench.texts.length, 2, JSON.stringify(other))
    bench.part(2, 'b', { epochMs: NOW_MS + 60_000 })
    assert.equal(bench.texts[0], 'ab')
  }
})

test('a copy at another place is the same part, and both places are known', () => {
  const bench = new Bench()
  bench.part(1, 'a')
  bench.part(1, 'a')
  bench.part(2, 'b')
  assert.deepEqual(bench.texts, ['ab'])
  const [message] = bench.assembler.messages
  assert.deepEqual(
    message!.parts.map(({ places }) => places.length),
    [2, 1],
  )
  bench.assembler.forget({ memory: 'SM', index: 0 })
  assert.deepEqual(bench.texts, ['ab'])
  bench.assembler.forget({ memory: 'SM', index: 1 })
  assert.deepEqual(bench.texts, ['? […] b'])
  bench.assembler.forget({ memory: 'SM', index: 2 })
  assert.deepEqual(bench.texts, [])
})
