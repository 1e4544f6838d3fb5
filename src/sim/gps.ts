/**
 * The satellite receiver of a virtual modem: off until a command switches it on, then a fix after some seconds, and a place that
 * wanders by the modem's seed. What it says are sentences of NMEA 0183 (RMC and GGA). Pure; `gps-port.ts` paces them.
 */

import { seededRandom } from './seeded-random.ts'

/** From a cold start to the first fix. */
const FIX_AFTER_MS = 3000
/** Degrees; Berlin. */
const START = { latitude: 52.5163, longitude: 13.3777 }
const STEP_DEGREES = 0.000_01
const HEIGHT_METRES = 34

export class GpsReceiver {
  readonly #random: ReturnType<typeof seededRandom>
  #onSinceMs: number | undefined
  #latitude = START.latitude
  #longitude = START.longitude

  constructor(seed: number) {
    this.#random = seededRandom(seed)
  }

  get isOn(): boolean {
    return this.#onSinceMs !== undefined
  }

  switchOn(nowMs: number): void {
    this.#onSinceMs ??= nowMs
  }

  switchOff(): void {
    this.#onSinceMs = undefined
  }

  /** Of one second; with empty places while there is no fix. */
  sentences(nowMs: number, wallMs: number): readonly string[] {
    const when = new Date(wallMs).toISOString()
    const time = `${when.slice(11, 19).replaceAll(':', '')}.00`
    const date = `${when.slice(8, 10)}${when.slice(5, 7)}${when.slice(2, 4)}`
    if (nowMs - (this.#onSinceMs ?? nowMs) < FIX_AFTER_MS)
      return [`GPRMC,${time},V,,,,,,,${date},,,N`, 'GPGGA,,,,,,0,,,,,,,,'].map(summed)
    const [north = 0, east = 0] = this.#random.bytes(2)
    this.#latitude += (north - 127.5) * (STEP_DEGREES / 127.5)
    this.#longitude += (east - 127.5) * (STEP_DEGREES / 127.5)
    const place = `${angle(this.#latitude, 2)},N,${angle(this.#longitude, 3)},E`
    return [
      `GPRMC,${time},A,${place},0.5,45.0,${date},,,A`,
      `GPGGA,${time},${place},1,08,0.9,${HEIGHT_METRES.toFixed(1)},M,40.0,M,,`,
    ].map(summed)
  }
}

/** `5230.9780`: degrees and minutes. */
function angle(degrees: number, digits: number): string {
  const whole = Math.floor(degrees)
  return `${String(whole).padStart(digits, '0')}${((degrees - whole) * 60).toFixed(4).padStart(7, '0')}`
}

function summed(body: string): string {
  let sum = 0
  for (const char of body) sum ^= char.charCodeAt(0)
  return `$${body}*${sum.toString(16).toUpperCase().padStart(2, '0')}`
}
