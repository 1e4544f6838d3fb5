/** u-blox's +UCGED?: cell and signal, in lines without a head or with those of its values (SARA, TOBY and LARA AT Commands Manuals). */

import { bodiesOf, decimalOf, fieldsOf, numberOf } from './fields.ts'
import { measureOf, type SignalMeasure } from './signal-measure.ts'

/** `+RSRP: 123,5230,"-110.00",` and `+RSRQ: …` of mode 5, or the lines behind `+UCGED: 2` (RSRP and RSRQ as in +CESQ). */
export function parseUcged(lines: readonly string[]): SignalMeasure | undefined {
  const named = measureOf('lte', { rsrp: namedValue(lines, '+RSRP'), rsrq: namedValue(lines, '+RSRQ') })
  if (named) return named
  const mode = bodiesOf(lines, '+UCGED').at(-1)
  if (mode === undefined) return undefined
  const rows = lines.filter((line) => /^-?\s*[0-9A-Fa-f"-][^:]*,/.test(line.trim())).map((line) => fieldsOf(line))
  const technology = numberOf(rows[0]?.[0])
  const cell = rows[1]
  if (!cell) return undefined
  if (technology === 6 || technology === 7 || cell.length >= 20) return lteOf(cell)
  return undefined
}

/** earfcn,band,UL,DL,TAC,cell,PCI,mTMSI,MME group,MME code,RSRP,RSRQ,SINR,… */
function lteOf(cell: ReturnType<typeof fieldsOf>): SignalMeasure | undefined {
  const [rsrp, rsrq, sinr] = cell.slice(10, 13).map(decimalOf)
  return measureOf('lte', {
    rsrp: rsrp === undefined || rsrp > 97 ? undefined : rsrp < 0 ? rsrp : rsrp - 141,
    rsrq: rsrq === undefined || rsrq > 34 ? undefined : rsrq < 0 ? rsrq : rsrq / 2 - 20,
    sinr: sinr === 255 ? undefined : sinr,
  })
}

/** Of the first cell that has one: `162,5110,"-075.00",255,5110,"-100.00"`. */
function namedValue(lines: readonly string[], prefix: string): number | undefined {
  const body = bodiesOf(lines, prefix).at(-1)
  const value = body === undefined ? undefined : /"?(-\d{1,3}(?:\.\d+)?)"?/.exec(body)?.[1]
  return value === undefined ? undefined : Number(value)
}
