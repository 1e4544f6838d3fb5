/** The addresses of interfaces by rtnetlink(7), for `netlink.ts`. A number is an IPv4 address, a bigint an IPv6 one. */

import { formatIpv4 } from '../base/ipv4.ts'
import { formatIpv6, ipv6OfBytes } from '../base/ipv6.ts'
import { AF_INET, AF_INET6 } from './libc.ts'
import { interfaceIndex, interfaceNames } from './netlink-links.ts'
import { attributesOf, NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, readU32 } from './netlink-message.ts'
import type { NetlinkSocket } from './netlink-socket.ts'

const RTM_NEWADDR = 20
const RTM_DELADDR = 21
const RTM_GETADDR = 22

const IFA_ADDRESS = 1
const IFA_LOCAL = 2
const IFA_FLAGS = 8
const IFA_F_NODAD = 0x02
const IFA_F_NOPREFIXROUTE = 0x200
const RT_SCOPE_UNIVERSE = 0

export type IpAddress = number | bigint

export interface AddressSettings<A extends IpAddress = number> {
  readonly local: A
  /** The other end of a point-to-point link. */
  readonly peer?: A | undefined
  readonly prefixLength: number
  /** IPv6: the kernel adds no route to the prefix. */
  readonly withoutRoute?: boolean
}

export interface InterfaceAddress<A extends IpAddress = number> extends AddressSettings<A> {
  readonly interfaceName: string
}

export function addAddress(socket: NetlinkSocket, name: string, address: AddressSettings<IpAddress>): void {
  const what = `cannot give ${name} the address ${formatAddress(address.local)}`
  changeAddress(socket, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, name, address, what)
}

export function removeAddress(socket: NetlinkSocket, name: string, address: AddressSettings<IpAddress>): void {
  changeAddress(socket, RTM_DELADDR, 0, name, address, `cannot take ${formatAddress(address.local)} from ${name}`)
}

function changeAddress(
  socket: NetlinkSocket,
  type: number,
  flags: number,
  name: string,
  { local, peer, prefixLength, withoutRoute }: AddressSettings<IpAddress>,
  what: string,
): void {
  const message = socket
    .request(type, NLM_F_ACK | flags)
    .u8(familyOf(local), prefixLength, 0, RT_SCOPE_UNIVERSE)
    .u32(interfaceIndex(socket, name))
    .attributeAddress(IFA_LOCAL, local)
    .attributeAddress(IFA_ADDRESS, peer || local)
  // On a point-to-point link nobody else can have the address: no detection of duplicates (RFC 5072 §5).
  if (typeof local === 'bigint') message.attributeU32(IFA_FLAGS, IFA_F_NODAD | (withoutRoute ? IFA_F_NOPREFIXROUTE : 0))
  socket.ask(message, what)
}

export function listIpv4Addresses(socket: NetlinkSocket): InterfaceAddress[] {
  return listAddresses(socket, AF_INET, ipv4Of)
}

export function listIpv6Addresses(socket: NetlinkSocket): InterfaceAddress<bigint>[] {
  return listAddresses(socket, AF_INET6, ipv6Of)
}

function listAddresses<A extends IpAddress>(
  socket: NetlinkSocket,
  family: number,
  parse: (bytes: Uint8Array | undefined) => A | undefined,
): InterfaceAddress<A>[] {
  const names = interfaceNames(socket)
  const message = socket.request(RTM_GETADDR, NLM_F_DUMP).u8(family, 0, 0, 0).u32(0)
  return socket.ask(message, 'cannot list the addresses').flatMap(({ type, payload }) => {
    if (type !== RTM_NEWADDR || payload[0] !== family) return []
    const attributes = attributesOf(payload, 8)
    const peer = parse(attributes.get(IFA_ADDRESS))
    const local = parse(attributes.get(IFA_LOCAL)) ?? peer
    const interfaceName = names.get(readU32(payload, 4))
    if (local === undefined || interfaceName === undefined) return []
    const entry = { interfaceName, local, prefixLength: payload[1]! }
    return [peer === undefined || peer === local ? entry : { ...entry, peer }]
  })
}

export function familyOf(address: IpAddress): number {
  return typeof address === 'bigint' ? AF_INET6 : AF_INET
}

export function formatAddress(address: IpAddress): string {
  return typeof address === 'bigint' ? formatIpv6(address) : formatIpv4(address)
}

export function ipv4Of(bytes: Uint8Array | undefined): number | undefined {
  return bytes?.length === 4 ? new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) : undefined
}

export function ipv6Of(bytes: Uint8Array | undefined): bigint | undefined {
  return bytes?.length === 16 ? ipv6OfBytes(bytes) : undefined
}
