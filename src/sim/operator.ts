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
import type { CallFault, FaultPlan, Stage } from './faults.ts'
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
  readonly engine: PppEngine
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export interface CallRequest {
  readonly wire: CallLine
  readonly personality: Personality
  readonly faults: FaultPlan
  /** Of `faults.takeCall()`. */
  readonly callFaults: ReadonlyMap<CallFault, string>
  onUnplug(stage: Stage): void
  /** The session is finished and the line still stands: the modem says NO CARRIER. */
  onEnd(): void
  /** The line drops now. */
  onDrop(): void
}

/** A wire whose incoming bytes can be looked at first. */
export interface CallLine extends Wire {
  filterWith(filter: (bytes: Uint8Array) => readonly Uint8Array[]): void
}

export interface OperatorCall {
  hangUp(): void
}

const OPERATOR_NAME = 'virtual-mobile'
/** A modem drops the line this long after the host's Terminate-Request was acknowledged, and does not wait for RFC 1661's restart timer. */
const DROP_AFTER_TERMINATE_S = 0.1
const HUNG_UP: Failure = { cause: 'hung-up', detail: 'the operator hung up' }

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
  readonly #link: PppLink
  #isOver = false
  #answersEcho: boolean
  #timers: Cancel[] = []

  constructor(options: OperatorOptions, request: CallRequest) {
    this.#options = options
    this.#request = request
    this.#address = options.pool.take()
    this.#answersEcho = request.personality.ppp.answersEcho
    this.#watchLine()
    this.#link = options.engine.open(request.wire, { settings: this.#settings() }, (event) => this.#onEvent(event))
  }

  hangUp(): void {
    if (this.#request.personality.ppp.terminates) this.#link.terminate(HUNG_UP)
    else this.#request.onDrop()
  }

  #settings(): PppSettings {
    const { settings, pool, random } = this.#options
    const mustFail = this.#request.callFaults.has('auth-fail')
    const { user, password } = settings
    const requiresAuth = settings.auth.length === 0 && mustFail ? (['chap', 'pap'] as const) : settings.auth
    const wrong = mustFail ? String(random.bytes(8)) : undefined
    return {
      ...SERVER_DEFAULTS,
      requiresAuth,
      user: OPERATOR_NAME,
      secretOf: (name) => wrong ?? (name === user ? password : undefined),
      localAddress: this.#request.personality.ppp.peerAddress ?? pool.gateway,
      remoteAddress: this.#address ?? 0,
      dnsServers: settings.dnsServers,
      // A modem asks nothing of an idle host.
      echoIntervalMs: 0,
    }
  }

  /** The modem's habits, and the faults that need to see frames; nothing where there are none. */
  #watchLine(): void {
    const { personality, callFaults, wire } = this.#request
    if (callFaults.has('hangup-mid-lcp')) {
      wire.filterWith(() => {
        queueMicrotask(() => this.#request.onDrop())
        return []
      })
      return
    }
    const hasNoAddress = callFaults.has('ipcp-no-address') || this.#address === undefined
    const naksLcpForever = callFaults.has('lcp-nak-forever')
    const { answersEcho, dnsPlaceholders } = personality.ppp
    const isPlain = answersEcho && dnsPlaceholders.naks === 0
    if (isPlain && !hasNoAddress && !naksLcpForever && !callFaults.has('echo-dead')) return
    const habits = new PppHabits(
      { answersEcho: () => this.#answersEcho, dnsPlaceholders, naksLcpForever, hasNoAddress },
      (bytes) => wire.write(bytes),
    )
    wire.filterWith((bytes) => habits.filter(bytes))
  }

  #onEvent(event: PppLinkEvent): void {
    if (event.type === 'phase') {
      const { phase } = event
      if (phase === 'terminate') this.#after(DROP_AFTER_TERMINATE_S, () => this.#request.onEnd())
      if (phase === 'terminate' || phase === 'dead') return
      if (this.#request.faults.takeStage(phase)) this.#request.onUnplug(phase)
    } else if (event.type === 'up') this.#onUp(event.address.ip4?.peer ?? 0)
    else this.#onDown(event.failure)
  }

  #onUp(peer: number): void {
    const { callFaults } = this.#request
    this.#options.logger.info('a call is up', { address: formatIpv4(peer) })
    const hangUpAfterS = callFaults.get('hangup-up')
    if (hangUpAfterS !== undefined) this.#after(Number(hangUpAfterS), () => this.hangUp())
    const echoDeadAfterS = callFaults.get('echo-dead')
    if (echoDeadAfterS !== undefined)
      this.#after(Number(echoDeadAfterS), () => {
        this.#answersEcho = false
      })
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
