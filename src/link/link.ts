/**
 * One link: a profile's connection from idle to up and back. It starts attempts (attempt.ts), decides by cause what follows each
 * (redial.ts), and keeps the one snapshot that the bus shows. `supervisor.ts` owns the links.
 *
 * A connection made by hand ends with its first failed attempt; what was up, or connects by itself, goes on until it is asked down.
 */

import { printable } from '../base/bytes.ts'
import { ModemdError } from '../base/errors.ts'
import { Listeners } from '../base/listeners.ts'
import { type Cancel, type Random, randomFraction } from '../base/ports.ts'
import { type AttemptServices, readinessOf, runAttempt } from './attempt.ts'
import { type AttemptEnd, AttemptFailed } from './attempt-end.ts'
import { CAUSE_TABLE, failureError } from './causes.ts'
import type { ModemWish } from './modem-pool.ts'
import type { PppRun } from './ppp-run.ts'
import type { Profile } from './profile.ts'
import { decideRedial, SUCCESS_MS } from './redial.ts'
import { redialPause } from './redial-pause.ts'
import type { LinkHandle, LinkPhase, LinkSnapshot } from './snapshot.ts'

export interface LinkServices extends AttemptServices {
  readonly random: Random
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
  done: Promise<void>
}

/** What holds only while PPP runs. */
const NO_SESSION = {
  interface: undefined,
  engine: undefined,
  apn: undefined,
  connectSpeed: undefined,
  report: undefined,
  ip4: undefined,
  ip6: undefined,
  upSinceUs: undefined,
} as const

const NO_FAILURE = {
  cause: undefined,
  causeDetail: undefined,
  advice: undefined,
  chatExit: undefined,
  pppExit: undefined,
} as const

const LONGEST_DETAIL_CHARS = 400

const NO_NEXT = { nextAttemptAtUs: 0n, nextAttemptReason: '' } as const

const ANEW = new AttemptFailed({ failure: { cause: 'user-request', detail: 'connect was asked for' } })
const USER_REQUEST = new AttemptFailed({ failure: { cause: 'user-request', detail: 'disconnect was asked for' } })

export class Link implements LinkHandle {
  readonly #services: LinkServices
  readonly #connect: () => Promise<unknown>
  readonly #listeners = new Listeners<[next: LinkSnapshot, previous: LinkSnapshot]>()
  readonly #waiters = new Set<PromiseWithHandles>()
  #profile: Profile
  #snapshot: LinkSnapshot
  #run: Run | undefined
  #ppp: PppRun | undefined
  #lastError: ModemdError | undefined
  #isHeldDown = false
  #phaseStartedMs = 0

