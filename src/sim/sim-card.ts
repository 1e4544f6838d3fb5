/** The SIM as 3GPP TS 31.101 has it: a PIN with tries, a PUK with ten, and the end of both. Pure; the modem asks it. */

export type SimState = 'ready' | 'pin' | 'puk' | 'blocked' | 'absent'

export type SimAnswer = 'ok' | 'wrong' | 'not-allowed'

export interface SimSettings {
  readonly isInserted: boolean
  /** undefined: the SIM asks for none. */
  readonly pin: string | undefined
  readonly pinTries: number
  readonly puk: string
}

const PIN_TRIES = 3
const PUK_TRIES = 10

export class SimCard {
  readonly #puk: string
  #isInserted: boolean
  #pin: string
  #asksForPin: boolean
  #isVerified = false
  #pinTries: number
  #pukTries = PUK_TRIES
  #spentTries = 0
  #refusedTries = 0

  constructor(settings: SimSettings) {
    this.#puk = settings.puk
    this.#isInserted = settings.isInserted
    this.#pin = settings.pin ?? '0000'
    this.#asksForPin = settings.pin !== undefined
    this.#pinTries = settings.pinTries
  }

  get state(): SimState {
    if (!this.#isInserted) return 'absent'
    if (this.#pukTries === 0) return 'blocked'
    if (this.#pinTries === 0) return 'puk'
    return this.#asksForPin && !this.#isVerified ? 'pin' : 'ready'
  }

  get asksForPin(): boolean {
    return this.#asksForPin
  }

  get pinTries(): number {
    return this.#pinTries
  }

  get pukTries(): number {
    return this.#pukTries
  }

  /** How often a PIN was presented, and how often it was wrong: what a daemon must not waste. */
  get tries(): { readonly spent: number; readonly refused: number } {
    return { spent: this.#spentTries, refused: this.#refusedTries }
  }

  verifyPin(pin: string): SimAnswer {
    if (this.state !== 'pin') return 'not-allowed'
    const answer = this.#present(pin)
    this.#isVerified = answer === 'ok'
    return answer
  }

  unblock(puk: string, newPin: string): SimAnswer {
    if (this.state !== 'puk' && this.state !== 'pin') return 'not-allowed'
    if (puk !== this.#puk) {
      this.#pukTries--
      return 'wrong'
    }
    this.#pin = newPin
    this.#pinTries = PIN_TRIES
    this.#pukTries = PUK_TRIES
    this.#isVerified = true
    return 'ok'
  }

  changePin(oldPin: string, newPin: string): SimAnswer {
    if (!this.#asksForPin || this.state !== 'ready') return 'not-allowed'
    const answer = this.#present(oldPin)
    if (answer === 'ok') this.#pin = newPin
    return answer
  }

  /** +CLCK "SC": should the SIM ask at the next power-on? */
  askForPin(on: boolean, pin: string): SimAnswer {
    if (this.state !== 'ready') return 'not-allowed'
    const answer = this.#present(pin)
    if (answer !== 'ok') return answer
    this.#asksForPin = on
    this.#isVerified = true
    return 'ok'
  }

  powerCycle(): void {
    this.#isVerified = false
  }

  remove(): void {
    this.#isInserted = false
    this.#isVerified = false
  }

  #present(pin: string): SimAnswer {
    this.#spentTries++
    if (pin === this.#pin) {
      this.#pinTries = PIN_TRIES
      return 'ok'
    }
    this.#refusedTries++
    this.#pinTries--
    if (this.#pinTries === 0) this.#isVerified = false
    return 'wrong'
  }
}
