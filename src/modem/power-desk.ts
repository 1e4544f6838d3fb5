/**
 * The modem's radio on and off, and the modem itself restarted: one after another, so that the last wish counts. A call is ended
 * first, and from its end on the modem takes no other. Used by `modem.ts`.
 */

import { ModemdError } from '../base/errors.ts'
import { Turns } from '../base/turns.ts'
import { errorOf } from './at/session.ts'
import { RADIO_TIMEOUT_MS, switchOn } from './bring-up.ts'
import type { CallDesk } from './call-desk.ts'
import type { PortSet } from './port-set.ts'
import type { ModemContext } from './procedure.ts'
import { sendReset } from './reset.ts'
import type { LineState, Restart } from './snapshot.ts'
import { type Activity, isRadioOff } from './state.ts'
import type { Upkeep, Wakeups } from './upkeep.ts'

export interface PowerDeskOptions {
  readonly modem: ModemContext
  readonly ports: PortSet
  readonly calls: CallDesk
  readonly upkeep: Upkeep
  readonly wakeups: Wakeups
  readonly activity: () => Activity
  /** From outside, the gentlest first. */
  readonly restarts: readonly Restart[]
  readonly restartDevice: (way: Restart) => Promise<void>
}

const NO_RESTART =
  "This machine cannot restart the modem from outside: modemd may not write its USB port's `authorized`, and no power-gpio is named for it. Unplug it for a moment."
const RADIO_STAYS_OFF =
  'The modem does not let its radio be switched on now: look for a switch on the computer, or try `mmctl reset`.'

export class PowerDesk {
  readonly #options: PowerDeskOptions
  readonly #turns = new Turns()

  constructor(options: PowerDeskOptions) {
    this.#options = options
  }

  enable(): Promise<void> {
    return this.#turns.take(() => this.#enable())
  }

  disable(): Promise<void> {
    return this.#turns.take(() => this.#disable())
  }

  async reset(hard: boolean): Promise<void> {
    const { modem, restarts } = this.#options
    if (!hard) {
      const ask = (text: string) => modem.attempt(text, { timeoutMs: RADIO_TIMEOUT_MS })
      return await this.#turns.take(() => this.#resetBy(() => sendReset(modem.driver.reset, ask), 'works'))
    }
    const way = restarts[0]
    if (way === undefined) throw new ModemdError('Unsupported', NO_RESTART)
    await this.restart(way)
  }

  async restart(way: Restart): Promise<void> {
    const restart = () => this.#options.restartDevice(way)
    // The device may still be there, where it no longer says so.
    await this.#turns.take(() => (this.#isGone ? restart() : this.#resetBy(restart, 'is dead')))
  }

  get #isGone(): boolean {
    return this.#options.activity() === 'gone'
  }

  async #enable(): Promise<void> {
    const { modem, ports, activity } = this.#options
    // A call needs a radio, and a bring-up switches it on.
    if (ports.called || activity() === 'resetting') return
    if (activity() !== 'disabled') return await this.#switchOnAnyway()
    try {
      const { radioOn } = modem.driver
      const reply = await modem.attempt(radioOn, { timeoutMs: RADIO_TIMEOUT_MS })
      if (!reply.isOk) throw errorOf(radioOn, reply)
      modem.apply({ type: 'identity', identity: { powerState: 'on' } })
    } finally {
      // Who looks for a network switches it on, too, again and again: no modem is left with its radio off because one answer was an error.
      this.#begin()
    }
  }

  /** Another program, or the modem itself, may have switched it off. */
  async #switchOnAnyway(): Promise<void> {
    const { modem, wakeups } = this.#options
    await switchOn(modem)
    if (isRadioOff(modem.snapshot)) throw new ModemdError('Busy', RADIO_STAYS_OFF, 'radio-off')
    // Without its radio it may have shown no SIM.
    wakeups.sim.wake()
    wakeups.network.wake()
  }

  async #disable(): Promise<void> {
    const { modem, calls, upkeep, activity } = this.#options
    const wasDisabled = activity() === 'disabled'
    await calls.endAny({ cause: 'radio-off', detail: 'the radio was switched off' }, 'disabled', 'works')
    upkeep.stop()
    try {
      await this.#switchOff()
    } catch (error) {
      if (!wasDisabled) this.#begin()
      throw error
    }
    modem.apply({ type: 'identity', identity: { powerState: 'low' } })
    modem.apply({ type: 'unregistered' })
  }

  async #switchOff(): Promise<void> {
    const { modem } = this.#options
    for (const command of modem.driver.radioOff)
      if ((await modem.attempt(command, { timeoutMs: RADIO_TIMEOUT_MS })).isOk) return
    throw new ModemdError('Unsupported', 'This modem does not let its radio be switched off.')
  }

  async #resetBy(reset: () => Promise<void>, line: LineState): Promise<void> {
    const { modem, calls, upkeep, activity } = this.#options
    if (this.#isGone) throw new ModemdError('ModemGone', 'The modem is gone.', 'modem-gone')
    const wasDisabled = activity() === 'disabled'
    await calls.endAny({ cause: 'hung-up', detail: 'the modem is reset' }, 'resetting', line)
    upkeep.stop()
    try {
      await reset()
    } catch (error) {
      if (wasDisabled) modem.apply({ type: 'activity', activity: 'disabled' })
      else this.#begin()
      throw error
    }
    modem.apply({ type: 'unregistered' })
    // One on USB comes back as another.
    if (!this.#isGone) upkeep.startAfterRestart()
  }

  #begin(): void {
    if (this.#isGone) return
    this.#options.modem.apply({ type: 'activity', activity: 'starting' })
    this.#options.upkeep.start()
  }
}
