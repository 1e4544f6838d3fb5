/**
 * Climbs the recovery ladder (recovery.ts): counts the failures of each modem and does what its next rung is, whichever link uses
 * the modem. A rung outlives the modem's absence while it restarts. Links ask after each failure.
 */

import { errorText } from '../base/errors.ts'
import { type Cancel, type Clock, type Logger, sleep } from '../base/ports.ts'
import type { ModemHandle } from '../modem/snapshot.ts'
import type { AttemptEnd } from './attempt-end.ts'
import type { ModemPool } from './modem-pool.ts'
import {
  AT_THE_FOOT,
  backToTheFoot,
  isCurable,
  judgeLadder,
  type Ladder,
  type NextRung,
  nextRung,
  RUNG_TEXTS,
  type Rung,
  rungAbove,
  type Verdict,
  withFailure,
  withRung,
} from './recovery.ts'
import { isSuccess } from './redial.ts'
import { until } from './wait.ts'

/** So long the radio stays off. */
const RADIO_OFF_MS = 1000
/** A modem that is not back by then does not come by itself. */
const RETURN_LIMIT_MS = 90_000
/** So long after the beginning of a rung a modem that comes is its doing. */
const SETTLING_MS = 60_000

export class RecoveryDesk {
  readonly #pool: ModemPool
  readonly #clock: Clock
  readonly #logger: Logger
  /** By the modem's device: the handle is another one after a restart, and the id may be. */
  readonly #ladders = new Map<string, Ladder>()
  /** By device, as long as a rung is being climbed. */
  readonly #climbing = new Map<string, Promise<void>>()
  readonly #unwatch: Cancel
  readonly #closing = new AbortController()

  constructor({ pool, clock, logger }: { readonly pool: ModemPool; readonly clock: Clock; readonly logger: Logger }) {
    this.#pool = pool
    this.#clock = clock
    this.#logger = logger
    this.#unwatch = pool.onCame(({ snapshot: { device } }) => {
      if (!this.isRestarting(device)) this.forgive(device)
    })
  }

  /** A modem that was re-plugged, or a person who asks, begins anew. */
  forgive(device: string): void {
    const ladder = this.#ladders.get(device)
    if (ladder) this.#ladders.set(device, backToTheFoot(ladder))
  }

  /** A modem that comes now is not re-plugged: a rung brings it back. Some come twice, their boot loader, then themselves. */
  isRestarting(device: string): boolean {
    if (this.#climbing.has(device)) return true
    const { rung, climbedMs } = this.#ladderOf(device)
    // From a radio that is switched off no modem goes away.
    if (rung === undefined || rung === 'radio') return false
    return this.#clock.nowMs() - climbedMs[rung]! < SETTLING_MS
  }

  /** After every attempt of a link that goes on. */
  judge({ modem, failure, stoodMs }: AttemptEnd, resetAfter: number): Verdict {
    if (!modem) return { kind: 'redial' }
    const { device } = modem.snapshot
    if (isSuccess(stoodMs)) this.forgive(device)
    if (this.#climbing.has(device) || !isCurable(failure.cause, stoodMs !== undefined)) return { kind: 'redial' }
    const ladder = withFailure(this.#ladderOf(device))
    this.#ladders.set(device, ladder)
    return judgeLadder(ladder, failure.cause, { resetAfter, possible: rungsOf(modem), nowMs: this.#clock.nowMs() })
  }

  /** For people: the rung that comes where it goes on failing. Asked between `judge` and `climb`. */
  outlook({ modem, failure, stoodMs }: AttemptEnd, resetAfter: number): NextRung | undefined {
    if (!modem || !isCurable(failure.cause, stoodMs !== undefined)) return undefined
    return nextRung(this.#ladderOf(modem.snapshot.device), resetAfter, rungsOf(modem), this.#clock.nowMs())
  }

  /** Resolves when the modem can be asked again, or nothing brings it back. A rung that cannot be climbed is followed by the next at once. Never rejects. */
  climb(modem: ModemHandle, rung: Rung): Promise<void> {
    const { device } = modem.snapshot
    const done = this.#climb(modem, rung).finally(() => this.#climbing.delete(device))
    this.#climbing.set(device, done)
    return done
  }

  /** No modem is left with its radio or power off. */
  async close(): Promise<void> {
    this.#unwatch()
    this.#closing.abort()
    await Promise.all(this.#climbing.values())
  }

  async #climb(modem: ModemHandle, first: Rung): Promise<void> {
    const { id, device } = modem.snapshot
    for (let rung: Rung | 'pause' | undefined = first; rung !== undefined && rung !== 'pause'; ) {
      const nowMs = this.#clock.nowMs()
      const ladder = withRung(this.#ladderOf(device), rung, nowMs)
      this.#ladders.set(device, ladder)
      this.#logger.warn(`${id}: ${RUNG_TEXTS[rung].doing}, because dialling again does not help.`)
      try {
        await this.#perform(modem, rung)
        this.#logger.info(`${id}: ${RUNG_TEXTS[rung].done}.`)
        break
      } catch (error) {
        if (this.#closing.signal.aborted) break
        this.#logger.warn(`${id}: ${RUNG_TEXTS[rung].doing}: ${errorText(error)}`)
        rung = rungAbove(ladder, rungsOf(modem), this.#clock.nowMs())
      }
    }
  }

  async #perform(modem: ModemHandle, rung: Rung): Promise<void> {
    if (rung === 'radio') return await this.#switchRadio(modem)
    if (rung === 'reset') await modem.reset(false)
    else await modem.restart!(rung)
    await this.#return(modem)
  }

  async #switchRadio(modem: ModemHandle): Promise<void> {
    await modem.disable()
    // Also where the daemon ends: the radio is not left off.
    await sleep(this.#clock, RADIO_OFF_MS, this.#closing.signal).catch(() => {})
    await modem.enable()
  }

  /** As another modem of the same device, or as this one when it is no longer resetting. */
  async #return({ snapshot: { device } }: ModemHandle): Promise<void> {
    await until({
      clock: this.#clock,
      signal: this.#closing.signal,
      limitMs: RETURN_LIMIT_MS,
      listen: (check) => this.#pool.onChange(check),
      check: () =>
        this.#pool.modems.find(({ snapshot }) => snapshot.device === device && snapshot.state !== 'resetting'),
      late: (limitMs) => new Error(`it is not back after ${limitMs / 1000} s`),
    })
  }

  #ladderOf(device: string): Ladder {
    return this.#ladders.get(device) ?? AT_THE_FOOT
  }
}

function rungsOf({ restarts = [] }: ModemHandle): ReadonlySet<Rung> {
  return new Set<Rung>(['radio', 'reset', ...restarts])
}
