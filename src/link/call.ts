/**
 * The second half of an attempt: an access point, dial, and what the call carries (`carry.ts`); with `apn = auto` the next access point
 * where the network refused the one before. Called by `attempt.ts`.
 */

import { ModemdError } from '../base/errors.ts'
import { type Call, DialError, type DialRequest, type ModemHandle } from '../modem/snapshot.ts'
import { chooseEngine } from '../ppp/engines/choose.ts'
import type { PppEngine } from '../ppp/engines/engine.ts'
import type { ApnCandidate } from './apn/candidates.ts'
import { IpChoice } from './apn/ip-choice.ts'
import { ApnRefusals, describeApn } from './apn/refusals.ts'
import type { AttemptPlan, AttemptServices } from './attempt.ts'
import { type AttemptEnd, endOf, isForTheModem, modemGone } from './attempt-end.ts'
import { carry } from './carry.ts'
import { NO_FAILURE, NO_SESSION } from './link-record.ts'
import type { Profile } from './profile.ts'
import { isSuccess } from './redial.ts'

/** One access point of one call. */
interface Try {
  readonly modem: ModemHandle
  readonly engine: PppEngine
  readonly candidate: ApnCandidate
  /** With what the access point brings along. */
  readonly profile: Profile
  /** Its `ip` is one kind where the plan's has both. */
  readonly isIpAlone: boolean
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
  const kinds = new IpChoice(profile.ip)
  const candidates = services.apns.candidates(profile, modem)
  for (;;) {
    const { value: candidate } = await unlessAborted(candidates.next(), signal)
    signal.throwIfAborted()
    if (!candidate) return refusals.end
    services.logger.info(`${plan.link}: dials with ${describeApn(candidate)}`, { modem: modem.snapshot.id })
    kinds.begin(services.apns.ipAlone(modem, candidate))
    const next = { modem, engine, candidate, refusedApns: refusals.apns }
    const end = await callInKinds(services, plan, next, kinds, signal)
    if (!refusals.take(candidate, end)) return end
    services.logger.info(`${plan.link}: ${end.failure.detail}`, { cause: end.failure.cause })
    plan.show({ ...NO_SESSION, ...NO_FAILURE })
  }
}

/** With both kinds of address, and with one alone where the network refuses both at once. */
async function callInKinds(
  services: AttemptServices,
  plan: AttemptPlan,
  next: Pick<Try, 'modem' | 'engine' | 'candidate' | 'refusedApns'>,
  kinds: IpChoice,
  signal: AbortSignal,
): Promise<AttemptEnd> {
  const { modem, candidate } = next
  for (;;) {
    const { ip, isAlone } = kinds
    const profile = { ...profileWith(plan.profile, candidate), ip }
    const end = await callOnce(services, plan, { ...next, profile, isIpAlone: isAlone }, signal)
    const { ipLimit } = end.failure
    if (isAlone && ip !== '46' && end.stoodMs !== undefined) services.apns.carriesOnly(modem, candidate, ip)
    else if (ipLimit?.isCertain && plan.profile.ip === '46') services.apns.carriesOnly(modem, candidate, ipLimit.ip)
    if (!kinds.take(end)) return end
    services.logger.info(`${plan.link}: ${end.failure.detail}; dials again for IPv${kinds.ip} alone`)
    plan.show({ ...NO_SESSION, ...NO_FAILURE })
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
  services.gate.dialled(modem)
  const dialled = await dial(attempt, signal)
  if ('end' in dialled) return dialled.end
  const { call } = dialled
  plan.show({ report: call.report, connectSpeed: call.connectSpeed, chatExit: call.chatExit })
  plan.phaseDone('dial')

  const end = await carry(services, plan, { ...attempt, call }, signal)
  if (isSuccess(end.stoodMs)) services.gate.open(modem)
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

/** For the modem's context, where the profile takes part in a log-in of a kind that a modem knows. */
function logInOf({ username, password, auth }: Profile): DialRequest['logIn'] {
  if (username === '' || auth === 'none' || auth === 'mschapv2') return undefined
  return { username, password, auth }
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
  { modem, profile, isIpAlone, refusedApns }: Try,
  signal: AbortSignal,
): Promise<{ readonly call: Call } | { readonly end: AttemptEnd }> {
  try {
    const call = await modem.dial({
      apn: profile.apn,
      number: profile.number,
      ipType: profile.ip,
      isIpAlone,
      cid: profile.cid,
      logIn: logInOf(profile),
      refusedApns,
      timeoutMs: profile.dialTimeoutMs,
      chatScript: profile.chatScript,
      scriptVariables: scriptVariablesOf(profile),
      signal,
    })
    if (!signal.aborted) return { call }
    await call.hangUp(endOf(signal.reason).failure)
  } catch (error) {
    if (!signal.aborted) {
      if (!(error instanceof DialError)) throw error
      const { chatExit, ...failure } = error.failure
      return { end: { failure, chatExit, isBlocked: isForTheModem(failure) } }
    }
  }
  throw signal.reason
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
