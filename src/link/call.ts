/**
 * The second half of an attempt: an access point, dial, PPP, name servers, up, down; with `apn = auto` the next access point
 * where the network refused the one before. Called by `attempt.ts`.
 */

import { ModemdError } from '../base/errors.ts'
import { type Call, DialError, type ModemHandle } from '../modem/snapshot.ts'
import { chooseEngine } from '../ppp/engines/choose.ts'
import type { PppEngine } from '../ppp/engines/engine.ts'
import type { PppPhase } from '../ppp/settings.ts'
import type { ApnCandidate } from './apn/candidates.ts'
import { ApnRefusals, describeApn } from './apn/refusals.ts'
import type { AttemptPlan, AttemptServices } from './attempt.ts'
import { type AttemptEnd, endOf, modemGone } from './attempt-end.ts'
import { NameServers } from './name-servers.ts'
import { ip4Of, ip6Of, PppRun, type PppUp } from './ppp-run.ts'
import type { Profile } from './profile.ts'
import type { LinkPhase } from './snapshot.ts'

/** One access point of one call. */
interface Try {
  readonly modem: ModemHandle
  readonly engine: PppEngine
  readonly candidate: ApnCandidate
  /** With what the access point brings along. */
  readonly profile: Profile
  readonly refusedApns: readonly string[]
}

/** Rejects with an AttemptFailed or a ModemdError where it is not the access point that is at fault. */
export async function callAndRun(
  services: AttemptServices,
  plan: AttemptPlan,
  modem: ModemHandle,
  signal: AbortSignal,
): Promise<AttemptEnd> {
  signal.throwIfAborted()
  const { profile } = plan
  const engine = engineFor(services, profile)
  const refusals = new ApnRefusals(profile)
  const candidates = services.apns.candidates(profile, modem)
  for (;;) {
    const { value: candidate } = await unlessAborted(candidates.next(), signal)
    signal.throwIfAborted()
    if (!candidate) return refusals.end
    services.logger.info(`${plan.link}: dials with ${describeApn(candidate)}`, { modem: modem.snapshot.id })
    const refusedApns = refusals.apns
    const next: Try = { modem, engine, candidate, profile: profileWith(profile, candidate), refusedApns }
    const end = await callOnce(services, plan, next, signal)
    if (!refusals.take(candidate, end)) return end
    services.logger.info(`${plan.link}: ${end.failure.detail}`, { cause: end.failure.cause })
    plan.show({ report: undefined, connectSpeed: undefined, cause: undefined })
  }
}

/** What the profile says itself counts. */
function profileWith(profile: Profile, { apn, username, password }: ApnCandidate): Profile {
  return profile.username === ''
    ? { ...profile, apn, username, password: profile.password || password }
    : { ...profile, apn }
}

async function callOnce(
  services: AttemptServices,
  plan: AttemptPlan,
  attempt: Try,
  signal: AbortSignal,
): Promise<AttemptEnd> {
  const { modem, engine, candidate } = attempt
  plan.show({ state: 'dialling', engine: engine.name, apn: candidate.apn })
  const dialled = await dial(attempt, signal)
  if ('end' in dialled) return dialled.end
  const { call } = dialled
  plan.show({ report: call.report, connectSpeed: call.connectSpeed, chatExit: call.chatExit })
  plan.phaseDone('dial')

  const end = await runPpp(services, plan, attempt, call, signal)
  // A cable that is pulled out first looks like a hang-up.
  const isGone = end.failure.cause === 'hung-up' && !services.pool.isHere(modem)
  return isGone ? { ...end, failure: modemGone(modem).end.failure } : end
}

/** Before the dial: a modem's port is a tty that may be given away. */
function engineFor({ engines, engineReports }: AttemptServices, { engine }: Profile): PppEngine {
  const { name } = chooseEngine(engineReports, engine, true)
  const chosen = engines.find((each) => each.name === name)
  if (!chosen) throw new ModemdError('Internal', `the engine ${name} is usable and not there`)
  return chosen
}

