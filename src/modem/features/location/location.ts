/**
 * Where the modem is: the sentences of its GPS port, once somebody has switched that on. Nothing is opened and no receiver started
 * before, and the port is given back when it is switched off. Called over D-Bus.
 */

import { ReadlineParser } from '@serialport/parser-readline'
import { latin1, printable } from '../../../base/bytes.ts'
import { ModemdError } from '../../../base/errors.ts'
import { Listeners } from '../../../base/listeners.ts'
import type { Cancel } from '../../../base/ports.ts'
import type { Wire, WireOpener } from '../../../serial/wire.ts'
import type { FeatureContext, ModemFeature } from '../feature.ts'
import { type NmeaPosition, parseNmea } from './nmea.ts'
import type { Fix, Location, LocationSnapshot } from './snapshot.ts'

/** Receivers speak every second; a place that is older is where the modem was. */
const FRESH_MS = 10_000
const SWITCH_MS = 5000
/** A line end that never comes must not fill the memory. */
const LONGEST_BACKLOG = 4096

export class NmeaLocation implements Location, ModemFeature {
  readonly #modem: FeatureContext
  readonly #openWire: WireOpener
  readonly #changed = new Listeners<[LocationSnapshot]>()
  #wire: Wire | undefined
  #isSwitching = false
  #fix: Fix | undefined
  #dayMs: number | undefined
  #cancelStale: Cancel = () => {}
  #told = ''

  constructor(modem: FeatureContext, openWire: WireOpener) {
    this.#modem = modem
    this.#openWire = openWire
  }

  get snapshot(): LocationSnapshot {
    const port = this.#port
    return {
      isEnabled: this.#wire !== undefined,
      hasFix: this.#fix !== undefined,
      ...(port === undefined ? {} : { port }),
    }
  }

  onChange(listener: (next: LocationSnapshot) => void): Cancel {
    return this.#changed.add(listener)
  }

  async setEnabled(on: boolean): Promise<void> {
    if (this.#isSwitching) throw new ModemdError('Busy', 'The receiver is being switched; try again in a moment.')
    if (on === (this.#wire !== undefined)) return
    this.#isSwitching = true
    try {
      if (on) await this.#switchOn()
      else await this.#switchOff()
    } finally {
      this.#isSwitching = false
      this.#tell()
    }
  }

  fix(): Fix {
    if (!this.#wire) throw new ModemdError('WrongState', 'Location is switched off: call Location1.SetEnabled first.')
    if (!this.#fix)
      throw new ModemdError('Unknown', 'The receiver has no fix: it needs a view of the sky and some minutes.')
    return this.#fix
  }

  onGone(): void {
    this.#close()
  }

  get #port(): string | undefined {
    return this.#modem.snapshot.ports.find(({ role }) => role === 'gps')?.name
  }

  async #switchOn(): Promise<void> {
    const port = this.#port
    if (port === undefined) throw new ModemdError('Unsupported', 'This modem has no port that tells its location.')
    const wire = await this.#openWire(port)
    this.#listen(wire)
    this.#wire = wire
    this.#tellPort('on')
    // Where no command is needed, or a call has the only port, the receiver may speak all the same.
    for (const command of this.#modem.driver.gps?.on ?? []) await this.#switch(command)
  }

  async #switchOff(): Promise<void> {
    for (const command of this.#modem.driver.gps?.off ?? []) await this.#switch(command)
    this.#tellPort('off')
    this.#close()
  }

  #tellPort(what: 'on' | 'off'): void {
    const line = this.#modem.driver.gps?.port?.[what]
    if (line !== undefined) this.#wire?.write(latin1(`${line}\r\n`))
  }

  async #switch(command: string): Promise<void> {
    const { logger, snapshot } = this.#modem
    try {
      const { isOk, final } = await this.#modem.attempt(command, { timeoutMs: SWITCH_MS })
      if (!isOk) logger.info(`${command} was answered ${printable(final)}`, { modem: snapshot.id })
    } catch (error) {
      logger.info(`${command}: ${error instanceof Error ? error.message : String(error)}`, { modem: snapshot.id })
    }
  }

  #listen(wire: Wire): void {
    const lines = new ReadlineParser({ delimiter: '\n', encoding: 'latin1' })
    let backlog = 0
    lines.on('data', (line: string) => {
      const position = parseNmea(line)
      if (position && this.#wire === wire) this.#take(position)
    })
    wire.listen({
      data: (bytes) => {
        const lastEnd = bytes.lastIndexOf(10)
        backlog = lastEnd < 0 ? backlog + bytes.length : bytes.length - lastEnd - 1
        if (backlog > LONGEST_BACKLOG) {
          backlog = 0
          lines.write('\n')
        }
        lines.write(Buffer.from(bytes))
      },
      drain() {},
      closed: () => {
        if (this.#wire === wire) this.#close()
      },
    })
  }

  #take(position: NmeaPosition): void {
    this.#dayMs = position.dayMs ?? this.#dayMs
    const { latitude, longitude, timeOfDayMs, dayMs: _day, ...rest } = position
    if (latitude === undefined || longitude === undefined) return
    const { clock } = this.#modem
    const utcMs = this.#dayMs === undefined || timeOfDayMs === undefined ? undefined : this.#dayMs + timeOfDayMs
    // Height comes by one sentence, speed by another.
    this.#fix = {
      ...this.#fix,
      ...rest,
      latitude,
      longitude,
      ...(utcMs === undefined ? {} : { utcUs: BigInt(utcMs) * 1000n }),
      atUs: clock.wallUs(),
    }
    this.#cancelStale()
    this.#cancelStale = clock.at(clock.nowMs() + FRESH_MS, () => {
      this.#fix = undefined
      this.#tell()
    })
    this.#tell()
  }

  #close(): void {
    const wire = this.#wire
    this.#wire = undefined
    this.#fix = undefined
    this.#dayMs = undefined
    this.#cancelStale()
    void wire?.close().catch(() => {})
    this.#tell()
  }

  #tell(): void {
    const { snapshot } = this
    const said = JSON.stringify(snapshot)
    if (said === this.#told) return
    this.#told = said
    this.#changed.emit(snapshot)
  }
}
