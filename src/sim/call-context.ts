/**
 * The packet context of a modem's call: which one, whether it is up, and +CGEV that tells of it (3GPP TS 27.007 §10.1.19). Used by
 * `modem-state.ts`.
 */

/** Who ended it: the modem, on its host's behalf or its own, or the network. */
export type Party = 'ME' | 'NW'

export interface CallContextOptions {
  readonly isLte: boolean
  /** `IP`, `IPV6` or `IPV4V6`. */
  typeOf(cid: number): string
  say(line: string, nowMs: number): void
}

export class CallContext {
  readonly #options: CallContextOptions
  /** Of the call that stands or stood last. */
  cid = 0
  /** false: nothing goes through any more, whatever the line does. */
  isUp = false

  constructor(options: CallContextOptions) {
    this.#options = options
  }

  begin(cid: number, nowMs: number): void {
    this.cid = cid
    this.isUp = true
    // Before LTE there are reports of the end alone.
    if (this.#options.isLte) this.#options.say(`+CGEV: ME PDN ACT ${cid}`, nowMs)
  }

  end(by: Party, nowMs: number): void {
    if (!this.isUp) return
    this.isUp = false
    const { isLte, typeOf, say } = this.#options
    const what = isLte ? `PDN DEACT ${this.cid}` : `DEACT "${typeOf(this.cid)}","",${this.cid}`
    say(`+CGEV: ${by} ${what}`, nowMs)
  }

  /** All contexts go with the network, and are not told of one by one. */
  detach(by: Party, nowMs: number): void {
    this.isUp = false
    this.#options.say(`+CGEV: ${by} DETACH`, nowMs)
  }
}
