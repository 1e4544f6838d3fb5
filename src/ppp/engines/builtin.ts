/**
 * The builtin engine: our control protocols and framing in user space, packets through a TUN interface. Works in containers and
 * on kernels without PPP. The daemon hands it to the supervisor, the simulator runs its operator's side on it, in its own
 * network namespace by way of `openTun` and `openRouteSocket`.
 */

import { readFileSync } from 'node:fs'
import type { Failure } from '../../base/cause.ts'
import { errorText, failureOf, ModemdError } from '../../base/errors.ts'
import { formatIpv4 } from '../../base/ipv4.ts'
import type { Clock, Logger, Random } from '../../base/ports.ts'
import { Pump } from '../../serial/pump.ts'
import type { Wire } from '../../serial/wire.ts'
import { checked, close, O_RDWR, open } from '../../system/libc.ts'
import type { InterfaceAddress, RouteSocket } from '../../system/netlink.ts'
import type { Tun } from '../../system/tun.ts'
import { SerialSession } from '../serial-session.ts'
import type { SessionEvent } from '../session-events.ts'
import type { Ip4Address, PppAddress } from '../settings.ts'
import type { LinkAddress, PppEngine, PppLink, PppLinkEvent, PppLinkOptions } from './engine.ts'

export interface BuiltinServices {
  openTun(name: string): Tun
  openRouteSocket(): RouteSocket
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

const DEFAULT_INTERFACE = 'ppp%d'
const CAP_NET_ADMIN = 12n

/** Can this process make interfaces? `why` is a sentence for people. */
export function builtinUsable(): { readonly ok: true } | { readonly ok: false; readonly why: string } {
  try {
    close(checked(open('/dev/net/tun', O_RDWR), 'cannot open /dev/net/tun (modprobe tun)'))
  } catch (error) {
    return { ok: false, why: errorText(error) }
  }
  const capabilities = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0'
  if ((BigInt(`0x${capabilities}`) >> CAP_NET_ADMIN) & 1n) return { ok: true }
  return { ok: false, why: 'making a network interface needs CAP_NET_ADMIN (run as root)' }
}

export function createBuiltinEngine(services: BuiltinServices): PppEngine {
  return {
    name: 'builtin',
    open: (wire, options, onEvent) => new BuiltinLink(services, wire, options, onEvent),
  }
}

class BuiltinLink implements PppLink {
  readonly #services: BuiltinServices
  readonly #options: PppLinkOptions
  readonly #onEvent: (event: PppLinkEvent) => void
  readonly #session: SerialSession
  readonly #pump: Pump<SessionEvent>
  #tun: Tun | undefined
  #isDown = false
  #rxBytes = 0n
  #txBytes = 0n

