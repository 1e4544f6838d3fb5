/**
 * What a call carries, from CONNECT to the hang-up: PPP, name servers, the profile's check, the count of data; in between the
 * link is up. Called by `call.ts`.
 */

import type { Failure } from '../base/cause.ts'
import type { Call, ModemHandle } from '../modem/snapshot.ts'
import type { PppEngine } from '../ppp/engines/engine.ts'
import type { PppPhase } from '../ppp/settings.ts'
import { AddressWait } from './address-wait.ts'
import type { ApnCandidate } from './apn/candidates.ts'
import type { AttemptPlan, AttemptServices } from './attempt.ts'
import { type AttemptEnd, endOf, isForTheModem } from './attempt-end.ts'
import { shownFailure } from './causes.ts'
import { LinkCheck } from './check/link-check.ts'
import type { CheckPath } from './check/reach.ts'
import { NameServers } from './name-servers.ts'
import { ip4Of, ip6Of, type PppProgress, PppRun, type PppUp } from './ppp-run.ts'
import type { Profile } from './profile.ts'
import type { LinkPhase } from './snapshot.ts'
import { UsageMeter } from './usage/meter.ts'

export interface Load {
  readonly modem: ModemHandle
  readonly call: Call
  readonly engine: PppEngine
  readonly candidate: ApnCandidate
  /** With what the access point brings along. */
  readonly profile: Profile
}

/** Until PPP ends, or `signal` (with an AttemptFailed) ends it. The call is hung up then. Never rejects. */
export function carry(
  services: AttemptServices,
  plan: AttemptPlan,
  load: Load,
  signal: AbortSignal,
): Promise<AttemptEnd> {
  return new Carriage(services, plan, load, signal).run()
}

class Carriage {
  readonly #services: AttemptServices
  readonly #plan: AttemptPlan
  readonly #load: Load
  readonly #signal: AbortSignal
  readonly #nameServers: NameServers
  readonly #follow: (phase: PppPhase) => void
  readonly #check: LinkCheck | undefined
  readonly #wait: AddressWait
  #isProven: boolean
  #proof: Promise<void> | undefined
  #ppp!: PppRun
  #meter: UsageMeter | undefined
  /** The last that came and was not taken back. */
  #standing: PppUp | undefined
  #coming = Promise.resolve()
  #upAtMs: number | undefined
  /** Why it is we who end it. */
  #ours: AttemptEnd | undefined
  /** Why the modem says that the call is over. */
  #lost: Failure | undefined

