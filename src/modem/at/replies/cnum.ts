/** +CNUM: the SIM's own numbers (3GPP TS 27.007 §7.1). Used by `identity.ts`. */

import { bodiesOf, fieldsOf } from './fields.ts'

/** `+CNUM: "name","+34600000001",145`, a line each; name, quotes and type may lack. */
export function parseCnum(lines: readonly string[]): string[] {
  return bodiesOf(lines, '+CNUM').flatMap((body) => {
    const [, number] = fieldsOf(body)
    return number && /^\+?\d{3,20}$/.test(number.text) ? [number.text] : []
  })
}
