/**
 * Interfaces, addresses and routes by rtnetlink(7). A socket belongs to the network namespace that is current when it is
 * opened. The kernel answers within the send, so that nothing waits and nothing is polled; the functions are async all the
 * same, because that is the kernel's promise only for rtnetlink.
 *
 * What is added replaces nothing, and is removed by its exact description: we never touch what is not ours (DESIGN §7).
 */

import { writeFileSync } from 'node:fs'
import { errorText, ModemdError } from '../base/errors.ts'
import { close, O_RDONLY, open } from './libc.ts'
import {
  type AddressSettings,
  addAddress,
  type InterfaceAddress,
  type IpAddress,
  listIpv4Addresses,
  listIpv6Addresses,
  removeAddress,
} from './netlink-addresses.ts'
import { interfaceIndex, type LinkSettings, refuseKernelIpv6, setLink } from './netlink-links.ts'
import { addRoute, listIpv4Routes, listIpv6Routes, type Route, removeRoute } from './netlink-routes.ts'
import { NetlinkSocket } from './netlink-socket.ts'

export type { AddressSettings, InterfaceAddress, IpAddress, LinkSettings, Route }

/** All reject with a ModemdError that has the kernel's words: NotFound (no such interface), Busy (there already), NotAuthorized … */
export interface RouteSocket {
  setLink(name: string, settings: LinkSettings): Promise<void>
  /**
   * Before it goes up: the kernel gives the interface no IPv6 address, route or gateway by itself. Answers what could not be
   * done, for people; undefined: all. A kernel without IPv6 has nothing to be told.
   */
  keepKernelOutOfIpv6(name: string): Promise<string | undefined>
  addAddress(name: string, address: AddressSettings<IpAddress>): Promise<void>
  removeAddress(name: string, address: AddressSettings<IpAddress>): Promise<void>
  addRoute(route: Route<IpAddress>): Promise<void>
  removeRoute(route: Route<IpAddress>): Promise<void>
  /** IPv4 addresses of all interfaces. */
  listAddresses(): Promise<readonly InterfaceAddress[]>
  listIpv6Addresses(): Promise<readonly InterfaceAddress<bigint>[]>
  /** IPv4 routes of the main table. */
  listRoutes(): Promise<readonly Route[]>
  listIpv6Routes(): Promise<readonly Route<bigint>[]>
  close(): void
}

const IPV6_SYSCTLS = '/proc/sys/net/ipv6/conf'
/** Router advertisements are for `router-discovery.ts` to judge, redirects are never believed. */
const UNWANTED_SYSCTLS = ['accept_ra', 'accept_redirects'] as const

export function openRouteSocket(): RouteSocket {
  const socket = new NetlinkSocket()
  // What /proc/sys/net shows is decided by when it is opened: as the socket, it stays with this namespace. Negative: no IPv6.
  const sysctls = open(IPV6_SYSCTLS, O_RDONLY)
  let isClosed = false
  return {
    setLink: async (name, settings) => setLink(socket, name, settings),
    keepKernelOutOfIpv6: async (name) => {
      if (sysctls < 0) return undefined
      try {
        refuseKernelIpv6(socket, name)
        refuseRouters(sysctls, name)
        return undefined
      } catch (error) {
        return errorText(error)
      }
    },
    addAddress: async (name, address) => addAddress(socket, name, address),
    removeAddress: async (name, address) => removeAddress(socket, name, address),
    addRoute: async (route) => addRoute(socket, route),
    removeRoute: async (route) => removeRoute(socket, route),
    listAddresses: async () => listIpv4Addresses(socket),
    listIpv6Addresses: async () => listIpv6Addresses(socket),
    listRoutes: async () => listIpv4Routes(socket),
    listIpv6Routes: async () => listIpv6Routes(socket),
    close: () => {
      if (isClosed) return
      isClosed = true
      socket.close()
      if (sysctls >= 0) close(sysctls)
    },
  }
}

/** Of the namespace that is current. Throws a ModemdError where there is none of that name. */
export function interfaceNumber(name: string): number {
  const socket = new NetlinkSocket()
  try {
    return interfaceIndex(socket, name)
  } finally {
    socket.close()
  }
}

/** A container's /proc/sys may be read-only. */
function refuseRouters(sysctls: number, name: string): void {
  for (const sysctl of UNWANTED_SYSCTLS) {
    try {
      writeFileSync(`/proc/self/fd/${sysctls}/${name}/${sysctl}`, '0')
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'error'
      throw new ModemdError('NotAuthorized', `${IPV6_SYSCTLS}/${name}/${sysctl} cannot be written (${code})`)
    }
  }
}
