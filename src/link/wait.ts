/** Waiting for something that a listener tells of, with an end from outside and, where somebody waits for the answer, a limit. */

import type { Failure } from '../base/cause.ts'
import type { Cancel, Clock } from '../base/ports.ts'

export interface Wait<T> {
  readonly clock: Clock
  /** Aborted: `until` rejects with its reason. */
  readonly signal: AbortSignal
  /** undefined: none, and then no timer runs. */
  readonly limitMs?: number | undefined
  readonly listen: (check: () => void) => Cancel
  /** Asked at once and whenever the listener hears something; undefined: not yet. */
  readonly check: () => T | undefined
  /** What `until` rejects with when the limit passes, or resolves with where that is no error. */
  readonly late?: (limitMs: number) => Error | T
}

export function until<T>({ clock, signal, limitMs, listen, check, late }: Wait<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const now = check()
    if (now !== undefined) return resolve(now)

    const ends: Cancel[] = []
    const finish = (settle: () => void) => {
      for (const end of ends) end()
      settle()
    }
    const onAbort = () => finish(() => reject(signal.reason))
    signal.addEventListener('abort', onAbort, { once: true })
    ends.push(() => signal.removeEventListener('abort', onAbort))
    if (limitMs !== undefined && late)
      ends.push(
        clock.at(clock.nowMs() + limitMs, () => {
          const end = late(limitMs)
          finish(() => (end instanceof Error ? reject(end) : resolve(end)))
        }),
      )
    ends.push(
      listen(() => {
        const value = check()
        if (value !== undefined) finish(() => resolve(value))
      }),
    )
  })
}

/** The failure of one who waited too long. */
export function waited({ cause, detail }: Failure, limitMs: number): Failure {
  return { cause, detail: `${detail}, after ${limitMs / 1000} s of waiting` }
}
