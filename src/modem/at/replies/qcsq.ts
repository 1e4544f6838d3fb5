/** Quectel's +QCSQ and its report +QIND: "csq" (EC2x, BG9x and RG50x AT Commands Manuals): signal by technology. */

import { technologyOf } from './access-technology.ts'
import { parseCsq, type SignalReply } from './csq.ts'
import { bodiesOf, decimalOf, fieldsOf, numberOf } from './fields.ts'
import { measureOf, type SignalMeasure } from './signal-measure.ts'

/**
 * `+QCSQ: "LTE",-65,-95,150,-12`: RSSI, RSRP, SINR in fifths above -20 dB, RSRQ; `"NR5G",-68,38,-11`: RSRP, SINR, RSRQ; `"WCDMA",69,-72,-4`:
 * RSSI, RSCP, Ec/Io; `"GSM",125`: RSSI; `"NOSERVICE"`. Older firmware leaves the sign of the RSSI out.
 */
export function parseQcsq(lines: readonly string[]): SignalMeasure | undefined {
  const [mode, ...values] = fieldsOf(bodiesOf(lines, '+QCSQ').at(-1) ?? '')
  const technology = technologyOf(mode?.text ?? '')
  const [first, second, third, fourth] = values.map(decimalOf)
  switch (technology) {
    case 'lte':
      return measureOf('lte', {
        rssi: negative(first),
        rsrp: negative(second),
        sinr: third === undefined || third > 250 ? undefined : third < 0 ? third : third / 5 - 20,
        rsrq: negative(fourth),
      })
    case '5gnr':
      return measureOf('5gnr', { rsrp: negative(first), sinr: second, rsrq: negative(third) })
    case undefined:
      return undefined
    case 'gsm':
    case 'gprs':
    case 'edge':
      return measureOf('gsm', { rssi: negative(first) })
    default:
      return measureOf('umts', { rssi: negative(first), rscp: negative(second), ecio: third })
  }
}

/** `+QIND: "csq",22,99` */
export function parseQindCsq(lines: readonly string[]): SignalReply | undefined {
  for (const body of bodiesOf(lines, '+QIND')) {
    const [kind, strength, errors] = fieldsOf(body)
    if (kind?.text.toLowerCase() !== 'csq' || numberOf(strength) === undefined) continue
    return parseCsq([`+CSQ: ${strength!.text},${errors?.text ?? ''}`])
  }
  return undefined
}

function negative(value: number | undefined): number | undefined {
  return value === undefined || value < 0 ? value : -value
}
