/** How many PIN and PUK tries are left: +CPINR (3GPP TS 27.007 §8.65) and Huawei's ^CPIN. Used by `sim.ts` through the drivers. */

import { bodiesOf, fieldsOf, numberOf } from './fields.ts'

export interface TriesLeft {
  readonly pin?: number | undefined
  readonly puk?: number | undefined
}

/** `+CPINR: SIM PIN,3,3` and `+CPINR: SIM PUK,10,10`, a line each; the second number is the default. */
export function parseCpinr(lines: readonly string[]): TriesLeft | undefined {
  const tries: { pin?: number; puk?: number } = {}
  for (const body of bodiesOf(lines, '+CPINR')) {
    const [name, left] = fieldsOf(body)
    const count = plausible(numberOf(left))
    if (count === undefined) continue
    if (name?.text.toUpperCase() === 'SIM PIN') tries.pin = count
    if (name?.text.toUpperCase() === 'SIM PUK') tries.puk = count
  }
  return tries.pin === undefined && tries.puk === undefined ? undefined : tries
}

/** `^CPIN: SIM PIN,3,10,3,10,3`: what is asked for, its tries, then PUK, PIN, PUK2, PIN2. `READY` leaves the first out. */
export function parseHuaweiCpin(lines: readonly string[]): TriesLeft | undefined {
  const body = bodiesOf(lines, '^CPIN')[0]
  if (body === undefined) return undefined
  const counts = fieldsOf(body).map((field) => plausible(numberOf(field)))
  const [, , puk, pin] = counts
  return pin === undefined && puk === undefined ? undefined : { pin, puk }
}

function plausible(count: number | undefined): number | undefined {
  return count !== undefined && count >= 0 && count <= 10 ? count : undefined
}
