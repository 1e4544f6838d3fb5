/** A token bucket for replies, so that a flood from the peer is not answered with a flood. Used by every reply path of PPP. */

export class RateLimit {
  readonly #burst: number
  readonly #perSecond: number
  #tokens: number
  #atMs = 0

  constructor(burst: number, perSecond: number) {
    this.#burst = burst
    this.#perSecond = perSecond
    this.#tokens = burst
  }

  /** Takes a token; false: there is none now. */
  allows(nowMs: number): boolean {
    const earned = (Math.max(0, nowMs - this.#atMs) * this.#perSecond) / 1000
    this.#tokens = Math.min(this.#burst, this.#tokens + earned)
    this.#atMs = nowMs
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }
}

/** What a control protocol may be made to do, apart from each other: a flood of one kind does not stop the others. */
export type ReplyKind = 'negotiation' | 'terminate' | 'reject' | 'echo'

export class ReplyLimits {
  readonly #limits: Readonly<Record<ReplyKind, RateLimit>> = {
    negotiation: new RateLimit(50, 20),
    terminate: new RateLimit(10, 5),
    reject: new RateLimit(5, 1),
    echo: new RateLimit(10, 10),
  }

  allows(kind: ReplyKind, nowMs: number): boolean {
    return this.#limits[kind].allows(nowMs)
  }
}
