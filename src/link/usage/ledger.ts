/**
 * How much each profile has used in which month, through restarts and crashes: `usage.json` in the state directory. Flash wears
 * off, so it is written seldom, and what a crash may cost is bounded (docs/man/modemd.conf.5, DATA LIMIT). The links' meters add
 * to it; attempts, links and the bus ask it.
 */

import type { Failure } from '../../base/cause.ts'
import { errorText } from '../../base/errors.ts'
import type { Cancel, Clock, Logger } from '../../base/ports.ts'
import type { KeptStateFiles } from '../../modem/state-files.ts'
import type { Profile } from '../profile.ts'
import type { LinkSnapshot, LinkUsage } from '../snapshot.ts'
import { LeastTime, monthOf, nextMonthMs } from './least-time.ts'
import { formatUsage, type MonthCount, type ReadUsage, readUsage, type UsageState } from './usage-file.ts'
import { usedText } from './used-text.ts'

const FILE = 'usage.json'
/** Between two writes, whatever happens; and between those that may wait. */
const SHORTEST_PAUSE_MS = 1000
const PAUSE_MS = 60_000
/** What was added is on disk this much later at the latest. */
const LATEST_MS = 600_000
/** What is not on disk yet of a profile with a limit: this part of it, but not less than that many bytes. */
const UNSAVED_PART = 1000
const UNSAVED_BYTES = 1_000_000
/** A clock may be set while a link waits for the new month. */
const LONGEST_WAIT_MS = 3_600_000

const NOTHING: MonthCount = { rxBytes: 0, txBytes: 0 }

export type Limited = Pick<Profile, 'name' | 'dataLimitBytes'>

export interface LedgerServices {
  /** undefined: nothing is kept. */
  readonly files?: KeptStateFiles | undefined
  readonly clock: Clock
  readonly logger: Logger
}

export class UsageLedger {
  readonly #services: LedgerServices
  readonly #state: UsageState
  readonly #time: LeastTime
  /** What runs now and was not added yet, by profile. */
  readonly #running = new Map<string, () => MonthCount>()
  readonly #unsavedBytes = new Map<string, number>()
  #writtenMs = Number.NEGATIVE_INFINITY
  #timer: { readonly atMs: number; readonly cancel: Cancel } | undefined
  #isFailing = false
  /** The file cannot be read nor moved: it is left alone. */
  #isLocked = false

  constructor(services: LedgerServices) {
    this.#services = services
    const state = this.#read()
    this.#state = state
    this.#time = new LeastTime(state.leastMs, services.clock.nowMs())
    if (state.isDamaged) this.#save()
  }

