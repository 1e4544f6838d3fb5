/**
 * One link: a profile's connection from idle to up and back. It starts attempts (attempt.ts), waits for what follows each
 * (next-attempt.ts), and writes the one snapshot that the bus shows (link-record.ts). `supervisor.ts` owns the links.
 *
 * A connection made by hand ends with its first failed attempt; what was up, or connects by itself, goes on until it is asked down.
 */

import { ModemdError } from '../base/errors.ts'
import { type Cancel, type Random, randomFraction } from '../base/ports.ts'
import type { ModemHandle } from '../modem/snapshot.ts'
import { type AttemptServices, readinessOf, runAttempt } from './attempt.ts'
import { type AttemptEnd, AttemptFailed } from './attempt-end.ts'
import { failureError, goesOnOnce } from './causes.ts'
import { LinkRecord, NO_NEXT } from './link-record.ts'
import type { ModemWish } from './modem-selector.ts'
import { whatFollows } from './next-attempt.ts'
import type { Profile } from './profile.ts'
import type { Readiness } from './readiness.ts'
import type { RecoveryDesk } from './recovery-desk.ts'
import { isSuccess } from './redial.ts'
import { notBefore, onReadyAnew, redialPause } from './redial-pause.ts'
import type { Slumber } from './slumber.ts'
import type { LinkHandle, LinkSnapshot } from './snapshot.ts'

export interface LinkServices extends AttemptServices {
  readonly random: Random
  readonly recovery: RecoveryDesk
  readonly slumber: Slumber
}

/** What one who connects by hand wants otherwise than the profile. */
export interface RunWish {
  readonly profile: Profile
  readonly modem: ModemWish
  /** A person's explicit try. */
  readonly pin?: string | undefined
}

interface Run {
  wish: RunWish
  readonly stop: AbortController
  /** Aborted with `stop`, and alone where the attempt begins anew. */
  attempt: AbortController
  /** Goes on after a failure. */
  isLasting: boolean
  /** A person waits for the next attempt: it is bounded. */
  isAsked: boolean
  failuresInARow: number
  /** Ends a wait for the next attempt; undefined: none is on. */
  goOn: (() => void) | undefined
  /** Somebody waits until nothing of it is on the line and the machine may sleep. */
  rested: (() => void) | undefined
  done: Promise<void>
}

const ANEW = new AttemptFailed({ failure: { cause: 'user-request', detail: 'connect was asked for' } })
const CHANGED = new AttemptFailed({ failure: { cause: 'user-request', detail: 'the profile was changed' } })
const ASLEEP = new AttemptFailed({ failure: { cause: 'user-request', detail: 'the machine goes to sleep' } })
const USER_REQUEST = new AttemptFailed({ failure: { cause: 'user-request', detail: 'disconnect was asked for' } })

export class Link implements LinkHandle {
  readonly #services: LinkServices
  readonly #connect: () => Promise<unknown>
  readonly #record: LinkRecord
  #profile: Profile
  #run: Run | undefined
  #isHeldDown = false

  /** `connect`: what Up asks for, with the supervisor's checks. */
  constructor(profile: Profile, services: LinkServices, connect: () => Promise<unknown>) {
    this.#profile = profile
    this.#services = services
    this.#connect = connect
    this.#record = new LinkRecord(profile.name, services.clock, services.logger)
  }

  get id(): string {
    return this.#record.snapshot.id
  }

  get profile(): Profile {
    return this.#profile
  }

