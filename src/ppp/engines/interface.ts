/**
 * A point-to-point interface, a TUN or pppN, as the session agreed on it: addresses, MTU, routes, and what the peer's IPv6
 * router gives beyond. The builtin and the kernel engine have one for each interface they make. Whatever is wanted at the
 * moment is compared with what the interface has, so that a second protocol adds, and a renegotiated address replaces.
 */

import type { Failure } from '../../base/cause.ts'
import { errorText, failureOf, ModemdError } from '../../base/errors.ts'
import { linkLocal } from '../../base/ipv6.ts'
import type { Logger } from '../../base/ports.ts'
import type { AddressSettings, IpAddress, Route, RouteSocket } from '../../system/netlink.ts'
import type { Ip4Address, Ip6Identifiers, PppAddress } from '../settings.ts'
import { ipv6Conflict, withoutConflicts } from './conflicts.ts'
import type { Ip6Address, LinkAddress, PppLinkOptions } from './engine.ts'
import { RouterWatch, type RouterWatchServices } from './router-watch.ts'

/** `openRouterSocket` missing: link-local addresses only. */
export interface InterfaceServices extends RouterWatchServices {
  openRouteSocket(): RouteSocket
}

export interface InterfaceListener {
  /** All of it is on the interface, which is up. Comes again when there is more, or it changed. */
  configured(address: LinkAddress): void
  /** What the session agreed on cannot be had: the link has no use. */
  failed(failure: Failure): void
}

/** IP and TCP headers: what an MTU leaves for a segment. */
const IPV4_HEADERS_BYTES = 40
const IPV6_HEADERS_BYTES = 60
/** Whose log knows already that the kernel may listen to routers. */
const warned = new WeakSet<Logger>()

type Address = AddressSettings<IpAddress>

interface Wanted {
  readonly addresses: readonly Address[]
  readonly routes: readonly Route<IpAddress>[]
}

const NOTHING: Wanted = { addresses: [], routes: [] }

export class PppInterface {
  readonly #services: InterfaceServices
  readonly #options: PppLinkOptions
  readonly #name: string
  readonly #listener: InterfaceListener
  #agreed: PppAddress | undefined
  #routers: RouterWatch | undefined
  /** What is on the interface now. */
  #addresses: readonly Address[] = []
  #routes: readonly Route<IpAddress>[] = []
  /** undefined: the interface is down. */
  #mtuBytes: number | undefined
  #hasIp4 = false
  #work: Promise<void> | undefined
  #isStale = false
  #isClosed = false
  #lastWarning = ''

  /** `name`: the interface's real one. */
  constructor(services: InterfaceServices, options: PppLinkOptions, name: string, listener: InterfaceListener) {
    this.#services = services
    this.#options = options
    this.#name = name
    this.#listener = listener
  }

  /** What the session's `up` says; again with more (the second protocol) or something else. The listener hears of it later, in a microtask at the earliest. */
  configure(agreed: PppAddress): void {
    this.#agreed = agreed
    void this.#refresh()
  }

  /**
   * Takes everything off again and the interface down; it stays, and `configure` may follow (the kernel engine, when the peer
   * negotiates anew). Nothing is heard until then. Never rejects.
   */
  clear(): Promise<void> {
    this.#agreed = undefined
    this.#stopRouters()
    return this.#refresh()
  }

  /** The interface goes now by itself (its descriptor is closed), and what was on it with it. Nothing is heard after this. Idempotent. */
  close(): void {
    this.#isClosed = true
    this.#agreed = undefined
    this.#stopRouters()
  }

