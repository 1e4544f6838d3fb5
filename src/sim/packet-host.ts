/**
 * The operator's Internet without privileges (`--internet echo`): answers ping (RFC 792) and a small HTTP page over just enough
 * TCP (RFC 9293), ping also over IPv6 (RFC 4443), packet in, packets out. Pure but for its initial sequence numbers. Used by `carriers.ts`.
 */

import { ByteReader, ByteWriter, fromLatin1, latin1 } from '../base/bytes.ts'
import { formatIpv4 } from '../base/ipv4.ts'
import { ipv6OfBytes } from '../base/ipv6.ts'
import type { Random } from '../base/ports.ts'
import { buildIcmp6Packet } from '../ppp/ipv6/router-messages.ts'
import { operatorPage } from './web-page.ts'

const ICMP = 1
const TCP = 6
const HTTP_PORT = 80
const IPV4_HEADER_BYTES = 20
const TIME_TO_LIVE = 64

const ECHO_REPLY = 0
const UNREACHABLE = 3
const ECHO_REQUEST = 8
const NETWORK_UNREACHABLE = 0
const PORT_UNREACHABLE = 3

/** RFC 4443 §4. */
const ICMPV6 = 58
const ECHO_REQUEST_6 = 128
const ECHO_REPLY_6 = 129
const IPV6_HEADER_BYTES = 40
const ICMP_HEADER_BYTES = 8

const FIN = 1
const SYN = 2
const RST = 4
const PSH = 8
const ACK = 16

const MAX_CONNECTIONS = 64
const MAX_REQUEST_CHARS = 8192

interface Ipv4Packet {
  readonly whole: Uint8Array
  readonly source: number
  readonly destination: number
  readonly protocol: number
  readonly payload: Uint8Array
}

interface Segment {
  readonly sourcePort: number
  readonly destinationPort: number
  readonly sequence: number
  readonly acknowledgment: number
  readonly flags: number
  readonly data: Uint8Array
}

/** One request, one answer that fits a segment; the client's own repetitions make up for any loss. */
interface Connection {
  readonly initialSequence: number
  nextSequence: number
  request: string
  response: Uint8Array | undefined
}

export class PacketHost {
  readonly #addresses: ReadonlySet<number>
  readonly #addresses6: ReadonlySet<bigint>
  readonly #random: Random
  readonly #connections = new Map<string, Connection>()

  /** Packets to other addresses than these get "network unreachable". */
  constructor(addresses: readonly number[], addresses6: readonly bigint[], random: Random) {
    this.#addresses = new Set(addresses)
    this.#addresses6 = new Set(addresses6)
    this.#random = random
  }

  /** What damaged or foreign packets get is nothing. */
  handle(bytes: Uint8Array): readonly Uint8Array[] {
    if (bytes[0] !== undefined && bytes[0] >>> 4 === 6) return this.#answer6(bytes)
    const packet = parseIpv4Packet(bytes)
    if (!packet || packet.destination >>> 28 >= 14) return []
    const answer = this.#addresses.has(packet.destination)
      ? this.#answer(packet)
      : unreachable(packet, NETWORK_UNREACHABLE)
    return answer ? [answer] : []
  }

  /** Of IPv6 only ping: what else there is needs `--internet tun`. */
  #answer6(bytes: Uint8Array): readonly Uint8Array[] {
    if (bytes.length < IPV6_HEADER_BYTES + ICMP_HEADER_BYTES || bytes[6] !== ICMPV6) return []
    const [source, destination] = [ipv6OfBytes(bytes.subarray(8, 24)), ipv6OfBytes(bytes.subarray(24, 40))]
    const request = bytes.slice(IPV6_HEADER_BYTES)
    if (!this.#addresses6.has(destination) || request[0] !== ECHO_REQUEST_6) return []
    request.set([ECHO_REPLY_6, 0, 0, 0])
    return [buildIcmp6Packet(destination, source, request)]
  }

