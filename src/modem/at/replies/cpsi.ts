/** SIMCom's +CPSI?: system mode and serving cell (SIM7000, SIM7500/SIM7600 and A76XX Series AT Command Manuals). */

import { technologyOf } from './access-technology.ts'
import { bodiesOf, decimalOf, type Field, fieldsOf } from './fields.ts'
import { inTenths, measureOf, type SignalMeasure } from './signal-measure.ts'

export interface CpsiReply {
  /** `lte`, `umts`, `gsm`, `5gnr`; empty without service. */
  readonly technologies: readonly string[]
  readonly isOnline: boolean
  readonly plmn?: string | undefined
  readonly signal?: SignalMeasure | undefined
}

/**
 * `LTE,Online,460-01,0x2495,2687,30,EUTRAN-BAND3,1650,5,0,21,-77,-100,-52,…` ends in RSRQ, RSRP, RSSI, RSSNR, in dB or in tenths;
 * `WCDMA,Online,460-01,0xA809,11122855,WCDMA IMT 2000,279,10663,0,1.5,62,33,52,500` and `GSM,Online,460-00,…,13 DCS 1800,-64,2110,42-42`
 * have their own; `NO SERVICE,Online`.
 */
export function parseCpsi(lines: readonly string[]): CpsiReply | undefined {
  const rows = bodiesOf(lines, '+CPSI').map((body) => fieldsOf(body))
  const [mode, operation, operator] = rows[0] ?? []
  if (!mode?.text) return undefined
  const plmn = /^(\d{3})-?(\d{2,3})$/.exec(operator?.text ?? '')
  // A second line is the 5G leg beside the LTE anchor.
  const technologies = rows.flatMap(([name]) => technologyOf(name!.text) ?? [])
  const signals = rows.flatMap((fields) => signalOf(technologyOf(fields[0]!.text), fields) ?? [])
  return {
    technologies: [...new Set(technologies)],
    isOnline: /^online$/i.test(operation?.text ?? ''),
    ...(plmn ? { plmn: `${plmn[1]}${plmn[2]}` } : {}),
    signal: signals[0],
  }
}

function signalOf(technology: string | undefined, fields: readonly Field[]): SignalMeasure | undefined {
  if (technology === 'lte') return lteSignal(fields)
  if (technology === '5gnr') return nrSignal(fields)
  if (technology === 'gsm') return measureOf('gsm', { rssi: fields.slice(5).map(decimalOf).find(isDbm) })
  if (technology !== 'umts') return undefined
  // Ec/Io and RSCP without their sign, or with it.
  const [ecio, rscp] = fields.slice(9, 11).map(decimalOf)
  return measureOf('umts', { rscp: negative(rscp), ecio: negative(ecio) })
}

/** RSRQ, RSRP, RSSI, RSSNR behind the two bandwidths; some firmwares have RSRP first, and all three may be in tenths. */
function lteSignal(fields: readonly Field[]): SignalMeasure | undefined {
  const numbers = fields.slice(7).map(decimalOf)
  const at = numbers.findIndex((value, index) => isNegative(value) && isNegative(numbers[index + 1]))
  if (at < 0) return undefined
  const [first, second, rssi, sinr] = numbers.slice(at)
  const [rsrp, rsrq] = first! < second! ? [first!, second!] : [second!, first!]
  // The first SIM7100 has RSSI alone in tenths.
  const unit = rsrp < -156 ? 10 : 1
  return measureOf('lte', {
    rsrq: rsrq / unit,
    rsrp: rsrp / unit,
    rssi: rssi === undefined ? undefined : rssi / (rssi < -130 ? 10 : unit),
    sinr,
  })
}

/**
 * `NR5G_SA,Online,460-00,0x1E2B,1234,12,NR5G_BAND78,627264,-830,-110,210` in tenths, `NR5G,257,629952,-11,-92,153` the other way
 * round.
 */
function nrSignal(fields: readonly Field[]): SignalMeasure | undefined {
  const numbers = fields.slice(1).map(decimalOf)
  const at = numbers.findIndex((value, index) => isNegative(value) && isNegative(numbers[index + 1]))
  if (at < 0) return undefined
  const [first, second, sinr] = numbers.slice(at)
  const [rsrp, rsrq] = first! < second! ? [first!, second!] : [second!, first!]
  const isTenths = rsrp < -156 || (sinr !== undefined && Math.abs(sinr) > 50)
  return measureOf('5gnr', {
    rsrp: inTenths(rsrp, -156),
    rsrq: inTenths(rsrq, -44),
    sinr: isTenths && sinr !== undefined ? sinr / 10 : sinr,
  })
}

function isNegative(value: number | undefined): value is number {
  return value !== undefined && value < 0
}

function isDbm(value: number | undefined): boolean {
  return value !== undefined && value < -20 && value > -125
}

function negative(value: number | undefined): number | undefined {
  return value === undefined || value <= 0 ? value : -value
}
