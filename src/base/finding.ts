/** One result of a check of the machine: `mmctl doctor` and Manager1.Diagnose. */

/** `warn`: it may be in the way; `fault`: with it something does not work. */
export const FINDING_STATES = ['ok', 'warn', 'fault'] as const

export interface Finding {
  /** What was looked at: `lock files`, `link internet`. */
  readonly check: string
  readonly state: (typeof FINDING_STATES)[number]
  /** What was seen, one sentence without a full stop. */
  readonly detail: string
  /** How to mend it; '' where there is nothing to mend. */
  readonly advice: string
}

export function ok(check: string, detail: string): Finding {
  return { check, state: 'ok', detail, advice: '' }
}

export function warn(check: string, detail: string, advice: string): Finding {
  return { check, state: 'warn', detail, advice }
}

export function fault(check: string, detail: string, advice: string): Finding {
  return { check, state: 'fault', detail, advice }
}
