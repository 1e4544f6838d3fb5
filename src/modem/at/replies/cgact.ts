/** +CGACT: which packet contexts are up (3GPP TS 27.007 §10.1.10). Used by `call-desk.ts`. */

import { bodiesOf, fieldsOf, numberOf } from './fields.ts'

/** `+CGACT: 1,1` a line a context → which are up. */
export function parseCgact(lines: readonly string[]): { readonly cid: number; readonly isActive: boolean }[] {
  return bodiesOf(lines, '+CGACT').flatMap((body) => {
    const [cid, state] = fieldsOf(body).map(numberOf)
    return cid === undefined || (state !== 0 && state !== 1) ? [] : [{ cid, isActive: state === 1 }]
  })
}
