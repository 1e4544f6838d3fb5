/** What a modem measures beside RSSI (3GPP TS 27.007 §8.69), from the one number that the network has. Used by `commands/` and reports. */

import type { Personality } from './personality.ts'

export type Technology = Personality['radio']['technology']

/** dBm, and dB for the ratios. */
export interface Radio {
  readonly technology: Technology
  readonly rssi: number
  readonly rsrp: number
  readonly rsrq: number
  readonly sinr: number
  readonly rscp: number
  readonly ecio: number
}

/** RSRP is the wide-band power spread over some 100 subcarriers, 20 dB lower; RSCP is it less Ec/Io. */
const RSRP_BELOW_RSSI_DB = 20
const RSRQ_DB = -10.5
const ECIO_DB = -6

export function radioOf(technology: Technology, dbm: number): Radio {
  const rssi = Math.round(dbm)
  return {
    technology,
    rssi,
    rsrp: rssi - RSRP_BELOW_RSSI_DB,
    rsrq: RSRQ_DB,
    sinr: Math.min(30, Math.max(-10, Math.round((rssi + 101) / 2))),
    rscp: rssi + ECIO_DB,
    ecio: ECIO_DB,
  }
}

/** A value in a reply that counts steps from `floor` on: 0 is below it. */
export function steps(value: number, floor: number, stepsPerUnit: number, max: number): number {
  return Math.min(max, Math.max(0, Math.floor((value - floor) * stepsPerUnit) + 1))
}
