/** +CSQ (3GPP TS 27.007 §8.5) and reports on the same scale (Huawei's ^RSSI, Option's _OSIGQ): signal strength. Used by `signal.ts`. */

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
  const [strength, errors] = fieldsOf(bodiesOf(lines, '+CSQ', '^RSSI', '_OSIGQ', '+CSQN').at(-1) ?? '')
  // Whatever stands between the two numbers.
  const steps = numberOf(strength) ?? numberOf(fieldsOf(strength?.text.replace(/[;./].*$/, '') ?? '')[0])
  if (steps === undefined) return undefined
  const dbm = dbmOf(steps)
  if (dbm === undefined) return undefined
  const quality = Math.floor((Math.min(Math.max((dbm + 113) / 2, 0), 31) * 100) / 31)
  const ber = berPercentOf(numberOf(errors))
  return ber === undefined ? { dbm, quality } : { dbm, quality, ber }
}

/** `<ber>` 0 to 7 as in +CSQ and +CESQ. */
export function berPercentOf(step: number | undefined): number | undefined {
  return BER_PERCENT[step ?? -1]
}

/**
 * 0 to 31 as the standard has it; 100 to 191 is TD-SCDMA's and LTE's scale of some vendors (-116 to -25 dBm); a few write dBm
 * itself. 85 and 99 are nobody's steps.
 */
function dbmOf(steps: number): number | undefined {
  if (steps >= 0 && steps <= 31) return -113 + 2 * steps
  if (steps >= 100 && steps <= 191) return steps - 216
  return steps <= -20 && steps >= -130 ? steps : undefined
}
