/**
 * Interfaces, addresses and routes by rtnetlink(7). A socket belongs to the network namespace that is current when it is
 * opened. The kernel answers within the send, so that nothing waits and nothing is polled; the functions are async all the
 * same, because that is the kernel's promise only for rtnetlink.
 *
 * What is added replaces nothing, and is removed by its exact description: we never touch what is not ours (DESIGN §7).
 */

import { formatIpv4 } from '../base/ipv4.ts'
import {
  AF_INET,
  AF_NETLINK,
  checked,
  close,
  ENODEV,
  recv,
  SOCK_CLOEXEC,
  SOCK_RAW,
  SOL_SOCKET,
  sendto,
  setSocketOption,
  setsockopt,
  socket,
  systemError,
} from './libc.ts'
import {
  attributesOf,
  MessageBuilder,
  messagesOf,
  type NetlinkMessage,
  NLM_F_ACK,
  NLM_F_APPEND,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  readString,
  readU32,
  verdictOf,
} from './netlink-message.ts'

const NETLINK_ROUTE = 0
const SOL_NETLINK = 270
const NETLINK_CAP_ACK = 10
const NETLINK_EXT_ACK = 11
const SO_RCVTIMEO = 20

const RTM_NEWLINK = 16
const RTM_GETLINK = 18
const RTM_NEWADDR = 20
const RTM_GETADDR = 22
const RTM_NEWROUTE = 24
const RTM_DELROUTE = 25
const RTM_GETROUTE = 26

const IFF_UP = 1
const IFLA_IFNAME = 3
const IFLA_MTU = 4
const IFA_ADDRESS = 1
const IFA_LOCAL = 2
const RTA_DST = 1
const RTA_OIF = 4
const RTA_GATEWAY = 5
const RTA_PRIORITY = 6
const RT_TABLE_MAIN = 254
const RTPROT_STATIC = 4
const RT_SCOPE_UNIVERSE = 0
const RT_SCOPE_LINK = 253
/** For deleting: whatever scope it has. */
const RT_SCOPE_NOWHERE = 255
const RTN_UNICAST = 1

const RECEIVE_BYTES = 65_536
const ANSWER_SECONDS = 2n

export interface LinkSettings {
  readonly up?: boolean
  readonly mtuBytes?: number
}

export interface AddressSettings {
  readonly local: number
  /** The other end of a point-to-point link. */
  readonly peer?: number | undefined
  readonly prefixLength: number
}

export interface Route {
  /** 0 with prefixLength 0: the default route. */
  readonly destination: number
  readonly prefixLength: number
  readonly interfaceName: string
  readonly metric: number
  /** undefined: straight through the interface. */
  readonly gateway?: number | undefined
}

export interface InterfaceAddress extends AddressSettings {
  readonly interfaceName: string
}

/** All reject with a ModemdError that has the kernel's words: NotFound (no such interface), Busy (there already), NotAuthorized … */
export interface RouteSocket {
  setLink(name: string, settings: LinkSettings): Promise<void>
  addAddress(name: string, address: AddressSettings): Promise<void>
  addRoute(route: Route): Promise<void>
  removeRoute(route: Route): Promise<void>
  /** IPv4 addresses of all interfaces. */
  listAddresses(): Promise<readonly InterfaceAddress[]>
  /** IPv4 routes of the main table. */
  listRoutes(): Promise<readonly Route[]>
  close(): void
}

export function openRouteSocket(): RouteSocket {
  const fd = checked(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), 'cannot open a route socket')
  // Older kernels know neither; then errors only lack the kernel's sentence.
  setSocketOption(fd, SOL_NETLINK, NETLINK_EXT_ACK, 1)
  setSocketOption(fd, SOL_NETLINK, NETLINK_CAP_ACK, 1)
  // Never needed unless the kernel breaks its promise; then an error instead of a daemon that hangs.
  const timeout = new Uint8Array(new BigInt64Array([ANSWER_SECONDS, 0n]).buffer)
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeout, timeout.length)
  return new OpenRouteSocket(fd)
}

const receiveBuffer = new Uint8Array(RECEIVE_BYTES)

class OpenRouteSocket implements RouteSocket {
  readonly #fd: number
  #sequence = 0
  #isClosed = false

  constructor(fd: number) {
    this.#fd = fd
  }

  async setLink(name: string, settings: LinkSettings): Promise<void> {
    const { up, mtuBytes } = settings
    const message = this.#request(RTM_NEWLINK, NLM_F_ACK)
      .u8(0, 0)
      .u16(0)
      .u32(0)
      .u32(up ? IFF_UP : 0)
      .u32(up === undefined ? 0 : IFF_UP)
      .attributeString(IFLA_IFNAME, name)
    if (mtuBytes !== undefined) message.attributeU32(IFLA_MTU, mtuBytes)
    this.#do(message, `cannot set up the interface ${name}`)
  }

  async addAddress(name: string, address: AddressSettings): Promise<void> {
    const { local, peer, prefixLength } = address
    const message = this.#request(RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL)
      .u8(AF_INET, prefixLength, 0, RT_SCOPE_UNIVERSE)
      .u32(this.#indexOf(name))
      .attributeIpv4(IFA_LOCAL, local)
      .attributeIpv4(IFA_ADDRESS, peer || local)
    this.#do(message, `cannot give ${name} the address ${formatIpv4(local)}`)
  }

  async addRoute(route: Route): Promise<void> {
    const scope = route.gateway === undefined ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE
    // Behind another one with the same metric, not in front of it.
    const message = this.#route(RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_APPEND, scope, route)
    this.#do(message, `cannot add the route ${describe(route)}`)
  }

  async removeRoute(route: Route): Promise<void> {
    this.#do(
      this.#route(RTM_DELROUTE, NLM_F_ACK, RT_SCOPE_NOWHERE, route),
      `cannot remove the route ${describe(route)}`,
    )
  }

