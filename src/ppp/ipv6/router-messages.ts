/**
 * Router solicitations and advertisements (RFC 4861 §4.1, §4.2, §4.6), without the IPv6 header. `router-discovery.ts` sends the
 * one and reads the other; the simulator's operator answers with what `buildAdvertisement` makes.
 */

import { ipv6Bytes, ipv6OfBytes } from '../../base/ipv6.ts'

const ROUTER_SOLICITATION = 133
export const ROUTER_ADVERTISEMENT = 134

const HEADER_BYTES = 16
const PREFIX_INFORMATION = 3
const PREFIX_INFORMATION_BYTES = 32
const AUTONOMOUS = 0x40
const OPTION_UNIT_BYTES = 8
export const INFINITE_LIFETIME_SECONDS = 0xffffffff

/** What an advertisement says of a prefix whose addresses hosts make themselves (the A flag). */
export interface AdvertisedPrefix {
  readonly prefix: bigint
  readonly prefixLength: number
  /** `INFINITE_LIFETIME_SECONDS`: for ever. */
  readonly validSeconds: number
  readonly preferredSeconds: number
}

export interface RouterAdvertisement {
  /** 0: no default router. */
  readonly routerSeconds: number
  readonly prefixes: readonly AdvertisedPrefix[]
}

/** No source link-layer address: a point-to-point link has none. */
export function buildSolicitation(): Uint8Array {
  return Uint8Array.of(ROUTER_SOLICITATION, 0, 0, 0, 0, 0, 0, 0)
}

/** `bytes`: an ICMPv6 message. undefined: it is no advertisement, or one that RFC 4861 §6.1.2 has us drop. */
export function parseAdvertisement(bytes: Uint8Array): RouterAdvertisement | undefined {
  if (bytes.length < HEADER_BYTES || bytes[0] !== ROUTER_ADVERTISEMENT || bytes[1] !== 0) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const prefixes: AdvertisedPrefix[] = []
  for (let at = HEADER_BYTES; at < bytes.length; ) {
    const length = (bytes[at + 1] ?? 0) * OPTION_UNIT_BYTES
    if (length === 0 || at + length > bytes.length) return undefined
    if (bytes[at] === PREFIX_INFORMATION && length === PREFIX_INFORMATION_BYTES && bytes[at + 3]! & AUTONOMOUS)
      prefixes.push({
        prefix: ipv6OfBytes(bytes.subarray(at + 16, at + 32)),
        prefixLength: bytes[at + 2]!,
        validSeconds: view.getUint32(at + 4),
        preferredSeconds: view.getUint32(at + 8),
      })
    at += length
  }
  return { routerSeconds: view.getUint16(6), prefixes }
}

/** The ICMPv6 message, its checksum left to the kernel (a raw socket) or to `buildIcmp6Packet`. The prefixes are not on-link: the link has two ends. */
export function buildAdvertisement({ routerSeconds, prefixes }: RouterAdvertisement): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + PREFIX_INFORMATION_BYTES * prefixes.length)
  const view = new DataView(bytes.buffer)
  bytes[0] = ROUTER_ADVERTISEMENT
  view.setUint16(6, routerSeconds)
  for (const [index, { prefix, prefixLength, validSeconds, preferredSeconds }] of prefixes.entries()) {
    const at = HEADER_BYTES + index * PREFIX_INFORMATION_BYTES
    bytes.set([PREFIX_INFORMATION, PREFIX_INFORMATION_BYTES / OPTION_UNIT_BYTES, prefixLength, AUTONOMOUS], at)
    view.setUint32(at + 4, validSeconds)
    view.setUint32(at + 8, preferredSeconds)
    bytes.set(ipv6Bytes(prefix), at + 16)
  }
  return bytes
}

const IPV6_HEADER_BYTES = 40
const ICMPV6 = 58
const HOP_LIMIT = 255

/** A whole IPv6 packet around an ICMPv6 message, with its checksum (RFC 4443 §2.3): for who has no kernel to do it. */
export function buildIcmp6Packet(source: bigint, destination: bigint, message: Uint8Array): Uint8Array {
  const packet = new Uint8Array(IPV6_HEADER_BYTES + message.length)
  const view = new DataView(packet.buffer)
  packet[0] = 0x60
  view.setUint16(4, message.length)
  packet[6] = ICMPV6
  packet[7] = HOP_LIMIT
  packet.set(ipv6Bytes(source), 8)
  packet.set(ipv6Bytes(destination), 24)
  packet.set(message, IPV6_HEADER_BYTES)
  view.setUint16(IPV6_HEADER_BYTES + 2, 0)
  view.setUint16(IPV6_HEADER_BYTES + 2, checksum(packet))
  return packet
}

/** Over addresses, length, next header, and the message. */
function checksum(packet: Uint8Array): number {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length)
  let sum = packet.length - IPV6_HEADER_BYTES + ICMPV6
  for (let at = 8; at < packet.length; at += 2) sum += at + 1 < packet.length ? view.getUint16(at) : packet[at]! << 8
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

/** Is this IPv6 packet a router solicitation (RFC 4861 §6.1.1)? For who answers them without a kernel. */
export function isSolicitation(packet: Uint8Array): boolean {
  const minBytes = IPV6_HEADER_BYTES + buildSolicitation().length
  if (packet.length < minBytes || packet[0]! >>> 4 !== 6 || packet[6] !== ICMPV6 || packet[7] !== HOP_LIMIT)
    return false
  return packet[IPV6_HEADER_BYTES] === ROUTER_SOLICITATION && packet[IPV6_HEADER_BYTES + 1] === 0
}
