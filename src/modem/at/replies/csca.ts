/** +CSCA: the number of the message service centre (3GPP TS 27.005 §3.3.1); +CMGF: PDU or text mode (§3.2.3). Used by messaging. */

import { decodeNumber } from '../text.ts'
import { bodiesOf, fieldsOf, numberOf } from './fields.ts'

/** `+CSCA: "+34609090909",145`; undefined where the SIM has none. The `+` that the type stands for is put before the number. */
export function parseCsca(lines: readonly string[]): string | undefined {
  const [number, type] = fieldsOf(bodiesOf(lines, '+CSCA').at(-1) ?? '')
  const text = number && decodeNumber(number.text)
  if (!text || !/^\+?\d{3,20}$/.test(text)) return undefined
  return numberOf(type) === 145 && !text.startsWith('+') ? `+${text}` : text
}

/** `+CMGF: 0` → PDU mode. */
export function parseCmgf(lines: readonly string[]): 'pdu' | 'text' | undefined {
  const mode = numberOf(fieldsOf(bodiesOf(lines, '+CMGF').at(-1) ?? '')[0])
  if (mode === 0) return 'pdu'
  return mode === 1 ? 'text' : undefined
}
