/**
 * The network's time: reports of it as they come (+CTZV, +CTZE, ^NWTIME, #NITZ, *PSUTTZ …; 3GPP TS 27.007 §8.41), and the modem's
 * own clock once, which the network sets where +CTZU is on. Nothing here sets a clock of the host's.
 */

import { Listeners } from '../../../base/listeners.ts'
import { type Cancel, sleep } from '../../../base/ports.ts'
import { type ModemTime, parseCclk, parseCtzv, parseNitz, parseNwtime, utcMsOf } from '../../at/replies/cclk.ts'
import { prefixOf } from '../../at/unsolicited.ts'
import type { FeatureContext, FeatureRound, ModemFeature } from '../feature.ts'
import type { NetworkTime, TimeSnapshot } from './snapshot.ts'

type Parser = (lines: readonly string[]) => ModemTime | undefined

const REPORTS: Readonly<Record<string, Parser>> = {
  '+CTZV': parseCtzv,
  '+CTZE': parseCtzv,
  '+CTZR': parseCtzv,
  '^NWTIME': parseNwtime,
  '*PSUTTZ': parseNitz,
  '#NITZ': parseNitz,
  '+NITZ': parseNitz,
  '+QNITZ': parseNitz,
}

/** Nothing waits for the time. */
const ROUND_PAUSE_MS = 8000
/** A clock that was never set begins in 1980, 2000 or 2004 (2024 was when this was written). */
const EARLIEST_MS = Date.UTC(2024, 0, 1)
/** The most that says: zone changes. Later ones only where the one before is not known. */
const REPORTS_ON = ['AT+CTZR=2', 'AT+CTZR=1'] as const

export class NetworkClock implements NetworkTime, ModemFeature {
  readonly #modem: FeatureContext
  readonly #changed = new Listeners<[TimeSnapshot]>()
  #snapshot: TimeSnapshot | undefined

  constructor(modem: FeatureContext) {
    this.#modem = modem
  }

  get snapshot(): TimeSnapshot | undefined {
    return this.#snapshot
  }

  onChange(listener: (next: TimeSnapshot) => void): Cancel {
    return this.#changed.add(listener)
  }

  onReport(line: string): boolean {
    const head = prefixOf(line)
    const parse = head === undefined || !Object.hasOwn(REPORTS, head) ? undefined : REPORTS[head]
    if (!parse) return false
    this.#take(parse([line]), head!)
    return true
  }

  async onRound(round: FeatureRound): Promise<void> {
    await sleep(round.clock, ROUND_PAUSE_MS, round.signal)
    const isKept = (await round.attempt('AT+CTZU=1')).isOk
    for (const command of REPORTS_ON) if ((await round.attempt(command)).isOk) break
    // A report knows better, and a clock that the network does not set is nobody's time.
    if (this.#snapshot?.networkUs !== undefined || !isKept) return
    const reply = await round.attempt('AT+CCLK?')
    if (reply.isOk) this.#take(parseCclk(reply.lines), '+CCLK')
  }

  #take(time: ModemTime | undefined, source: string): void {
    if (!time) return
    const { offsetMinutes, daylightHours } = time
    const utcMs = utcMsOf(time)
    const networkUs = utcMs === undefined || utcMs < EARLIEST_MS ? undefined : BigInt(utcMs) * 1000n
    if (networkUs === undefined && (offsetMinutes === undefined || source === '+CCLK')) return
    this.#snapshot = {
      ...(networkUs === undefined ? {} : { networkUs }),
      ...(offsetMinutes === undefined ? {} : { offsetMinutes }),
      ...(daylightHours === undefined ? {} : { daylightHours }),
      atUs: this.#modem.clock.wallUs(),
      source,
    }
    this.#changed.emit(this.#snapshot)
  }
}
