/**
 * Sentences of a satellite receiver (NMEA 0183 §6: GGA, RMC, GLL, of whatever constellation: GP, GL, GA, GN, BD …) → a position. A
 * sentence without its checksum, or with a wrong one, says nothing. Pure; used by `location.ts`.
 */

import { isSentence } from '../../nmea.ts'

export interface NmeaPosition {
  /** Milliseconds of the day in UTC. */
  readonly timeOfDayMs?: number | undefined
  /** 1970 to the day's midnight in UTC, of RMC. */
  readonly dayMs?: number | undefined
  /** Degrees; undefined: the receiver has no fix. */
  readonly latitude?: number | undefined
  readonly longitude?: number | undefined
  /** Metres above the sea. */
  readonly altitude?: number | undefined
  /** Metres a second. */
  readonly speed?: number | undefined
  readonly course?: number | undefined
  readonly satellites?: number | undefined
  readonly hdop?: number | undefined
}

const KNOT = 0.514444

/** undefined: not a sentence, damaged, or of another kind. */
export function parseNmea(line: string): NmeaPosition | undefined {
  const start = line.indexOf('$')
  const text = line.slice(start).trim()
  if (start < 0 || !isSentence(text)) return undefined
  const [head = '', ...fields] = text.slice(1, text.lastIndexOf('*')).split(',')
  switch (head.slice(-3)) {
    case 'GGA':
      return gga(fields)
    case 'RMC':
      return rmc(fields)
    case 'GLL':
      return gll(fields)
    default:
      return undefined
  }
}

/** time, latitude, N, longitude, E, quality, satellites, HDOP, altitude, M, … */
function gga([time, lat, ns, lon, ew, quality, satellites, hdop, altitude, unit]: readonly string[]): NmeaPosition {
  const known = { ...timeOf(time), ...optional('satellites', numberIn(satellites, 0, 99)) }
  if (numberIn(quality, 1, 8) === undefined) return known
  return {
    ...known,
    ...placeOf(lat, ns, lon, ew),
    ...optional('hdop', numberIn(hdop, 0, 99)),
    ...(unit === 'M' ? optional('altitude', numberIn(altitude, -1000, 100_000)) : {}),
  }
}

/** time, status, latitude, N, longitude, E, knots, course, date, … */
function rmc([time, status, lat, ns, lon, ew, knots, course, date]: readonly string[]): NmeaPosition {
  const known = { ...timeOf(time), ...dayOf(date) }
  if (status !== 'A') return known
  const speed = numberIn(knots, 0, 5000)
  return {
    ...known,
    ...placeOf(lat, ns, lon, ew),
    ...optional('speed', speed === undefined ? undefined : Math.round(speed * KNOT * 100) / 100),
    ...optional('course', numberIn(course, 0, 360)),
  }
}

/** latitude, N, longitude, E, time, status, … */
function gll([lat, ns, lon, ew, time, status]: readonly string[]): NmeaPosition {
  return { ...timeOf(time), ...(status === 'A' ? placeOf(lat, ns, lon, ew) : {}) }
}

/** Both or none. */
function placeOf(lat = '', ns = '', lon = '', ew = ''): Pick<NmeaPosition, 'latitude' | 'longitude'> {
  const latitude = degreesOf(lat, 2, 90)
  const longitude = degreesOf(lon, 3, 180)
  if (latitude === undefined || longitude === undefined || !/^[NS]$/.test(ns) || !/^[EW]$/.test(ew)) return {}
  return { latitude: ns === 'S' ? -latitude : latitude, longitude: ew === 'W' ? -longitude : longitude }
}

/** `4807.038` is 48° 7.038'. */
function degreesOf(text: string, digits: 2 | 3, most: number): number | undefined {
  const match = new RegExp(`^(\\d{${digits}})(\\d{2}(?:\\.\\d{1,9})?)$`).exec(text)
  if (!match || Number(match[2]) >= 60) return undefined
  const degrees = Number(match[1]) + Number(match[2]) / 60
  return degrees <= most ? Math.round(degrees * 1e7) / 1e7 : undefined
}

function timeOf(text = ''): Pick<NmeaPosition, 'timeOfDayMs'> {
  const match = /^(\d{2})(\d{2})(\d{2}(?:\.\d{1,6})?)$/.exec(text)
  if (!match) return {}
  const [hour, minute, second] = match.slice(1).map(Number) as [number, number, number]
  if (hour > 23 || minute > 59 || second >= 61) return {}
  return { timeOfDayMs: (hour * 60 + minute) * 60_000 + Math.round(second * 1000) }
}

/** `230394`; receivers know no other century than ours. */
function dayOf(text = ''): Pick<NmeaPosition, 'dayMs'> {
  const match = /^(\d{2})(\d{2})(\d{2})$/.exec(text)
  if (!match) return {}
  const [day, month, year] = match.slice(1).map(Number) as [number, number, number]
  const dayMs = Date.UTC(2000 + year, month - 1, day)
  const date = new Date(dayMs)
  return date.getUTCDate() === day && date.getUTCMonth() === month - 1 ? { dayMs } : {}
}

function numberIn(text: string | undefined, least: number, most: number): number | undefined {
  if (!text || !/^-?\d{1,9}(\.\d{1,9})?$/.test(text)) return undefined
  const value = Number(text)
  return value >= least && value <= most ? value : undefined
}

function optional<K extends keyof NmeaPosition>(name: K, value: number | undefined): Pick<NmeaPosition, K> {
  return (value === undefined ? {} : { [name]: value }) as Pick<NmeaPosition, K>
}
