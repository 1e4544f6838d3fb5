/**
 * One attempt of a link, from the wait for a modem to the end of its call: modem, SIM, network, then the call (`call.ts`).
 * Everything it took it gives back before it ends. `link.ts` starts attempts and decides what follows each.
 */

import type { Failure } from '../base/cause.ts'
import type { Cancel, Clock, Logger } from '../base/ports.ts'
import type { ModemHandle, ModemSnapshot } from '../modem/snapshot.ts'
import type { EngineReport } from '../ppp/engines/choose.ts'
import type { PppEngine } from '../ppp/engines/engine.ts'
import type { ApnBook } from './apn/book.ts'
import { type AttemptEnd, AttemptFailed, endOf, modemGone } from './attempt-end.ts'
import { callAndRun } from './call.ts'
import type { Reach } from './check/reach.ts'
import type { DialGate } from './dial-gate.ts'
import { NO_NEXT } from './link-record.ts'
import type { ModemPool, PoolView } from './modem-pool.ts'
import type { ModemWish } from './modem-selector.ts'
import type { Resolver } from './name-servers.ts'
import type { PppRun } from './ppp-run.ts'
import type { Profile } from './profile.ts'
import { judgeReadiness, type Readiness, roamingFailure } from './readiness.ts'
import type { LinkPhase, LinkSnapshot } from './snapshot.ts'
import type { UsageLedger } from './usage/ledger.ts'
import { until, waited } from './wait.ts'

export interface AttemptServices {
  readonly pool: ModemPool
  readonly gate: DialGate
  readonly engines: readonly PppEngine[]
  /** Every engine that this machine could have, the best first. */
  readonly engineReports: readonly EngineReport[]
  readonly clock: Clock
  readonly logger: Logger
  readonly resolver: Resolver | undefined
  readonly apns: ApnBook
  /** For profiles with a `check`. */
  readonly reach: Reach
  readonly usage: UsageLedger
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

export function readinessOf({ pinFor }: AttemptServices, { roaming }: Profile, { snapshot }: ModemHandle): Readiness {
  return judgeReadiness(snapshot, { roaming, hasPin: pinFor(snapshot) !== undefined })
}

/** Never rejects. */
export async function runAttempt(services: AttemptServices, plan: AttemptPlan): Promise<AttemptEnd> {
  const stop = new AbortController()
  const onAbort = () => stop.abort(plan.signal.reason)
  plan.signal.addEventListener('abort', onAbort, { once: true })
  let cancelGone: Cancel = () => {}
  let cancelRoaming: Cancel = () => {}
  let modem: ModemHandle | undefined
  try {
    plan.signal.throwIfAborted()
    const refusal = services.usage.refusal(plan.profile)
    if (refusal) throw new AttemptFailed({ failure: refusal, isBlocked: true })
    let isReady: boolean
    do {
      modem = await claimModem(services, plan, stop.signal)
      const gone = modemGone(modem)
      cancelGone()
      cancelGone = services.pool.onGone(modem, () => stop.abort(gone))
      if (!services.pool.isHere(modem)) throw gone
      plan.show({ modem: modem.snapshot.id, ...NO_NEXT })
      plan.phaseDone('modem')
      isReady = await becomeReady(services, plan, modem, stop.signal)
    } while (!isReady)
    cancelRoaming = onRoaming(modem, plan.profile, (failure) =>
      stop.abort(new AttemptFailed({ failure, isBlocked: true })),
    )
    return { ...(await callAndRun(services, plan, modem, stop.signal)), modem }
  } catch (error) {
    return { ...endOf(error), modem }
  } finally {
    cancelGone()
    cancelRoaming()
    plan.signal.removeEventListener('abort', onAbort)
  }
}

/** It leaves the home network during the call. */
function onRoaming(modem: ModemHandle, profile: Profile, listener: (failure: Failure) => void): Cancel {
  if (profile.roaming) return () => {}
  return modem.onChange((snapshot) => {
    const failure = roamingFailure(snapshot, profile)
    if (failure) listener(failure)
  })
}

/** One that is ready before one that will be, and that before one that is blocked. */
const RANK: Readonly<Record<Readiness['kind'], number>> = { ready: 0, pending: 1, blocked: 2 }

async function claimModem(services: AttemptServices, plan: AttemptPlan, signal: AbortSignal): Promise<ModemHandle> {
  const { pool, clock } = services
  const { link, wish } = plan
  const rank = (modem: ModemHandle) =>
    restsUntilMs(services, plan, modem) === undefined
      ? RANK[readinessOf(services, plan.profile, modem).kind]
      : undefined
  const rested = new RestedWatch(services, plan)
  const showWait = (soonestMs: number | undefined) =>
    plan.show({
      ...(!pool.holds(link) && { modem: undefined }),
      ...(soonestMs === undefined
        ? { ...NO_NEXT, nextAttemptReason: busyReason(pool.look(link, wish)) }
        : restsUntil(clock, soonestMs)),
    })
  return await until<ModemHandle>({
    clock,
    signal,
    limitMs: plan.isByHand ? plan.profile.dialTimeoutMs : undefined,
    listen: (check) => {
      const cancelChance = pool.onChance(link, check)
      return () => {
        cancelChance()
        rested.stop()
      }
    },
    check: () => {
      const modem = pool.claim(link, wish, rank)
      if (!modem) showWait(rested.begin())
      return modem
    },
    late: (limitMs) => new AttemptFailed({ failure: waited(pool.absence(plan.wish), limitMs) }),
  })
}

/** The modem has dialled often; undefined: it may be dialled. Whoever asks does not wait for it, also where the modem came later than the wish. */
function restsUntilMs({ gate }: AttemptServices, { isByHand }: AttemptPlan, modem: ModemHandle): number | undefined {
  return isByHand ? undefined : gate.opensMs(modem)
}

/** Looks again when the first modem that rests has rested. */
class RestedWatch {
  readonly #services: AttemptServices
  readonly #plan: AttemptPlan
  #cancel: Cancel = () => {}

