import assert from 'node:assert/strict'
import { isIPv6 } from 'node:net'
import { test } from 'node:test'
import {
  formatIpv6,
  interfaceIdentifier,
  ipv6Bytes,
  ipv6OfBytes,
  ipv6Prefix,
  isLinkLocal,
  isUsableIpv6,
  linkLocal,
  parseIpv6,
} from '../../src/base/ipv6.ts'
import { SeededRandom } from '../support/seeded-random.ts'

test('the canonical text of RFC 5952, and back', () => {
  for (const [text, canonical] of [
    ['::', '::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['2001:0DB8::0001', '2001:db8::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['fe80::', 'fe80::'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ] as const)
    assert.equal(formatIpv6(parseIpv6(text)!), canonical, text)
})

test('what is no address', () => {
  for (const text of [
    ...['', ':', ':::', '1', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1::2::3', '1:2:3:4:5:6:7:8::', '12345::', 'g::'],
    ...[
      '::1%eth0',
      '::/0',
      ':1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:',
      '1.2.3.4::',
      '::256.0.0.1',
      '1:2:3:4:5:6:7:1.2.3.4',
      ' ::1',
    ],
  ])
    assert.equal(parseIpv6(text), undefined, text)
})

test('any address comes back from its text and its bytes', () => {
  const random = new SeededRandom(5072)
  for (let round = 0; round < 2000; round++) {
    const bytes = random.bytes(16)
    // Many zeros, so that `::` comes in every place.
    const mask = random.bytes(16)
    for (let at = 0; at < 16; at += 2) if (mask[at]! < 140) bytes.fill(0, at, at + 2)
    const address = ipv6OfBytes(bytes)
    const text = formatIpv6(address)
    assert.ok(isIPv6(text), text)
    assert.equal(parseIpv6(text), address, text)
    assert.deepEqual(ipv6Bytes(address), new Uint8Array(bytes))
  }
})

test('link-local addresses are made of identifiers, and of a peer only global and unique local ones are taken', () => {
  assert.equal(formatIpv6(linkLocal(0x0200_5eff_fe00_5301n)), 'fe80::200:5eff:fe00:5301')
  assert.equal(interfaceIdentifier(parseIpv6('2001:db8::a:b:c:d')!), 0xa_000b_000c_000dn)
  assert.equal(formatIpv6(ipv6Prefix(parseIpv6('2001:db8:1:2:3::4')!, 56)), '2001:db8:1::')
  assert.equal(ipv6Prefix(parseIpv6('2001:db8::1')!, 0), 0n)
  for (const text of ['fe80::1', 'febf::1']) assert.equal(isLinkLocal(parseIpv6(text)!), true, text)
  for (const text of ['fec0::1', 'fe7f::1', '2001:db8::']) assert.equal(isLinkLocal(parseIpv6(text)!), false, text)
  for (const text of ['2001:db8::', '2a00::1', '3fff::', 'fc00::', 'fdff::1'])
    assert.equal(isUsableIpv6(parseIpv6(text)!), true, text)
  for (const text of ['::', '::1', '::ffff:1.2.3.4', '64:ff9b::1', '1fff::', '4000::', 'fe80::1', 'fec0::1', 'ff02::1'])
    assert.equal(isUsableIpv6(parseIpv6(text)!), false, text)
})
