/** +CNUM: the SIM's own numbers (3GPP TS 27.007 §7.1). Used by `identity.ts`. */

import { bodiesOf, fieldsOf } from './fields.ts'

/** `+CNUM: "name","+34600000001",145`, a line each; name, quotes and type may lack. */
export function parseCnum(lines: readonly string[]): string[] {
  return bodiesOf(lines, '+CNUM').flatMap((body) => {
    const fields = fieldsOf(body)
    const number = fields.slice(1).find((field) => /^\+?\d{3,20}$/.test(field.text))
    return number ? [number.text] : []
  })
}
