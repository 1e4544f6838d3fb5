/**
 * How many PIN and PUK tries are left: +CPINR (3GPP TS 27.007 §8.65) and the vendors' own counters. Used by `sim.ts` through the
 * drivers. A number that no SIM has is unknown, never a try too many.
 */

import type { SimStatus } from '../../snapshot.ts'
import { bodiesOf, fieldsOf, numberOf } from './fields.ts'

export interface TriesLeft {
  readonly pin?: number | undefined
  readonly puk?: number | undefined
}

/** `+CPINR: SIM PIN,3,3` and `+CPINR: SIM PUK,10,10`, a line each or all in one; the second number is the default. */
export function parseCpinr(lines: readonly string[]): TriesLeft | undefined {
  const tries: { pin?: number; puk?: number } = {}
  for (const body of bodiesOf(lines, '+CPINR')) {
    const fields = fieldsOf(body)
    for (const [at, { text }] of fields.entries()) {
      const count = plausible(numberOf(fields[at + 1]))
      if (count === undefined) continue
      const name = text.toUpperCase().replace(/\s+/g, ' ')
      if (/^SIM PIN1?$/.test(name)) tries.pin ??= count
      if (/^SIM PUK1?$/.test(name)) tries.puk ??= count
    }
  }
  return found(tries.pin, tries.puk)
}

/**
 * `^CPIN: SIM PIN,3,10,3,10,3`: what is asked for, its tries, then PUK, PIN, PUK2, PIN2. Ready leaves the tries empty, and in some
 * firmwares their field out.
 */
export function parseHuaweiCpin(lines: readonly string[]): TriesLeft | undefined {
  const body = bodiesOf(lines, '^CPIN').at(-1)
  if (body === undefined) return undefined
  const counts = fieldsOf(body).map((field) => plausible(numberOf(field)))
  const [puk, pin] = counts.length === 5 ? counts.slice(1) : counts.slice(2)
  return found(pin, puk)
}

/** Which of the four counters stands where. */
const COUNTERS: Readonly<Record<string, readonly ('pin' | 'puk' | 'pin2' | 'puk2')[]>> = {
  // SIMCom
  '+SPIC': ['pin', 'puk', 'pin2', 'puk2'],
  // ZTE
  '+ZPINPTRY': ['pin', 'puk', 'pin2', 'puk2'],
  '+ZRAP': ['pin', 'puk'],
  // Sierra
  '+CPINC': ['pin', 'pin2', 'puk', 'puk2'],
  // Ericsson
  '*EPIN': ['pin', 'puk', 'pin2', 'puk2'],
  // Intel
  '+XPINCNT': ['pin', 'pin2', 'puk', 'puk2'],
  // MediaTek
  '+EPINC': ['pin', 'pin2', 'puk', 'puk2'],
  // u-blox
  '+UPINCNT': ['pin', 'pin2', 'puk', 'puk2'],
  // Option
  _OERCN: ['pin', 'puk'],
}

/**
 * `+SPIC: 3,10,0,10`, `+CPINC: 3,3,10,10` and their like. A PUK has ten tries and a PIN three: where the modem has them in the
 * order of another, a first PUK of at most 3 beside a second PIN of more than 3 gives it away, and the PUK is unknown.
 */
export function parsePinCounters(lines: readonly string[]): TriesLeft | undefined {
  for (const [prefix, names] of Object.entries(COUNTERS)) {
    const body = bodiesOf(lines, prefix).at(-1)
    if (body === undefined) continue
    const counts = fieldsOf(body).map((field) => plausible(numberOf(field)))
    const pin = counts[names.indexOf('pin')]
    const puk = counts[names.indexOf('puk')]
    const secondPin = counts[names.indexOf('pin2')]
    const isOtherOrder = puk !== undefined && puk <= 3 && secondPin !== undefined && secondPin > 3
    return found(pin, isOtherOrder ? undefined : puk)
  }
  return undefined
}

/** Quectel's `+QPINC: "SC",3,10` beside `+QPINC: "P2",3,10`: PIN and PUK of the first. */
export function parseQpinc(lines: readonly string[]): TriesLeft | undefined {
  for (const body of bodiesOf(lines, '+QPINC')) {
    const [name, pin, puk] = fieldsOf(body)
    if (name?.text.toUpperCase() === 'SC') return found(plausible(numberOf(pin)), plausible(numberOf(puk)))
  }
  return undefined
}

/** Telit's `#PCT: 3`: of whatever the SIM asks for now, so nothing is known without its status. */
export function parsePct(lines: readonly string[], status: SimStatus | undefined): TriesLeft | undefined {
  const count = plausible(numberOf(fieldsOf(bodiesOf(lines, '#PCT').at(-1) ?? '')[0]))
  if (status === 'pin') return found(count, undefined)
  return status === 'puk' ? found(undefined, count) : undefined
}

function found(pin: number | undefined, puk: number | undefined): TriesLeft | undefined {
  if (pin === undefined && puk === undefined) return undefined
  return { ...(pin === undefined ? {} : { pin }), ...(puk === undefined ? {} : { puk }) }
}

function plausible(count: number | undefined): number | undefined {
  return count !== undefined && count >= 0 && count <= 10 ? count : undefined
}
