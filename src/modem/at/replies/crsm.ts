/**
 * +CRSM: files of the SIM and its status words (3GPP TS 27.007 §8.18; 31.102 §4.2; ETSI TS 102 221 §10.2). Used for the ICCID;
 * `sim-files.ts` reads more files.
 */

import { bodiesOf, fieldsOf, numberOf } from './fields.ts'

export interface CrsmReply {
  readonly sw1: number
  readonly sw2: number
  /** 90 00, 91 xx, 9E xx or 9F xx. */
  readonly isOk: boolean
  /** Hexadecimal, upper case. */
  readonly data?: string | undefined
}

/** `+CRSM: 144,0,"0054…"`; quotes, blanks and data may lack. */
export function parseCrsm(lines: readonly string[]): CrsmReply | undefined {
  const [first, second, third] = fieldsOf(bodiesOf(lines, '+CRSM').at(-1) ?? '')
  const sw1 = numberOf(first)
  const sw2 = numberOf(second)
  if (sw1 === undefined || sw2 === undefined || sw1 < 0 || sw1 > 255 || sw2 < 0 || sw2 > 255) return undefined
  const data = /^(?:[0-9A-Fa-f]{2})+$/.test(third?.text ?? '') ? third!.text.toUpperCase() : undefined
  const isOk = sw1 === 0x90 || sw1 === 0x91 || sw1 === 0x9e || sw1 === 0x9f
  return data === undefined ? { sw1, sw2, isOk } : { sw1, sw2, isOk, data }
}
