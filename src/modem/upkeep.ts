/**
 * What keeps a modem's record true: the bring-up, then the loops that follow network and signal beside the features' rounds, again
 * from the start when a step fails, and the wait for a modem that restarts. Used by `modem.ts`.
 */

import { errorText, ModemdError } from '../base/errors.ts'
import { sleep } from '../base/ports.ts'
import { bringUp, followNetwork, followSignal, type NetworkReports, switchOn } from './bring-up.ts'
import type { FeatureRound } from './features/feature.ts'
import type { FeatureSet } from './features/feature-set.ts'
import type { PinDesk } from './pin-desk.ts'
import type { PortSet } from './port-set.ts'
import { isPortBusy } from './procedure.ts'
import { awaitRestart } from './reset.ts'
import { followSim } from './sim.ts'
import type { Activity } from './state.ts'
import { Wakeup } from './wakeup.ts'

/** A modem that lost one answer is asked again soon; one that stays silent is failed and asked ever less. */
const SILENCE_PAUSES_MS = [1000, 5000, 10_000, 20_000, 40_000, 60_000]
const DEFAULT_SIGNAL_POLL_MS = 10_000

export interface UpkeepOptions {
  readonly ports: PortSet
  readonly pinDesk: PinDesk
  readonly features: FeatureSet
  readonly wakeups: Wakeups
  readonly activity: () => Activity
  roundFor(signal: AbortSignal): FeatureRound
}

/** What ends the loops' pauses: something happened that they wait for. */
export class Wakeups {
  readonly sim = new Wakeup()
  readonly network = new Wakeup()
  readonly signal = new Wakeup()
}

export class Upkeep {
  readonly #options: UpkeepOptions
  #signalPollMs = DEFAULT_SIGNAL_POLL_MS
  /** Ends what runs by itself. */
  #round = new AbortController()

  constructor(options: UpkeepOptions) {
    this.#options = options
  }

  /** Begins the bring-up; also again after a reset or `disable`. */
  start(): void {
    void this.#run(this.#options.roundFor(this.#newRound()))
  }

  stop(): void {
    this.#round.abort()
  }

  /** 0: as often as is usual. */
  setSignalPoll(ms: number): void {
    this.#signalPollMs = ms > 0 ? ms : DEFAULT_SIGNAL_POLL_MS
    this.#options.wakeups.signal.wake()
  }

  /** Instead of a bring-up, which follows when the modem answers again. */
  startAfterRestart(): void {
    void this.#awaitRestart(this.#options.roundFor(this.#newRound()))
  }

  #newRound(): AbortSignal {
    this.#round.abort()
    this.#round = new AbortController()
    return this.#round.signal
  }

  /** Brings the modem up and keeps informed until the round ends; what fails is tried again with growing pauses. */
  async #run(round: FeatureRound): Promise<void> {
    const { wakeups, pinDesk } = this.#options
    const { clock, signal } = round
    const opener = {
      wakeup: wakeups.sim,
      waits: () => {
        if (this.#options.activity() === 'silent') round.apply({ type: 'activity', activity: 'starting' })
      },
      switchOn: () => switchOn(round),
      tryProfilePin: () => pinDesk.tryProfilePin(),
      foundOpen: () => pinDesk.foundOpen(),
    }
    for (let failures = 0; !signal.aborted; ) {
      try {
        const reports = await bringUp(round, opener, signal)
        failures = 0
        this.#noteAlive(round)
        await this.#follow(round, reports)
      } catch (error) {
        if (signal.aborted) return
        if (isPortBusy(error)) await wakeups.network.pause(clock, undefined, signal).catch(() => {})
        else {
          this.#noteTrouble(round, error, failures)
          const pauseMs = SILENCE_PAUSES_MS[Math.min(failures++, SILENCE_PAUSES_MS.length - 1)]!
          await sleep(clock, pauseMs, signal).catch(() => {})
        }
      }
    }
  }

  async #follow(round: FeatureRound, reports: NetworkReports): Promise<void> {
    const { wakeups, features, roundFor } = this.#options
    const loops = new AbortController()
    const both = AbortSignal.any([round.signal, loops.signal])
    void features.run(roundFor(both))
    try {
      await Promise.race([
        followNetwork(round, reports, wakeups.network, both),
        followSignal(round, () => this.#signalPollMs, wakeups.signal, both),
        followSim(round, wakeups.sim, both),
      ])
    } finally {
      loops.abort()
    }
  }

  #noteAlive({ snapshot, apply }: FeatureRound): void {
    if (snapshot.failure?.cause === 'modem-silent') apply({ type: 'failure', failure: undefined })
    const activity = this.#options.activity()
    if (activity === 'starting' || activity === 'silent') apply({ type: 'activity', activity: 'running' })
  }

  #noteTrouble({ snapshot, logger, apply }: FeatureRound, error: unknown, failures: number): void {
    logger.warn(`A step of the bring-up failed: ${errorText(error)}`, { modem: snapshot.id })
    const isSilent = error instanceof ModemdError && error.failureCause === 'modem-silent'
    if (!isSilent || failures === 0 || this.#options.ports.called) return
    apply({ type: 'failure', failure: { cause: 'modem-silent', detail: error.message } })
    apply({ type: 'activity', activity: 'silent' })
  }

  async #awaitRestart({ clock, logger, driver, snapshot, signal, apply }: FeatureRound): Promise<void> {
    try {
      await awaitRestart(this.#options.ports.all, driver, clock, signal)
    } catch (error) {
      if (!signal.aborted) logger.warn(`After the reset: ${errorText(error)}`, { modem: snapshot.id })
    }
    if (signal.aborted) return
    apply({ type: 'activity', activity: 'starting' })
    this.start()
  }
}
