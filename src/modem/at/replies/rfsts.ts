/** Telit's #RFSTS: the serving cell and its signal (LE910, HE910, ME910 AT Commands Reference Guides). */

import { bodiesOf, decimalOf, type Field, fieldsOf } from './fields.ts'
import { measureOf, type SignalMeasure } from './signal-measure.ts'

export interface ServingCell extends SignalMeasure {
  readonly plmn?: string | undefined
  /** Location or tracking area, and cell, hexadecimal as written. */
  readonly area?: string | undefined
  readonly cell?: string | undefined
}

/** What of it is signal; undefined where nothing was measured. */
export function signalOf({
  plmn: _plmn,
  area: _area,
  cell: _cell,
  ...measure
}: ServingCell): SignalMeasure | undefined {
  return Object.keys(measure).length > 0 ? measure : undefined
}

/**
 * GSM: `"222 01",48,-78,…` PLMN, ARFCN, RSSI, LAC, …; UMTS: PLMN, UARFCN, PSC, Ec/Io, RSCP, RSSI, LAC, …; LTE: PLMN, EARFCN, RSRP,
 * RSSI, RSRQ, TAC, …. They are told apart by where the negative numbers stand.
 */
export function parseRfsts(lines: readonly string[]): ServingCell | undefined {
  const fields = fieldsOf(bodiesOf(lines, '#RFSTS').at(-1) ?? '')
  const [, , third, fourth, fifth, sixth] = fields.map(decimalOf)
  if (isNegative(third) && isNegative(fourth))
    return cellOf(fields, 5, measureOf('lte', { rsrp: third, rssi: fourth, rsrq: fifth }))
  if (!isNegative(third) && isNegative(fifth))
    return cellOf(fields, 6, measureOf('umts', { ecio: fourth, rscp: fifth, rssi: sixth }))
  return isNegative(third) ? cellOf(fields, 3, measureOf('gsm', { rssi: third })) : undefined
}

/** How many fields there are depends on the state; the cell always stands before the IMSI. */
function cellOf(fields: readonly Field[], areaAt: number, measure: SignalMeasure | undefined): ServingCell | undefined {
  const plmn = fields[0]?.text.replace(/\s+/g, '') ?? ''
  const area = fields[areaAt]
  const cell = fields[fields.findIndex(({ text, isQuoted }) => isQuoted && /^\d{14,15}$/.test(text)) - 1]
  return {
    ...measure,
    ...(/^\d{5,6}$/.test(plmn) ? { plmn } : {}),
    ...(isHex(area) ? { area: area.text.toUpperCase() } : {}),
    ...(isHex(cell) ? { cell: cell.text.toUpperCase() } : {}),
  }
}

function isNegative(value: number | undefined): boolean {
  return value !== undefined && value < 0
}

function isHex(field: Field | undefined): field is Field {
  return field !== undefined && /^[0-9A-Fa-f]{2,9}$/.test(field.text)
}