  constructor(services: AttemptServices, plan: AttemptPlan) {
    this.#services = services
    this.#plan = plan
  }

  /** Begins anew. When that is; undefined: none rests. */
  begin(): number | undefined {
    const { pool, clock } = this.#services
    const { link, wish } = this.#plan
    const ends = pool.free(link, wish).flatMap((modem) => restsUntilMs(this.#services, this.#plan, modem) ?? [])
    this.stop()
    if (ends.length === 0) return undefined
    const soonestMs = Math.min(...ends)
    // Whoever is first in order hears of it first.
    this.#cancel = clock.at(soonestMs, () => pool.lookAgain())
    return soonestMs
  }

  stop(): void {
    this.#cancel()
  }
}

function busyReason(view: PoolView): string {
  return view.kind === 'busy' ? `the link ${view.by} has the modem` : ''
}

function restsUntil(clock: Clock, atMs: number): Partial<LinkSnapshot> {
  const nextAttemptAtUs = clock.wallUs() + BigInt(Math.ceil((atMs - clock.nowMs()) * 1000))
  return { nextAttemptAtUs, nextAttemptReason: 'the modem has dialled often, perhaps for other links' }
}

const NEVER: AttemptEnd = { failure: { cause: 'internal', detail: 'the modem was ready and nobody saw it' } }

/** A link that waits by itself says so after this time: a modem that finds no network for so long may be stuck (recovery.ts). */
const SEARCH_LIMIT_MS = 180_000

/** Waits for SIM and network; helps with what a person's connect may do: a PIN, the radio. False: another modem is ready before it. */
async function becomeReady(
  services: AttemptServices,
  plan: AttemptPlan,
  modem: ModemHandle,
  signal: AbortSignal,
): Promise<boolean> {
  const { clock, pinFor, pool } = services
  const judge = () => readinessOf(services, plan.profile, modem)
  // One that rests could not be claimed.
  const isReady = (other: ModemHandle) =>
    readinessOf(services, plan.profile, other).kind === 'ready' && restsUntilMs(services, plan, other) === undefined
  const rested = new RestedWatch(services, plan)
  let isSimDone = false
  const helped = new Set<string>()

  for (;;) {
    const verdict = await until<Readiness | 'overtaken'>({
      clock,
      signal,
      limitMs: plan.isByHand ? plan.profile.dialTimeoutMs : SEARCH_LIMIT_MS,
      listen: (check) => {
        const cancelChance = pool.onChance(plan.link, check)
        return () => {
          cancelChance()
          rested.stop()
        }
      },
      check: () => {
        const now = judge()
        if (now.kind === 'pending' && pool.free(plan.link, plan.wish).some(isReady)) return 'overtaken'
        if (now.kind === 'pending') rested.begin()
        if (!isSimDone && (now.kind === 'ready' || now.phase === 'network')) {
          isSimDone = true
          plan.phaseDone('sim')
        }
        return now.kind === 'pending' ? undefined : now
      },
      late: (limitMs) => {
        const now = judge()
        if (now.kind === 'ready') return new AttemptFailed(NEVER)
        const isStuck = plan.isByHand || now.failure.cause === 'no-network'
        return isStuck ? new AttemptFailed({ failure: waited(now.failure, limitMs) }) : now
      },
    })
    if (verdict === 'overtaken') return false
    if (verdict.kind === 'ready') break
    if (verdict.kind === 'pending') continue
    const blocked = { failure: verdict.failure, isBlocked: true }
    const what = verdict.failure.cause === 'radio-off' ? 'radio' : 'sim'
    if (helped.has(what)) throw new AttemptFailed(blocked)
    helped.add(what)
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
  return true
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