/** Of a profile's chat-script. A PIN is none of them: it goes to the SIM only where its tries are counted. */
function scriptVariablesOf({ apn, number, username, password, cid }: Profile): Readonly<Record<string, string>> {
  return {
    APN: apn,
    NUMBER: number,
    USERNAME: username,
    PASSWORD: password,
    CID: cid === 'auto' ? '' : String(cid),
  }
}

async function dial(
  { modem, profile, refusedApns }: Try,
  signal: AbortSignal,
): Promise<{ readonly call: Call } | { readonly end: AttemptEnd }> {
  try {
    const call = await modem.dial({
      apn: profile.apn,
      number: profile.number,
      ipType: profile.ip,
      cid: profile.cid,
      refusedApns,
      timeoutMs: profile.dialTimeoutMs,
      chatScript: profile.chatScript,
      scriptVariables: scriptVariablesOf(profile),
      signal,
    })
    if (!signal.aborted) return { call }
    await call.hangUp(abortEnd(signal).failure)
  } catch (error) {
    if (!signal.aborted) {
      if (!(error instanceof DialError)) throw error
      const { chatExit, ...failure } = error.failure
      return { end: { failure, chatExit } }
    }
  }
  throw signal.reason
}

function abortEnd({ reason }: AbortSignal): AttemptEnd {
  return endOf(reason)
}

async function runPpp(
  { clock, logger, resolver, apns }: AttemptServices,
  plan: AttemptPlan,
  { modem, engine, candidate, profile }: Try,
  call: Call,
  signal: AbortSignal,
): Promise<AttemptEnd> {
  plan.show({ state: 'connecting' })
  const nameServers = new NameServers(resolver, logger)
  let upAtMs: number | undefined
  /** The last that came and was not taken back. */
  let standing: PppUp | undefined
  let coming = Promise.resolve()
  const follow = phaseFollower(plan, () => upAtMs !== undefined)

  const comeUp = async (up: PppUp) => {
    const ip4 = ip4Of(up.address, candidate.dns)
    plan.counting(ppp)
    plan.show({ interface: up.interfaceName, ip4, ip6: ip6Of(up.address) })
    await nameServers.set(up.interfaceName, profile.dns ? (ip4?.dns ?? []) : [])
    if (ppp.isEnded || signal.aborted || standing !== up) return
    if (upAtMs === undefined) {
      upAtMs = clock.nowMs()
      plan.phaseDone('address')
      call.established()
      apns.worked(modem, candidate)
      plan.show({ state: 'up', upSinceUs: clock.wallUs() })
    } else plan.show({ state: 'up' })
  }
  const ppp = new PppRun(engine, call.wire, profile, clock, (event) => {
    if (event.type === 'phase') {
      if (event.phase !== 'running') standing = undefined
      follow(event.phase)
    } else {
      standing = event
      coming = coming.then(() => comeUp(event))
    }
  })
  const onAbort = () => {
    plan.show({ state: 'going-down' })
    ppp.terminate(abortEnd(signal).failure)
  }
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()

  const end = await ppp.ended
  await coming
  signal.removeEventListener('abort', onAbort)
  const stoodMs = upAtMs === undefined ? undefined : clock.nowMs() - upAtMs
  const failure = signal.aborted ? abortEnd(signal).failure : end.failure
  plan.show({ state: 'going-down', ...(failure.cause !== 'user-request' && { cause: failure.cause }) })
  const [, reason] = await Promise.all([nameServers.restore(), call.hangUp(failure)])
  return {
    failure: signal.aborted ? failure : (reason ?? failure),
    chatExit: call.chatExit,
    pppExit: end.pppExit,
    // Without a SIM there is nothing to redial: the link waits for one.
    isBlocked: !signal.aborted && reason?.cause.startsWith('sim-') === true,
    stoodMs,
  }
}

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
    } else if (phase === 'terminate') {
      plan.show({ state: 'going-down' })
    }
  }
}

/** A SIM or disk that takes its time does not hold up the end. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
