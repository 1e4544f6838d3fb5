/** +CGDCONT: the packet data contexts that are defined (3GPP TS 27.007 §10.1.1). Used by `context.ts`. */

import { bodiesOf, type Field, fieldsOf, numberOf } from './fields.ts'

export interface PdpContext {
  readonly cid: number
  /** `IP`, `IPV6`, `IPV4V6`, `PPP`; upper case. */
  readonly type: string
  /** '' where the network chooses. */
  readonly apn: string
  /** As the modem writes it; undefined where it has none (`0.0.0.0`, `::`, zeros). */
  readonly address?: string | undefined
}

/** `+CGDCONT: 1,"IP","internet","0.0.0.0",0,0`, a line each; fields behind the APN may lack, quotes too. */
export function parseCgdcont(lines: readonly string[]): PdpContext[] {
  return bodiesOf(lines, '+CGDCONT').flatMap((body) => {
    const [cid, type, apn, address] = fieldsOf(body)
    const number = numberOf(cid)
    const name = typeOf(type)
    if (number === undefined || number < 0 || number > 255 || name === undefined) return []
    const context = { cid: number, type: name, apn: apnOf(apn) }
    return isAddress(address) ? [{ ...context, address: address.text }] : [context]
  })
}

/** Some write `IPv4`, `IPV4` or a group of one. */
function typeOf(field: Field | undefined): string | undefined {
  const name = field?.text.replace(/[()"\s]/g, '').toUpperCase()
  if (!name || !/^[A-Z][A-Z0-9-]*$/.test(name)) return undefined
  return name === 'IPV4' ? 'IP' : name
}

/** `(null)` is a format string without an argument. */
function apnOf(field: Field | undefined): string {
  const text = field?.text ?? ''
  return /^\(?null\)?$/i.test(text) ? '' : text
}

function isAddress(field: Field | undefined): field is Field {
  return field !== undefined && /[1-9a-f]/i.test(field.text) && /^[0-9a-f.:]+$/i.test(field.text)
}
