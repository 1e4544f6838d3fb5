/**
 * Restarts a modem's device from outside: its USB port, by the kernel's authorisation (Documentation/usb/authorization.rst), or its
 * power, by a line below /sys that `[device]` names. What is off is noted before, so that a start after a crash switches it on again.
 * Used by the fleet.
 */

import { accessSync, constants, existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errorText, ModemdError } from '../base/errors.ts'
import { type Clock, type Logger, sleep } from '../base/ports.ts'
import { type DetectSettings, isPlain, settingsFor } from './known-devices.ts'
import type { Restart } from './snapshot.ts'
import type { StateFiles } from './state-files.ts'
import type { TtyFacts } from './sysfs.ts'

const LEDGER = 'switched-off.json'
/** A port whose device does not answer may refuse to come back at first. */
const ON_TRIES = 3
/** So long drivers take to let go, and a modem's capacitors to empty. */
const OFF_MS: Readonly<Record<Restart, number>> = { 'usb-port': 500, power: 3000 }
const AUTHORISATION = /^\/sys\/devices\/[A-Za-z0-9._:/-]+\/authorized$/

export interface DeviceRestartOptions {
  /** Put before /sys; ''. */
  readonly root: string
  readonly settings: () => DetectSettings
  readonly files: StateFiles
  readonly clock: Clock
  readonly logger: Logger
}

/** The file that restarts it, by what; each takes 0 and 1. */
export type Switches = Readonly<Partial<Record<Restart, string>>>

export class DeviceRestart {
  readonly #options: DeviceRestartOptions
  /** Files that have a 0 of ours. */
  readonly #off = new Set<string>()
  /** Those that could not be switched on again: the next start tries. */
  readonly #failed = new Set<string>()

  constructor(options: DeviceRestartOptions) {
    this.#options = options
  }

  /** Those that this process may use. */
  switchesFor(tty: TtyFacts): Switches {
    const power = settingsFor(tty, this.#options.settings())?.powerGpio ?? ''
    const usbPort = `${tty.device}/authorized`
    return {
      ...(!isPlain(tty) && this.#isWritable(usbPort) && { 'usb-port': usbPort }),
      ...(power !== '' && this.#isWritable(power) && { power }),
    }
  }

  /** Off, and on again. Rejects with ModemdError where the file cannot be written. */
  async restart(switches: Switches, way: Restart): Promise<void> {
    const file = switches[way]
    if (file === undefined) throw new ModemdError('Unsupported', `This machine cannot restart the modem by its ${way}.`)
    if (this.#off.has(file)) throw new ModemdError('Busy', 'The modem is being restarted already.')
    this.#note(() => this.#off.add(file))
    try {
      await this.#write(file, '0')
      await this.#switchOn(file, OFF_MS[way])
    } finally {
      this.#note(() => this.#off.delete(file))
    }
  }

  async #switchOn(file: string, pauseMs: number): Promise<void> {
    for (let left = ON_TRIES; ; left--) {
      await sleep(this.#options.clock, pauseMs)
      try {
        await this.#write(file, '1')
        this.#failed.delete(file)
        return
      } catch (error) {
        if (left > 1) continue
        if (existsSync(join(this.#options.root, file))) this.#failed.add(file)
        throw error
      }
    }
  }

  /** What a daemon that was killed left off. Never rejects. */
  async restoreAfterCrash(): Promise<void> {
    const { logger, settings } = this.#options
    const known = settings().devices.map(({ powerGpio }) => powerGpio)
    for (const file of this.#noted()) {
      if (!known.includes(file) && !isAuthorisation(file)) continue
      try {
        await this.#write(file, '1')
        logger.info(`${file} is on again after a crash.`)
      } catch (error) {
        if (existsSync(join(this.#options.root, file))) this.#failed.add(file)
        logger.warn(`${file} was left off by a crash and is not on again: ${errorText(error)}`)
      }
    }
    if (this.#noted().length > 0) this.#note(() => {})
  }

  #isWritable(file: string): boolean {
    try {
      accessSync(join(this.#options.root, file), constants.W_OK)
      return true
    } catch {
      return false
    }
  }

  async #write(file: string, value: '0' | '1'): Promise<void> {
    try {
      await writeFile(join(this.#options.root, file), value)
    } catch (error) {
      // Unplugged, or away for a reset of its own.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT')
        throw new ModemdError('ModemGone', `${file} cannot be written: the device is not there any more.`)
      throw new ModemdError('Internal', `${file} cannot be written: ${errorText(error)}`)
    }
  }

  #noted(): readonly string[] {
    try {
      const files: unknown = JSON.parse(this.#options.files.read(LEDGER) ?? '[]')
      return Array.isArray(files) ? files.filter((each) => typeof each === 'string') : []
    } catch {
      return []
    }
  }

  #note(change: () => void): void {
    change()
    try {
      this.#options.files.write(LEDGER, `${JSON.stringify([...this.#off, ...this.#failed])}\n`)
    } catch (error) {
      // A modem that is stuck is worth the risk.
      this.#options.logger.warn(`${LEDGER} cannot be written: ${errorText(error)}`)
    }
  }
}

function isAuthorisation(file: string): boolean {
  return AUTHORISATION.test(file) && !file.split('/').includes('..')
}