  /** `connect`: what Up asks for, with the supervisor's checks. */
  constructor(profile: Profile, services: LinkServices, connect: () => Promise<unknown>) {
    this.#profile = profile
    this.#services = services
    this.#connect = connect
    this.#snapshot = {
      id: profile.name,
      profile: profile.name,
      state: 'idle',
      phaseMs: {},
      rxBytes: 0n,
      txBytes: 0n,
      attempts: 0,
      ...NO_NEXT,
    }
  }

  get id(): string {
    return this.#snapshot.id
  }

  get profile(): Profile {
    return this.#profile
  }

  /** Bytes are counted at the moment of reading. */
  get snapshot(): LinkSnapshot {
    return this.#ppp ? { ...this.#snapshot, ...this.#ppp.counters() } : this.#snapshot
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
    return this.#listeners.add(listener)
  }

  /** Counts from the next attempt on. */
  replaceProfile(profile: Profile): void {
    const isWaiting = this.#run?.goOn
    if (this.#run?.wish.profile === this.#profile) this.#run.wish = wishOf(profile)
    this.#profile = profile
    isWaiting?.()
  }

  async up(): Promise<void> {
    await this.#connect()
  }

  /** Starts, or begins anew where it only waits. Does nothing to a link that is up or dials. */
  async start(wish: RunWish, by: 'person' | 'itself'): Promise<void> {
    this.#isHeldDown = false
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
      done: Promise.resolve(),
    }
    this.#run = run
    this.#set({ attempts: 0, ...NO_FAILURE })
    run.done = this.#live(run)
  }

  #hurry(run: Run, wish: RunWish): void {
    if (run.goOn === undefined && this.#snapshot.state !== 'waiting') return
    run.wish = wish
    run.isAsked = true
    this.#set({ attempts: 0 })
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

  settled(): Promise<void> {
    if (this.#snapshot.state === 'up') return Promise.resolve()
    // Also where the attempt had failed before anybody asked how it went.
    if (!this.#run || (this.#run.goOn && this.#lastError)) {
      return Promise.reject(
        this.#lastError ??
          new ModemdError('WrongState', `${this.id} is not connected: start it with \`mmctl connect\`.`),
      )
    }
    return new Promise((resolve, reject) => {
      this.#waiters.add({ resolve, reject })
    })
  }

  /** Attempt after attempt. Never rejects. */
  async #live(run: Run): Promise<void> {
    const { signal } = run.stop
    let end: AttemptEnd | undefined
    do {
      end = await this.#attempt(run)
      if (end.stoodMs !== undefined) run.isLasting = true
    } while (!signal.aborted && (end === ANEW.end || (await this.#goesOn(run, end))))
    this.#services.pool.release(this.id)
    this.#run = undefined
    if (signal.aborted) this.#stopped(end)
  }

  async #attempt(run: Run): Promise<AttemptEnd> {
    const { wish, isAsked: isByHand } = run
    run.isAsked = false
    run.attempt = new AbortController()
    this.#phaseStartedMs = this.#services.clock.nowMs()
    this.#set({
      state: 'waiting',
      attempts: this.#snapshot.attempts + 1,
      phaseMs: {},
      rxBytes: 0n,
      txBytes: 0n,
      ...NO_NEXT,
    })
    const end = await runAttempt(this.#services, {
      link: this.id,
      profile: wish.profile,
      wish: wish.modem,
      pin: wish.pin,
      isByHand,
      signal: run.attempt.signal,
      show: (change) => this.#show(change),
      phaseDone: (phase) => this.#phaseDone(phase),
      counting: (ppp) => {
        this.#ppp = ppp
      },
    })
    // A PIN is a person's try for this attempt, not for the redials.
    if (run.wish === wish) run.wish = { ...wish, pin: undefined }
    return end
  }

  /** Shows why the attempt ended and waits for the next; false: there is none. */
  async #goesOn(run: Run, end: AttemptEnd): Promise<boolean> {
    const { clock, random, logger } = this.#services
    const { failure, stoodMs } = end
    const { cause, detail } = failure
    const { advice, permanent } = CAUSE_TABLE[cause]
    run.failuresInARow = stoodMs !== undefined && stoodMs >= SUCCESS_MS ? 1 : run.failuresInARow + 1
    const shown = {
      ...NO_SESSION,
      ...this.#counted(),
      cause,
      causeDetail: printable(detail, LONGEST_DETAIL_CHARS),
      advice,
      chatExit: end.chatExit,
      pppExit: end.pppExit,
    }
    const error = end.error ?? failureError(failure)
    const rule = run.wish.profile.redial[cause] ?? CAUSE_TABLE[cause].redial
    const decision = decideRedial(cause, run.failuresInARow, rule, randomFraction(random))
    const isRedialled = run.isLasting && !end.isBlocked && decision.action === 'wait'
    logger.warn(`${this.id}: ${cause}: ${detail}`, {
      attempts: this.#snapshot.attempts,
      nextInMs: isRedialled ? decision.delayMs : undefined,
    })

    if (run.isLasting && end.isBlocked) {
      this.#services.pool.release(this.id)
      this.#set({ ...shown, modem: undefined, state: permanent ? 'failed' : 'waiting' })
      this.#settle(error)
      return await this.#waitForChange(run)
    }
    if (!run.isLasting || decision.action === 'stop') {
      this.#services.pool.release(this.id)
      this.#set({ ...shown, modem: undefined, state: 'failed' })
      this.#settle(error)
      return false
    }
    const isFall = stoodMs !== undefined
    const pause = redialPause(clock, this.#services.pool, {
      link: this.id,
      wish: run.wish.modem,
      cause,
      failuresInARow: run.failuresInARow,
      delayMs: decision.delayMs,
    })
    this.#set({
      ...shown,
      ...(cause === 'modem-gone' && { modem: undefined }),
      state: 'waiting',
      attempts: isFall ? 0 : this.#snapshot.attempts,
      nextAttemptAtUs: clock.wallUs() + BigInt(pause.delayMs) * 1000n,
      nextAttemptReason: decision.reason,
    })
    this.#settle(error)
    return await this.#waitOr(run, pause.start)
  }

  /** Without a timer: for a modem that is not blocked, or somebody who asks. */
  async #waitForChange(run: Run): Promise<boolean> {
    const { pool } = this.#services
    const { profile, modem: wish } = run.wish
    const isOpen = () =>
      pool.free(this.id, wish).some((modem) => readinessOf(this.#services, profile, modem).kind !== 'blocked')
    if (isOpen()) return !run.stop.signal.aborted
    return await this.#waitOr(run, (goOn) =>
      pool.onChange(() => {
        if (isOpen()) goOn()
      }),
    )
  }

  /** True: go on; false: asked down. */
  async #waitOr(run: Run, start: (goOn: () => void) => Cancel): Promise<boolean> {
    const { signal } = run.stop
    if (signal.aborted) return false
    return await new Promise((resolve) => {
      const finish = (isGoing: boolean) => {
        cancel()
        signal.removeEventListener('abort', onAbort)
        run.goOn = undefined
        resolve(isGoing)
      }
      const onAbort = () => finish(false)
      const cancel = start(() => finish(true))
      signal.addEventListener('abort', onAbort, { once: true })
      run.goOn = () => finish(true)
    })
  }

  #stopped({ chatExit, pppExit }: AttemptEnd): void {
    const { cause, detail } = USER_REQUEST.end.failure
    this.#set({
      ...NO_SESSION,
      ...NO_NEXT,
      ...this.#counted(),
      modem: undefined,
      state: 'idle',
      cause,
      causeDetail: detail,
      advice: CAUSE_TABLE[cause].advice,
      chatExit,
      pppExit,
    })
    this.#settle(new ModemdError('WrongState', `${this.id} was disconnected before it was up.`, cause))
  }

  /** The last count of a session that is over. */
  #counted(): { readonly rxBytes: bigint; readonly txBytes: bigint } {
    const { rxBytes, txBytes } = this.snapshot
    this.#ppp = undefined
    return { rxBytes, txBytes }
  }

  #show(change: Partial<LinkSnapshot>): void {
    this.#set(change)
    if (change.state === 'up') this.#settle(undefined)
  }

  #phaseDone(phase: LinkPhase): void {
    const nowMs = this.#services.clock.nowMs()
    const ms = Math.round(nowMs - this.#phaseStartedMs)
    this.#phaseStartedMs = nowMs
    this.#set({ phaseMs: { ...this.#snapshot.phaseMs, [phase]: ms } })
  }

  /** Answers those who wait: undefined, it is up. */
  #settle(error: ModemdError | undefined): void {
    this.#lastError = error
    const waiters = [...this.#waiters]
    this.#waiters.clear()
    for (const { resolve, reject } of waiters) error ? reject(error) : resolve()
  }

  #set(change: Partial<LinkSnapshot>): void {
    const previous = this.snapshot
    this.#snapshot = { ...this.#snapshot, ...change }
    const next = this.snapshot
    if (next.state !== previous.state)
      this.#services.logger.info(`${this.id}: ${previous.state} → ${next.state}`, { modem: next.modem })
    this.#listeners.emit(next, previous)
  }
}

interface PromiseWithHandles {
  readonly resolve: () => void
  readonly reject: (error: ModemdError) => void
}

export function wishOf(profile: Profile): RunWish {
  return { profile, modem: profile }
}
