/** Interfaces by rtnetlink(7): their numbers, and what `netlink.ts` sets on them. */

import { AF_INET6, ENODEV, systemError } from './libc.ts'
import { attributeBytes, attributesOf, NLM_F_ACK, NLM_F_DUMP, readString, readU32 } from './netlink-message.ts'
import type { NetlinkSocket } from './netlink-socket.ts'

const RTM_NEWLINK = 16
const RTM_GETLINK = 18

const IFF_UP = 1
const IFLA_IFNAME = 3
const IFLA_MTU = 4
const IFLA_AF_SPEC = 26
const IFLA_INET6_ADDR_GEN_MODE = 8
const IN6_ADDR_GEN_MODE_NONE = 1

export interface LinkSettings {
  readonly up?: boolean
  readonly mtuBytes?: number
}

export function setLink(socket: NetlinkSocket, name: string, settings: LinkSettings): void {
  const { up, mtuBytes } = settings
  const message = socket
    .request(RTM_NEWLINK, NLM_F_ACK)
    .u8(0, 0)
    .u16(0)
    .u32(0)
    .u32(up ? IFF_UP : 0)
    .u32(up === undefined ? 0 : IFF_UP)
    .attributeString(IFLA_IFNAME, name)
  if (mtuBytes !== undefined) message.attributeU32(IFLA_MTU, mtuBytes)
  socket.ask(message, `cannot set up the interface ${name}`)
}

/** The kernel makes no IPv6 address for it when it goes up. */
export function refuseKernelIpv6(socket: NetlinkSocket, name: string): void {
  const mode = attributeBytes(IFLA_INET6_ADDR_GEN_MODE, Uint8Array.of(IN6_ADDR_GEN_MODE_NONE))
  const message = socket
    .request(RTM_NEWLINK, NLM_F_ACK)
    .u8(0, 0)
    .u16(0)
    .u32(0)
    .u32(0)
    .u32(0)
    .attributeString(IFLA_IFNAME, name)
    .attributeNest(IFLA_AF_SPEC, attributeBytes(AF_INET6, mode))
  socket.ask(message, `cannot tell the kernel to leave the IPv6 addresses of ${name} to us`)
}

export function interfaceIndex(socket: NetlinkSocket, name: string): number {
  const message = socket.request(RTM_GETLINK, NLM_F_ACK).u8(0, 0).u16(0).u32(0).u32(0).u32(0)
  const [link] = socket.ask(message.attributeString(IFLA_IFNAME, name), `cannot find the interface ${name}`)
  if (!link) throw systemError(-ENODEV, `cannot find the interface ${name}`)
  return readU32(link.payload, 4)
}

/** By number. */
export function interfaceNames(socket: NetlinkSocket): Map<number, string> {
  const message = socket.request(RTM_GETLINK, NLM_F_DUMP).u8(0, 0).u16(0).u32(0).u32(0).u32(0)
  return new Map(
    socket
      .ask(message, 'cannot list the interfaces')
      .map(({ payload }) => [
        readU32(payload, 4),
        readString(attributesOf(payload, 16).get(IFLA_IFNAME) ?? new Uint8Array()),
      ]),
  )
}
