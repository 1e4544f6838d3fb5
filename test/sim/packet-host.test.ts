/** The user-space Internet, packet by packet. The real judge is in `end-to-end.test.ts`: a kernel's ping and curl. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteWriter, concat, fromLatin1, latin1 } from '../../src/base/bytes.ts'
import { parseIpv4 } from '../../src/base/ipv4.ts'
import { parseIpv6 } from '../../src/base/ipv6.ts'
import { buildIcmp6Packet } from '../../src/ppp/ipv6/router-messages.ts'
import { PacketHost } from '../../src/sim/packet-host.ts'
import { SeededRandom } from '../support/seeded-random.ts'

const HOST = parseIpv4('10.64.0.1')!
const CLIENT = parseIpv4('10.64.0.2')!

/** Written apart from the code under test. */
function sum16(bytes: Uint8Array): number {
  let sum = 0
  for (let at = 0; at < bytes.length; at += 2) sum += bytes[at]! * 256 + (bytes[at + 1] ?? 0)
  while (sum >= 65_536) sum = (sum % 65_536) + Math.floor(sum / 65_536)
  return 65_535 - sum
}

function ipv4(protocol: number, payload: Uint8Array, destination = HOST, fragment = 0x4000): Uint8Array {
  const header = new ByteWriter()
    .u16(0x4500)
    .u16(20 + payload.length)
    .u16(7)
    .u16(fragment)
    .u8(64)
    .u8(protocol)
    .u16(0)
  const bytes = header.u32(CLIENT).u32(destination).done()
  const check = sum16(bytes)
  bytes.set([check >> 8, check & 255], 10)
  return concat([bytes, payload])
}

function ping(data: string): Uint8Array {
  const message = new ByteWriter().u16(0x0800).u16(0).u16(1).u16(2).bytes(latin1(data)).done()
  const check = sum16(message)
  message.set([check >> 8, check & 255], 2)
  return message
}

interface SegmentFields {
  readonly sequence: number
  readonly acknowledgment?: number
  readonly flags: number
  readonly data?: string
  readonly port?: number
}

function tcp({ sequence, acknowledgment = 0, flags, data = '', port = 80 }: SegmentFields): Uint8Array {
  const bytes = new ByteWriter()
    .u16(4000)
    .u16(port)
    .u32(sequence)
    .u32(acknowledgment)
    .u16(0x5000 | flags)
  const segment = bytes.u16(1000).u32(0).bytes(latin1(data)).done()
  const pseudo = new ByteWriter().u32(CLIENT).u32(HOST).u16(6).u16(segment.length).done()
  const check = sum16(concat([pseudo, segment]))
  segment.set([check >> 8, check & 255], 16)
  return ipv4(6, segment)
}

function readTcp(packet: Uint8Array | undefined) {
  assert.ok(packet)
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length)
  const pseudo = new ByteWriter()
    .u32(view.getUint32(12))
    .u32(view.getUint32(16))
    .u16(6)
    .u16(packet.length - 20)
    .done()
  assert.equal(sum16(packet.subarray(0, 20)), 0, 'IPv4 checksum')
  assert.equal(sum16(concat([pseudo, packet.subarray(20)])), 0, 'TCP checksum')
  return {
    sequence: view.getUint32(24),
    acknowledgment: view.getUint32(28),
    flags: view.getUint16(32) & 0x3f,
    data: fromLatin1(packet.subarray(40)),
  }
}

const [FIN, SYN, RST, PSH, ACK] = [1, 2, 4, 8, 16] as const
const HOST6 = parseIpv6('fd64:64::1')!
const newHost = () => new PacketHost([HOST], [HOST6], new SeededRandom(3))

test('a ping comes back with the same data and good checksums', () => {
  const [reply, ...more] = newHost().handle(ipv4(1, ping('odd')))
  assert.equal(more.length, 0)
  assert.ok(reply)
  assert.equal(sum16(reply.subarray(0, 20)), 0)
  assert.equal(sum16(reply.subarray(20)), 0)
  assert.deepEqual([...reply.subarray(20, 22)], [0, 0])
  assert.equal(fromLatin1(reply.subarray(28)), 'odd')
})

test('elsewhere is unreachable, and nobody complains about a complaint', () => {
  const host = newHost()
  const [complaint] = host.handle(ipv4(17, latin1('12345678'), parseIpv4('192.0.2.1')!))
  assert.deepEqual([...complaint!.subarray(20, 22)], [3, 0])
  assert.deepEqual([...host.handle(ipv4(17, latin1('12345678')))[0]!.subarray(20, 22)], [3, 3])
  assert.deepEqual(host.handle(ipv4(1, Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0), parseIpv4('192.0.2.1')!)), [])
})

