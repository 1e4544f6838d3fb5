/**
 * The far end of every call: asks for name and password, gives addresses and name servers, carries packets, hangs up. The
 * PPP is our own server role through the builtin engine; `carriers.ts` is what it leads to. One for all modems of a run.
 */

import type { Failure } from '../base/cause.ts'
import { formatIpv4 } from '../base/ipv4.ts'
import type { Cancel, Clock, Logger, Random } from '../base/ports.ts'
import type { PppEngine, PppLink, PppLinkEvent } from '../ppp/engines/engine.ts'
import { type AuthProtocol, type PppSettings, SERVER_DEFAULTS } from '../ppp/settings.ts'
import type { Wire } from '../serial/wire.ts'
import type { AddressPool } from './address-pool.ts'
import type { CallFault, DeviceFault, Stage } from './fault-table.ts'
import type { Fault, FaultPlan } from './faults.ts'
import { type Ip6Network, OPERATOR_INTERFACE_ID } from './ip6-network.ts'
import type { Personality } from './personality.ts'
import { PppHabits } from './ppp-habits.ts'

export interface OperatorSettings {
  /** Empty: nobody is asked. */
  readonly auth: readonly AuthProtocol[]
  readonly user: string
  readonly password: string
  readonly dnsServers: readonly number[]
}

export interface OperatorOptions {
  readonly settings: OperatorSettings
  readonly pool: AddressPool
  /** undefined: IPv4 only. */
  readonly ip6: Ip6Network | undefined
  /** With a router for this IPv6 prefix behind it. */
  engineFor(prefix: bigint | undefined): PppEngine
  /** Leads what is for this prefix into that interface of the operator's. */
  routePrefix(prefix: bigint, interfaceName: string): Promise<void>
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export interface CallRequest {
  readonly wire: CallLine
  readonly personality: Personality
  readonly faults: FaultPlan
  /** What happens to the device now. */
  onFault(fault: Fault<DeviceFault>): void
  /** The session is finished and the line still stands: the modem says NO CARRIER. */
  onEnd(): void
  /** The line drops now. */
  onDrop(): void
}

/** Looks at bytes on their way; what it gives goes on. */
export interface LineFilter {
  fromHost(bytes: Uint8Array): readonly Uint8Array[]
  toHost(bytes: Uint8Array): readonly Uint8Array[]
}

export interface LineDisturbance {
  /** The host gets its own bytes back. */
  readonly loopsBack: boolean
  /** Part of the bytes, in both directions, with one wrong bit. */
  readonly bitErrors: number
}

/** A wire whose bytes can be looked at, in both directions, and disturbed. */
export interface CallLine extends Wire {
  filterWith(filter: LineFilter): void
  disturb(disturbance: LineDisturbance): void
}

export interface OperatorCall {
  hangUp(): void
  /** Those that can still strike this call do. */
  takeFaults(): void
}

const OPERATOR_NAME = 'virtual-mobile'
/** A modem drops the line this long after the host's Terminate-Request was acknowledged, and does not wait for RFC 1661's restart timer. */
const DROP_AFTER_TERMINATE_S = 0.1
/** Bytes go on as they are. */
const CLEAR: LineFilter = { fromHost: (bytes) => [bytes], toHost: (bytes) => [bytes] }
const DEAF: LineFilter = { fromHost: () => [], toHost: () => [] }
const HUNG_UP: Failure = { cause: 'hung-up', detail: 'the operator hung up' }

type PppUp = Extract<PppLinkEvent, { readonly type: 'up' }>

export class Operator {
  readonly #options: OperatorOptions

  constructor(options: OperatorOptions) {
    this.#options = options
  }

  open(request: CallRequest): OperatorCall {
    return new Call(this.#options, request)
  }
}

class Call implements OperatorCall {
  readonly #options: OperatorOptions
  readonly #request: CallRequest
  readonly #address: number | undefined
  readonly #prefix: bigint | undefined
  #link: PppLink | undefined
  #isUp = false
  #isOver = false
  #answersEcho = true
  #stage: Stage = 'connect'
  readonly #faults = new Map<CallFault, string>()
  #timers: Cancel[] = []

  constructor(options: OperatorOptions, request: CallRequest) {
    this.#options = options
    this.#request = request
    this.#address = options.pool.take()
    this.#prefix = this.#address === undefined ? undefined : options.ip6?.prefixFor(this.#address)
    this.takeFaults()
    const { silentMs } = request.personality.ppp
    if (silentMs === 0) this.#begin()
    else {
      request.wire.filterWith(DEAF)
      // Listened to all the same: a wire keeps for later what nobody takes.
      request.wire.listen({
        data() {},
        drain() {},
        closed: (reason) => this.#onDown({ cause: 'hung-up', detail: reason }),
      })
      this.#after(silentMs / 1000, () => this.#begin())
    }
  }

