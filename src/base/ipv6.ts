/** IPv6 addresses as 128-bit unsigned numbers inside, text (RFC 4291 §2.2, RFC 5952) outside. */

import { formatIpv4, parseIpv4 } from './ipv4.ts'

const GROUPS = 8
const ALL_BITS = (1n << 128n) - 1n
const IDENTIFIER_BITS = (1n << 64n) - 1n
const LINK_LOCAL_PREFIX = 0xfe80n << 112n
/** ::ffff:0:0/96, whose text ends like an IPv4 address (RFC 5952 §5). */
const MAPPED_PREFIX = 0xffffn

export const ALL_NODES = (0xff02n << 112n) | 1n
export const ALL_ROUTERS = (0xff02n << 112n) | 2n

/** The canonical text: lower case, the longest run of two or more zero groups as `::`, the first of several. */
export function formatIpv6(address: bigint): string {
  if (address >> 32n === MAPPED_PREFIX) return `::ffff:${formatIpv4(Number(address & 0xffffffffn))}`
  const groups = Array.from({ length: GROUPS }, (_, index) => Number((address >> BigInt(112 - 16 * index)) & 0xffffn))
  const zeros = longestZeros(groups)
  const text = (from: number, to: number) =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':')
  return zeros ? `${text(0, zeros.from)}::${text(zeros.to, GROUPS)}` : text(0, GROUPS)
}

function longestZeros(groups: readonly number[]): { readonly from: number; readonly to: number } | undefined {
  let longest = { from: 0, to: 1 }
  for (let from = 0; from < GROUPS; from++) {
    let to = from
    while (groups[to] === 0) to++
    if (to - from > longest.to - longest.from) longest = { from, to }
  }
  return longest.to - longest.from > 1 ? longest : undefined
}

/** Without a zone (`%eth0`) or a prefix length. */
export function parseIpv6(text: string): bigint | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head, tail] = halves.map((half, index) => groupsOf(half, index === halves.length - 1))
  if (!head) return undefined
  if (halves.length === 1) return head.length === GROUPS ? numberOf(head) : undefined
  if (!tail || head.length + tail.length >= GROUPS) return undefined
  const zeros = new Array<number>(GROUPS - head.length - tail.length).fill(0)
  return numberOf([...head, ...zeros, ...tail])
}

/** Of a text without `::`; only the address's end may be written as an IPv4 address. */
function groupsOf(text: string, isEnd: boolean): number[] | undefined {
  if (text === '') return []
  const parts = text.split(':')
  const groups: number[] = []
  for (const [index, part] of parts.entries()) {
    const ip4 = isEnd && index === parts.length - 1 ? parseIpv4(part) : undefined
    if (ip4 !== undefined) groups.push(ip4 >>> 16, ip4 & 0xffff)
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16))
    else return undefined
  }
  return groups
}

function numberOf(groups: readonly number[]): bigint {
  return groups.reduce((address, group) => (address << 16n) | BigInt(group), 0n)
}

/** fe80::/64 with that interface identifier (RFC 5072 §5). */
export function linkLocal(identifier: bigint): bigint {
  return LINK_LOCAL_PREFIX | (identifier & IDENTIFIER_BITS)
}

/** The address's last 64 bits. */
export function interfaceIdentifier(address: bigint): bigint {
  return address & IDENTIFIER_BITS
}

/** fe80::/10. */
export function isLinkLocal(address: bigint): boolean {
  return address >> 118n === LINK_LOCAL_PREFIX >> 118n
}

/** May a peer give us this as (the prefix of) an address? Global unicast (2000::/3) or unique local (fc00::/7), nothing else. */
export function isUsableIpv6(address: bigint): boolean {
  return address >> 125n === 1n || address >> 121n === 0xfcn >> 1n
}

/** The first `prefixLength` bits. */
export function ipv6Prefix(address: bigint, prefixLength: number): bigint {
  const hostBits = BigInt(128 - prefixLength)
  return ((address & ALL_BITS) >> hostBits) << hostBits
}

/** In network order. `bytes` has 16. */
export function ipv6OfBytes(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return (view.getBigUint64(0) << 64n) | view.getBigUint64(8)
}

export function ipv6Bytes(address: bigint): Uint8Array {
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, address >> 64n)
  view.setBigUint64(8, address & IDENTIFIER_BITS)
  return bytes
}
