/** A PPP engine whose sessions a test leads through their phases; honest to `ppp/engines/engine.ts`: `down` is the last event, and follows `terminate`. */

import type { Failure } from '../../src/base/cause.ts'
import { parseIpv4 } from '../../src/base/ipv4.ts'
import type { NetworkName } from '../../src/ppp/control/networks.ts'
import type {
  EngineName,
  Ip6Address,
  PppEngine,
  PppLink,
  PppLinkEvent,
  PppLinkOptions,
} from '../../src/ppp/engines/engine.ts'
import type { Ip4Address, PppPhase } from '../../src/ppp/settings.ts'
import type { Wire } from '../../src/serial/wire.ts'

export class FakeSession implements PppLink {
  readonly options: PppLinkOptions
  rxBytes = 0n
  txBytes = 0n
  isDown = false
  /** Does not answer `terminate`. */
  isDeaf = false
  readonly terminations: Failure[] = []
  readonly #onEvent: (event: PppLinkEvent) => void

  constructor(wire: Wire, options: PppLinkOptions, onEvent: (event: PppLinkEvent) => void) {
    this.options = options
    this.#onEvent = onEvent
    wire.listen({
      data() {},
      drain() {},
      closed: (reason) => this.down({ cause: 'hung-up', detail: reason }, 16),
    })
  }

  counters() {
    return { rxBytes: this.rxBytes, txBytes: this.txBytes }
  }

  terminate(failure: Failure): void {
    this.terminations.push(failure)
    if (!this.isDeaf) queueMicrotask(() => this.down(failure, 5))
  }

  lost(detail: string): void {
    this.down({ cause: 'hung-up', detail }, 16)
  }

  phase(phase: PppPhase, failure?: Failure): void {
    this.#onEvent({ type: 'phase', phase, failure })
  }

  stopped(network: NetworkName): void {
    this.#onEvent({ type: 'stopped', network })
  }

  /** Through all phases to a standing link. */
  up(dns: readonly string[] = ['198.51.100.53'], local = '10.64.0.2'): void {
    for (const phase of ['establish', 'authenticate', 'network'] as const) this.phase(phase)
    const address = {
      ip4: {
        local: parseIpv4(local)!,
        peer: parseIpv4('10.64.64.64')!,
        dns: dns.map((server) => parseIpv4(server)!),
      },
      ip6: undefined,
      mtuBytes: 1500,
    }
    this.#onEvent({ type: 'up', interfaceName: 'ppp0', address })
    this.phase('running')
  }

  /** IPv6 too (or alone), as engines tell it: once link-local, again when a router named its prefix. */
  upWithIp6(ip6: Ip6Address | undefined, ip4?: Ip4Address): void {
    this.#onEvent({ type: 'up', interfaceName: 'ppp0', address: { ip4, ip6, mtuBytes: 1500 } })
  }

  down(failure: Failure, exitCode: number): void {
    if (this.isDown) return
    this.isDown = true
    this.#onEvent({ type: 'phase', phase: 'dead' })
    this.#onEvent({ type: 'down', failure, exitCode })
  }
}

export class FakeEngine implements PppEngine {
  readonly name: EngineName
  readonly sessions: FakeSession[] = []
  /** Thrown by `open`. */
  refusal: Error | undefined
  onOpen: (session: FakeSession) => void = () => {}

  constructor(name: EngineName = 'builtin') {
    this.name = name
  }

  open(wire: Wire, options: PppLinkOptions, onEvent: (event: PppLinkEvent) => void): PppLink {
    if (this.refusal) throw this.refusal
    const session = new FakeSession(wire, options, onEvent)
    this.sessions.push(session)
    this.onOpen(session)
    return session
  }
}
