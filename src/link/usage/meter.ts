/**
 * Counts one session of a link for the ledger, and ends it at the profile's `data-limit`. The counters are looked at, since no
 * engine tells of each packet; without a limit seldom, for the month it was in and for a crash. Called by `carry.ts`.
 */

import type { Failure } from '../../base/cause.ts'
import type { Cancel, Clock } from '../../base/ports.ts'
import type { Limited, UsageLedger } from './ledger.ts'
import type { MonthCount } from './usage-file.ts'

const SHORTEST_LOOK_MS = 1000
const LONGEST_LOOK_MS = 10_000
/** Without a limit. */
const SELDOM_LOOK_MS = 300_000
/** The limit is overshot by this part of it at most, at the speed seen last twice over, or this one. */
const OVERSHOOT_PART = 100
const LEAST_BYTES_PER_MS = 1000

export interface MeterOptions {
  readonly profile: Limited
  readonly ledger: UsageLedger
  readonly clock: Clock
  /** Since the session is up. */
  readonly counters: () => { readonly rxBytes: bigint; readonly txBytes: bigint }
  readonly onLimit: (failure: Failure) => void
}

export class UsageMeter {
  readonly #options: MeterOptions
  readonly #unfollow: Cancel
  /** The counters when they were looked at last. */
  #seen = { rxBytes: 0n, txBytes: 0n }
  #lookedMs: number
  #cancelLook: Cancel | undefined

  constructor(options: MeterOptions) {
    this.#options = options
    const { ledger, profile, clock } = options
    this.#lookedMs = clock.nowMs()
    this.#unfollow = ledger.follow(profile.name, () => this.#uncounted())
    this.#look()
  }

  /** Counts the last of it. */
  stop(): void {
    this.#cancelLook?.()
    this.#count()
    this.#unfollow()
    this.#options.ledger.settle()
  }

  #look(): void {
    const { profile, ledger, clock, onLimit } = this.#options
    const nowMs = clock.nowMs()
    const bytesPerMs = this.#count() / Math.max(1, nowMs - this.#lookedMs)
    this.#lookedMs = nowMs
    const refusal = ledger.refusal(profile)
    if (refusal) onLimit(refusal)
    else this.#cancelLook = clock.at(nowMs + this.#pauseMs(bytesPerMs), () => this.#look())
  }

  #pauseMs(bytesPerMs: number): number {
    const { ledger, profile } = this.#options
    const { dataLimitBytes: limitBytes } = profile
    if (limitBytes === undefined) return SELDOM_LOOK_MS
    const leftBytes = limitBytes - Number(ledger.usage(profile).usedBytes)
    const ms = Math.max(leftBytes, limitBytes / OVERSHOOT_PART) / Math.max(2 * bytesPerMs, LEAST_BYTES_PER_MS)
    return Math.min(LONGEST_LOOK_MS, Math.max(SHORTEST_LOOK_MS, ms))
  }

  /** How many came to the ledger. */
  #count(): number {
    const { ledger, profile, counters } = this.#options
    const count = this.#uncounted()
    this.#seen = counters()
    ledger.add(profile, count)
    return count.rxBytes + count.txBytes
  }

  /** A peer that negotiates anew may make an engine begin at 0 again. */
  #uncounted(): MonthCount {
    const { rxBytes, txBytes } = this.#options.counters()
    const since = (now: bigint, seen: bigint) => Number(now >= seen ? now - seen : now)
    return { rxBytes: since(rxBytes, this.#seen.rxBytes), txBytes: since(txBytes, this.#seen.txBytes) }
  }
}
