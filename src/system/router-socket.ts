/**
 * Router solicitations out of one interface, and the advertisements that come in by it (RFC 4861; icmp6 and ipv6(7)). The
 * kernel checks and makes the checksums. `ppp/ipv6/router-discovery.ts` knows what to do with them.
 */

import { endianness } from 'node:os'
import { ALL_ROUTERS, ipv6Bytes, ipv6OfBytes } from '../base/ipv6.ts'
import {
  AF_INET6,
  checked,
  close,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOL_SOCKET,
  sendto,
  setSocketOption,
  setsockopt,
  socket,
} from './libc.ts'
import { MessageReceiver } from './message-receiver.ts'
import { interfaceIndex } from './netlink-links.ts'
import { readU32 } from './netlink-message.ts'
import { NetlinkSocket } from './netlink-socket.ts'
import { watchFd } from './poll.ts'

const IPPROTO_ICMPV6 = 58
const IPPROTO_IPV6 = 41
const ICMPV6_FILTER = 1
const SO_BINDTODEVICE = 25
const IPV6_MULTICAST_HOPS = 18
const IPV6_MULTICAST_LOOP = 19
const IPV6_RECVHOPLIMIT = 51
const IPV6_HOPLIMIT = 52
const HOP_LIMIT = 255
const ROUTER_ADVERTISEMENT = 134

const LITTLE = endianness() === 'LE'
const SOCKADDR_IN6_BYTES = 28
/** One that fills it may be longer, and is dropped. */
const LARGEST_MESSAGE_BYTES = 4096
const MESSAGES_PER_TURN = 8

export interface ReceivedAdvertisement {
  readonly source: bigint
  readonly hopLimit: number
  /** The ICMPv6 message; valid during the call. */
  readonly bytes: Uint8Array
}

export interface RouterSocket {
  /** To all routers of the link. Lost where the interface does not take it. */
  solicit(message: Uint8Array): void
  /** Reading starts with the listener. */
  onAdvertisement(listener: (message: ReceivedAdvertisement) => void): void
  /** Idempotent. */
  close(): void
}

/** In the network namespace that is current. Needs CAP_NET_RAW. Throws ModemdError. */
export function openRouterSocket(interfaceName: string): RouterSocket {
  const what = `cannot look for IPv6 routers on ${interfaceName}`
  const type = SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC
  const fd = checked(socket(AF_INET6, type, IPPROTO_ICMPV6), what)
  try {
    const name = new TextEncoder().encode(`${interfaceName}\0`)
    checked(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, name.length), what)
    const filter = onlyAdvertisements()
    checked(setsockopt(fd, IPPROTO_ICMPV6, ICMPV6_FILTER, filter, filter.length), what)
    checked(setSocketOption(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, HOP_LIMIT), what)
    checked(setSocketOption(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0), what)
    checked(setSocketOption(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1), what)
    return new OpenRouterSocket(fd, allRouters(indexOf(interfaceName)))
  } catch (error) {
    close(fd)
    throw error
  }
}

/** A struct icmp6_filter: a bit for each type that is not passed on. */
function onlyAdvertisements(): Uint8Array {
  const words = new Uint32Array(8).fill(0xffffffff)
  words[ROUTER_ADVERTISEMENT >> 5]! &= ~(1 << (ROUTER_ADVERTISEMENT & 31))
  return new Uint8Array(words.buffer)
}

function indexOf(interfaceName: string): number {
  const routes = new NetlinkSocket()
  try {
    return interfaceIndex(routes, interfaceName)
  } finally {
    routes.close()
  }
}

/** A sockaddr_in6. */
function allRouters(index: number): Uint8Array {
  const name = new Uint8Array(SOCKADDR_IN6_BYTES)
  const view = new DataView(name.buffer)
  view.setUint16(0, AF_INET6, LITTLE)
  name.set(ipv6Bytes(ALL_ROUTERS), 8)
  view.setUint32(24, index, LITTLE)
  return name
}

class OpenRouterSocket implements RouterSocket {
  readonly #fd: number
  readonly #destination: Uint8Array
  readonly #watch: ReturnType<typeof watchFd>
  readonly #inbox: MessageReceiver
  #isClosed = false
  #listener: (message: ReceivedAdvertisement) => void = () => {}

  constructor(fd: number, destination: Uint8Array) {
    this.#fd = fd
    this.#destination = destination
    this.#inbox = new MessageReceiver(fd, LARGEST_MESSAGE_BYTES, SOCKADDR_IN6_BYTES)
    this.#watch = watchFd(fd, { readable: () => this.#read() })
    this.#watch.pauseReading()
  }

  solicit(message: Uint8Array): void {
    if (!this.#isClosed) sendto(this.#fd, message, message.length, 0, this.#destination, this.#destination.length)
  }

  onAdvertisement(listener: (message: ReceivedAdvertisement) => void): void {
    this.#listener = listener
    if (!this.#isClosed) this.#watch.resumeReading()
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#watch.close()
    close(this.#fd)
  }

  #read(): void {
    for (let left = MESSAGES_PER_TURN; left > 0 && !this.#isClosed; left--) {
      const count = this.#inbox.receive()
      if (count < 0) return
      const hopLimit = this.#inbox.ancillary(IPPROTO_IPV6, IPV6_HOPLIMIT)
      if (count === LARGEST_MESSAGE_BYTES || !hopLimit || hopLimit.length < 4) continue
      const source = ipv6OfBytes(this.#inbox.name.subarray(8, 24))
      this.#listener({ source, hopLimit: readU32(hopLimit, 0), bytes: this.#inbox.data.subarray(0, count) })
    }
  }
}
