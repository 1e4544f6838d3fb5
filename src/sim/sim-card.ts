/**
 * The SIM's slot and the cards that were in it, as 3GPP TS 31.101 has them: a PIN with tries, a PUK with ten, and the end of both; PIN2
 * and PUK2 beside them. Each card keeps its counters while another is in. Pure; the modem asks it.
 */

export type SimState = 'ready' | 'pin' | 'puk' | 'blocked' | 'absent'

/** What +CPIN says of a SIM in an unasked line. */
export const PIN_TEXT = {
  ready: 'READY',
  pin: 'SIM PIN',
  puk: 'SIM PUK',
  blocked: 'SIM PUK',
  absent: 'NOT INSERTED',
} as const

export type SimAnswer = 'ok' | 'wrong' | 'not-allowed'

export interface SimSettings {
  readonly isInserted: boolean
  /** undefined: the SIM asks for none. */
  readonly pin: string | undefined
  readonly pinTries: number
  readonly puk: string
}

/** What came from the host, for tests of who wasted a try. */
export interface Presented {
  /** Of the card; undefined: the first one. */
  readonly iccid: string | undefined
  readonly kind: 'pin' | 'puk' | 'pin2' | 'puk2'
  readonly digits: string
  readonly answer: 'ok' | 'wrong'
  /** Before it was presented. */
  readonly triesLeft: number
}

const PIN_TRIES = 3
const PUK_TRIES = 10
const PIN2 = '5678'

/** A number with its tries, and the one that sets it anew. */
interface Code {
  pin: string
  readonly puk: string
  tries: number
  pukTries: number
}

interface Card {
  readonly iccid: string | undefined
  readonly first: Code
  readonly second: Code
  asksForPin: boolean
  isVerified: boolean
}

export class SimCard {
  readonly #settings: SimSettings
  /** By number; the one of the start has none of its own. */
  readonly #cards = new Map<string | undefined, Card>()
  readonly presented: Presented[] = []
  #isInserted: boolean
  #card: Card
  /** The last thing that was tried wanted PIN2: +CPIN? names what it lacks. */
  #asksForSecond = false

  constructor(settings: SimSettings) {
    this.#settings = settings
    this.#isInserted = settings.isInserted
    this.#card = this.#cardOf(undefined, settings.pin, settings.pinTries)
  }

