/** When the service centre got a message (3GPP TS 23.040 §9.2.3.11): local time and its distance from UTC. Pure; parse and emit. */

import type { ByteReader } from '../../base/bytes.ts'

export interface Timestamp {
  /** Since 1970, UTC. */
  readonly epochMs: number
  /** East of Greenwich. */
  readonly zoneMinutes: number
}

const QUARTER_MINUTES = 15
const MINUTE_MS = 60_000
/** UTC+14 and UTC−12 are the last there are; some service centres send rubbish. */
const WIDEST_ZONE_MINUTES = 14 * 60
/** Two digits: what is later than this is of the last century. */
const LAST_YEAR_OF_20XX = 79

/** `reader` is moved on by seven octets. undefined: the message ends before. `at` undefined: it names no moment. */
export function readTimestamp(reader: ByteReader): { readonly at: Timestamp | undefined } | undefined {
  const bytes = reader.take(7)
  return bytes && { at: timestampOf(bytes) }
}

function timestampOf(bytes: Uint8Array): Timestamp | undefined {
  const [year, month, day, hour, minute, second] = [...bytes.subarray(0, 6)].map(swapped)
  const fields = [year, month, day, hour, minute, second]
  if (fields.some((field) => field === undefined)) return undefined
  if (month! < 1 || month! > 12 || day! < 1 || day! > 31 || hour! > 24 || minute! > 59 || second! > 60) return undefined
  const zoneMinutes = zoneOf(bytes[6]!)
  const fullYear = year! + (year! <= LAST_YEAR_OF_20XX ? 2000 : 1900)
  const localMs = Date.UTC(fullYear, month! - 1, day, hour, minute, second)
  return { epochMs: localMs - zoneMinutes * MINUTE_MS, zoneMinutes }
}

/** Bit 3 of the first semi-octet is the sign. */
function zoneOf(byte: number): number {
  const quarters = swapped(byte & 0xf7)
  const minutes = (quarters ?? 0) * QUARTER_MINUTES
  if (minutes > WIDEST_ZONE_MINUTES) return 0
  return byte & 0x08 && minutes > 0 ? -minutes : minutes
}

export function timestampBytes({ epochMs, zoneMinutes }: Timestamp): Uint8Array {
  const local = new Date(epochMs + zoneMinutes * MINUTE_MS)
  const quarters = Math.round(Math.abs(zoneMinutes) / QUARTER_MINUTES)
  return Uint8Array.of(
    unswapped(local.getUTCFullYear() % 100),
    unswapped(local.getUTCMonth() + 1),
    unswapped(local.getUTCDate()),
    unswapped(local.getUTCHours()),
    unswapped(local.getUTCMinutes()),
    unswapped(local.getUTCSeconds()),
    unswapped(quarters) | (zoneMinutes < 0 ? 0x08 : 0),
  )
}

/** ISO 8601 with the zone: `2026-11-22T17:42:30+02:00`. */
export function timestampText({ epochMs, zoneMinutes }: Timestamp): string {
  const local = new Date(epochMs + zoneMinutes * MINUTE_MS).toISOString().slice(0, 19)
  const distance = Math.abs(zoneMinutes)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${local}${zoneMinutes < 0 ? '-' : '+'}${two(Math.floor(distance / 60))}:${two(distance % 60)}`
}

/** Two decimal digits, the second semi-octet first; undefined: no digits. */
function swapped(byte: number): number | undefined {
  const tens = byte & 0x0f
  const ones = byte >> 4
  return tens > 9 || ones > 9 ? undefined : tens * 10 + ones
}

function unswapped(value: number): number {
  return Math.floor(value / 10) | ((value % 10) << 4)
}
