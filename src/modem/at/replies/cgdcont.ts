/** +CGDCONT: the packet data contexts that are defined (3GPP TS 27.007 §10.1.1). Used by `context.ts`. */

import { bodiesOf, fieldsOf, numberOf } from './fields.ts'

export interface PdpContext {
  readonly cid: number
  /** `IP`, `IPV6`, `IPV4V6`, `PPP`; upper case. */
  readonly type: string
  /** '' where the network chooses. */
  readonly apn: string
}

export function parseCgdcont(lines: readonly string[]): PdpContext[] {
  return bodiesOf(lines, '+CGDCONT').flatMap((body) => {
    const [cid, type, apn] = fieldsOf(body)
    const number = numberOf(cid)
    if (number === undefined || number < 0 || number > 255 || !type || type.text === '') return []
    return [{ cid: number, type: type.text.toUpperCase(), apn: apn?.text ?? '' }]
  })
}
