/** Huawei's ^HCSQ, answer and report (MU709 and ME909 AT Command Interface Specifications, ^HCSQ): signal by technology. */

import { bodiesOf, type Field, fieldsOf, numberOf } from './fields.ts'
import { measureOf, type SignalMeasure } from './signal-measure.ts'

/**
 * `^HCSQ:"LTE",46,54,177,26`: RSSI, RSRP, SINR, RSRQ; `"WCDMA",30,30,58`: RSSI, RSCP, Ec/Io; `"GSM",36`: RSSI; `"NR",65,180,23`:
 * RSRP, SINR, RSRQ; `"NOSERVICE"`. 255 is unknown; a step stands for its lower edge.
 */
export function parseHcsq(lines: readonly string[]): SignalMeasure | undefined {
  // With two connections (EN-DC) there is a line, or a part of one, for each: the last one is the newer technology.
  const [mode, ...values] = fieldsOf(bodiesOf(lines, '^HCSQ').at(-1) ?? '')
  const [first, second, third, fourth] = values.map(step)
  switch (mode?.text.toUpperCase()) {
    case 'LTE':
      return measureOf('lte', {
        rssi: scaled(first, 1, -121),
        rsrp: scaled(second, 1, -141),
        sinr: scaled(third, 0.2, -20.2),
        rsrq: scaled(fourth, 0.5, -20),
      })
    case 'NR':
    case 'NR5G':
      return measureOf('5gnr', {
        rsrp: scaled(first, 1, -141),
        sinr: scaled(second, 0.2, -20.2),
        rsrq: scaled(third, 0.5, -20),
      })
    case 'WCDMA':
    case 'TD-SCDMA':
    case 'TDSCDMA':
      return measureOf('umts', {
        rssi: scaled(first, 1, -121),
        rscp: scaled(second, 1, -121),
        ecio: scaled(third, 0.5, -32.5),
      })
    case 'GSM':
      return measureOf('gsm', { rssi: scaled(first, 1, -121) })
    default:
      return undefined
  }
}

function step(field: Field): number | undefined {
  const value = numberOf(field)
  return value === undefined || value < 0 || value >= 255 ? undefined : value
}

function scaled(value: number | undefined, factor: number, offset: number): number | undefined {
  return value === undefined ? undefined : value * factor + offset
}
