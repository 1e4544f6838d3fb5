/** The features of one modem: who hears of a report, and when each begins its round. Used by `modem.ts` and `upkeep.ts`. */

import { errorText } from '../../base/errors.ts'
import { isPortBusy } from '../procedure.ts'
import { Wakeup } from '../wakeup.ts'
import type { FeatureRound, ModemFeature } from './feature.ts'

/** A modem without a network has messages, too; one that finds its network is dialled first. */
const GRACE_MS = 10_000

interface Member {
  readonly feature: ModemFeature
  readonly callEnded: Wakeup
}

export class FeatureSet {
  readonly #members: Member[] = []
  readonly #registered = new Wakeup()

  add<F extends ModemFeature>(feature: F): F {
    this.#members.push({ feature, callEnded: new Wakeup() })
    return feature
  }

  /** true: one took it for itself. */
  report(line: string): boolean {
    return this.#members.some(({ feature }) => feature.onReport?.(line) === true)
  }

  /** Rounds that wait for the network begin. */
  registered(): void {
    this.#registered.wake()
  }

  /** The port is free: what was refused for a call is tried again. */
  callEnded(): void {
    for (const { feature, callEnded } of this.#members) {
      callEnded.wake()
      feature.onCallEnded?.()
    }
  }

  gone(reason: string): void {
    for (const { feature } of this.#members) feature.onGone?.(reason)
  }

  /** Resolves when all are through or the round is over. Never rejects. */
  async run(round: FeatureRound): Promise<void> {
    await this.#registered.pause(round.clock, GRACE_MS, round.signal).catch(() => {})
    await Promise.all(this.#members.map((member) => runMember(member, round)))
  }
}

async function runMember({ feature, callEnded }: Member, round: FeatureRound): Promise<void> {
  while (!round.signal.aborted) {
    try {
      await feature.onRound?.(round)
      return
    } catch (error) {
      if (round.signal.aborted) return
      if (!isPortBusy(error)) {
        round.logger.warn(errorText(error), { modem: round.snapshot.id })
        return
      }
      await callEnded.pause(round.clock, undefined, round.signal).catch(() => {})
    }
  }
}
