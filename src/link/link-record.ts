/**
 * What one link shows: its snapshot, who follows it, who waits for how it ends, and the bytes of the session that is on.
 * `link.ts` writes it; the bus reads it through the link.
 */

import { ModemdError } from '../base/errors.ts'
import { Listeners } from '../base/listeners.ts'
import type { Cancel, Clock, Logger } from '../base/ports.ts'
import type { AttemptEnd } from './attempt-end.ts'
import { shownFailure } from './causes.ts'
import type { PppRun } from './ppp-run.ts'
import type { LinkPhase, LinkSnapshot } from './snapshot.ts'

/** What holds only while PPP runs. */
export const NO_SESSION = {
  interface: undefined,
  engine: undefined,
  apn: undefined,
  connectSpeed: undefined,
  report: undefined,
  ip4: undefined,
  ip6: undefined,
  upSinceUs: undefined,
} as const

export const NO_FAILURE = {
  cause: undefined,
  causeAtUs: undefined,
  causeDetail: undefined,
  advice: undefined,
  chatExit: undefined,
  pppExit: undefined,
} as const

export const NO_NEXT = { nextAttemptAtUs: 0n, nextAttemptReason: '', nextRung: undefined } as const

type LinkListener = (next: LinkSnapshot, previous: LinkSnapshot) => void

interface Waiter {
  readonly resolve: () => void
  readonly reject: (error: ModemdError) => void
}

export class LinkRecord {
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #listeners = new Listeners<[next: LinkSnapshot, previous: LinkSnapshot]>()
  readonly #waiters = new Set<Waiter>()
  #snapshot: LinkSnapshot
  #ppp: PppRun | undefined
  #lastError: ModemdError | undefined
  #phaseStartedMs = 0

  constructor(id: string, clock: Clock, logger: Logger) {
    this.#clock = clock
    this.#logger = logger
    this.#snapshot = {
      id,
      profile: id,
      state: 'idle',
      phaseMs: {},
      rxBytes: 0n,
      txBytes: 0n,
      attempts: 0,
      ...NO_NEXT,
    }
  }

  /** Bytes are counted at the moment of reading. */
  get snapshot(): LinkSnapshot {
    return this.#ppp ? { ...this.#snapshot, ...this.#ppp.counters() } : this.#snapshot
  }

  onChange(listener: LinkListener): Cancel {
    return this.#listeners.add(listener)
  }

  set(change: Partial<LinkSnapshot>): void {
    const previous = this.snapshot
    this.#snapshot = { ...this.#snapshot, ...change }
    const next = this.snapshot
    if (next.state !== previous.state)
      this.#logger.info(`${next.id}: ${previous.state} → ${next.state}`, { modem: next.modem })
    this.#listeners.emit(next, previous)
    if (change.state === 'up') this.settle(undefined)
  }

  /** Somebody, or the link by itself, starts it from rest. */
  begin(): void {
    this.set({ attempts: 0, ...NO_FAILURE })
  }

  beginAttempt(): void {
    this.#phaseStartedMs = this.#clock.nowMs()
    const attempts = this.#snapshot.attempts + 1
    this.#ppp = undefined
    this.set({ ...NO_SESSION, state: 'waiting', attempts, phaseMs: {}, rxBytes: 0n, txBytes: 0n, ...NO_NEXT })
  }

  phaseDone(phase: LinkPhase): void {
    const nowMs = this.#clock.nowMs()
    const ms = Math.round(nowMs - this.#phaseStartedMs)
    this.#phaseStartedMs = nowMs
    this.set({ phaseMs: { ...this.#snapshot.phaseMs, [phase]: ms } })
  }

  /** Its bytes are the link's, until `endAttempt`. */
  count(ppp: PppRun): void {
    this.#ppp = ppp
  }

  /** Shows why the attempt ended, and in the same change what follows. */
  endAttempt({ failure, chatExit, pppExit }: AttemptEnd, change: Partial<LinkSnapshot>): void {
    const { rxBytes, txBytes } = this.snapshot
    this.#ppp = undefined
    this.set({
      ...NO_SESSION,
      rxBytes,
      txBytes,
      ...shownFailure(failure),
      causeAtUs: this.#clock.wallUs(),
      chatExit,
      pppExit,
      ...change,
    })
  }

  /** Answers those who wait: undefined, it is up. */
  settle(error: ModemdError | undefined): void {
    this.#lastError = error
    const waiters = [...this.#waiters]
    this.#waiters.clear()
    for (const { resolve, reject } of waiters) error ? reject(error) : resolve()
  }

  /** `isUnderWay`: how the attempt ends is not known yet. */
  settled(isUnderWay: boolean): Promise<void> {
    const { state, id } = this.#snapshot
    if (state === 'up') return Promise.resolve()
    if (!isUnderWay) {
      return Promise.reject(
        this.#lastError ?? new ModemdError('WrongState', `${id} is not connected: start it with \`mmctl connect\`.`),
      )
    }
    return new Promise((resolve, reject) => {
      this.#waiters.add({ resolve, reject })
    })
  }
}
