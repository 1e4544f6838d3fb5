/**
 * Where PIN tries of one modem queue up: one after another, each with the SIM's numbers and counters of that moment; a refusal
 * becomes the modem's failure. Used by `modem.ts`.
 */

import type { Failure } from '../base/cause.ts'
import { errorText, ModemdError } from '../base/errors.ts'
import { sleep } from '../base/ports.ts'
import { Turns } from '../base/turns.ts'
import type { FeatureRound, ModemFeature } from './features/feature.ts'
import type { PinContext } from './pin.ts'
import { enterPin } from './pin.ts'
import type { PinLedger, SimIdentity } from './pin-ledger.ts'
import { type PortSet, sessionOf } from './port-set.ts'
import { DIAL_FIRST_MS, type ModemContext } from './procedure.ts'
import { readIccid, readSimStatus, readTriesLeft } from './sim.ts'
import type { ModemSnapshot, SimStatus } from './snapshot.ts'
import type { Wakeup } from './wakeup.ts'

export interface PinDeskOptions {
  readonly modem: ModemContext
  readonly ports: PortSet
  readonly ledger: PinLedger
  /** Whoever waits for the SIM is woken after each try. */
  readonly wakeup: Wakeup
  pinFor(modem: ModemSnapshot): string | undefined
}

export class PinDesk implements ModemFeature {
  readonly #options: PinDeskOptions
  readonly #turns = new Turns()

  constructor(options: PinDeskOptions) {
    this.#options = options
  }

  /** For who knows nothing of this very moment's SIM. Rejects as `pin.ts` does. */
  serve(step: (context: PinContext) => Promise<void>): Promise<void> {
    return this.#turns
      .take(async () => {
        // Perhaps nobody saw that another was put in.
        await readIccid(this.#options.modem)
        await this.#serve(step)
        // It starts again from three; who just wants to know must not fail for it.
        await readTriesLeft(this.#options.modem).catch(() => {})
      })
      .finally(() => this.#options.wakeup.wake())
  }

  /** For people to read. A SIM that asked for its PIN has been asked already, and the right one leaves three as they were. */
  async onRound(round: FeatureRound): Promise<void> {
    if (round.snapshot.sim.pinTries !== undefined) return
    await sleep(round.clock, DIAL_FIRST_MS, round.signal)
    await readTriesLeft(round)
  }

  /** Of the SIM that was just looked at. Resolves true when it took it; rejects where the modem did not answer, to be asked again. */
  async tryProfilePin(): Promise<boolean> {
    const { modem, pinFor } = this.#options
    const pin = pinFor(modem.snapshot)
    if (pin === undefined) {
      modem.apply({ type: 'failure', failure: { cause: 'sim-pin', detail: 'The SIM asks for its PIN.' } })
      return false
    }
    try {
      await this.#turns.take(() =>
        this.#serve((context) => enterPin(context, pin, 'automatic'), modem.snapshot.sim.status),
      )
      return true
    } catch (error) {
      // A PIN whose own answer was lost is not sent again all the same: the ledger has it.
      if (error instanceof ModemdError && (error.code === 'ModemGone' || error.code === 'Timeout')) throw error
      modem.logger.warn(`The profile's PIN did not open the SIM: ${errorText(error)}`, { modem: modem.snapshot.id })
      return false
    }
  }

  /** What a try that a crash cut short came to. Without a ledger no PIN is tried, and then it is said. */
  foundOpen(): void {
    const { modem, ledger } = this.#options
    try {
      ledger.foundOpen(identityOf(modem))
    } catch (error) {
      modem.logger.debug(errorText(error))
    }
  }

  /** `seen`: of the SIM that was just looked at, which is not asked twice for that. */
  async #serve(step: (context: PinContext) => Promise<void>, seen?: SimStatus): Promise<void> {
    const { modem, ports, ledger } = this.#options
    let known = seen
    const port = ports.free()
    try {
      await step({
        clock: modem.clock,
        guard: port.guard,
        ledger,
        sim: identityOf(modem),
        attempt: async (text, options) => sessionOf(port).attempt(text, options),
        readStatus: async () => {
          const status = known
          known = undefined
          return status ?? readSimStatus(modem)
        },
        readTries: () => readTriesLeft(modem),
      })
    } catch (error) {
      const failure = failureOf(error)
      if (failure && modem.snapshot.state === 'locked') modem.apply({ type: 'failure', failure })
      throw error
    }
  }
}

function identityOf({ snapshot }: ModemContext): SimIdentity {
  return { iccid: snapshot.sim.iccid, imei: snapshot.equipmentIdentifier }
}

/** Why the SIM stays locked; undefined: the caller's own mistake, which changes nothing. */
function failureOf(error: unknown): Failure | undefined {
  if (!(error instanceof ModemdError)) return undefined
  const isOurs = error.code === 'PinGuard' || error.code === 'SimPin' || error.code === 'SimPuk'
  return isOurs ? { cause: error.failureCause ?? 'sim-pin', detail: error.message } : undefined
}