  constructor(services: AttemptServices, plan: AttemptPlan, load: Load, signal: AbortSignal) {
    this.#services = services
    this.#plan = plan
    this.#load = load
    this.#signal = signal
    const { resolver, logger, reach, clock } = services
    const { profile } = load
    this.#nameServers = new NameServers(resolver, metricOf(profile), logger)
    this.#follow = phaseFollower(plan, () => this.#upAtMs !== undefined)
    this.#wait = new AddressWait(profile.ip, clock, () => {
      this.#coming = this.#coming.then(() => this.#goOn())
    })
    this.#check =
      profile.check &&
      new LinkCheck({
        target: profile.check,
        reach,
        clock,
        path: () => this.#path(),
        counters: () => this.#ppp.counters(),
        onLost: (failure) => this.#end({ failure }),
      })
    this.#isProven = this.#check === undefined
  }

  async run(): Promise<AttemptEnd> {
    const { clock } = this.#services
    const { call, engine, profile } = this.#load
    this.#plan.show({ state: 'connecting' })
    this.#ppp = new PppRun(engine, call.wire, profile, clock, (event) => this.#onProgress(event))
    call.onEnd?.((failure, line) => {
      this.#lost = failure
      this.#goDown(this.#ours?.failure ?? failure)
      if (line === 'works') this.#ppp.terminate(failure)
      else this.#ppp.lost(failure.detail)
    })
    const onAbort = () => this.#end(endOf(this.#signal.reason))
    this.#signal.addEventListener('abort', onAbort, { once: true })
    if (this.#signal.aborted) onAbort()

    const end = await this.#ppp.ended
    this.#check?.stop()
    this.#wait.end()
    await this.#coming
    this.#meter?.stop()
    this.#signal.removeEventListener('abort', onAbort)
    const stoodMs = this.#upAtMs === undefined ? undefined : clock.nowMs() - this.#upAtMs
    const ours = this.#signal.aborted ? endOf(this.#signal.reason) : this.#ours
    const failure = ours?.failure ?? this.#lost ?? end.failure
    this.#goDown(failure)
    const [, reason] = await Promise.all([this.#nameServers.restore(), call.hangUp(failure)])
    return {
      failure: ours ? failure : (reason ?? failure),
      chatExit: call.chatExit,
      pppExit: end.pppExit,
      isBlocked: ours ? ours.isBlocked === true : reason !== undefined && isForTheModem(reason),
      stoodMs,
    }
  }

  #onProgress(event: PppProgress): void {
    if (event.type === 'phase') {
      if (event.phase !== 'running') this.#standing = undefined
      this.#wait.phase(event.phase)
      if (event.phase === 'terminate') this.#goDown(this.#ours?.failure ?? this.#lost ?? event.failure)
      else if (!this.#isOver) this.#follow(event.phase)
    } else if (event.type === 'stopped') {
      this.#wait.stopped(event.network)
    } else {
      this.#standing = event
      this.#coming = this.#coming.then(() => this.#comeUp(event))
      this.#wait.take(event.address)
    }
  }

  async #comeUp(up: PppUp): Promise<void> {
    const { candidate, profile } = this.#load
    const ip4 = ip4Of(up.address, candidate.dns)
    this.#plan.counting(this.#ppp)
    this.#meter ??= this.#newMeter()
    this.#plan.show({ interface: up.interfaceName, ip4, ip6: ip6Of(up.address) })
    await this.#nameServers.set(up.interfaceName, profile.dns ? (ip4?.dns ?? []) : [])
    if (this.#standing === up) this.#goOn()
  }

  /** Once the standing addresses are all that the link has to wait for. */
  #goOn(): void {
    if (this.#isOver || !this.#standing || !this.#wait.isOver) return
    if (this.#isProven) this.#tellUp()
    else this.#proof ??= this.#prove()
  }

  /** Once, whatever addresses come meanwhile. Never rejects. */
  async #prove(): Promise<void> {
    const trouble = await this.#check?.first()
    if (this.#isOver) return
    if (trouble) {
      this.#end({ failure: trouble })
      return
    }
    this.#isProven = true
    this.#check?.watch()
    // Where the peer negotiates anew its next address tells.
    this.#goOn()
  }

  #tellUp(): void {
    const { clock, apns } = this.#services
    const { modem, call, candidate } = this.#load
    if (this.#upAtMs !== undefined) {
      this.#plan.show({ state: 'up' })
      return
    }
    this.#upAtMs = clock.nowMs()
    this.#plan.phaseDone('address')
    call.established()
    apns.worked(modem, candidate)
    this.#plan.show({ state: 'up', upSinceUs: clock.wallUs() })
  }

  #newMeter(): UsageMeter {
    const { usage, clock } = this.#services
    return new UsageMeter({
      profile: this.#load.profile,
      ledger: usage,
      clock,
      counters: () => this.#ppp.counters(),
      onLimit: (failure) => this.#end({ failure, isBlocked: true }),
    })
  }

  #end(end: AttemptEnd): void {
    if (this.#isOver) return
    this.#ours = end
    this.#goDown(end.failure)
    this.#ppp.terminate(end.failure)
  }

  /** At the first sign of the end, and again when more is known of it. `failure`: undefined, not known yet. */
  #goDown(failure: Failure | undefined): void {
    const causeAtUs = this.#services.clock.wallUs()
    this.#plan.show({ state: 'going-down', ...(failure && { ...shownFailure(failure), causeAtUs }) })
  }

  /** It ends, or has ended. */
  get #isOver(): boolean {
    return this.#ppp.isEnded || this.#ours !== undefined || this.#lost !== undefined
  }

  #path(): CheckPath | undefined {
    if (!this.#standing) return undefined
    const { interfaceName, address } = this.#standing
    const ip4 = ip4Of(address, this.#load.candidate.dns)
    return {
      interfaceName,
      hasIp4: ip4 !== undefined,
      hasIp6: address.ip6?.global !== undefined,
      dns: ip4?.dns ?? [],
    }
  }
}

/** Name servers of a link that is nobody's default route are asked last. */
function metricOf({ defaultRoute, routeMetric, priority }: Profile): number {
  return defaultRoute ? routeMetric + priority : LAST_METRIC
}

/** No route's metric is higher. */
const LAST_METRIC = 0xffffffff

/** PPP's phases as the link's states and times. A peer that negotiates anew makes it come up again, but that time is none of the dial's. */
function phaseFollower(plan: AttemptPlan, wasUp: () => boolean): (phase: PppPhase) => void {
  let isAuthenticating = false
  const done = (phase: LinkPhase) => {
    if (!wasUp()) plan.phaseDone(phase)
  }
  return (phase) => {
    if (phase === 'authenticate') {
      isAuthenticating = true
      done('lcp')
      plan.show({ state: 'authenticating' })
    } else if (phase === 'network') {
      done(isAuthenticating ? 'auth' : 'lcp')
      plan.show({ state: 'configuring' })
    }
  }
}