test('damaged, cut and fragmented packets get nothing', () => {
  const host = newHost()
  const good = ipv4(1, ping('data'))
  for (let length = 0; length < good.length; length++) assert.deepEqual(host.handle(good.subarray(0, length)), [])
  for (let at = 0; at < 20; at++) {
    const damaged = good.slice()
    damaged[at]! ^= 0x10
    assert.deepEqual(host.handle(damaged), [], `octet ${at}`)
  }
  assert.deepEqual(host.handle(ipv4(1, ping('data'), HOST, 0x2000)), [])
  assert.deepEqual(host.handle(ipv4(1, ping('data'), parseIpv4('224.0.0.1')!)), [])
})

test('a page over TCP, with the request in two parts and every packet lost once', () => {
  const host = newHost()
  const twice = (segment: SegmentFields) => {
    const first = host.handle(tcp(segment))
    const second = host.handle(tcp(segment))
    assert.deepEqual(second, first, 'the repetition gets the same answer')
    return first[0]
  }
  const open = readTcp(twice({ sequence: 0xffffffff, flags: SYN }))
  assert.equal(open.flags, SYN | ACK)
  assert.equal(open.acknowledgment, 0)
  const acknowledgment = (open.sequence + 1) >>> 0
  const part = readTcp(twice({ sequence: 0, acknowledgment, flags: PSH | ACK, data: 'GET / HTTP/1.1\r\nHo' }))
  assert.deepEqual([part.flags, part.acknowledgment, part.data], [ACK, 18, ''])
  const page = readTcp(twice({ sequence: 18, acknowledgment, flags: PSH | ACK, data: 'st: x\r\n\r\n' }))
  assert.equal(page.flags, PSH | FIN | ACK)
  assert.match(page.data, /^HTTP\/1\.1 200 OK\r\n.*Your address is 10\.64\.0\.2\.\n$/s)
  const length = Number(/Content-Length: (\d+)/.exec(page.data)?.[1])
  assert.equal(page.data.split('\r\n\r\n')[1]?.length, length)
  const afterPage = (acknowledgment + page.data.length + 1) >>> 0
  const end = readTcp(twice({ sequence: 27, acknowledgment: afterPage, flags: FIN | ACK }))
  assert.deepEqual([end.flags, end.sequence, end.acknowledgment], [ACK, afterPage, 28])
})

test('a segment without a connection, or for another port, is refused', () => {
  const host = newHost()
  assert.equal(readTcp(host.handle(tcp({ sequence: 5, acknowledgment: 9, flags: ACK, data: 'x' }))[0]).flags, RST)
  assert.equal(readTcp(host.handle(tcp({ sequence: 5, flags: SYN, port: 22 }))[0]).flags, RST | ACK)
  assert.deepEqual(host.handle(tcp({ sequence: 5, flags: RST })), [])
})

test('other methods are told so, and HEAD gets no body', () => {
  for (const [method, status, hasBody] of [
    ['HEAD', '200', false],
    ['POST', '405', false],
    ['GET', '200', true],
  ] as const) {
    const host = newHost()
    const open = readTcp(host.handle(tcp({ sequence: 1, flags: SYN }))[0])
    const request = { sequence: 2, acknowledgment: open.sequence + 1, flags: ACK, data: `${method} / HTTP/1.0\r\n\r\n` }
    const { data } = readTcp(host.handle(tcp(request))[0])
    assert.equal(data.split(' ')[1], status)
    assert.equal((data.split('\r\n\r\n')[1] ?? '').length > 0, hasBody, method)
  }
})

test('ping over IPv6: its own address answers, another does not', () => {
  const caller = parseIpv6('fd64:64:0:2::7')!
  const ping = (to: bigint) => buildIcmp6Packet(caller, to, Uint8Array.of(128, 0, 0, 0, 1, 2, 3, 4, 0x61, 0x62))
  const [reply, ...more] = newHost().handle(ping(HOST6))
  assert.deepEqual(reply, buildIcmp6Packet(HOST6, caller, Uint8Array.of(129, 0, 0, 0, 1, 2, 3, 4, 0x61, 0x62)))
  assert.deepEqual([more, newHost().handle(ping(caller)), newHost().handle(Uint8Array.of(0x60, 0, 0))], [[], [], []])
})
