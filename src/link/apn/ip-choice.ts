/**
 * The kinds of address that one attempt asks for: both at once, or one alone where the network carries no context of both (3GPP
 * TS 24.008 §10.5.6.6, #28 and #50 to #52; others say #27, #32 or #33 to it). Used by `call.ts`.
 */

import type { AttemptEnd } from '../attempt-end.ts'
import type { Profile } from '../profile.ts'

export class IpChoice {
  readonly #wanted: Profile['ip']
  #ip: Profile['ip']
  #tried = new Set<Profile['ip']>()
  #isGuess = false
  /** One that was wrong is enough for an attempt: each is a dial. */
  #mayGuess = true

  constructor(wanted: Profile['ip']) {
    this.#wanted = wanted
    this.#ip = wanted
  }

  get ip(): Profile['ip'] {
    return this.#ip
  }

  /** One alone, where the profile would take both. */
  get isAlone(): boolean {
    return this.#ip !== this.#wanted
  }

  /** For the next access point; `known`: what worked with it and this SIM. */
  begin(known: Profile['ip'] | undefined): void {
    this.#ip = this.#wanted === '46' ? (known ?? '46') : this.#wanted
    this.#tried = new Set([this.#ip])
    this.#isGuess = false
  }

  /** Was it the kind of address that was refused? Then the same access point is dialled with the other. */
  take({ failure: { ipLimit }, stoodMs }: AttemptEnd): boolean {
    if (this.#wanted !== '46' || stoodMs !== undefined || !ipLimit) return false
    if (this.#isGuess) this.#mayGuess = false
    const { ip, isCertain } = ipLimit
    if (this.#tried.has(ip) || (!isCertain && (this.#ip !== '46' || !this.#mayGuess))) return false
    this.#ip = ip
    this.#tried.add(ip)
    this.#isGuess = !isCertain
    return true
  }
}