  hangUp(): void {
    if (this.#link && this.#request.personality.ppp.terminates) this.#link.terminate(HUNG_UP)
    else this.#request.onDrop()
  }

  takeFaults(): void {
    const taken = this.#request.faults.takeCall(this.#stage)
    if (taken.length === 0) return
    for (const { name, value } of taken) this.#faults.set(name, value)
    const { wire } = this.#request
    wire.disturb({
      loopsBack: this.#faults.has('loopback'),
      bitErrors: Number(this.#faults.get('bit-errors') ?? 0),
    })
    if (this.#link) wire.filterWith(this.#filter())
    if (this.#isUp) this.#startTimers(taken)
  }

  #begin(): void {
    const engine = this.#options.engineFor(this.#prefix)
    const { wire } = this.#request
    wire.filterWith(this.#filter())
    this.#link = engine.open(wire, { settings: this.#settings() }, (event) => this.#onEvent(event))
  }

  #settings(): PppSettings {
    const { settings, pool, random } = this.#options
    const mustFail = () => this.#faults.has('auth-fail')
    const { user, password } = settings
    const { asksAnybody, peerAddress, waitsForHost } = this.#request.personality.ppp
    const isOpenHouse = settings.auth.length === 0 && asksAnybody !== null && !mustFail()
    const wrong = String(random.bytes(8))
    return {
      ...SERVER_DEFAULTS,
      requiresAuth: isOpenHouse
        ? [asksAnybody]
        : settings.auth.length === 0 && mustFail()
          ? ['chap', 'pap']
          : settings.auth,
      admitsAnyone: isOpenHouse,
      user: OPERATOR_NAME,
      secretOf: (name) => (mustFail() ? wrong : name === user ? password : undefined),
      localAddress: peerAddress ?? pool.gateway,
      remoteAddress: this.#address ?? 0,
      dnsServers: settings.dnsServers,
      // A modem asks nothing of an idle host.
      echoIntervalMs: 0,
      ipv6: this.#prefix !== undefined,
      localInterfaceId: OPERATOR_INTERFACE_ID,
      silent: waitsForHost,
    }
  }

  /** The modem's habits, and the faults that need to see frames; nothing where there are none. */
  #filter(): LineFilter {
    const { personality, wire } = this.#request
    const faults = this.#faults
    if (faults.has('hangup-mid-lcp')) {
      const fromHost = () => {
        queueMicrotask(() => this.#request.onDrop())
        return []
      }
      return { ...CLEAR, fromHost }
    }
    const hasNoAddress = faults.has('ipcp-no-address') || this.#address === undefined
    const naksLcpForever = faults.has('lcp-nak-forever')
    const { ppp } = personality
    const isOutgoingPlain = ppp.echoReplies !== 'bare' && ppp.namesItsAddress && ppp.papAckMessage
    const isPlain = isOutgoingPlain && ppp.echoReplies === 'full' && ppp.dnsPlaceholders.naks === 0
    if (isPlain && !hasNoAddress && !naksLcpForever && !faults.has('echo-dead')) return CLEAR
    const echoReplies = () => (this.#answersEcho ? ppp.echoReplies : 'none')
    const habits = new PppHabits({ ...ppp, echoReplies, naksLcpForever, hasNoAddress }, (bytes) => wire.write(bytes))
    return {
      fromHost: (bytes) => habits.fromHost(bytes),
      toHost: isOutgoingPlain ? CLEAR.toHost : (bytes) => habits.toHost(bytes),
    }
  }

  #onEvent(event: PppLinkEvent): void {
    if (event.type === 'phase') {
      const { phase } = event
      if (phase === 'terminate') this.#after(DROP_AFTER_TERMINATE_S, () => this.#request.onEnd())
      if (phase !== 'dead') this.#reach(phase)
    } else if (event.type === 'up') this.#onUp(event)
    else if (event.type === 'down') this.#onDown(event.failure)
  }

  #reach(stage: Stage): void {
    this.#stage = stage
    for (const fault of this.#request.faults.takeStage(stage)) this.#request.onFault(fault)
    this.takeFaults()
  }

  #onUp({ interfaceName, address }: PppUp): void {
    if (address.ip6 && this.#prefix !== undefined) void this.#options.routePrefix(this.#prefix, interfaceName)
    if (this.#isUp) return
    this.#isUp = true
    this.#options.logger.info('a call is up', { address: formatIpv4(address.ip4?.peer ?? 0) })
    this.#startTimers([...this.#faults].map(([name, value]) => ({ name, value })))
  }

  /** Of faults that strike so long after the link is up. */
  #startTimers(faults: readonly Fault<CallFault>[]): void {
    for (const { name, value } of faults) {
      if (name === 'hangup-up') this.#after(Number(value), () => this.hangUp())
      if (name === 'echo-dead')
        this.#after(Number(value), () => {
          this.#answersEcho = false
        })
    }
  }

  #onDown(failure: Failure): void {
    if (this.#isOver) return
    this.#isOver = true
    for (const cancel of this.#timers) cancel()
    if (this.#address !== undefined) this.#options.pool.giveBack(this.#address)
    this.#options.logger.info('a call ended', { cause: failure.cause, detail: failure.detail })
    this.#request.onEnd()
  }

  #after(seconds: number, fn: () => void): void {
    const { clock } = this.#options
    this.#timers.push(clock.at(clock.nowMs() + seconds * 1000, fn))
  }
}
