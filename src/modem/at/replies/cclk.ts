/**
 * Clocks: +CCLK, +CTZV, +CTZE, +CTZEU and the vendors' forms of the network's time (3GPP TS 27.007 §8.15, §8.40 to §8.42;
 * ^NWTIME, #NITZ, #CCLK, *PSUTTZ, +QLTS, +NITZ). Used by the time feature.
 */

import { bodiesOf, fieldsOf } from './fields.ts'

export interface ModemTime {
  /** The date and time as written, in ms since 1970 as if they were UTC; undefined where the line has a zone alone. */
  readonly wallMs?: number | undefined
  /** Minutes east of UTC, summer time included; undefined where the line does not say. */
  readonly offsetMinutes?: number | undefined
  /** Hours of summer time in the offset: 0, 1, 2. */
  readonly daylightHours?: number | undefined
  /** The time is UTC; else it is local time. */
  readonly isUtc: boolean
}

/** `+CCLK: "24/01/31,12:00:00+04"`, a year of four digits, quotes, seconds or zone missing. Local time. */
export function parseCclk(lines: readonly string[]): ModemTime | undefined {
  return localOf(bodiesOf(lines, '+CCLK', '#CCLK', '+QLTS').at(-1))
}

/**
 * `+CTZV: +08`, `+CTZV: "+08",1`, `+CTZV: +08,"24/01/31,12:00:00"` and `+CTZE: "+08",1,"2024/01/31,12:00:00"`: zone in quarters of
 * an hour, summer time, local time; `+CTZEU` has UTC.
 */
export function parseCtzv(lines: readonly string[]): ModemTime | undefined {
  const body = bodiesOf(lines, '+CTZV', '+CTZE', '+CTZEU', '+CTZR').at(-1)
  const zone = body === undefined ? null : /^\s*"?\s*([+-]?\d{1,3})\s*"?\s*(?:,|$)/.exec(body)
  if (!body || !zone) return body === undefined ? undefined : localOf(body)
  const offsetMinutes = offsetOf(zone[1]!)
  if (offsetMinutes === undefined) return undefined
  const rest = body.slice(zone[0].length)
  const wallMs = wallOf(rest)
  const daylight = /^\s*"?([0-2])"?\s*(?:,|$)/.exec(wallMs === undefined ? rest : rest.replace(DATE, ''))
  return {
    offsetMinutes,
    ...(wallMs === undefined ? {} : { wallMs }),
    ...(daylight ? { daylightHours: Number(daylight[1]) } : {}),
    isUtc: bodiesOf(lines, '+CTZEU').at(-1) === body,
  }
}

/** Huawei's `^NWTIME: 24/01/31,12:00:00+04,00`: local time, zone, summer time; and `^TIME`, which has no zone. */
export function parseNwtime(lines: readonly string[]): ModemTime | undefined {
  return localOf(bodiesOf(lines, '^NWTIME', '^TIME').at(-1))
}

/** Telit's `#NITZ: "24/01/31,12:00:00+04,0"`, SIMCom's `*PSUTTZ: 2024,1,31,12,0,0,"+4",0`, Cinterion's `+CTZU: "24/01/31,12:00:00",+04,1`, `+NITZ: …`. */
export function parseNitz(lines: readonly string[]): ModemTime | undefined {
  const parts = bodiesOf(lines, '*PSUTTZ').at(-1)
  if (parts === undefined) return localOf(bodiesOf(lines, '#NITZ', '+NITZ', '+QNITZ', '+ZNITZ', '+CTZU').at(-1))
  if (wallOf(parts) !== undefined) return psuttzOf(parts)
  const [year, month, day, hour, minute, second, zone, daylight] = fieldsOf(parts).map(({ text }) => text)
  const numbers = [year, month, day, hour, minute, second].map((text) => Number(text || Number.NaN))
  const wallMs = utcOf(numbers)
  if (wallMs === undefined) return undefined
  const offsetMinutes = offsetOf(zone ?? '')
  return {
    wallMs,
    ...(offsetMinutes === undefined ? {} : { offsetMinutes }),
    ...(/^[0-2]$/.test(daylight ?? '') ? { daylightHours: Number(daylight) } : {}),
    isUtc: true,
  }
}

/** The A76XX's form, `24/01/31,12:00:00","+04",0` with its lost quote. */
function psuttzOf(body: string): ModemTime {
  const behind = /"\s*([+-]\d{1,2})\s*"?\s*(?:,\s*([0-2]))?/.exec(body)
  const offsetMinutes = offsetOf(behind?.[1] ?? '')
  return {
    wallMs: wallOf(body),
    ...(offsetMinutes === undefined ? {} : { offsetMinutes }),
    ...(behind?.[2] === undefined ? {} : { daylightHours: Number(behind[2]) }),
    isUtc: true,
  }
}

/** Milliseconds since 1970 in UTC; undefined where the line says not enough. */
export function utcMsOf({ wallMs, offsetMinutes, isUtc }: ModemTime): number | undefined {
  if (wallMs === undefined) return undefined
  if (isUtc) return wallMs
  return offsetMinutes === undefined ? undefined : wallMs - offsetMinutes * 60_000
}

const DATE =
  /(\d{4}|\d{1,2})[/.-](\d{1,2})[/.-](\d{1,2})\s*[,T ]\s*(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?(?:\.\d+)?\s*(Z|"?\s*,?\s*"?[+-]\s*\d{1,3})?\s*(?:,\s*"?(\d{1,2})"?\s*)?"?/

function localOf(body: string | undefined): ModemTime | undefined {
  const match = DATE.exec(body ?? '')
  const wallMs = match && wallOf(match[0])
  if (!match || wallMs === undefined || wallMs === null) return undefined
  const offsetMinutes = offsetOf(match[7]?.replace(/[",\s]/g, '') ?? '')
  const daylight = match[8] === undefined ? undefined : Number(match[8])
  return {
    wallMs,
    ...(offsetMinutes === undefined ? {} : { offsetMinutes }),
    ...(daylight === undefined || daylight > 2 ? {} : { daylightHours: daylight }),
    isUtc: match[7] === 'Z',
  }
}

function wallOf(text: string): number | undefined {
  const match = DATE.exec(text)
  return match ? utcOf(match.slice(1, 7).map((part) => Number(part ?? 0))) : undefined
}

function utcOf([year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0]: readonly number[]):
  | number
  | undefined {
  const isDate = month >= 1 && month <= 12 && day >= 1 && day <= 31
  if (!isDate || !(hour <= 23 && minute <= 59 && second <= 60)) return undefined
  // Modems whose clock was never set begin in 1980 or 2000: 80 is 1980.
  const whole = year >= 100 ? year : year + (year >= 70 ? 1900 : 2000)
  const ms = Date.UTC(whole, month - 1, day, hour, minute, second)
  return new Date(ms).getUTCDate() === day || second === 60 ? ms : undefined
}

/** Quarters of an hour to minutes; no place is further than 14 hours from UTC. */
function offsetOf(text: string): number | undefined {
  if (text === 'Z') return 0
  const match = /^"?\s*([+-]?)\s*(\d{1,3})\s*"?$/.exec(text)
  if (!match || Number(match[2]) > 56) return undefined
  const minutes = Number(match[2]) * 15
  return match[1] === '-' && minutes > 0 ? -minutes : minutes
}
