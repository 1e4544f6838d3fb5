/** u-blox's +UCGED?: cell and signal in lines without a head (SARA, TOBY and LARA AT Commands Manuals); +CIND?, +CIEV: bars. */

import { bodiesOf, decimalOf, fieldsOf, groupOf, numberOf, rangeOf } from './fields.ts'
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

export interface Indicator {
  /** Lower case without blanks: `signal`, `service`, `roam`, `smsfull`. */
  readonly name: string
  readonly least: number
  readonly most: number
}

/** `+CIND: ("battchg",(0-5)),("signal",(0-5)),…` (3GPP TS 27.007 §8.9): the indicators in their order, which +CIEV counts from 1. */
export function parseCindTest(lines: readonly string[]): Indicator[] {
  return bodiesOf(lines, '+CIND').flatMap((body) =>
    fieldsOf(body).flatMap((field) => {
      const [name, range] = groupOf({ ...field, text: field.text.replace(/\)$/, '') })
      const values = rangeOf(range)
      if (!name?.text || values.length === 0) return []
      return [
        { name: name.text.toLowerCase().replace(/\s+/g, ''), least: Math.min(...values), most: Math.max(...values) },
      ]
    }),
  )
}

/** `+CIND: 5,3,0,…` in the order of the test's answer. */
export function parseCind(lines: readonly string[]): readonly (number | undefined)[] | undefined {
  const body = bodiesOf(lines, '+CIND').at(-1)
  if (body === undefined || body.includes('(')) return undefined
  const values = fieldsOf(body).map(numberOf)
  return values.some((value) => value !== undefined) ? values : undefined
}

/** `+CIEV: 2,4`, and by name: `+CIEV: "signal",4`. */
export function parseCiev(
  lines: readonly string[],
): { readonly indicator: number | string; readonly value: number } | undefined {
  const [indicator, value] = fieldsOf(bodiesOf(lines, '+CIEV').at(-1) ?? '')
  const number = numberOf(value)
  if (!indicator?.text || number === undefined || value!.isQuoted) return undefined
  return { indicator: numberOf(indicator) ?? indicator.text.toLowerCase(), value: number }
}