  #refresh(): Promise<void> {
    this.#isStale = true
    this.#work ??= this.#catchUp().finally(() => {
      this.#work = undefined
    })
    return this.#work
  }

  /** One at a time, until what is wanted is what the interface has. */
  async #catchUp(): Promise<void> {
    while (this.#isStale && !this.#isClosed) {
      this.#isStale = false
      const agreed = this.#agreed
      try {
        const address = await this.#apply(agreed)
        if (address && this.#agreed === agreed) this.#listener.configured(address)
      } catch (error) {
        if (this.#agreed === agreed && agreed) this.#listener.failed(failureOf(error))
      }
    }
  }

  async #apply(agreed: PppAddress | undefined): Promise<LinkAddress | undefined> {
    const routes = this.#services.openRouteSocket()
    try {
      if (agreed) return await this.#bringUp(routes, agreed)
      await this.#bringDown(routes)
      return undefined
    } finally {
      routes.close()
    }
  }

  async #bringUp(routes: RouteSocket, { ip4: offered, ip6: identifiers, mtuBytes }: PppAddress): Promise<LinkAddress> {
    const ip4 = offered && (await this.#withoutConflicts(routes, offered))
    if (this.#mtuBytes === undefined) await this.#keepKernelOut(routes)
    if (ip4 && !this.#hasIp4) await this.#options.beforeUp?.(this.#name, ip4)
    this.#hasIp4 = ip4 !== undefined
    if (this.#mtuBytes !== mtuBytes) await routes.setLink(this.#name, { up: true, mtuBytes })
    this.#mtuBytes = mtuBytes
    const wantedIp4 = ip4 ? this.#wantedIpv4(ip4, mtuBytes) : NOTHING
    await this.#change(routes, wantedIp4, 'number')
    const ip6 = await this.#bringIpv6Up(routes, identifiers, mtuBytes, ip4 !== undefined)
    return { ip4, ip6, mtuBytes }
  }

  /** Where there is IPv4, a kernel that does not do IPv6 is only worth a warning. */
  async #bringIpv6Up(
    routes: RouteSocket,
    identifiers: Ip6Identifiers | undefined,
    mtuBytes: number,
    hasIpv4: boolean,
  ): Promise<Ip6Address | undefined> {
    try {
      const ip6 = identifiers && (await this.#ip6Address(routes, identifiers))
      await this.#change(routes, ip6 ? this.#wantedIpv6(ip6, mtuBytes) : NOTHING, 'bigint')
      if (ip6) this.#startRouters(ip6.local)
      else this.#stopRouters()
      return ip6
    } catch (error) {
      const what = `no IPv6 on ${this.#name}: ${errorText(error)}`
      if (!hasIpv4) throw new ModemdError('PppFailed', what, 'no-address')
      this.#warn(`There is ${what}.`)
      return undefined
    }
  }

  async #bringDown(routes: RouteSocket): Promise<void> {
    try {
      await this.#change(routes, NOTHING, 'number')
      await this.#change(routes, NOTHING, 'bigint')
      if (this.#mtuBytes !== undefined) await routes.setLink(this.#name, { up: false })
    } catch (error) {
      // Somebody may have removed the interface; then there is nothing left to do.
      this.#services.logger.debug(errorText(error))
    }
    this.#addresses = []
    this.#routes = []
    this.#mtuBytes = undefined
    this.#hasIp4 = false
  }

  async #withoutConflicts(routes: RouteSocket, offered: Ip4Address): Promise<Ip4Address> {
    const others = (await routes.listAddresses()).filter(({ interfaceName }) => interfaceName !== this.#name)
    return withoutConflicts(offered, others, this.#options.settings, (message) => this.#warn(message))
  }

  async #keepKernelOut(routes: RouteSocket): Promise<void> {
    const trouble = await routes.keepKernelOutOfIpv6(this.#name)
    const { logger } = this.#services
    // Without IPV6CP no router's word reaches the kernel.
    if (trouble === undefined || !this.#options.settings.ipv6 || warned.has(logger)) return
    warned.add(logger)
    logger.warn(`The kernel may take routes and addresses from IPv6 routers by itself on PPP interfaces: ${trouble}.`)
  }

  async #ip6Address(routes: RouteSocket, { local, peer }: Ip6Identifiers): Promise<Ip6Address> {
    const link = { local: linkLocal(local), peer: peer === 0n ? 0n : linkLocal(peer) }
    const found = this.#routers?.linkLocal === link.local ? this.#routers.found.address : undefined
    if (!found) return link
    const others = (await routes.listIpv6Addresses()).filter(({ interfaceName }) => interfaceName !== this.#name)
    const conflict = ipv6Conflict(found.address, found.prefixLength, others)
    if (!conflict) return { ...link, global: found }
    this.#warn(`The peer's router gave ${conflict}: left out.`)
    return link
  }

  #wantedIpv4({ local, peer }: Ip4Address, mtuBytes: number): Wanted {
    const route = this.#defaultRoute(0, mtuBytes - IPV4_HEADERS_BYTES)
    return { addresses: [{ local, peer, prefixLength: 32 }], routes: route ? [route] : [] }
  }

  #wantedIpv6({ local, peer, global }: Ip6Address, mtuBytes: number): Wanted {
    const addresses: Address[] = [{ local, peer, prefixLength: peer === 0n ? 64 : 128 }]
    // The prefix is no network of this link's: only the default route leads there.
    if (global) addresses.push({ local: global.address, prefixLength: global.prefixLength, withoutRoute: true })
    const route = this.#defaultRoute(0n, mtuBytes - IPV6_HEADERS_BYTES)
    return { addresses, routes: route && global && this.#routers?.found.hasRouter ? [route] : [] }
  }

  /** Straight through the interface: whoever is the router behind it gets everything. */
  #defaultRoute<A extends IpAddress>(destination: A, advmssBytes: number): Route<A> | undefined {
    const metric = this.#options.defaultRouteMetric
    return metric === undefined
      ? undefined
      : { destination, prefixLength: 0, interfaceName: this.#name, metric, advmssBytes }
  }

  /** Of one family: off with what is no longer wanted, on with what is new. */
  async #change(routes: RouteSocket, wanted: Wanted, family: 'number' | 'bigint'): Promise<void> {
    const isOurs = ({ local }: Address) => typeof local === family
    const isOurRoute = ({ destination }: Route<IpAddress>) => typeof destination === family
    for (const route of this.#routes.filter((each) => isOurRoute(each) && !isAmong(each, wanted.routes))) {
      this.#routes = this.#routes.filter((each) => each !== route)
      await this.#tolerant(routes.removeRoute(route))
    }
    for (const address of this.#addresses.filter((each) => isOurs(each) && !isAmong(each, wanted.addresses))) {
      this.#addresses = this.#addresses.filter((each) => each !== address)
      await this.#tolerant(routes.removeAddress(this.#name, address))
    }
    for (const address of wanted.addresses.filter((each) => !isAmong(each, this.#addresses))) {
      await routes.addAddress(this.#name, address)
      this.#addresses = [...this.#addresses, address]
    }
    for (const route of wanted.routes.filter((each) => !isAmong(each, this.#routes))) {
      await routes.addRoute(route)
      this.#routes = [...this.#routes, route]
    }
  }

  /** What we want to remove may be gone already: an address takes its routes along. */
  async #tolerant(removal: Promise<void>): Promise<void> {
    try {
      await removal
    } catch (error) {
      this.#services.logger.debug(errorText(error))
    }
  }

  /** Servers are routers themselves. */
  #startRouters(local: bigint): void {
    if (this.#options.settings.role === 'server' || this.#routers?.linkLocal === local || this.#isClosed) return
    this.#stopRouters()
    this.#routers = new RouterWatch(this.#services, this.#name, local, () => void this.#refresh())
  }

  #stopRouters(): void {
    this.#routers?.close()
    this.#routers = undefined
  }

  /** Not again each time that a router repeats itself. */
  #warn(message: string): void {
    if (message === this.#lastWarning) return
    this.#lastWarning = message
    this.#services.logger.warn(message)
  }
}

function isAmong<T extends object>(one: T, others: readonly T[]): boolean {
  return others.some((other) => describe(other) === describe(one))
}

function describe(value: object): string {
  return Object.values(value).map(String).join(' ')
}