  constructor(services: BuiltinServices, wire: Wire, options: PppLinkOptions, onEvent: (event: PppLinkEvent) => void) {
    this.#services = services
    this.#options = options
    this.#onEvent = onEvent
    this.#session = new SerialSession(options.settings, services.random)
    this.#pump = new Pump(wire, this.#session, {
      clock: services.clock,
      onEvent: (event) => this.#happened(event),
      onDrain: () => this.#tun?.resume(),
    })
  }

  counters(): { readonly rxBytes: bigint; readonly txBytes: bigint } {
    return { rxBytes: this.#rxBytes, txBytes: this.#txBytes }
  }

  terminate(failure: Failure): void {
    if (this.#isDown) return
    this.#session.terminate(failure, this.#services.clock.nowMs())
    this.#pump.poke()
  }

  #happened(event: SessionEvent): void {
    switch (event.type) {
      case 'packet':
        this.#fromPeer(event.bytes)
        break
      case 'phase':
        // Also when the peer negotiates anew: addresses may differ afterwards, and nothing may pass before authentication.
        if (event.phase !== 'running') this.#removeInterface()
        this.#onEvent(event)
        break
      case 'up':
        void this.#bringUp(event.address)
        break
      case 'down':
        this.#isDown = true
        this.#removeInterface()
        this.#pump.stop()
        this.#onEvent(event)
        break
    }
  }

  async #bringUp(address: PppAddress): Promise<void> {
    let tun: Tun | undefined
    try {
      this.#removeInterface()
      tun = this.#services.openTun(this.#options.interfaceName ?? DEFAULT_INTERFACE)
      this.#tun = tun
      const configured = await this.#configure(tun, address)
      // The session may have ended, or begun anew, meanwhile.
      if (this.#tun === tun) this.#carry(tun, configured)
    } catch (error) {
      if (this.#tun === tun) this.terminate(failureOf(error))
    }
  }

  async #configure(tun: Tun, offered: PppAddress): Promise<LinkAddress> {
    const { defaultRouteMetric } = this.#options
    const routes = this.#services.openRouteSocket()
    try {
      const ip4 = offered.ip4 && this.#withoutOurNetworks(offered.ip4, await routes.listAddresses())
      await routes.setLink(tun.name, { up: true, mtuBytes: offered.mtuBytes })
      if (ip4) await routes.addAddress(tun.name, { local: ip4.local, peer: ip4.peer, prefixLength: 32 })
      if (defaultRouteMetric !== undefined)
        await routes.addRoute({ destination: 0, prefixLength: 0, interfaceName: tun.name, metric: defaultRouteMetric })
      return { ip4, ip6: undefined, mtuBytes: offered.mtuBytes }
    } finally {
      routes.close()
    }
  }

  #carry(tun: Tun, address: LinkAddress): void {
    tun.onPacket((packet) => this.#toPeer(packet))
    tun.onGone(() => this.terminate({ cause: 'internal', detail: `somebody removed the interface ${tun.name}` }))
    if (this.#pump.blocked) tun.pause()
    this.#onEvent({ type: 'up', interfaceName: tun.name, address })
  }

  /** The kernel removes its address and routes with it. */
  #removeInterface(): void {
    this.#tun?.close()
    this.#tun = undefined
  }

  #fromPeer(packet: Uint8Array): void {
    if (!this.#tun) return
    this.#rxBytes += BigInt(packet.length)
    this.#tun.write(packet)
  }

  #toPeer(packet: Uint8Array): void {
    // Not taken: IPv6, as the kernel's router solicitations; there is no IPV6CP to carry it.
    if (!this.#session.sendPacket(packet, this.#services.clock.nowMs())) return
    this.#txBytes += BigInt(packet.length)
    this.#pump.poke()
    if (this.#pump.blocked) this.#tun?.pause()
  }

  /** A hostile operator must not draw a neighbouring network's traffic to itself (DESIGN §7.7). The far end's address is only a name and is left out. */
  #withoutOurNetworks(offered: Ip4Address, ours: readonly InterfaceAddress[]): Ip4Address {
    if (this.#options.settings.role === 'server') return offered
    const { local, peer } = offered
    const conflict = networkOf(local, ours)
    if (conflict) {
      const what = `the peer gave the address ${formatIpv4(local)}, which belongs to the network of ${conflict.interfaceName}`
      throw new ModemdError('PppFailed', what, 'no-address')
    }
    const peerConflict = networkOf(peer, ours)
    if (!peerConflict) return offered
    const whose = `which belongs to the network of ${peerConflict.interfaceName}`
    this.#services.logger.warn(`The peer says it is ${formatIpv4(peer)}, ${whose}: left out.`)
    return { ...offered, peer: 0 }
  }
}

/** Whose network is that? Single addresses (other point-to-point links, `lo`) are none. */
function networkOf(address: number, ours: readonly InterfaceAddress[]): InterfaceAddress | undefined {
  return ours.find(({ local, peer, prefixLength }) => {
    if (prefixLength === 0 || prefixLength === 32) return false
    return ((peer ?? local) ^ address) >>> (32 - prefixLength) === 0
  })
}