  #answer(packet: Ipv4Packet): Uint8Array | undefined {
    if (packet.protocol === ICMP) return echoReply(packet)
    if (packet.protocol !== TCP) return unreachable(packet, PORT_UNREACHABLE)
    const segment = parseSegment(packet)
    const answer = segment && this.#answerSegment(packet, segment)
    return answer && buildSegment(packet, segment, answer)
  }

  #answerSegment(packet: Ipv4Packet, segment: Segment): Answered | undefined {
    const key = `${packet.source}:${segment.sourcePort}:${packet.destination}`
    const { flags, sequence } = segment
    if (flags & RST) {
      this.#connections.delete(key)
      return undefined
    }
    if (flags & SYN && segment.destinationPort === HTTP_PORT) return this.#accept(key, sequence)
    const connection = this.#connections.get(key)
    if (!connection) return refusal(segment)
    if (sequence === connection.nextSequence) this.#take(packet, segment, connection)
    return this.#continue(segment, connection)
  }

  #accept(key: string, sequence: number): Answered {
    const nextSequence = (sequence + 1) >>> 0
    let connection = this.#connections.get(key)
    if (connection?.nextSequence !== nextSequence) {
      const initialSequence = new ByteReader(this.#random.bytes(4)).u32() ?? 0
      connection = { initialSequence, nextSequence, request: '', response: undefined }
      this.#connections.set(key, connection)
      const [oldest] = this.#connections.keys()
      if (this.#connections.size > MAX_CONNECTIONS && oldest !== undefined) this.#connections.delete(oldest)
    }
    return { sequence: connection.initialSequence, acknowledgment: nextSequence, flags: SYN | ACK }
  }

  #take(packet: Ipv4Packet, segment: Segment, connection: Connection): void {
    connection.request = (connection.request + fromLatin1(segment.data)).slice(-MAX_REQUEST_CHARS)
    connection.nextSequence = (connection.nextSequence + segment.data.length + (segment.flags & FIN)) >>> 0
    if (connection.request.includes('\r\n\r\n')) connection.response ??= httpResponse(connection.request, packet.source)
  }

  #continue(segment: Segment, connection: Connection): Answered | undefined {
    const first = (connection.initialSequence + 1) >>> 0
    const acknowledgment = connection.nextSequence
    const { response } = connection
    if (response && segment.acknowledgment === first)
      return { sequence: first, acknowledgment, flags: PSH | FIN | ACK, data: response }
    if (segment.data.length === 0 && !(segment.flags & FIN)) return undefined
    const sequence = response ? (first + response.length + 1) >>> 0 : first
    return { sequence, acknowledgment, flags: ACK }
  }
}

interface Answered {
  readonly sequence: number
  readonly acknowledgment: number
  readonly flags: number
  readonly data?: Uint8Array
}

/** RFC 9293 §3.10.7.1. */
function refusal({ sequence, acknowledgment, flags, data }: Segment): Answered {
  if (flags & ACK) return { sequence: acknowledgment, acknowledgment: 0, flags: RST }
  const length = data.length + (flags & SYN ? 1 : 0) + (flags & FIN)
  return { sequence: 0, acknowledgment: (sequence + length) >>> 0, flags: RST | ACK }
}

