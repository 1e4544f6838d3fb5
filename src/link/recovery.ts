/**
 * The recovery ladder: what is tried with a modem when dialling again does not help. Pure: which failures climb it, when the
 * next rung is due, when it is given up. `recovery-desk.ts` keeps a ladder for each modem and does what it says.
 */

import type { Cause } from '../base/cause.ts'

/** The gentlest first; each stronger one makes the modem forget more. */
export const RUNGS = ['radio', 'reset', 'usb-port', 'power'] as const
export type Rung = (typeof RUNGS)[number]

/** What each does, for people: `the radio was switched off and on`. */
export const RUNG_TEXTS: Readonly<Record<Rung, { readonly doing: string; readonly done: string }>> = {
  radio: { doing: 'the radio is switched off and on', done: 'the radio was switched off and on' },
  reset: { doing: 'the modem is reset', done: 'the modem was reset' },
  'usb-port': { doing: 'its USB port is reset', done: 'its USB port was reset' },
  power: { doing: 'its power is switched off and on', done: 'its power was switched off and on' },
}

/** Of one modem, whichever links use it. */
export interface Ladder {
  /** Failures in a row that a restart may cure, since the last rung. */
  readonly failures: number
  /** The last that was climbed; undefined: none. */
  readonly rung: Rung | undefined
  /** When each was climbed last, in this row or an earlier one. */
  readonly climbedMs: Readonly<Partial<Record<Rung, number>>>
}

export const AT_THE_FOOT: Ladder = { failures: 0, rung: undefined, climbedMs: {} }

/** A rung is climbed at most this often. */
export const RUNG_PAUSE_MS = 600_000

/** What a modem that is stuck looks like. Never what SIM, account, access point or a person is the reason of. */
const CURABLE: ReadonlySet<Cause> = new Set<Cause>([
  'modem-silent',
  'modem-error',
  'no-network',
  'no-carrier',
  'no-dialtone',
  'call-rejected',
  'dial-timeout',
  'lcp-timeout',
  'loopback',
  'no-address',
  'echo-lost',
])
/** Where it was never up: a modem that says CONNECT and drops the call. */
const CURABLE_BEFORE_UP: ReadonlySet<Cause> = new Set<Cause>(['hung-up'])

/** The modem itself is at fault: where nothing cured it, nothing will. Other causes may be the network's, which comes back. */
const HOPELESS: ReadonlySet<Cause> = new Set<Cause>(['modem-silent', 'modem-error'])

export function isCurable(cause: Cause, wasUp: boolean): boolean {
  return CURABLE.has(cause) || (!wasUp && CURABLE_BEFORE_UP.has(cause))
}

export function withFailure(ladder: Ladder): Ladder {
  return { ...ladder, failures: ladder.failures + 1 }
}

export function withRung(ladder: Ladder, rung: Rung, nowMs: number): Ladder {
  return { failures: 0, rung, climbedMs: { ...ladder.climbedMs, [rung]: nowMs } }
}

/** A success, a re-plugging, a person who asks: the row is over. Not the pause of the rungs. */
export function backToTheFoot({ climbedMs }: Ladder): Ladder {
  return { ...AT_THE_FOOT, climbedMs }
}

/** The next rung above that can be climbed here; `pause`: it was climbed not long ago; undefined: there is none above. */
export function rungAbove(ladder: Ladder, possible: ReadonlySet<Rung>, nowMs: number): Rung | 'pause' | undefined {
  const from = ladder.rung === undefined ? 0 : RUNGS.indexOf(ladder.rung) + 1
  const next = RUNGS.slice(from).find((rung) => possible.has(rung))
  if (next === undefined) return undefined
  const lastMs = ladder.climbedMs[next]
  return lastMs !== undefined && nowMs - lastMs < RUNG_PAUSE_MS ? 'pause' : next
}

export interface NextRung {
  readonly rung: Rung
  /** So many failures in a row until it is climbed; 0: before the next attempt. */
  readonly afterFailures: number
}

/** What comes where it goes on failing. Judged before the rung that is due is climbed. */
export function nextRung(
  ladder: Ladder,
  resetAfter: number,
  possible: ReadonlySet<Rung>,
  nowMs: number,
): NextRung | undefined {
  const rung = rungAbove(ladder, possible, nowMs)
  if (rung === undefined || rung === 'pause') return undefined
  return { rung, afterFailures: Math.max(0, resetAfter - ladder.failures) }
}

export type Verdict = { readonly kind: 'redial' } | { readonly kind: 'climb'; readonly rung: Rung } | GivenUp
export interface GivenUp {
  readonly kind: 'give-up'
  readonly reason: string
}

/** What follows a failure that was counted. `resetAfter`: so many in a row make the next rung due. */
export function judgeLadder(
  ladder: Ladder,
  cause: Cause,
  {
    resetAfter,
    possible,
    nowMs,
  }: { readonly resetAfter: number; readonly possible: ReadonlySet<Rung>; readonly nowMs: number },
): Verdict {
  if (ladder.failures < resetAfter) return { kind: 'redial' }
  const rung = rungAbove(ladder, possible, nowMs)
  if (rung === 'pause') return { kind: 'redial' }
  if (rung !== undefined) return { kind: 'climb', rung }
  if (!HOPELESS.has(cause)) return { kind: 'redial' }
  const tried = ladder.rung === undefined ? '' : `, also after ${RUNG_TEXTS[ladder.rung].done}`
  return { kind: 'give-up', reason: `given up until it is re-plugged or asked for: ${cause}${tried}` }
}
