/** +CESQ: signal in the units of each technology (3GPP TS 27.007 §8.69), and Intel's +XCESQ with the signal-to-noise ratio behind. */

import { berPercentOf } from './csq.ts'
import { bodiesOf, fieldsOf, numberOf } from './fields.ts'
import { measureOf, type SignalMeasure } from './signal-measure.ts'

/**
 * `+CESQ: <rxlev>,<ber>,<rscp>,<ecno>,<rsrq>,<rsrp>[,<ss_rsrq>,<ss_rsrp>,<ss_sinr>]`; 99 and 255 are unknown. A step stands for its
 * lower edge (3GPP TS 45.008 §8.1.4, 25.133 §9.1.1.3, 36.133 §9.1, 38.133 §10.1). The newest technology that has a value is told.
 */
export function parseCesq(lines: readonly string[]): SignalMeasure | undefined {
  const extended = bodiesOf(lines, '+XCESQ').at(-1)
  const body = extended ?? bodiesOf(lines, '+CESQ').at(-1)
  if (body === undefined) return undefined
  const numbers = fieldsOf(body).map(numberOf)
  // +XCESQ has its mode first.
  const [rxlev, ber, rscp, ecno, rsrq, rsrp, seventh, ssRsrp, ssSinr] =
    extended === undefined ? numbers : numbers.slice(1)
  const nr =
    extended === undefined
      ? measureOf('5gnr', {
          rsrp: scaled(ssRsrp, 126, 1, -157),
          rsrq: scaled(seventh, 126, 0.5, -43.5),
          sinr: scaled(ssSinr, 127, 0.5, -23.5),
        })
      : undefined
  if (nr?.rsrp !== undefined) return nr
  const lte = measureOf('lte', {
    rsrp: scaled(rsrp, 97, 1, -141),
    rsrq: scaled(rsrq, 34, 0.5, -20),
    ...(extended === undefined || seventh === 255 ? {} : { sinr: seventh === undefined ? undefined : seventh / 2 }),
  })
  if (lte) return lte
  const umts = measureOf('umts', { rscp: scaled(rscp, 96, 1, -121), ecio: scaled(ecno, 49, 0.5, -24.5) })
  if (umts) return umts
  const rssi = scaled(rxlev, 63, 1, -111)
  return rssi === undefined ? undefined : measureOf('gsm', { rssi, ber: berPercentOf(ber) })
}

function scaled(step: number | undefined, most: number, factor: number, offset: number): number | undefined {
  return step === undefined || step < 0 || step > most ? undefined : step * factor + offset
}
