/** +CSQ (3GPP TS 27.007 §8.5) and reports on the same scale (Huawei's ^RSSI): signal strength. Used by `signal.ts`. */

import { bodiesOf, fieldsOf, numberOf } from './fields.ts'

export interface SignalReply {
  readonly dbm: number
  /** 0 to 100. */
  readonly quality: number
  /** Percent, the middle of the class of 3GPP TS 45.008 §8.2.4; undefined where the modem does not say. */
  readonly ber?: number | undefined
}

const BER_PERCENT = [0.14, 0.28, 0.57, 1.13, 2.26, 4.53, 9.05, 18.1]

/** undefined: unknown (99), or no such line. */
export function parseCsq(lines: readonly string[]): SignalReply | undefined {
  const [strength, errors] = fieldsOf(bodiesOf(lines, '+CSQ', '^RSSI').at(-1) ?? '')
  const steps = numberOf(strength)
  if (steps === undefined || steps < 0) return undefined
  const dbm = dbmOf(steps)
  if (dbm === undefined) return undefined
  const quality = Math.floor((Math.min(Math.max((dbm + 113) / 2, 0), 31) * 100) / 31)
  const ber = BER_PERCENT[numberOf(errors) ?? -1]
  return ber === undefined ? { dbm, quality } : { dbm, quality, ber }
}

/** 0 to 31 as the standard has it; 100 to 191 is TD-SCDMA's and LTE's scale of some vendors (-116 to -25 dBm). */
function dbmOf(steps: number): number | undefined {
  if (steps <= 31) return -113 + 2 * steps
  if (steps >= 100 && steps <= 191) return steps - 216
  return undefined
}
