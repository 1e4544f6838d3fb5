/**
 * Another program that takes modems by itself (ModemManager). While one runs, only devices that the configuration names are taken,
 * and only once it has let go of them (D-Bus contract). `bus/modemmanager-client.ts` is one to ask; the fleet asks the gate.
 */

import { errorText, ModemdError } from '../base/errors.ts'
import type { Cancel, Clock, Logger } from '../base/ports.ts'

export interface ForeignManagers {
  /** Who runs, for people: `ModemManager`; undefined: nobody. */
  readonly holder: string | undefined
  onChange(listener: () => void): Cancel
  /** It has finished with a device: it may let go of one now that it would not before. */
  onDevice(listener: () => void): Cancel
  /** It lets go of the device (a sysfs path without the root) until the returned function is called. Rejects with NotFound where it does not know the device. */
  inhibit(device: string): Promise<Cancel>
}

export interface GateOptions {
  readonly managers: ForeignManagers
  readonly clock: Clock
  readonly logger: Logger
  /** Who runs has changed. */
  onChange(): void
  /** The manager has let go of the device. */
  onFree(device: string): void
}

/** The manager hears of a plug when we do, and needs a moment to know the device. */
const UNKNOWN_PAUSES_MS = [300, 700, 1500]
const REFUSED_PAUSE_MS = 30_000

export class ForeignGate {
  readonly #options: GateOptions
  /** By device: how it stands with the manager that runs. */
  readonly #devices = new Map<string, 'asked' | 'free' | { readonly refusal: string }>()
  readonly #releases: Cancel[] = []
  readonly #timers = new Map<string, Cancel>()
  readonly #unwatch: readonly Cancel[]

  constructor(options: GateOptions) {
    this.#options = options
    const { managers } = options
    this.#unwatch = [managers.onChange(() => this.#beginAnew()), managers.onDevice(() => this.#askAgain())]
  }

  get holder(): string | undefined {
    return this.#options.managers.holder
  }

  /** May the device be taken now? */
  isFree(device: string): boolean {
    return this.holder === undefined || this.#devices.get(device) === 'free'
  }

  /** Asks for the device, once; `onFree` tells. */
  ask(device: string): void {
    if (this.holder !== undefined && !this.#devices.has(device)) this.#try(device, 0)
  }

  /** Why it is not taken; undefined: nobody is in the way. */
  obstacle(device: string, isNamed: boolean): string | undefined {
    const { holder } = this
    const state = this.#devices.get(device)
    if (holder === undefined || state === 'free') return undefined
    if (state === 'asked') return `port-busy (${holder}): it is asked to let go of the device`
    if (state) return `port-busy (${holder}): ${state.refusal}`
    const advice = isNamed ? 'it has not let go' : `name the device in a [device] section, or stop ${holder}`
    return `port-busy (${holder}): ${holder} runs and takes every modem: ${advice}`
  }

  close(): void {
    for (const cancel of [...this.#unwatch, ...this.#timers.values()]) cancel()
    for (const release of this.#releases.splice(0)) release()
  }

  #beginAnew(): void {
    for (const cancel of this.#timers.values()) cancel()
    this.#timers.clear()
    // What it had let go of went with it.
    this.#devices.clear()
    this.#releases.length = 0
    this.#options.onChange()
  }

  /** It refuses a device that it still probes; that takes it up to half a minute. */
  #askAgain(): void {
    const refused = [...this.#devices].flatMap(([device, state]) => (typeof state === 'object' ? [device] : []))
    for (const device of refused) {
      this.#timers.get(device)?.()
      this.#timers.delete(device)
      this.#try(device, UNKNOWN_PAUSES_MS.length)
    }
  }

  #try(device: string, tries: number): void {
    this.#devices.set(device, 'asked')
    void this.#inhibit(device, tries)
  }

  async #inhibit(device: string, tries: number): Promise<void> {
    const { managers, logger } = this.#options
    const stillAsked = () => this.#devices.get(device) === 'asked'
    try {
      const release = await managers.inhibit(device)
      if (!stillAsked()) return release()
      this.#releases.push(release)
      this.#free(device)
    } catch (error) {
      if (!stillAsked()) return
      const isUnknown = error instanceof ModemdError && error.code === 'NotFound'
      const pauseMs = isUnknown ? UNKNOWN_PAUSES_MS[tries] : REFUSED_PAUSE_MS
      // What it does not know by now it leaves alone.
      if (pauseMs === undefined) return this.#free(device)
      if (!isUnknown) {
        const refusal = `it does not let go of the device (${errorText(error)})`
        logger.warn(`${this.holder}: ${refusal}: ${device} is not taken.`)
        this.#devices.set(device, { refusal })
      }
      this.#later(device, pauseMs, () => this.#try(device, tries + 1))
    }
  }

  #free(device: string): void {
    this.#devices.set(device, 'free')
    this.#options.onFree(device)
  }

  #later(device: string, pauseMs: number, then: () => void): void {
    const { clock } = this.#options
    const cancel = clock.at(clock.nowMs() + pauseMs, () => {
      this.#timers.delete(device)
      then()
    })
    this.#timers.set(device, cancel)
  }
}
