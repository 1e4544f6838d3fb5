/** +CLCK: is a lock on (3GPP TS 27.007 §7.4); +WS46: which generations the radio uses (§5.9); Cinterion's ^SLCK. */

import { bodiesOf, fieldsOf, numberOf, rangeOf } from './fields.ts'

/** `+CLCK: 1`; with classes, a line each (`+CLCK: 0,1`), on where one is. */
export function parseClck(lines: readonly string[]): boolean | undefined {
  const states = bodiesOf(lines, '+CLCK', '^SLCK').map((body) => numberOf(fieldsOf(body)[0]))
  if (states.some((state) => state === 1)) return true
  return states.some((state) => state === 0) ? false : undefined
}

const WS46: Readonly<Record<number, readonly string[]>> = {
  12: ['2g'],
  22: ['3g'],
  25: ['2g', '3g', '4g'],
  28: ['4g'],
  29: ['2g', '3g'],
  30: ['2g', '4g'],
  31: ['3g', '4g'],
  36: ['5g'],
  37: ['4g', '5g'],
  38: ['3g', '4g', '5g'],
  39: ['2g', '4g', '5g'],
  40: ['2g', '3g', '4g', '5g'],
}

/** `+WS46: 25`, or the number alone → `2g`, `3g`, `4g`, `5g`. */
export function parseWs46(lines: readonly string[]): readonly string[] | undefined {
  const body = bodiesOf(lines, '+WS46').at(-1) ?? lines.find((line) => /^\s*\d{2}\s*$/.test(line))
  return WS46[numberOf(fieldsOf(body ?? '')[0]) ?? -1]
}

/** `+WS46: (12,22,25,28-31)`, or the list alone → what may be chosen. 25 means both of a modem that has no LTE. */
export function parseWs46Test(lines: readonly string[]): readonly (readonly string[])[] | undefined {
  const body = bodiesOf(lines, '+WS46').at(-1) ?? lines.find((line) => line.trim().startsWith('('))
  const numbers = rangeOf(fieldsOf(body ?? '')[0])
  const hasLte = numbers.some((number) => number >= 28 && number !== 29)
  const choices = numbers.flatMap((number) => {
    const modes = number === 25 && !hasLte ? WS46[29] : WS46[number]
    return modes ? [modes] : []
  })
  return choices.length === 0 ? undefined : choices
}
