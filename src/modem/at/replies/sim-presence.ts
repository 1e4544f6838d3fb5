/**
 * Is a SIM in the modem: Huawei's ^SIMST, Quectel's and SIMCom's +QSIMSTAT and +CSMINS, Telit's #QSS, u-blox's +UUSIMSTAT, Cinterion's
 * ^SCKS (the vendors' AT manuals). Answers and reports; used by the drivers.
 */

import { bodiesOf, fieldsOf, numberOf } from './fields.ts'

export type SimPresence = 'present' | 'absent' | 'invalid'

/** `^SIMST:1`, `^SIMST: 255,0`: 1 is valid, 240 a built-in one, 255 none; the rest does not serve. */
export function parseSimst(lines: readonly string[]): SimPresence | undefined {
  const state = numberOf(fieldsOf(bodiesOf(lines, '^SIMST').at(-1) ?? '')[0])
  if (state === undefined) return undefined
  if (state === 255) return 'absent'
  return state === 1 || state === 240 ? 'present' : 'invalid'
}

/** `<enabled>,<inserted>` of +QSIMSTAT, +CSMINS and ^SCKS, answer or report. */
export function parseSimInserted(lines: readonly string[]): SimPresence | undefined {
  const numbers = fieldsOf(bodiesOf(lines, '+QSIMSTAT', '+CSMINS', '^SCKS').at(-1) ?? '').map(numberOf)
  const inserted = numbers[1] ?? numbers[0]
  if (inserted === undefined || inserted > 2) return undefined
  return inserted === 0 ? 'absent' : 'present'
}

/** `#QSS: 2,1` asked, `#QSS: 1` as a report: 0 none, 1 inserted, 2 unlocked, 3 ready. */
export function parseQss(lines: readonly string[]): SimPresence | undefined {
  const numbers = fieldsOf(bodiesOf(lines, '#QSS').at(-1) ?? '').map(numberOf)
  const state = numbers[1] ?? numbers[0]
  if (state === undefined || state > 3) return undefined
  return state === 0 ? 'absent' : 'present'
}

/** `+UUSIMSTAT: 0`: none; 1 to 6 are the steps up to ready, 7 and more what went wrong. */
export function parseUusimstat(lines: readonly string[]): SimPresence | undefined {
  const state = numberOf(fieldsOf(bodiesOf(lines, '+UUSIMSTAT', '+USIMSTAT').at(-1) ?? '')[0])
  if (state === undefined) return undefined
  if (state === 0) return 'absent'
  return state <= 6 ? 'present' : 'invalid'
}
