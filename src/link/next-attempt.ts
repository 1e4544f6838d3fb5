/**
 * What follows a failed attempt: a pure rule of how it ended, the profile, the failures before, and what the recovery ladder says.
 * `link.ts` does it.
 */

import type { AttemptEnd } from './attempt-end.ts'
import { CAUSE_TABLE } from './causes.ts'
import type { Profile } from './profile.ts'
import { RUNG_TEXTS, type Rung, type Verdict } from './recovery.ts'
import { decideRedial, shortestDelayMs } from './redial.ts'

export interface Course {
  readonly profile: Profile
  /** Goes on after a failure: it was up, or connects by itself. */
  readonly isLasting: boolean
  /** With this one. */
  readonly failuresInARow: number
  readonly recovery: Verdict
}

export type Next =
  /** Nothing, until somebody asks. */
  | { readonly kind: 'end'; readonly state: 'failed' }
  /** Without a timer: a change of the modem, or another modem. */
  | { readonly kind: 'blocked'; readonly state: 'failed' | 'waiting'; readonly leastMs: number }
  /** Until a modem is ready anew. */
  | { readonly kind: 'given-up'; readonly state: 'failed'; readonly reason: string; readonly leastMs: number }
  /** With `rung`: after that is climbed, and the delay. */
  | { readonly kind: 'redial'; readonly delayMs: number; readonly reason: string; readonly rung?: Rung | undefined }

export function whatFollows(end: AttemptEnd, course: Course, fraction: number): Next {
  const { profile, isLasting, failuresInARow, recovery } = course
  const { cause, isPermanent } = end.failure
  const { permanent, redial } = CAUSE_TABLE[cause]
  if (!isLasting) return { kind: 'end', state: 'failed' }
  // A modem that is silent is asked again by itself, and a restart may help it: that is no wait for somebody to act.
  if (end.isBlocked && cause !== 'modem-silent') {
    // What blocks may come and go again and again, too.
    const leastMs = failuresInARow === 1 ? 0 : shortestDelayMs(failuresInARow - 1)
    return { kind: 'blocked', state: permanent || isPermanent ? 'failed' : 'waiting', leastMs }
  }
  const rule = isPermanent || refusesOptions(end, profile) ? 'stop' : (profile.redial[cause] ?? redial)
  const decision = decideRedial(cause, failuresInARow, rule, fraction)
  if (decision.action === 'stop') return { kind: 'end', state: 'failed' }
  const { delayMs, reason } = decision
  switch (recovery.kind) {
    case 'redial':
      return { kind: 'redial', delayMs, reason }
    case 'climb':
      return {
        kind: 'redial',
        delayMs,
        reason: `${reason}: ${RUNG_TEXTS[recovery.rung].doing} before`,
        rung: recovery.rung,
      }
    case 'give-up':
      return { kind: 'given-up', state: 'failed', reason: recovery.reason, leastMs: delayMs }
  }
}

/** pppd(8), EXIT STATUS. */
const PPPD_OPTIONS_REFUSED = 2

/** It will say the same to the profile's own options each time. */
function refusesOptions({ failure, pppExit }: AttemptEnd, { pppdOptions }: Profile): boolean {
  return failure.cause === 'pppd-failed' && pppExit === PPPD_OPTIONS_REFUSED && pppdOptions !== ''
}