  async listAddresses(): Promise<readonly InterfaceAddress[]> {
    const names = this.#interfaceNames()
    const message = this.#request(RTM_GETADDR, NLM_F_DUMP).u8(AF_INET, 0, 0, 0).u32(0)
    return this.#ask(message, 'cannot list the addresses').flatMap(({ type, payload }) => {
      if (type !== RTM_NEWADDR || payload[0] !== AF_INET) return []
      const attributes = attributesOf(payload, 8)
      const peer = ipv4Of(attributes.get(IFA_ADDRESS))
      const local = ipv4Of(attributes.get(IFA_LOCAL)) ?? peer
      const interfaceName = names.get(readU32(payload, 4))
      if (local === undefined || interfaceName === undefined) return []
      const entry = { interfaceName, local, prefixLength: payload[1]! }
      return [peer === undefined || peer === local ? entry : { ...entry, peer }]
    })
  }

  async listRoutes(): Promise<readonly Route[]> {
    const names = this.#interfaceNames()
    const message = this.#request(RTM_GETROUTE, NLM_F_DUMP).u8(AF_INET, 0, 0, 0, 0, 0, 0, 0).u32(0)
    return this.#ask(message, 'cannot list the routes').flatMap(({ type, payload }) => {
      if (type !== RTM_NEWROUTE || payload[0] !== AF_INET || payload[4] !== RT_TABLE_MAIN) return []
      const attributes = attributesOf(payload, 12)
      const index = attributes.get(RTA_OIF)
      const interfaceName = index && names.get(readU32(index, 0))
      if (interfaceName === undefined) return []
      const metric = attributes.get(RTA_PRIORITY)
      const gateway = ipv4Of(attributes.get(RTA_GATEWAY))
      const route = {
        destination: ipv4Of(attributes.get(RTA_DST)) ?? 0,
        prefixLength: payload[1]!,
        interfaceName,
        metric: metric ? readU32(metric, 0) : 0,
      }
      return [gateway === undefined ? route : { ...route, gateway }]
    })
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    close(this.#fd)
  }

  #route(type: number, flags: number, scope: number, route: Route): MessageBuilder {
    const message = this.#request(type, flags)
      .u8(AF_INET, route.prefixLength, 0, 0, RT_TABLE_MAIN, RTPROT_STATIC, scope, RTN_UNICAST)
      .u32(0)
      .attributeU32(RTA_OIF, this.#indexOf(route.interfaceName))
      .attributeU32(RTA_PRIORITY, route.metric)
    if (route.prefixLength > 0) message.attributeIpv4(RTA_DST, route.destination)
    if (route.gateway !== undefined) message.attributeIpv4(RTA_GATEWAY, route.gateway)
    return message
  }

  #indexOf(name: string): number {
    const message = this.#request(RTM_GETLINK, NLM_F_ACK).u8(0, 0).u16(0).u32(0).u32(0).u32(0)
    const [link] = this.#ask(message.attributeString(IFLA_IFNAME, name), `cannot find the interface ${name}`)
    if (!link) throw systemError(-ENODEV, `cannot find the interface ${name}`)
    return readU32(link.payload, 4)
  }

  #interfaceNames(): Map<number, string> {
    const message = this.#request(RTM_GETLINK, NLM_F_DUMP).u8(0, 0).u16(0).u32(0).u32(0).u32(0)
    return new Map(
      this.#ask(message, 'cannot list the interfaces').map(({ payload }) => [
        readU32(payload, 4),
        readString(attributesOf(payload, 16).get(IFLA_IFNAME) ?? new Uint8Array()),
      ]),
    )
  }

  #request(type: number, flags: number): MessageBuilder {
    return new MessageBuilder(type, NLM_F_REQUEST | flags, ++this.#sequence)
  }

  #do(message: MessageBuilder, what: string): void {
    this.#ask(message, what)
  }

  /** Every message of the answer, up to its end. */
  #ask(request: MessageBuilder, what: string): NetlinkMessage[] {
    const bytes = request.done()
    checked(sendto(this.#fd, bytes, bytes.length, 0, null, 0), what)
    const answer: NetlinkMessage[] = []
    for (;;) {
      const count = checked(recv(this.#fd, receiveBuffer, RECEIVE_BYTES, 0), what)
      // A copy: the next datagram comes into the same buffer.
      for (const message of messagesOf(receiveBuffer.slice(0, count))) {
        // The rest of an answer that was given up on.
        if (message.sequence !== request.sequence) continue
        if (message.type === NLMSG_DONE) return answer
        if (message.type !== NLMSG_ERROR) answer.push(message)
        else if (accept(message, what)) return answer
      }
    }
  }
}

/** An NLMSG_ERROR with errno 0 is the acknowledgement. */
function accept(message: NetlinkMessage, what: string): true {
  const { answer, text } = verdictOf(message)
  if (answer === 0) return true
  throw systemError(answer, text === undefined ? what : `${what}: ${text}`)
}

function ipv4Of(bytes: Uint8Array | undefined): number | undefined {
  return bytes?.length === 4 ? new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) : undefined
}

function describe(route: Route): string {
  const destination = route.prefixLength === 0 ? 'default' : `${formatIpv4(route.destination)}/${route.prefixLength}`
  return `${destination} dev ${route.interfaceName} metric ${route.metric}`
}
