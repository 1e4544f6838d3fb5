/** Any text through any cut, any order and any damage of short messages. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { DEFAULT_ALPHABET, DEFAULT_EXTENSION, NATIONAL_LANGUAGES } from '../../src/modem/sms/alphabets.ts'
import { Assembler, isWhole, textOf } from '../../src/modem/sms/assembly.ts'
import { decodeSeptets, encodeSeptets, packSeptets, unpackSeptets } from '../../src/modem/sms/gsm7.ts'
import { type Deliver, emitDeliver, parsePdu } from '../../src/modem/sms/pdu.ts'
import { segment } from '../../src/modem/sms/segment.ts'
import { emitUserData } from '../../src/modem/sms/user-data.ts'

const SEED = 23_040

const gsmText = fc.string({
  unit: fc.constantFrom(
    ...[...DEFAULT_ALPHABET, ...DEFAULT_EXTENSION].filter((char) => char !== '' && char !== '\x1b'),
  ),
  maxLength: 700,
  size: 'max',
})
const anyText = fc.oneof(
  gsmText,
  fc.string({ unit: 'binary', maxLength: 400, size: 'max' }),
  fc.string({ unit: 'grapheme', maxLength: 300, size: 'max' }),
)
const sender = fc.constantFrom('+358401234567', '16400', 'Operator')

function pdusOf(text: string, reference: number, isWide: boolean, from: string): string[] {
  const { encoding, languages, parts } = segment(text, { isWide })!
  return parts.map((part, index) => {
    const concatenation = parts.length > 1 ? { reference, isWide, total: parts.length, sequence: index + 1 } : undefined
    const data = emitUserData(encoding, part, { languages, concatenation })
    return emitDeliver({ from, at: { epochMs: 1.7e12 + index * 1000, zoneMinutes: 120 }, encoding, data }).hex
  })
}

describe('short messages', () => {
  test('any text comes back, its parts in any order and some twice', () => {
    fc.assert(
      fc.property(
        anyText,
        fc.nat(0xffff),
        fc.boolean(),
        sender,
        fc.infiniteStream(fc.nat()),
        (text, number, isWide, from, chance) => {
          const hexes = pdusOf(text, isWide ? number : number & 0xff, isWide, from)
          for (const hex of hexes) assert.ok(parsePdu(hex)!.type === 'deliver')
          const order = [...hexes, ...hexes.filter(() => chance.next().value % 3 === 0)]
            .map((hex) => ({ hex, key: chance.next().value }))
            .sort((a, b) => a.key - b.key)
          const assembler = new Assembler()
          for (const [index, { hex }] of order.entries())
            assembler.add(parsePdu(hex) as Deliver, hex, { memory: 'SM', index }, index)
          const [message, ...others] = [...assembler.messages]
          assert.deepEqual(others, [])
          assert.ok(isWhole(message!))
          assert.equal(textOf(message!), text)
        },
      ),
      { numRuns: 150, seed: SEED },
    )
  })

  test('no part is longer than the air allows, and no pair or escape is cut', () => {
    fc.assert(
      fc.property(anyText, fc.boolean(), (text, isWide) => {
        const { parts, encoding } = segment(text, { isWide })!
        assert.equal(parts.join(''), text)
        for (const hex of pdusOf(text, 5, isWide, '+1')) {
          const pdu = parsePdu(hex) as Deliver
          assert.ok(pdu.data.bytes.length <= (encoding === 'gsm7' ? 160 : 140))
          assert.deepEqual(pdu.faults, [])
        }
        if (encoding === 'ucs2')
          for (const [index, part] of parts.entries())
            assert.ok(!(/[\ud800-\udbff]$/.test(part) && /^[\udc00-\udfff]/.test(parts[index + 1] ?? '')))
      }),
      { numRuns: 120, seed: SEED },
    )
  })

  test('a missing part leaves a mark, and the parts that are there', () => {
    const text = 'a'.repeat(153) + 'b'.repeat(153) + 'c'.repeat(20)
    const hexes = pdusOf(text, 1, false, '+1')
    for (const [missing, expected] of [
      [0, ` […] ${'b'.repeat(153)}${'c'.repeat(20)}`],
      [1, `${'a'.repeat(153)} […] ${'c'.repeat(20)}`],
      [2, `${'a'.repeat(153)}${'b'.repeat(153)} […] `],
    ] as const) {
      const assembler = new Assembler()
      for (const hex of hexes.filter((_, index) => index !== missing))
        assembler.add(parsePdu(hex) as Deliver, hex, undefined, 0)
      assert.equal(textOf([...assembler.messages][0]!), expected)
    }
  })

  test('octets and septets', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(127), { maxLength: 170 }), fc.nat(6), (septets, fillBits) => {
        const packed = packSeptets(septets, fillBits)
        assert.deepEqual([...unpackSeptets(packed, septets.length, fillBits)], septets)
      }),
    )
  })

  test('each character of every national table comes back', () => {
    for (const { id, locking, singleShift } of NATIONAL_LANGUAGES.values()) {
      for (const languages of [
        { singleShift: id },
        ...(locking ? [{ locking: id }, { locking: id, singleShift: id }] : []),
      ]) {
        const main = 'locking' in languages ? locking! : DEFAULT_ALPHABET
        const shifted = 'singleShift' in languages ? singleShift : DEFAULT_EXTENSION
        for (const char of new Set([...main, ...shifted].filter((each) => each !== '' && each !== '\x1b')))
          assert.equal(decodeSeptets(encodeSeptets(char, languages)!, languages), char)
      }
    }
  })

  test('nothing makes the parser throw', () => {
    const real = '07918497900000F6400B918406290000F4000002219221351140A005000363080140CCB7BCDC06A5E1F37A1B447EB3DF72D0'
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.nat(48),
        fc.nat(255),
        fc.nat(300),
        (bytes, at, value, length) => {
          parsePdu(Buffer.from(bytes).toString('hex'), length)
          const mutated = Buffer.from(real, 'hex')
          mutated[at] = value
          const pdu = parsePdu(mutated.toString('hex'))
          if (pdu?.type !== 'deliver') return
          const assembler = new Assembler()
          assembler.add(pdu, 'x', undefined, 0)
          textOf([...assembler.messages][0]!)
        },
      ),
      { numRuns: 3000, seed: SEED },
    )
  })
})
