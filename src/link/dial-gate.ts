/**
 * How soon a modem may dial again by itself, whichever links want it: to its operator several links are one caller, and each knows
 * only of its own pauses (redial.ts). Attempts ask before they take a modem, and tell of each dial.
 */

import type { Clock } from '../base/ports.ts'
import type { ModemHandle } from '../modem/snapshot.ts'
import { leastPauseMs } from './redial.ts'

/** Shorter ones would hold up the fail-over from one link to the next and spare the operator nothing. */
const SHORTEST_PAUSE_MS = 1000

interface Row {
  /** Since a link stood, or somebody asked. */
  readonly dials: number
  readonly opensMs: number
}

export class DialGate {
  readonly #clock: Clock
  /** By the modem's device: a restart changes nothing for the operator. */
  readonly #rows = new Map<string, Row>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  dialled({ snapshot: { device } }: ModemHandle): void {
    const nowMs = this.#clock.nowMs()
    const { dials, opensMs } = this.#rows.get(device) ?? { dials: 0, opensMs: 0 }
    const leastMs = leastPauseMs(dials + 1)
    const pauseMs = leastMs < SHORTEST_PAUSE_MS ? 0 : leastMs
    // An attempt may dial more than once, and pays for each afterwards.
    this.#rows.set(device, { dials: dials + 1, opensMs: Math.max(nowMs, opensMs) + pauseMs })
  }

  /** undefined: it is open. */
  opensMs({ snapshot: { device } }: ModemHandle): number | undefined {
    const opensMs = this.#rows.get(device)?.opensMs ?? 0
    return opensMs > this.#clock.nowMs() ? opensMs : undefined
  }

  /** A link stood, or a person asks. */
  open({ snapshot: { device } }: ModemHandle): void {
    this.#rows.delete(device)
  }

  /** The machine has slept. */
  openAll(): void {
    this.#rows.clear()
  }
}
