/** +CLCK: is a lock on (3GPP TS 27.007 §7.4)? Cinterion's ^SLCK. */

import { bodiesOf, fieldsOf, numberOf } from './fields.ts'

/** `+CLCK: 1`; with classes, a line each (`+CLCK: 0,1`), on where one is. */
export function parseClck(lines: readonly string[]): boolean | undefined {
  const states = bodiesOf(lines, '+CLCK', '^SLCK').map((body) => numberOf(fieldsOf(body)[0]))
  if (states.some((state) => state === 1)) return true
  return states.some((state) => state === 0) ? false : undefined
}