  get snapshot(): LinkSnapshot {
    return { ...this.#record.snapshot, usage: this.#services.usage.usage(this.#profile) }
  }

  /** Is it up, on its way, or waiting for the next attempt? Not where it is asked down and only ends. */
  get isRunning(): boolean {
    return this.#run !== undefined && !this.#run.stop.signal.aborted
  }

  /** Somebody asked it down and nobody up since. */
  get isHeldDown(): boolean {
    return this.#isHeldDown
  }

  onChange(listener: (next: LinkSnapshot, previous: LinkSnapshot) => void): Cancel {
    return this.#record.onChange(listener)
  }

  /** Counts from the next attempt on; one that only waits, perhaps for what the new profile no longer wants, begins anew. */
  replaceProfile(profile: Profile): void {
    const run = this.#run
    const isOwn = run?.wish.profile === this.#profile
    this.#profile = profile
    for (const modem of this.#services.pool.free(this.id, profile)) this.#services.gate.open(modem)
    if (!run) return
    if (isOwn) run.wish = wishOf(profile)
    run.isLasting ||= profile.autoconnect
    if (run.goOn) run.goOn()
    else if (isOwn && this.#record.snapshot.state === 'waiting') run.attempt.abort(CHANGED)
  }

  async up(): Promise<void> {
    await this.#connect()
  }

  /** Starts, or begins anew where it only waits. Does nothing to a link that is up or dials. */
  async start(wish: RunWish, by: 'person' | 'itself'): Promise<void> {
    this.#isHeldDown = false
    if (by === 'person') this.#forgive(wish)
    const stopping = this.#run?.stop.signal.aborted ? this.#run.done : undefined
    if (stopping) await stopping
    // Asked down again meanwhile.
    if (this.#isHeldDown) return
    if (this.#run) {
      if (by === 'person') this.#hurry(this.#run, wish)
      return
    }
    const run: Run = {
      wish,
      stop: new AbortController(),
      attempt: new AbortController(),
      isLasting: by === 'itself' || this.#profile.autoconnect,
      isAsked: by === 'person',
      failuresInARow: 0,
      goOn: undefined,
      rested: undefined,
      done: Promise.resolve(),
    }
    this.#run = run
    this.#record.begin()
    run.done = this.#live(run)
  }

  /** Whatever failed before, a person's wish begins anew. */
  #forgive({ modem: wish }: RunWish): void {
    const { pool, gate, recovery } = this.#services
    for (const modem of pool.free(this.id, wish)) {
      gate.open(modem)
      recovery.forgive(modem.snapshot.device)
    }
  }

  #hurry(run: Run, wish: RunWish): void {
    if (run.goOn === undefined && this.#record.snapshot.state !== 'waiting') return
    run.wish = wish
    run.isAsked = true
    run.failuresInARow = 0
    this.#record.set({ attempts: 0 })
    if (run.goOn) run.goOn()
    else run.attempt.abort(ANEW)
  }

  async down(): Promise<void> {
    this.#isHeldDown = true
    const run = this.#run
    if (!run) return
    run.stop.abort()
    run.attempt.abort(USER_REQUEST)
    await run.done
  }

  /** The machine goes to sleep: resolves once nothing is on the line. It goes on by itself when that is over. */
  async suspend(): Promise<void> {
    const run = this.#run
    if (!run) return
    const rested = new Promise<void>((resolve) => {
      run.rested = resolve
    })
    if (run.goOn) run.goOn()
    else run.attempt.abort(ASLEEP)
    await Promise.race([run.done, rested])
  }

  settled(): Promise<void> {
    // Also where the attempt had failed before anybody asked how it went.
    return this.#record.settled(this.#run !== undefined && this.#run.goOn === undefined)
  }

  /** Attempt after attempt. Never rejects. */
  async #live(run: Run): Promise<void> {
    const { signal } = run.stop
    let end: AttemptEnd = USER_REQUEST.end
    do {
      if (!(await this.#sleepThrough(run))) break
      end = await this.#attempt(run)
      if (end.stoodMs !== undefined) run.isLasting = true
    } while (!signal.aborted && (isBegunAnew(end) || (await this.#goesOn(run, end))))
    // Where it failed for good it is over already, and somebody may have begun the next.
    if (this.#run !== run) return
    this.#services.pool.release(this.id)
    this.#run = undefined
    if (signal.aborted) this.#stopped(end)
  }

  /** While the machine sleeps; after that whatever failed before counts no more. False: asked down meanwhile. */
  async #sleepThrough(run: Run): Promise<boolean> {
    const { slumber, pool } = this.#services
    while (slumber.isOn) {
      pool.release(this.id)
      const waiting = { state: 'waiting', modem: undefined, attempts: 0, advice: undefined } as const
      const reason = { ...NO_NEXT, nextAttemptReason: 'suspend: it goes on when the machine wakes up' }
      this.#record.endAttempt(ASLEEP.end, { ...waiting, ...reason })
      run.rested?.()
      if (!(await this.#waitOr(run, (goOn) => slumber.onEnd(goOn)))) return false
      run.failuresInARow = 0
    }
    return true
  }

  async #attempt(run: Run): Promise<AttemptEnd> {
    const { wish, isAsked: isByHand } = run
    run.isAsked = false
    run.attempt = new AbortController()
    this.#record.beginAttempt()
    const end = await runAttempt(this.#services, {
      link: this.id,
      profile: wish.profile,
      wish: wish.modem,
      pin: wish.pin,
      isByHand,
      signal: run.attempt.signal,
      show: (change) => this.#record.set(change),
      phaseDone: (phase) => this.#record.phaseDone(phase),
      counting: (ppp) => this.#record.count(ppp),
    })
    // A PIN is a person's try for this attempt, not for the redials.
    if (run.wish === wish) run.wish = { ...wish, pin: undefined }
    // Who waits for the answer still does.
    const isInterrupted = end.failure === ASLEEP.end.failure || end.failure === CHANGED.end.failure
    if (isInterrupted && end.stoodMs === undefined) run.isAsked = isByHand
    return end
  }

  /** Shows why the attempt ended and waits for the next; false: there is none. */
  async #goesOn(run: Run, end: AttemptEnd): Promise<boolean> {
    const { clock, random, logger, pool, recovery, slumber, usage } = this.#services
    const { failure, stoodMs, modem } = end
    const { cause, detail } = failure
    run.failuresInARow = isSuccess(stoodMs) ? 1 : run.failuresInARow + 1
    const { profile, modem: wish } = run.wish
    const { isLasting, failuresInARow } = run
    const verdict = recovery.judge(end, profile.resetAfter)
    const course = { profile, isLasting, failuresInARow, recovery: verdict }
    const next = whatFollows(end, course, randomFraction(random))
    const error = end.error ?? failureError(failure)
    logger.warn(`${this.id}: ${cause}: ${detail}`, {
      attempts: this.#record.snapshot.attempts,
      nextInMs: next.kind === 'redial' ? next.delayMs : undefined,
    })

    if (next.kind !== 'redial') {
      pool.release(this.id)
      const nextAttemptReason =
        next.kind === 'given-up' ? next.reason : next.kind === 'blocked' ? goesOnOnce(cause) : ''
      const nextMonth = next.kind === 'blocked' && cause === 'data-limit' ? usage.nextAttempt() : undefined
      if (next.kind === 'end') this.#run = undefined
      this.#record.endAttempt(end, { ...NO_NEXT, modem: undefined, state: next.state, nextAttemptReason, ...nextMonth })
      this.#record.settle(error)
      if (next.kind === 'end') return false
      if (slumber.isOn) return !run.stop.signal.aborted
      return await this.#waitForChange(run, next.kind, clock.nowMs() + next.leastMs)
    }
    const { delayMs, reason, rung } = next
    const nextRung = recovery.outlook(end, profile.resetAfter)
    const climbing = rung && modem && recovery.climb(modem, rung)
    const isReady = (each: ModemHandle) => this.#readiness(run, each) === 'ready'
    const wallUsIn = (ms: number) => clock.wallUs() + BigInt(Math.ceil(ms)) * 1000n
    const onClimbed = (leftMs: number) => this.#record.set({ nextAttemptAtUs: wallUsIn(leftMs) })
    const reasonOfPause = { link: this.id, wish, cause, failuresInARow, delayMs, isReady, climbing, onClimbed }
    const pause = redialPause(clock, pool, reasonOfPause)
    this.#record.endAttempt(end, {
      ...(cause === 'modem-gone' && { modem: undefined }),
      state: 'waiting',
      attempts: stoodMs === undefined ? this.#record.snapshot.attempts : 0,
      // How long the rung takes nobody knows.
      nextAttemptAtUs: climbing ? 0n : wallUsIn(pause.delayMs),
      nextAttemptReason: reason,
      nextRung,
    })
    this.#record.settle(error)
    const onTaken = () => this.#record.set({ modem: undefined })
    if (modem) pool.rest(this.id, modem, { isFirst: isSuccess(stoodMs), after: climbing, onTaken })
    // The machine went to sleep while the call was hung up.
    if (slumber.isOn) return !run.stop.signal.aborted
    return await this.#waitOr(run, pause.start)
  }

  /** Without a timer: for a modem that is not blocked (where it was given up, for one that is ready anew), or somebody who asks. */
  async #waitForChange(run: Run, kind: 'blocked' | 'given-up', earliestMs: number): Promise<boolean> {
    const { clock, pool, usage } = this.#services
    const those = (are: (kind: Readiness['kind']) => boolean) => () =>
      pool.free(this.id, run.wish.modem).filter((modem) => are(this.#readiness(run, modem)))
    const wait = (listen: (tell: () => void) => Cancel) => this.#waitOr(run, notBefore(clock, earliestMs, listen))
    if (kind === 'given-up') {
      const ready = those((each) => each === 'ready')
      return await wait((tell) => onReadyAnew(pool, ready, tell))
    }
    const notBlocked = those((each) => each !== 'blocked')
    const isOpen = () => usage.refusal(run.wish.profile) === undefined && notBlocked().length > 0
    if (isOpen() && clock.nowMs() >= earliestMs) return !run.stop.signal.aborted
    return await wait((tell) => {
      const check = () => {
        if (isOpen()) tell()
      }
      check()
      const cancels = [pool.onChance(this.id, check), usage.onceAllowed(run.wish.profile, check)]
      return () => {
        for (const cancel of cancels) cancel()
      }
    })
  }

  #readiness(run: Run, modem: ModemHandle): Readiness['kind'] {
    return readinessOf(this.#services, run.wish.profile, modem).kind
  }

  /** True: go on; false: asked down. */
  async #waitOr(run: Run, start: (goOn: () => void) => Cancel): Promise<boolean> {
    const { signal } = run.stop
    if (signal.aborted) return false
    return await new Promise((resolve) => {
      let cancel: Cancel = () => {}
      let isOver = false
      const finish = (isGoing: boolean) => {
        isOver = true
        cancel()
        signal.removeEventListener('abort', onAbort)
        run.goOn = undefined
        resolve(isGoing)
      }
      const onAbort = () => finish(false)
      signal.addEventListener('abort', onAbort, { once: true })
      run.goOn = () => finish(true)
      cancel = start(run.goOn)
      // It may be over before `start` is.
      if (isOver) cancel()
    })
  }

  #stopped({ chatExit, pppExit }: AttemptEnd): void {
    const { failure } = USER_REQUEST.end
    this.#record.endAttempt({ failure, chatExit, pppExit }, { ...NO_NEXT, modem: undefined, state: 'idle' })
    this.#record.settle(new ModemdError('WrongState', `${this.id} was disconnected before it was up.`, failure.cause))
  }
}

/** It was ended so that another follows. */
function isBegunAnew({ failure }: AttemptEnd): boolean {
  return [ANEW, CHANGED, ASLEEP].some(({ end }) => end.failure === failure)
}

export function wishOf(profile: Profile): RunWish {
  return { profile, modem: profile }
}