  get state(): SimState {
    const { first, asksForPin, isVerified } = this.#card
    if (!this.#isInserted) return 'absent'
    if (first.pukTries === 0) return 'blocked'
    if (first.tries === 0) return 'puk'
    return asksForPin && !isVerified ? 'pin' : 'ready'
  }

  /** What +CPIN? says of a card that answers: `READY`, `SIM PIN` …; undefined: it is none, or dead. */
  get word(): string | undefined {
    const { state } = this
    if (state === 'absent' || state === 'blocked') return undefined
    if (state !== 'ready') return state === 'pin' ? 'SIM PIN' : 'SIM PUK'
    if (!this.#asksForSecond) return 'READY'
    return this.#card.second.tries === 0 ? 'SIM PUK2' : 'SIM PIN2'
  }

  /** undefined: the modem's own, of the card that was in at the start. */
  get iccid(): string | undefined {
    return this.#card.iccid
  }

  get asksForPin(): boolean {
    return this.#card.asksForPin
  }

  get pinTries(): number {
    return this.#card.first.tries
  }

  get pukTries(): number {
    return this.#card.first.pukTries
  }

  get pin2Tries(): number {
    return this.#card.second.tries
  }

  get puk2Tries(): number {
    return this.#card.second.pukTries
  }

  /** How often a PIN was presented, and how often it was wrong: what a daemon must not waste. */
  get tries(): { readonly spent: number; readonly refused: number } {
    const pins = this.presented.filter(({ kind }) => kind === 'pin')
    return { spent: pins.length, refused: pins.filter(({ answer }) => answer === 'wrong').length }
  }

  /** +CPIN with one number: what the card asks for now. */
  verifyPin(pin: string): SimAnswer {
    if (this.word === 'SIM PIN2') return this.#verifySecond(pin)
    if (this.state !== 'pin') return 'not-allowed'
    const answer = this.#present('pin', this.#card.first, pin)
    this.#card.isVerified = answer === 'ok'
    return answer
  }

  /** +CPIN with two. */
  unblock(puk: string, newPin: string): SimAnswer {
    if (this.word === 'SIM PUK2') return this.#unblockSecond(puk, newPin)
    if (this.state !== 'puk' && this.state !== 'pin') return 'not-allowed'
    const answer = this.#unblock('puk', this.#card.first, puk, newPin)
    if (answer === 'ok') this.#card.isVerified = true
    return answer
  }

  changePin(oldPin: string, newPin: string): SimAnswer {
    if (!this.#card.asksForPin || this.state !== 'ready') return 'not-allowed'
    const answer = this.#present('pin', this.#card.first, oldPin)
    if (answer === 'ok') this.#card.first.pin = newPin
    return answer
  }

  /** +CPWD "P2". */
  changePin2(oldPin: string, newPin: string): SimAnswer {
    if (this.state !== 'ready') return 'not-allowed'
    const answer = this.#verifySecond(oldPin)
    if (answer === 'ok') this.#card.second.pin = newPin
    return answer
  }

  /** +CLCK "SC": should the SIM ask at the next power-on? One that does already refuses. */
  askForPin(on: boolean, pin: string): SimAnswer {
    if (this.state !== 'ready' || this.#card.asksForPin === on) return 'not-allowed'
    const answer = this.#present('pin', this.#card.first, pin)
    if (answer !== 'ok') return answer
    this.#card.asksForPin = on
    this.#card.isVerified = true
    return 'ok'
  }

  powerCycle(): void {
    this.#card.isVerified = false
    this.#asksForSecond = false
  }

  remove(): void {
    this.#isInserted = false
    this.powerCycle()
  }

  /** The card that was in last. */
  insert(): void {
    this.#isInserted = true
    this.powerCycle()
  }

  /** Another card is at hand; undefined: the first. `pin` is for one that was never in: undefined asks for none. */
  take(iccid: string | undefined, pin: string | undefined): void {
    this.#card = this.#cardOf(iccid, pin, PIN_TRIES)
  }

  #cardOf(iccid: string | undefined, pin: string | undefined, pinTries: number): Card {
    const known = this.#cards.get(iccid)
    if (known) return known
    const { puk } = this.#settings
    const card: Card = {
      iccid,
      first: { pin: pin ?? '0000', puk, tries: pinTries, pukTries: PUK_TRIES },
      second: { pin: PIN2, puk, tries: PIN_TRIES, pukTries: PUK_TRIES },
      asksForPin: pin !== undefined,
      isVerified: false,
    }
    this.#cards.set(iccid, card)
    return card
  }

  #verifySecond(pin: string): SimAnswer {
    if (this.#card.second.tries === 0) return 'not-allowed'
    const answer = this.#present('pin2', this.#card.second, pin)
    this.#asksForSecond = answer !== 'ok'
    return answer
  }

  #unblockSecond(puk: string, newPin: string): SimAnswer {
    const answer = this.#unblock('puk2', this.#card.second, puk, newPin)
    this.#asksForSecond = answer !== 'ok'
    return answer
  }

  #unblock(kind: Presented['kind'], code: Code, puk: string, newPin: string): 'ok' | 'wrong' {
    const answer = puk === code.puk ? 'ok' : 'wrong'
    this.#note(kind, puk, answer, code.pukTries)
    if (answer === 'wrong') {
      code.pukTries = Math.max(0, code.pukTries - 1)
      return answer
    }
    code.pin = newPin
    code.tries = PIN_TRIES
    code.pukTries = PUK_TRIES
    return answer
  }

  #present(kind: Presented['kind'], code: Code, pin: string): 'ok' | 'wrong' {
    const answer = pin === code.pin ? 'ok' : 'wrong'
    this.#note(kind, pin, answer, code.tries)
    code.tries = answer === 'ok' ? PIN_TRIES : code.tries - 1
    if (code === this.#card.first && code.tries === 0) this.#card.isVerified = false
    return answer
  }

  #note(kind: Presented['kind'], digits: string, answer: 'ok' | 'wrong', triesLeft: number): void {
    this.presented.push({ iccid: this.iccid, kind, digits, answer, triesLeft })
  }
}
