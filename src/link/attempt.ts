/**
 * One attempt of a link, from the wait for a modem to the end of its call: modem, SIM, network, dial, PPP, name servers, up, down.
 * Everything it took it gives back before it ends. `link.ts` starts attempts and decides what follows each.
 */

import type { Cause, Failure } from '../base/cause.ts'
import { type ErrorCode, errorText, ModemdError } from '../base/errors.ts'
import type { Cancel, Clock, Logger } from '../base/ports.ts'
import { type Call, DialError, type ModemHandle, type ModemSnapshot } from '../modem/snapshot.ts'
import { chooseEngine, type EngineReport } from '../ppp/engines/choose.ts'
import type { PppEngine } from '../ppp/engines/engine.ts'
import type { PppPhase } from '../ppp/settings.ts'
import type { ModemPool, ModemWish } from './modem-pool.ts'
import { NameServers, type Resolver } from './name-servers.ts'
import { ip4Of, ip6Of, PppRun, type PppUp } from './ppp-run.ts'
import type { Profile } from './profile.ts'
import { judgeReadiness, type Readiness } from './readiness.ts'
import type { LinkPhase, LinkSnapshot } from './snapshot.ts'
import { until, waited } from './wait.ts'

export interface AttemptServices {
  readonly pool: ModemPool
  readonly engines: readonly PppEngine[]
  /** Every engine that this machine could have, the best first. */
  readonly engineReports: readonly EngineReport[]
  readonly clock: Clock
  readonly logger: Logger
  readonly resolver: Resolver | undefined
  /** The PIN that is tried by itself for this modem's SIM. */
  readonly pinFor: (modem: ModemSnapshot) => string | undefined
}

export interface AttemptPlan {
  readonly link: string
  readonly profile: Profile
  readonly wish: ModemWish
  /** A person's explicit try. */
  readonly pin: string | undefined
  /** Each wait ends with the dial time-out, what blocks ends the attempt: somebody waits for the answer. */
  readonly isByHand: boolean
  /** Aborted with an AttemptFailed. */
  readonly signal: AbortSignal
  readonly show: (change: Partial<LinkSnapshot>) => void
  readonly phaseDone: (phase: LinkPhase) => void
  /** For as long as there are bytes to count. */
  readonly counting: (ppp: PppRun) => void
}

export interface AttemptEnd {
  readonly failure: Failure
  readonly chatExit?: number | undefined
  readonly pppExit?: number | undefined
  /** The caller's answer, where it says more than the failure. */
  readonly error?: ModemdError | undefined
  /** The modem was not ready, and only a change of it (or another modem) helps. */
  readonly isBlocked?: boolean
  /** How long it was up; undefined: never. */
  readonly stoodMs?: number | undefined
}

/** Ends an attempt from inside, and from outside as the reason of its signal. */
export class AttemptFailed extends Error {
  readonly end: AttemptEnd

  constructor(end: AttemptEnd) {
    super(end.failure.detail)
    this.name = 'AttemptFailed'
    this.end = end
  }
}

export function readinessOf({ pinFor }: AttemptServices, { roaming }: Profile, { snapshot }: ModemHandle): Readiness {
  return judgeReadiness(snapshot, { roaming, hasPin: pinFor(snapshot) !== undefined })
}

/** Never rejects. */
export async function runAttempt(services: AttemptServices, plan: AttemptPlan): Promise<AttemptEnd> {
  const stop = new AbortController()
  const onAbort = () => stop.abort(plan.signal.reason)
  plan.signal.addEventListener('abort', onAbort, { once: true })
  let cancelGone: Cancel = () => {}
  try {
    plan.signal.throwIfAborted()
    const modem = await claimModem(services, plan, stop.signal)
    cancelGone = services.pool.onGone(modem, () => stop.abort(modemGone(modem)))
    if (!services.pool.isHere(modem)) throw modemGone(modem)
    plan.show({ modem: modem.snapshot.id })
    plan.phaseDone('modem')
    await becomeReady(services, plan, modem, stop.signal)
    return await callAndRun(services, plan, modem, stop.signal)
  } catch (error) {
    return endOf(error)
  } finally {
    cancelGone()
    plan.signal.removeEventListener('abort', onAbort)
  }
}

/** What a refused command of the modem means for the link, where the error names no cause itself. */
const CAUSE_OF_ERROR: Readonly<Partial<Record<ErrorCode, Cause>>> = {
  SimPin: 'sim-pin-refused',
  SimPuk: 'sim-puk',
  SimAbsent: 'sim-absent',
  // Not tried, to protect the SIM: the detail says why.
  PinGuard: 'sim-pin',
  Timeout: 'modem-silent',
  ModemGone: 'modem-gone',
  Busy: 'port-busy',
  WrongState: 'modem-error',
}

function endOf(error: unknown): AttemptEnd {
  if (error instanceof AttemptFailed) return error.end
  if (!(error instanceof ModemdError)) return { failure: { cause: 'internal', detail: errorText(error) } }
  const cause = error.failureCause ?? CAUSE_OF_ERROR[error.code] ?? 'internal'
  return { failure: { cause, detail: error.message }, error }
}

function modemGone({ snapshot }: ModemHandle): AttemptFailed {
  return new AttemptFailed({ failure: { cause: 'modem-gone', detail: `${snapshot.id} is no longer there` } })
}

/** One that is ready before one that will be, and that before one that is blocked. */
const RANK: Readonly<Record<Readiness['kind'], number>> = { ready: 0, pending: 1, blocked: 2 }

