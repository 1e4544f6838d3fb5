/**
 * The network protocols of a session (RFC 1661 §3.6), each with an automaton of its own: they open and fail one by one. Owned by
 * `session.ts`, which hears what changed.
 */

import type { Failure } from '../../base/cause.ts'
import type { Random } from '../../base/ports.ts'
import type { PppAddress, PppSettings } from '../settings.ts'
import { IPV4, IPV6 } from '../wire/protocols.ts'
import type { Alarms } from './alarms.ts'
import { Automaton } from './automaton.ts'
import { Ipcp } from './ipcp.ts'
import { Ipv6cp } from './ipv6cp.ts'
import type { AutomatonHost, AutomatonLimits, ControlRules } from './rules.ts'

/** RFC 8200 §5: no link that carries IPv6 has less. */
const MIN_IPV6_MTU_BYTES = 1280

export type NetworkName = 'ipv4' | 'ipv6'

export interface NetworksHost extends Pick<AutomatonHost, 'peerMruBytes' | 'send' | 'dropped'> {
  /** What is open is another than before. */
  changed(): void
  /** One will not come any more, but another may. */
  stopped(network: NetworkName, failure: Failure): void
  /** None is left. */
  failed(failure: Failure): void
  /** Of the authentication before. */
  peerName(): string | undefined
}

interface Network {
  readonly name: NetworkName
  readonly rules: ControlRules
  readonly dataProtocol: number
  readonly automaton: Automaton
  failure: Failure | undefined
}

export class Networks {
  readonly #settings: PppSettings
  readonly #alarms: Alarms
  readonly #host: NetworksHost
  readonly #ipcp: Ipcp
  readonly #ipv6cp: Ipv6cp
  readonly #all: Network[] = []
  /** Looked at for each packet, hence no search. */
  #isIp4Open = false
  #isIp6Open = false

  constructor(settings: PppSettings, random: Random, alarms: Alarms, host: NetworksHost) {
    this.#settings = settings
    this.#alarms = alarms
    this.#host = host
    this.#ipcp = new Ipcp(settings, () => host.peerName())
    this.#ipv6cp = new Ipv6cp(settings, random)
    if (settings.ipv4) this.#add('ipv4', this.#ipcp, IPV4, settings.ipcp)
    if (settings.ipv6) this.#add('ipv6', this.#ipv6cp, IPV6, settings.ipv6cp)
  }

  get isAnyOpen(): boolean {
    return this.#isIp4Open || this.#isIp6Open
  }

  /** May packets of this version pass? */
  carries(version: number): boolean {
    return version === 4 ? this.#isIp4Open : version === 6 && this.#isIp6Open
  }

  address(mtuBytes: number): PppAddress {
    return {
      ip4: this.#isIp4Open ? this.#ipcp.result : undefined,
      ip6: this.#isIp6Open ? this.#ipv6cp.result : undefined,
      mtuBytes,
    }
  }

  /** `mtuBytes`: how long a packet the peer takes, and we may send. */
  start(mtuBytes: number): void {
    if (this.#all.length === 0) {
      this.#host.failed({ cause: 'ipcp-failed', detail: 'No network protocols running' })
      return
    }
    for (const { automaton } of this.#all) automaton.open()
    for (const network of this.#all) network.failure = undefined
    const tooSmall = this.#all.find(({ name }) => name === 'ipv6' && mtuBytes < MIN_IPV6_MTU_BYTES)
    if (tooSmall) {
      const detail = `IPv6 needs packets of ${MIN_IPV6_MTU_BYTES} bytes, and the link carries ${mtuBytes}`
      this.#failed(tooSmall, { cause: 'ipcp-failed', detail })
      if (this.#all.length === 1) return
    }
    for (const { automaton } of this.#all) automaton.up()
  }

  /** LCP left the opened state. */
  stop(): void {
    for (const { automaton } of this.#all) automaton.down()
  }

  /** False: a protocol that is none of ours. */
  receive(protocol: number, info: Uint8Array): boolean {
    for (const { rules, dataProtocol, automaton } of this.#all) {
      if (protocol === rules.protocol) automaton.receive(info)
      else if (protocol === dataProtocol) this.#host.dropped('unexpected')
      else continue
      return true
    }
    return false
  }

  protocolRejected(protocol: number): void {
    for (const { rules, dataProtocol, automaton } of this.#all) {
      if (protocol === rules.protocol || protocol === dataProtocol) automaton.protocolRejected()
    }
  }

  #add(name: NetworkName, rules: ControlRules, dataProtocol: number, own: Partial<AutomatonLimits> | undefined): void {
    let farewell = ''
    const host: AutomatonHost = {
      peerMruBytes: () => this.#host.peerMruBytes(),
      send: (protocol, info) => this.#host.send(protocol, info),
      dropped: (reason) => this.#host.dropped(reason),
      layerUp: () => this.#opened(network, true),
      layerDown: () => this.#opened(network, false),
      layerFinished: (failure) => {
        const ended = `${rules.name}: the peer sent Terminate-Request "${farewell}"`
        this.#failed(network, failure ?? { cause: 'hung-up', detail: ended })
      },
      terminateRequested: (message) => {
        farewell = message
      },
      gaveUp: (failure) => this.#failed(network, failure),
    }
    const automaton = new Automaton(rules, { ...this.#settings, ...own }, this.#alarms, host)
    const network: Network = { name, rules, dataProtocol, automaton, failure: undefined }
    this.#all.push(network)
  }

  #opened({ name }: Network, isOpen: boolean): void {
    if (name === 'ipv4') this.#isIp4Open = isOpen
    else this.#isIp6Open = isOpen
    this.#host.changed()
  }

  #failed(network: Network, failure: Failure): void {
    if (network.failure) return
    network.failure = failure
    const failures = this.#all.flatMap((each) => each.failure ?? [])
    if (failures.length === this.#all.length) {
      this.#host.failed({ cause: failures[0]!.cause, detail: failures.map(({ detail }) => detail).join('; ') })
      return
    }
    this.#host.stopped(network.name, failure)
    network.automaton.close(failure.cause.replaceAll('-', ' '))
  }
}
