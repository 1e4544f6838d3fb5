/**
 * The builtin engine: our control protocols and framing in user space, packets through a TUN interface. Works in containers and
 * on kernels without PPP. The daemon hands it to the supervisor, the simulator runs its operator's side on it, in its own
 * network namespace by way of `openTun` and `openRouteSocket`.
 */

import { readFileSync } from 'node:fs'
import type { Failure } from '../../base/cause.ts'
import { errorText, failureOf } from '../../base/errors.ts'
import type { Random } from '../../base/ports.ts'
import { Pump } from '../../serial/pump.ts'
import type { Wire } from '../../serial/wire.ts'
import { checked, close, O_RDWR, open } from '../../system/libc.ts'
import type { Tun } from '../../system/tun.ts'
import { SerialSession } from '../serial-session.ts'
import type { SessionEvent } from '../session-events.ts'
import type { PppAddress } from '../settings.ts'
import type { PppEngine, PppLink, PppLinkEvent, PppLinkOptions } from './engine.ts'
import { type InterfaceServices, PppInterface } from './interface.ts'

export interface BuiltinServices extends InterfaceServices {
  openTun(name: string): Tun
  readonly random: Random
}

const DEFAULT_INTERFACE = 'ppp%d'
const CAP_NET_ADMIN = 12n
/** What is collected before it goes to the line, while more packets are ready: a line takes few large writes better than many small ones. */
const WRITE_BYTES = 8192

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
  #interface: PppInterface | undefined
  #isDown = false
  #rxBytes = 0
  #txBytes = 0
  /** Taken by the session, but not yet given to the wire. */
  #unsentBytes = 0

  constructor(services: BuiltinServices, wire: Wire, options: PppLinkOptions, onEvent: (event: PppLinkEvent) => void) {
    this.#services = services
    this.#options = options
    this.#onEvent = onEvent
    this.#session = new SerialSession(options.settings, services.random, options.trace, (packet) =>
      this.#fromPeer(packet),
    )
    this.#pump = new Pump(wire, this.#session, {
      clock: services.clock,
      onEvent: (event) => this.#happened(event),
      onDrain: () => this.#tun?.resume(),
    })
  }

  get peerName(): string | undefined {
    return this.#session.peerName
  }

  counters(): { readonly rxBytes: bigint; readonly txBytes: bigint } {
    return { rxBytes: BigInt(this.#rxBytes), txBytes: BigInt(this.#txBytes) }
  }

  terminate(failure: Failure): void {
    if (this.#isDown) return
    this.#session.terminate(failure, this.#services.clock.nowMs())
    this.#pump.poke()
  }

  lost(detail: string): void {
    if (this.#isDown) return
    this.#session.lost(detail, this.#services.clock.nowMs())
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
        this.#bringUp(event.address)
        break
      case 'stopped':
        this.#services.logger.info(`The link goes on without ${event.network}: ${event.failure.detail}.`)
        this.#onEvent({ type: 'stopped', network: event.network })
        break
      case 'down':
        this.#isDown = true
        this.#removeInterface()
        this.#pump.stop()
        this.#onEvent(event)
        break
    }
  }

  #bringUp(address: PppAddress): void {
    try {
      this.#interface ??= this.#makeInterface()
      this.#interface.configure(address)
    } catch (error) {
      this.terminate(failureOf(error))
    }
  }

  #makeInterface(): PppInterface {
    const tun = this.#services.openTun(this.#options.interfaceName ?? DEFAULT_INTERFACE)
    this.#tun = tun
    tun.onGone(() => this.terminate({ cause: 'internal', detail: `somebody removed the interface ${tun.name}` }))
    let isCarrying = false
    return new PppInterface(this.#services, this.#options, tun.name, {
      configured: (address) => {
        if (!isCarrying) this.#carry(tun)
        isCarrying = true
        this.#onEvent({ type: 'up', interfaceName: tun.name, address })
      },
      failed: (failure) => this.terminate(failure),
    })
  }

  #carry(tun: Tun): void {
    tun.onPacket(
      (packet) => this.#toPeer(packet),
      () => this.#send(),
    )
    if (this.#pump.blocked) tun.pause()
  }

  /**
   * The kernel removes its addresses and routes with it, and holds us up for some 15 ms meanwhile: whoever waits for the news that the link
   * has gone hears of it first.
   */
  #removeInterface(): void {
    this.#interface?.close()
    this.#interface = undefined
    const tun = this.#tun
    this.#tun = undefined
    if (!tun) return
    tun.pause()
    const { clock } = this.#services
    clock.at(clock.nowMs(), () => tun.close())
  }

  #fromPeer(packet: Uint8Array): void {
    if (!this.#tun) return
    this.#rxBytes += packet.length
    this.#tun.write(packet)
  }

  /** Not taken: a protocol that was not agreed, as the kernel's router solicitations. */
  #toPeer(packet: Uint8Array): void {
    if (!this.#session.sendPacket(packet, this.#services.clock.nowMs())) return
    this.#txBytes += packet.length
    this.#unsentBytes += packet.length
    if (this.#unsentBytes >= WRITE_BYTES) this.#send()
  }

  /** Many packets in one write; while the line takes no more, packets wait in the interface's queue, which drops what is too much. */
  #send(): void {
    if (this.#unsentBytes === 0) return
    this.#unsentBytes = 0
    this.#pump.poke()
    if (this.#pump.blocked) this.#tun?.pause()
  }
}