async function claimModem(services: AttemptServices, plan: AttemptPlan, signal: AbortSignal): Promise<ModemHandle> {
  const { pool, clock } = services
  const rank = (modem: ModemHandle) => RANK[readinessOf(services, plan.profile, modem).kind]
  const detail = plan.wish.modem === 'any' ? 'no modem is there' : `no modem ${plan.wish.modem} is there`
  return await until<ModemHandle>({
    clock,
    signal,
    limitMs: plan.isByHand ? plan.profile.dialTimeoutMs : undefined,
    listen: (check) => pool.onChange(check),
    check: () => pool.claim(plan.link, plan.wish, rank),
    late: (limitMs) => new AttemptFailed({ failure: waited({ cause: 'modem-gone', detail }, limitMs) }),
  })
}

const NEVER: AttemptEnd = { failure: { cause: 'internal', detail: 'the modem was ready and nobody saw it' } }

/** Waits for SIM and network; helps with what a person's connect may do: a PIN, the radio. */
async function becomeReady(
  services: AttemptServices,
  plan: AttemptPlan,
  modem: ModemHandle,
  signal: AbortSignal,
): Promise<void> {
  const { clock, pinFor } = services
  const judge = () => readinessOf(services, plan.profile, modem)
  let isSimDone = false
  let isHelped = false

  for (;;) {
    const verdict = await until<Readiness>({
      clock,
      signal,
      limitMs: plan.isByHand ? plan.profile.dialTimeoutMs : undefined,
      listen: (check) => modem.onChange(check),
      check: () => {
        const now = judge()
        if (!isSimDone && (now.kind === 'ready' || now.phase === 'network')) {
          isSimDone = true
          plan.phaseDone('sim')
        }
        return now.kind === 'pending' ? undefined : now
      },
      late: (limitMs) => {
        const now = judge()
        return new AttemptFailed(now.kind === 'ready' ? NEVER : { failure: waited(now.failure, limitMs) })
      },
    })
    if (verdict.kind === 'ready') break
    const blocked = { failure: verdict.failure, isBlocked: true }
    if (isHelped) throw new AttemptFailed(blocked)
    isHelped = true
    try {
      if (!(await help(plan, modem, verdict.failure, pinFor(modem.snapshot)))) throw new AttemptFailed(blocked)
    } catch (error) {
      signal.throwIfAborted()
      // Another may have unlocked it meanwhile.
      if (judge().kind === 'blocked') throw new AttemptFailed({ ...endOf(error), isBlocked: true })
    }
    signal.throwIfAborted()
  }
  plan.phaseDone('network')
}

/** True: something was done, look again. One thing an attempt: a PIN is never tried twice. */
async function help(plan: AttemptPlan, modem: ModemHandle, { cause }: Failure, automaticPin: string | undefined) {
  if (cause === 'radio-off' && plan.isByHand) {
    await modem.enable()
    return true
  }
  if (cause !== 'sim-pin' && cause !== 'sim-pin-refused') return false
  if (plan.pin !== undefined) {
    await modem.sendPin(plan.pin, 'person')
    return true
  }
  // A PIN that came into the configuration after the modem asked for it.
  if (cause !== 'sim-pin' || automaticPin === undefined) return false
  await modem.sendPin(automaticPin, 'automatic')
  return true
}

async function callAndRun(services: AttemptServices, plan: AttemptPlan, modem: ModemHandle, signal: AbortSignal) {
  signal.throwIfAborted()
  const { profile } = plan
  const engine = engineFor(services, profile)
  plan.show({ state: 'dialling', engine: engine.name })
  const call = await dial(modem, profile, signal)
  plan.show({ report: call.report, connectSpeed: call.connectSpeed, chatExit: call.chatExit })
  plan.phaseDone('dial')

  const end = await runPpp(services, plan, call, engine, signal)
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
    APN: apn === 'auto' ? '' : apn,
    NUMBER: number,
    USERNAME: username,
    PASSWORD: password,
    CID: cid === 'auto' ? '' : String(cid),
  }
}

async function dial(modem: ModemHandle, profile: Profile, signal: AbortSignal): Promise<Call> {
  try {
    const call = await modem.dial({
      apn: profile.apn === 'auto' ? '' : profile.apn,
      number: profile.number,
      ipType: profile.ip,
      cid: profile.cid,
      timeoutMs: profile.dialTimeoutMs,
      chatScript: profile.chatScript,
      scriptVariables: scriptVariablesOf(profile),
      signal,
    })
    if (!signal.aborted) return call
    await call.hangUp(abortEnd(signal).failure)
  } catch (error) {
    if (!signal.aborted) {
      if (!(error instanceof DialError)) throw error
      const { chatExit, ...failure } = error.failure
      throw new AttemptFailed({ failure, chatExit })
    }
  }
  throw signal.reason
}

function abortEnd({ reason }: AbortSignal): AttemptEnd {
  return endOf(reason)
}

async function runPpp(
  { clock, logger, resolver }: AttemptServices,
  plan: AttemptPlan,
  call: Call,
  engine: PppEngine,
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
    const ip4 = ip4Of(up.address)
    plan.counting(ppp)
    plan.show({ interface: up.interfaceName, ip4, ip6: ip6Of(up.address) })
    await nameServers.set(up.interfaceName, plan.profile.dns ? (ip4?.dns ?? []) : [])
    if (ppp.isEnded || signal.aborted || standing !== up) return
    if (upAtMs === undefined) {
      upAtMs = clock.nowMs()
      plan.phaseDone('address')
      call.established()
      plan.show({ state: 'up', upSinceUs: clock.wallUs() })
    } else plan.show({ state: 'up' })
  }
  const ppp = new PppRun(engine, call.wire, plan.profile, clock, (event) => {
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
  await Promise.all([nameServers.restore(), call.hangUp(failure)])
  return { failure, chatExit: call.chatExit, pppExit: end.pppExit, stoodMs }
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
