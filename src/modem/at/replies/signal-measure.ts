/**
 * What a modem says of its signal, whatever command it came by, in the units of the snapshot; and one scale for all of them.
 * Made by `csq.ts`, `cesq.ts`, `hcsq.ts`, `qcsq.ts`, `qeng.ts`, `rfsts.ts`, `gstatus.ts`, `cpsi.ts` and `ucged.ts`.
 */

/** dBm, except rsrq, sinr, ecio (dB) and ber (percent). What the modem does not know is missing. */
export interface SignalMeasure {
  /** `gsm`, `umts`, `lte`, `5gnr` where the line says so. */
  readonly technology?: string | undefined
  readonly rssi?: number | undefined
  readonly rsrp?: number | undefined
  readonly rsrq?: number | undefined
  readonly sinr?: number | undefined
  readonly rscp?: number | undefined
  readonly ecio?: number | undefined
  readonly ber?: number | undefined
}

export type SignalMetric = Exclude<keyof SignalMeasure, 'technology'>

/** No receiver measures anything beyond; a value outside is a filler (0, 255, -32768) or of another unit. */
const LIMITS: Readonly<Record<SignalMetric, readonly [number, number]>> = {
  rssi: [-130, -10],
  rsrp: [-160, -20],
  rsrq: [-45, 25],
  sinr: [-30, 50],
  rscp: [-140, -15],
  ecio: [-40, 10],
  ber: [0, 100],
}

/** Twelve subcarriers in each of 50 resource blocks against one: how much more a whole LTE carrier is than its reference signal. */
const CARRIER_BLOCKS_DB = 17
/** RSRQ where a modem names none: a half-loaded cell. */
const TYPICAL_RSRQ = -10

/** Only what can be true; undefined where nothing is left. */
export function measureOf(
  technology: string | undefined,
  values: Readonly<Partial<Record<SignalMetric, number | undefined>>>,
): SignalMeasure | undefined {
  const kept: Partial<Record<SignalMetric, number>> = {}
  let isEmpty = true
  for (const [name, value] of Object.entries(values) as [SignalMetric, number | undefined][]) {
    const [least, most] = LIMITS[name]
    if (value === undefined || Number.isNaN(value) || value < least || value > most) continue
    kept[name] = Math.round(value * 100) / 100
    isEmpty = false
  }
  if (isEmpty) return undefined
  return technology === undefined ? kept : { technology, ...kept }
}

/** The received power of the whole carrier: measured, or by definition RSCP - Ec/Io. */
export function rssiOf({ rssi, rscp, ecio }: SignalMeasure): number | undefined {
  if (rssi !== undefined) return rssi
  return rscp === undefined || ecio === undefined ? undefined : rscp - ecio
}

/**
 * 0 to 100 on the scale of +CSQ (-113 to -51 dBm). Where no carrier power is known it follows from RSRP and RSRQ (3GPP TS 36.214
 * §5.1.3), so that a modem that changes network or command does not jump.
 */
export function qualityOf(measure: SignalMeasure): number | undefined {
  const { rsrp, rsrq, rscp } = measure
  const dbm =
    rssiOf(measure) ?? (rsrp === undefined ? rscp : rsrp - Math.min(rsrq ?? TYPICAL_RSRQ, -3) + CARRIER_BLOCKS_DB)
  if (dbm === undefined) return undefined
  return Math.floor((Math.min(Math.max((dbm + 113) / 2, 0), 31) * 100) / 31)
}

/** Values of one field may be in tenths: `-773` is -77.3. */
export function inTenths(value: number | undefined, least: number): number | undefined {
  return value !== undefined && value < least ? value / 10 : value
}
