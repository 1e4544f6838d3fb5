/** What `usage.json` holds, to text and back. Pure; `ledger.ts` reads and writes the file. */

import { profileNameFault } from '../../base/values.ts'

export interface MonthCount {
  readonly rxBytes: number
  readonly txBytes: number
}

/** By month (`2026-11`). */
export type MonthCounts = Map<string, MonthCount>

export interface UsageState {
  /** By profile. */
  readonly profiles: Map<string, MonthCounts>
  /** Milliseconds since 1970 that were surely past when it was written. */
  readonly leastMs: number
}

export interface ReadUsage extends UsageState {
  /** Was there anything that is none of ours? */
  readonly isDamaged: boolean
}

/** The latest of each profile; and so many profiles, those with the latest months. */
const MOST_MONTHS = 12
const MOST_PROFILES = 500

export function formatUsage({ profiles, leastMs }: UsageState): string {
  const latestOf = (counts: MonthCounts) => [...counts.keys()].sort().at(-1) ?? ''
  const kept = [...profiles].sort(([, a], [, b]) => (latestOf(a) < latestOf(b) ? 1 : -1)).slice(0, MOST_PROFILES)
  const content = kept.map(([name, counts]) => [name, Object.fromEntries([...counts].sort().slice(-MOST_MONTHS))])
  return `${JSON.stringify({ version: 1, leastMs: Math.round(leastMs), profiles: Object.fromEntries(content) }, undefined, 1)}\n`
}

/** What is sound of it. */
export function readUsage(text: string): ReadUsage {
  const content = objectOf(parsed(text))
  const { leastMs = 0 } = content ?? {}
  const isTime = typeof leastMs === 'number' && leastMs >= 0 && leastMs < 1e15
  const entries = Object.entries(objectOf(content?.profiles) ?? {})
  const sound = entries.flatMap(([name, value]) => {
    const counts = countsOf(value)
    return profileNameFault(name) === undefined && counts ? [[name, counts] as const] : []
  })
  return {
    profiles: new Map(sound),
    leastMs: isTime ? leastMs : 0,
    isDamaged: objectOf(content?.profiles) === undefined || !isTime || sound.length < entries.length,
  }
}

function countsOf(value: unknown): MonthCounts | undefined {
  const entries = Object.entries(objectOf(value) ?? {})
  const sound = entries.flatMap(([month, each]) => {
    const { rxBytes, txBytes } = objectOf(each) ?? {}
    return /^\d{4}-\d{2}$/.test(month) && isCount(rxBytes) && isCount(txBytes)
      ? [[month, { rxBytes, txBytes }] as const]
      : []
  })
  return objectOf(value) && sound.length === entries.length ? new Map(sound) : undefined
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
