/** Routes of the main table by rtnetlink(7), for `netlink.ts`. A number is an IPv4 address, a bigint an IPv6 one. */

import { AF_INET, AF_INET6 } from './libc.ts'
import { familyOf, formatAddress, type IpAddress, ipv4Of, ipv6Of } from './netlink-addresses.ts'
import { interfaceIndex, interfaceNames } from './netlink-links.ts'
import {
  attributeBytes,
  attributesOf,
  type MessageBuilder,
  NLM_F_ACK,
  NLM_F_APPEND,
  NLM_F_CREATE,
  NLM_F_DUMP,
  readU32,
  u32Bytes,
} from './netlink-message.ts'
import type { NetlinkSocket } from './netlink-socket.ts'

const RTM_NEWROUTE = 24
const RTM_DELROUTE = 25
const RTM_GETROUTE = 26

const RTA_DST = 1
const RTA_OIF = 4
const RTA_GATEWAY = 5
const RTA_PRIORITY = 6
const RTA_METRICS = 8
const RTAX_ADVMSS = 8
const RT_TABLE_MAIN = 254
const RTPROT_STATIC = 4
const RT_SCOPE_UNIVERSE = 0
const RT_SCOPE_LINK = 253
/** For deleting: whatever scope it has. */
const RT_SCOPE_NOWHERE = 255
const RTN_UNICAST = 1

export interface Route<A extends IpAddress = number> {
  /** 0 (0n) with prefixLength 0: the default route. */
  readonly destination: A
  readonly prefixLength: number
  readonly interfaceName: string
  readonly metric: number
  /** undefined: straight through the interface. */
  readonly gateway?: A | undefined
  /** The MSS that TCP tells the other end on connections that go this way; undefined: by the interface's MTU. */
  readonly advmssBytes?: number | undefined
  /** Who made it (RTPROT_…); undefined: static, as ours are. The kernel removes only what agrees in this too. */
  readonly protocol?: number | undefined
}

export function addRoute(socket: NetlinkSocket, route: Route<IpAddress>): void {
  const scope = route.gateway === undefined ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE
  // Behind another one with the same metric, not in front of it.
  const message = routeMessage(socket, RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_APPEND, scope, route)
  if (route.advmssBytes !== undefined)
    message.attributeNest(RTA_METRICS, attributeBytes(RTAX_ADVMSS, u32Bytes(route.advmssBytes)))
  socket.ask(message, `cannot add the route ${describe(route)}`)
}

export function removeRoute(socket: NetlinkSocket, route: Route<IpAddress>): void {
  const message = routeMessage(socket, RTM_DELROUTE, NLM_F_ACK, RT_SCOPE_NOWHERE, route)
  socket.ask(message, `cannot remove the route ${describe(route)}`)
}

export function listIpv4Routes(socket: NetlinkSocket): Route[] {
  return listRoutes(socket, AF_INET, 0, ipv4Of)
}

export function listIpv6Routes(socket: NetlinkSocket): Route<bigint>[] {
  return listRoutes(socket, AF_INET6, 0n, ipv6Of)
}

function listRoutes<A extends IpAddress>(
  socket: NetlinkSocket,
  family: number,
  anywhere: A,
  parse: (bytes: Uint8Array | undefined) => A | undefined,
): Route<A>[] {
  const names = interfaceNames(socket)
  const message = socket.request(RTM_GETROUTE, NLM_F_DUMP).u8(family, 0, 0, 0, 0, 0, 0, 0).u32(0)
  return socket.ask(message, 'cannot list the routes').flatMap(({ type, payload }) => {
    if (type !== RTM_NEWROUTE || payload[0] !== family || payload[4] !== RT_TABLE_MAIN) return []
    const attributes = attributesOf(payload, 12)
    const index = attributes.get(RTA_OIF)
    const interfaceName = index && names.get(readU32(index, 0))
    if (interfaceName === undefined) return []
    const metric = attributes.get(RTA_PRIORITY)
    const gateway = parse(attributes.get(RTA_GATEWAY))
    const metrics = attributes.get(RTA_METRICS)
    const advmss = metrics && attributesOf(metrics, 0).get(RTAX_ADVMSS)
    return [
      {
        destination: parse(attributes.get(RTA_DST)) ?? anywhere,
        prefixLength: payload[1]!,
        interfaceName,
        metric: metric ? readU32(metric, 0) : 0,
        ...(gateway === undefined ? {} : { gateway }),
        ...(payload[5] === RTPROT_STATIC ? {} : { protocol: payload[5]! }),
        ...(advmss ? { advmssBytes: readU32(advmss, 0) } : {}),
      },
    ]
  })
}

function routeMessage(
  socket: NetlinkSocket,
  type: number,
  flags: number,
  scope: number,
  route: Route<IpAddress>,
): MessageBuilder {
  const { destination, prefixLength, interfaceName, metric, gateway, protocol } = route
  const message = socket
    .request(type, flags)
    .u8(familyOf(destination), prefixLength, 0, 0, RT_TABLE_MAIN, protocol ?? RTPROT_STATIC, scope, RTN_UNICAST)
    .u32(0)
    .attributeU32(RTA_OIF, interfaceIndex(socket, interfaceName))
    .attributeU32(RTA_PRIORITY, metric)
  if (prefixLength > 0) message.attributeAddress(RTA_DST, destination)
  if (gateway !== undefined) message.attributeAddress(RTA_GATEWAY, gateway)
  return message
}

function describe(route: Route<IpAddress>): string {
  const destination = route.prefixLength === 0 ? 'default' : `${formatAddress(route.destination)}/${route.prefixLength}`
  return `${destination} dev ${route.interfaceName} metric ${route.metric}`
}
