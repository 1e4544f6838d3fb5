/** +CSCA: the number of the message service centre (3GPP TS 27.005 §3.3.1). Used by messaging where a message was refused. */

import { decodeNumber } from '../text.ts'
import { bodiesOf, fieldsOf, numberOf } from './fields.ts'

/**
 * `+CSCA: "+34609090909",145`; '' where the SIM has none, undefined where it is not told. The `+` that the type stands for is put
 * before the number.
 */
export function parseCsca(lines: readonly string[]): string | undefined {
  const body = bodiesOf(lines, '+CSCA').at(-1)
  if (body === undefined) return undefined
  const [number, type] = fieldsOf(body)
  const text = decodeNumber(number?.text ?? '')
  if (text === '') return text
  if (!/^\+?\d{3,20}$/.test(text)) return undefined
  return numberOf(type) === 145 && !text.startsWith('+') ? `+${text}` : text
}
