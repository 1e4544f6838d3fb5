/**
 * The signal, asked for and reported, on one scale whatever command it came by (3GPP TS 27.007 §8.5, §8.69 and the vendors' own).
 * Called by bring-up's loops; the drivers' reports are made with it.
 */

import { ModemdError } from '../base/errors.ts'
import { parseCsq } from './at/replies/csq.ts'
import { qualityOf, rssiOf, type SignalMeasure } from './at/replies/signal-measure.ts'
import type { Query, ReportContext } from './drivers/driver.ts'
import type { ModemContext } from './procedure.ts'
import type { Change } from './state.ts'
import { isIn } from './state.ts'

/** A report of the strength alone does not wipe out what was measured with it this short a time ago. */
const FRESH_US = 30_000_000n

/** An answer may get lost once. */
const USELESS_SILENCES = 2

const NO_SIGNAL: Change = { type: 'no-signal' }

export function measureOfCsq(lines: readonly string[]): SignalMeasure | undefined {
  const reply = parseCsq(lines)
  return reply && { rssi: reply.dbm, ...(reply.ber === undefined ? {} : { ber: reply.ber }) }
}

/** A report of the signal, or of its loss where nothing can be read. */
export function reportedSignal(
  measure: SignalMeasure | undefined,
  source: string,
  { wallUs, snapshot: { signal, accessTechnologies } }: ReportContext,
): Change {
  if (!measure) return NO_SIGNAL
  const [technology] = accessTechnologies
  const isAlone = measure.rsrp === undefined && measure.rscp === undefined
  const ageUs = signal ? wallUs - signal.atUs : 0n
  // Negative: the time of day was set back.
  if (!isAlone || !signal || ageUs > FRESH_US || ageUs < 0n)
    return signalChange({ technology, ...measure }, source, wallUs)
  const { atUs: _at, source: _source, ...known } = signal
  return signalChange({ ...known, technology: technology ?? known.technology, ...measure }, source, wallUs)
}

function signalChange(measure: SignalMeasure, source: string, atUs: bigint): Change {
  const rssi = rssiOf(measure)
  const signal = { ...measure, ...(rssi === undefined ? {} : { rssi }), atUs, source }
  return { type: 'signal', signal, quality: qualityOf(measure) ?? 0 }
}

/** Asks as the driver says, and remembers for its modem what is no use asking. */
export class SignalReader {
  readonly #modem: ModemContext
  readonly #useless = new Set<Query<unknown>>()
  readonly #silences = new Map<Query<unknown>, number>()

  constructor(modem: ModemContext) {
    this.#modem = modem
  }

  /** What the modem does not tell any more is forgotten. */
  async read(): Promise<void> {
    const { driver, clock } = this.#modem
    const readings: { readonly measure: SignalMeasure; readonly source: string }[] = []
    for (const group of driver.signal) {
      const found = await this.#ask(group)
      if (found) readings.push({ measure: found.value, source: headOf(found.query.command) })
    }
    const [first] = readings
    if (!first) {
      this.#modem.apply(NO_SIGNAL)
      return
    }
    const [technology] = this.#modem.snapshot.accessTechnologies
    const measure: SignalMeasure = Object.assign({ technology }, ...readings.map((each) => each.measure).reverse())
    this.#modem.apply(signalChange(measure, first.source, clock.wallUs()))
  }

  /** Where there is a network. */
  async readTechnology(): Promise<void> {
    if (!isIn(this.#modem.snapshot.registration)) return
    const found = await this.#ask(this.#modem.driver.technology)
    if (found) this.#modem.apply({ type: 'technologies', source: 'report', technologies: found.value })
  }

  async #ask<T>(queries: readonly Query<T>[]): Promise<{ readonly value: T; readonly query: Query<T> } | undefined> {
    for (const query of queries) {
      if (this.#useless.has(query)) continue
      const lines = await this.#linesOf(query)
      const value = lines && query.parse(lines, { model: this.#modem.snapshot.model })
      if (value !== undefined) return { value, query }
    }
    return undefined
  }

  /** undefined: an error, or silence where there is another question: that one tells whether the modem is deaf. */
  async #linesOf(query: Query<unknown>): Promise<readonly string[] | undefined> {
    try {
      const { expects } = query
      const reply = await this.#modem.attempt(query.command, expects ? { expects } : {})
      if (reply.isOk) return reply.lines
    } catch (error) {
      const isSilent = error instanceof ModemdError && error.failureCause === 'modem-silent'
      const silences = (this.#silences.get(query) ?? 0) + 1
      this.#silences.set(query, silences)
      if (!isSilent || query === this.#modem.driver.signal.at(-1)?.at(-1)) throw error
      if (silences < USELESS_SILENCES) return undefined
    }
    this.#useless.add(query)
    return undefined
  }
}

/** `AT+CSQ` → `+CSQ`, `AT!GSTATUS?` → `!GSTATUS`. */
function headOf(command: string): string {
  return command.replace(/^AT/i, '').replace(/[=?].*$/, '')
}
