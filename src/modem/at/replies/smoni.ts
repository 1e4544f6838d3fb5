/** Cinterion's ^SMONI: the serving cell and its signal (EHS5, PHS8, ELS61 and PLS8 AT Command Specifications). */

import { bodiesOf, decimalOf, fieldsOf } from './fields.ts'
import { measureOf, type SignalMeasure } from './signal-measure.ts'

/**
 * `2G,71,-61,262,…`: ARFCN, RSSI; `3G,10564,296,-7.5,-79,262,…`: UARFCN, PSC, Ec/n0, RSCP; `4G,6300,20,10,10,FDD,262,02,BF75,0345103,
 * 350,33,-94,-7,NOCONN`: behind cell, PCI and power RSRP and RSRQ; `SEARCH` in place of them where there is none.
 */
export function parseSmoni(lines: readonly string[]): SignalMeasure | undefined {
  const fields = fieldsOf(bodiesOf(lines, '^SMONI').at(-1) ?? '')
  const at = (index: number) => decimalOf(fields[index])
  switch (fields[0]?.text.toUpperCase()) {
    case '2G':
      return measureOf('gsm', { rssi: at(2) })
    case '3G':
      return measureOf('umts', { ecio: at(3), rscp: at(4) })
    case '4G':
      return measureOf('lte', { rsrp: at(12), rsrq: at(13) })
    default:
      return undefined
  }
}
