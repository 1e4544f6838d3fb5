/** ICMPv6 messages out of an interface of the current network namespace: what a router beyond it would send. */

import { ipv6Bytes } from '../../src/base/ipv6.ts'
import {
  AF_INET6,
  checked,
  close,
  SOCK_CLOEXEC,
  SOCK_RAW,
  SOL_SOCKET,
  sendto,
  setSocketOption,
  setsockopt,
  socket,
} from '../../src/system/libc.ts'
import { interfaceIndex } from '../../src/system/netlink-links.ts'
import { NetlinkSocket } from '../../src/system/netlink-socket.ts'

const IPPROTO_ICMPV6 = 58
const IPPROTO_IPV6 = 41
const IPV6_UNICAST_HOPS = 16
const IPV6_MULTICAST_HOPS = 18
const SO_BINDTODEVICE = 25

export function sendIcmp6(interfaceName: string, destination: bigint, message: Uint8Array, hopLimit = 255): void {
  const what = `cannot send ICMPv6 on ${interfaceName}`
  const routes = new NetlinkSocket()
  const name = new Uint8Array(28)
  const view = new DataView(name.buffer)
  view.setUint16(0, AF_INET6, true)
  name.set(ipv6Bytes(destination), 8)
  view.setUint32(24, interfaceIndex(routes, interfaceName), true)
  routes.close()
  const fd = checked(socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6), what)
  try {
    const device = new TextEncoder().encode(`${interfaceName}\0`)
    checked(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, device.length), what)
    for (const option of [IPV6_UNICAST_HOPS, IPV6_MULTICAST_HOPS])
      checked(setSocketOption(fd, IPPROTO_IPV6, option, hopLimit), what)
    checked(sendto(fd, message, message.length, 0, name, name.length), what)
  } finally {
    close(fd)
  }
}
