/** DNS questions and answers byte for byte, and answers of servers that lie or are cut short. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { concat } from '../../../src/base/bytes.ts'
import { parseIpv4 } from '../../../src/base/ipv4.ts'
import { ipv6Bytes, parseIpv6 } from '../../../src/base/ipv6.ts'
import { dnsQuestion, readDnsAnswer, TYPE_A, TYPE_AAAA } from '../../../src/link/check/dns-message.ts'

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replace(/\s/g, ''), 'hex'))

/** As `dig example.org` sees it: an alias first, then two addresses by compressed names. */
const ANSWER = hex(`
  1234 8180 0001 0003 0000 0000
  07 6578616d706c65 03 6f7267 00 0001 0001
  c00c 0005 0001 00000e10 0006 03777777 c00c
  c029 0001 0001 0000003c 0004 c6336401
  c029 0001 0001 0000003c 0004 c6336402
`)

test('a question', () => {
  const expected = hex('1234 0100 0001 0000 0000 0000 07 6578616d706c65 03 6f7267 00 0001 0001')
  assert.deepEqual(dnsQuestion(0x1234, 'example.org', TYPE_A), expected)
  assert.deepEqual(dnsQuestion(0x1234, 'example.org.', TYPE_A), expected)
  assert.deepEqual(dnsQuestion(1, 'a', TYPE_AAAA).slice(-4), hex('001c 0001'))
})

test('an answer: the addresses of the type that was asked for, through aliases', () => {
  const addresses = ['198.51.100.1', '198.51.100.2'].map(parseIpv4)
  assert.deepEqual(readDnsAnswer(ANSWER, 0x1234, TYPE_A), { addresses, rcode: 0 })
  assert.deepEqual(readDnsAnswer(ANSWER, 0x1234, TYPE_AAAA), { addresses: [], rcode: 0 })
  const address = parseIpv6('2001:db8::5')!
  const aaaa = concat([hex('0001 8180 0000 0001 0000 0000 00 001c 0001 00000001 0010'), ipv6Bytes(address)])
  assert.deepEqual(readDnsAnswer(aaaa, 1, TYPE_AAAA)?.addresses, [address])
})

test('what is not the answer to it: another id, a question, no such name', () => {
  assert.equal(readDnsAnswer(ANSWER, 0x1235, TYPE_A), undefined)
  assert.equal(readDnsAnswer(dnsQuestion(7, 'a', TYPE_A), 7, TYPE_A), undefined)
  assert.deepEqual(readDnsAnswer(hex('0007 8183 0000 0000 0000 0000'), 7, TYPE_A), { addresses: [], rcode: 3 })
})

test('cut anywhere, or any bytes at all: nothing is thrown, and nothing is made up', () => {
  const whole = readDnsAnswer(ANSWER, 0x1234, TYPE_A)!.addresses
  for (let length = 0; length < ANSWER.length; length++) {
    const { addresses = [] } = readDnsAnswer(ANSWER.subarray(0, length), 0x1234, TYPE_A) ?? {}
    assert.deepEqual(addresses, whole.slice(0, addresses.length))
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const { addresses = [] } = readDnsAnswer(concat([hex('1234 8180'), bytes]), 0x1234, TYPE_A) ?? {}
      assert.ok(addresses.every((each) => typeof each === 'number'))
    }),
  )
})
