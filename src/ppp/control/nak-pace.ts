/** How long to wait with a request that would only repeat what the peer just refused. Used by `automaton.ts`. */

/** A Nak that changes nothing is answered later and later: a modem repeats it until its network is there. */
const PACES_MS = [0, 500, 500, 750, 750, 1000]

export class NakPace {
  #naksWithoutChange = 0

  reset(): void {
    this.#naksWithoutChange = 0
  }

  /** Milliseconds until the next request, which is `isUnchanged` by the Nak. */
  afterNak(isUnchanged: boolean): number {
    this.#naksWithoutChange = isUnchanged ? this.#naksWithoutChange + 1 : 0
    return isUnchanged ? PACES_MS[Math.min(this.#naksWithoutChange, PACES_MS.length) - 1]! : 0
  }
}
