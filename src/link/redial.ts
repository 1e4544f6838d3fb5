/**
 * When a link that failed is dialled again: a pure rule of cause, failures in a row, the profile's `[redial]` and chance.
 * Whatever a profile says, the delays grow (DESIGN §7.8): an operator that is away for an hour sees fewer than 60 dials of a modem
 * (`dial-gate.ts`, where several links have it). `link.ts` calls it; `causes.ts` holds the rule of each cause, the configuration replaces single ones.
 */

import type { Cause } from '../base/cause.ts'

/** `stop`, or a delay that starts at `firstMs`, grows by `factor` with each failure in a row, up to `longestMs`. */
export type RedialRule = 'stop' | { readonly firstMs: number; readonly factor: number; readonly longestMs: number }

export type RedialRules = Readonly<Partial<Record<Cause, RedialRule>>>

export type RedialDecision =
  | { readonly action: 'stop'; readonly reason: string }
  | { readonly action: 'wait'; readonly delayMs: number; readonly reason: string }

/** A link that stood this long was a success: the failures before it count no more. */
const SUCCESS_MS = 60_000

/** `stoodMs` undefined: it never was up. */
export function isSuccess(stoodMs: number | undefined): boolean {
  return stoodMs !== undefined && stoodMs >= SUCCESS_MS
}

/** The jitter takes up to this part of the delay away, so that `longestMs` is never passed and a crowd of modems spreads. */
const JITTER = 0.2

const FIRST_FLOOR_MS = 50
const LAST_FLOOR_MS = 100_000
const LONGEST_MS = 86_400_000

/** No rule waits less than this: 50 ms after the first failure, twice as long after each more, 100 s from the twelfth on. */
export function shortestDelayMs(failuresInARow: number): number {
  return Math.min(LAST_FLOOR_MS, FIRST_FLOOR_MS * 2 ** (Math.max(1, failuresInARow) - 1))
}

/** What is left of that by the jitter. */
export function leastPauseMs(failuresInARow: number): number {
  return shortestDelayMs(failuresInARow) * (1 - JITTER)
}

/** `fraction` is a random number in [0, 1). `failuresInARow` counts this failure too, so it starts at 1. */
export function decideRedial(cause: Cause, failuresInARow: number, rule: RedialRule, fraction: number): RedialDecision {
  if (rule === 'stop') return { action: 'stop', reason: `${cause} is not tried again by itself` }
  const { firstMs, factor, longestMs } = rule
  const grownMs = Math.max(1, firstMs) * Math.max(1, factor) ** (Math.max(1, failuresInARow) - 1)
  const wishedMs = Math.min(grownMs, Math.max(firstMs, longestMs), LONGEST_MS)
  const fullMs = Math.max(shortestDelayMs(failuresInARow), wishedMs)
  const delayMs = Math.ceil(fullMs * (1 - JITTER * fraction))
  return { action: 'wait', delayMs, reason: `${cause}, ${ordinal(failuresInARow)} failure in a row` }
}

function ordinal(count: number): string {
  const isTeen = count % 100 >= 11 && count % 100 <= 13
  const ending = isTeen ? 'th' : (['th', 'st', 'nd', 'rd'][count % 10] ?? 'th')
  return `${count}${ending}`
}
