/** The access points that the network refused in one attempt, and what that makes of the attempt. Used by `call.ts`. */

import type { Cause } from '../../base/cause.ts'
import type { AttemptEnd } from '../attempt-end.ts'
import type { Profile } from '../profile.ts'
import type { ApnCandidate } from './candidates.ts'

export class ApnRefusals {
  readonly #profile: Pick<Profile, 'apn' | 'username'>
  readonly #refused: { readonly candidate: ApnCandidate; readonly end: AttemptEnd }[] = []

  constructor(profile: Pick<Profile, 'apn' | 'username'>) {
    this.#profile = profile
  }

  get apns(): readonly string[] {
    return this.#refused.map(({ candidate }) => candidate.apn)
  }

  /** Was it the access point that was refused? Then the next may have its turn. */
  take(candidate: ApnCandidate, end: AttemptEnd): boolean {
    if (end.stoodMs !== undefined || !this.#isRefusal(end.failure.cause)) return false
    this.#refused.push({ candidate, end })
    return true
  }

  /** All were refused: the first, which was the likeliest, gives the cause, and all are named. */
  get end(): AttemptEnd {
    const first = this.#refused[0]
    const last = this.#refused.at(-1)
    if (!first || !last) return { failure: { cause: 'internal', detail: 'there was no APN to try' } }
    const { cause, detail } = first.end.failure
    if (this.#refused.length > 1) {
      const all = this.#refused.map(({ candidate, end }) => `${nameOf(candidate)} (${shortened(end.failure.detail)})`)
      return { ...last.end, failure: { cause, detail: `the network accepted no APN: ${all.join(', ')}` } }
    }
    const isApn = cause === 'apn-refused'
    return { ...last.end, failure: { cause, detail: isApn ? `${describeApn(first.candidate)}: ${detail}` : detail } }
  }

  /** A user and a password that are not the profile's came with the access point, or lacked with it. */
  #isRefusal(cause: Cause): boolean {
    const { apn, username } = this.#profile
    return cause === 'apn-refused' || (cause === 'auth-refused' && apn === 'auto' && username === '')
  }
}

const SOURCES: Readonly<Record<ApnCandidate['source'], string>> = {
  given: '',
  remembered: ', which worked last',
  database: '',
  network: '',
}

/** `the APN web.example of Example Mobile`. */
export function describeApn({ apn, source, provider }: ApnCandidate): string {
  if (apn === '') return `the network's own APN${SOURCES[source]}`
  return `the APN ${apn}${provider === '' ? '' : ` of ${provider}`}${SOURCES[source]}`
}

function nameOf({ apn }: ApnCandidate): string {
  return apn === '' ? "the network's own" : apn
}

/** Without the command, which is the same every time. */
function shortened(detail: string): string {
  return detail.replace(/ to ATD\S*?(?=;|$)/, '')
}
