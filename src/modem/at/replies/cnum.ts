/** +CNUM: the SIM's own numbers (3GPP TS 27.007 §7.1). Used by `identity.ts`. */

import { decodeNumber } from '../text.ts'
import { bodiesOf, fieldsOf, numberOf } from './fields.ts'

const INTERNATIONAL = 145

/** `+CNUM: "name","+34600000001",145`, a line each; name, quotes and type may lack, and blanks or UCS2 be in the number. */
export function parseCnum(lines: readonly string[]): string[] {
  return bodiesOf(lines, '+CNUM').flatMap((body) => {
    const fields = fieldsOf(body)
    // Without a name there are two fields, and the second one is the type of number; or it stands alone.
    const isType = fields.length === 2 && /^\d{1,3}$/.test(fields[1]!.text) && !fields[1]!.isQuoted
    const at = fields.length === 1 || isType ? 0 : 1
    const number = decodeNumber(fields[at]?.text ?? '').replace(/[\s()-]/g, '')
    if (!/^\+?\d{3,20}$/.test(number)) return []
    return [numberOf(fields[at + 1]) === INTERNATIONAL && !number.startsWith('+') ? `+${number}` : number]
  })
}