function httpResponse(request: string, client: number): Uint8Array {
  const method = request.slice(0, request.indexOf(' '))
  const isKnown = method === 'GET' || method === 'HEAD'
  const page = isKnown ? operatorPage(formatIpv4(client)) : ''
  const head = [
    `HTTP/1.1 ${isKnown ? '200 OK' : '405 Method Not Allowed'}`,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${page.length}`,
    'Connection: close',
  ]
  return latin1(`${head.join('\r\n')}\r\n\r\n${method === 'HEAD' ? '' : page}`)
}

function parseIpv4Packet(bytes: Uint8Array): Ipv4Packet | undefined {
  const headerBytes = (bytes[0]! & 0x0f) * 4
  const reader = new ByteReader(bytes)
  const start = reader.take(2)
  const totalBytes = reader.u16()
  if (!start || start[0]! >>> 4 !== 4 || totalBytes === undefined) return undefined
  if (headerBytes < IPV4_HEADER_BYTES || totalBytes < headerBytes || totalBytes > bytes.length) return undefined
  reader.take(2)
  const fragment = reader.u16()!
  const timeAndProtocol = reader.u16()!
  reader.take(2)
  const source = reader.u32()!
  const destination = reader.u32()!
  const isFragment = (fragment & 0x3fff) !== 0
  if (isFragment || checksum(bytes.subarray(0, headerBytes)) !== 0) return undefined
  const whole = bytes.subarray(0, totalBytes)
  return { whole, source, destination, protocol: timeAndProtocol & 0xff, payload: whole.subarray(headerBytes) }
}

function parseSegment({ payload, source, destination }: Ipv4Packet): Segment | undefined {
  const reader = new ByteReader(payload)
  const sourcePort = reader.u16()
  const destinationPort = reader.u16()
  const sequence = reader.u32()
  const acknowledgment = reader.u32()
  const offsetAndFlags = reader.u16()
  if (sourcePort === undefined || destinationPort === undefined || sequence === undefined) return undefined
  if (acknowledgment === undefined || offsetAndFlags === undefined) return undefined
  const headerBytes = (offsetAndFlags >>> 12) * 4
  if (headerBytes < 20 || headerBytes > payload.length) return undefined
  if (checksum(pseudoHeader(source, destination, payload.length), payload) !== 0) return undefined
  const data = payload.subarray(headerBytes)
  return { sourcePort, destinationPort, sequence, acknowledgment, flags: offsetAndFlags & 0x3f, data }
}

function echoReply(packet: Ipv4Packet): Uint8Array | undefined {
  if (packet.payload[0] !== ECHO_REQUEST || checksum(packet.payload) !== 0) return undefined
  return buildIpv4(packet.destination, packet.source, ICMP, icmp(ECHO_REPLY, 0, packet.payload.subarray(4)))
}

/** With the header and eight octets of what could not be delivered; never about an ICMP message but a ping (RFC 1122 §3.2.2). */
function unreachable(packet: Ipv4Packet, code: number): Uint8Array | undefined {
  if (packet.protocol === ICMP && packet.payload[0] !== ECHO_REQUEST) return undefined
  const quoted = packet.whole.subarray(0, packet.whole.length - packet.payload.length + 8)
  const body = new ByteWriter().u32(0).bytes(quoted).done()
  return buildIpv4(packet.destination, packet.source, ICMP, icmp(UNREACHABLE, code, body))
}

/** `rest` is what follows the checksum. */
function icmp(type: number, code: number, rest: Uint8Array): Uint8Array {
  const message = new ByteWriter().u8(type).u8(code).u16(0).bytes(rest).done()
  return withChecksum(message, 2, checksum(message))
}

function buildSegment(packet: Ipv4Packet, segment: Segment, answer: Answered): Uint8Array {
  const { sequence, acknowledgment, flags, data = new Uint8Array(0) } = answer
  const bytes = new ByteWriter()
    .u16(segment.destinationPort)
    .u16(segment.sourcePort)
    .u32(sequence)
    .u32(acknowledgment)
    .u16((5 << 12) | flags)
    .u16(0xffff)
    .u32(0)
    .bytes(data)
    .done()
  const sum = checksum(pseudoHeader(packet.destination, packet.source, bytes.length), bytes)
  return buildIpv4(packet.destination, packet.source, TCP, withChecksum(bytes, 16, sum))
}

function pseudoHeader(source: number, destination: number, length: number): Uint8Array {
  return new ByteWriter().u32(source).u32(destination).u16(TCP).u16(length).done()
}

function buildIpv4(source: number, destination: number, protocol: number, payload: Uint8Array): Uint8Array {
  const header = new ByteWriter()
    .u16(0x4500)
    .u16(IPV4_HEADER_BYTES + payload.length)
    .u32(0)
    .u8(TIME_TO_LIVE)
    .u8(protocol)
    .u16(0)
    .u32(source)
    .u32(destination)
    .done()
  return new ByteWriter()
    .bytes(withChecksum(header, 10, checksum(header)))
    .bytes(payload)
    .done()
}

function withChecksum(bytes: Uint8Array, at: number, sum: number): Uint8Array {
  bytes[at] = sum >>> 8
  bytes[at + 1] = sum & 0xff
  return bytes
}

/** RFC 1071; 0 over bytes that hold their own right checksum. Parts of an odd length only at the end. */
function checksum(...parts: readonly Uint8Array[]): number {
  let sum = 0
  for (const part of parts)
    for (let index = 0; index < part.length; index++) sum += index % 2 === 0 ? part[index]! << 8 : part[index]!
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000)
  return ~sum & 0xffff
}