  /** Of this month, what runs included. */
  usage({ name, dataLimitBytes }: Limited): LinkUsage {
    const month = monthOf(this.#nowMs())
    const sum = added(this.#count(name, month), this.#running.get(name)?.() ?? NOTHING)
    return { month, usedBytes: BigInt(sum.rxBytes + sum.txBytes), limitBytes: bigintOf(dataLimitBytes) }
  }

  /** Why the link may not use any more this month; undefined: it may. */
  refusal(profile: Limited): Failure | undefined {
    const { month, usedBytes, limitBytes } = this.usage(profile)
    if (limitBytes === undefined || usedBytes < limitBytes) return undefined
    return { cause: 'data-limit', detail: usedText(usedBytes, limitBytes, month) }
  }

  /** Calls once, when a profile that may not use any more may again: in the next month. */
  onceAllowed(profile: Limited, allowed: () => void): Cancel {
    const { clock } = this.#services
    let cancel: Cancel = () => {}
    if (this.refusal(profile) === undefined) return cancel
    const wait = () => {
      const ms = Math.min(LONGEST_WAIT_MS, Math.max(SHORTEST_PAUSE_MS, this.#untilNextMonthMs()))
      cancel = clock.at(clock.nowMs() + ms, () => (this.refusal(profile) ? wait() : allowed()))
    }
    wait()
    return () => cancel()
  }

  /** For a link that waits for it. */
  nextAttempt(): Pick<LinkSnapshot, 'nextAttemptAtUs' | 'nextAttemptReason'> {
    const nextAttemptAtUs = this.#services.clock.wallUs() + BigInt(Math.round(this.#untilNextMonthMs())) * 1000n
    return { nextAttemptAtUs, nextAttemptReason: 'data-limit: the next month begins' }
  }

  /** `uncounted`: of the session that runs, what `add` has not got yet. */
  follow(profile: string, uncounted: () => MonthCount): Cancel {
    this.#running.set(profile, uncounted)
    return () => this.#running.delete(profile)
  }

  add({ name, dataLimitBytes }: Limited, count: MonthCount): void {
    const bytes = count.rxBytes + count.txBytes
    if (bytes === 0) return
    const month = monthOf(this.#nowMs())
    const months = this.#state.profiles.get(name) ?? new Map<string, MonthCount>()
    this.#state.profiles.set(name, months.set(month, added(this.#count(name, month), count)))
    const unsavedBytes = (this.#unsavedBytes.get(name) ?? 0) + bytes
    this.#unsavedBytes.set(name, unsavedBytes)
    const mostUnsavedBytes = Math.max(UNSAVED_BYTES, (dataLimitBytes ?? 0) / UNSAVED_PART)
    const isMuch = dataLimitBytes !== undefined && unsavedBytes >= mostUnsavedBytes
    this.#saveIn(isMuch ? 0 : LATEST_MS)
  }

  /** A session is over. */
  settle(): void {
    if (this.#unsavedBytes.size > 0) this.#saveIn(this.#writtenMs + PAUSE_MS - this.#services.clock.nowMs())
  }

  /** The last time. */
  close(): void {
    if (this.#unsavedBytes.size > 0) this.#save()
    this.#timer?.cancel()
  }

  #saveIn(ms: number): void {
    const { clock } = this.#services
    const nowMs = clock.nowMs()
    const atMs = Math.max(nowMs + ms, this.#writtenMs + SHORTEST_PAUSE_MS)
    if (this.#timer && this.#timer.atMs <= atMs) return
    this.#timer?.cancel()
    this.#timer = undefined
    if (atMs <= nowMs) this.#save()
    else this.#timer = { atMs, cancel: clock.at(atMs, () => this.#save()) }
  }

  #save(): void {
    const { files, clock, logger } = this.#services
    this.#timer?.cancel()
    this.#timer = undefined
    this.#nowMs()
    this.#writtenMs = clock.nowMs()
    try {
      if (!this.#isLocked) files?.write(FILE, formatUsage({ ...this.#state, leastMs: this.#time.leastMs }))
      this.#unsavedBytes.clear()
      this.#isFailing = false
    } catch (error) {
      if (!this.#isFailing)
        logger.warn(`${FILE} cannot be written (${errorText(error)}): a crash would lose data counts.`)
      this.#isFailing = true
      this.#saveIn(PAUSE_MS)
    }
  }

  #read(): ReadUsage {
    const { files } = this.#services
    let state: ReadUsage = { profiles: new Map(), leastMs: 0, isDamaged: false }
    try {
      const text = files?.read(FILE)
      if (text !== undefined) state = readUsage(text)
      if (state.isDamaged) this.#setAside('it is damaged')
    } catch (error) {
      this.#setAside(errorText(error))
    }
    return state
  }

  #setAside(why: string): void {
    const { files, logger } = this.#services
    try {
      const aside = files?.setAside(FILE)
      logger.error(
        `${FILE} cannot be read (${why}): data are counted anew where it had nothing sound; it is kept as ${aside}.`,
      )
    } catch (error) {
      this.#isLocked = true
      logger.error(
        `${FILE} cannot be read (${why}) nor moved (${errorText(error)}): data are counted until modemd ends.`,
      )
    }
  }

  #count(name: string, month: string): MonthCount {
    return this.#state.profiles.get(name)?.get(month) ?? NOTHING
  }

  #nowMs(): number {
    const { clock } = this.#services
    return this.#time.read(Number(clock.wallUs() / 1000n), clock.nowMs())
  }

  #untilNextMonthMs(): number {
    const nowMs = this.#nowMs()
    return nextMonthMs(nowMs) - nowMs
  }
}

function added(a: MonthCount, b: MonthCount): MonthCount {
  return { rxBytes: a.rxBytes + b.rxBytes, txBytes: a.txBytes + b.txBytes }
}

function bigintOf(value: number | undefined): bigint | undefined {
  return value === undefined ? undefined : BigInt(value)
}
