/**
 * The operator's end of USSD (3GPP TS 22.090): a few codes, a menu with a session, and what it begins itself. Pure; part of
 * `modem-state.ts`, asked by `commands/ussd.ts`.
 */

import type { Deadline } from '../base/machine.ts'
import { encodeSeptets, packSeptets } from '../modem/sms/gsm7.ts'

/** How the modem writes and reads the string of +CUSD: as it is, or as packed septets in hexadecimal. */
export type UssdDialect = 'plain' | 'packed'

/** `<m>` of +CUSD (27.007 §7.15). */
const DONE = 0
const REPLY_WANTED = 1
const TERMINATED = 2
const UNSUPPORTED = 4

interface Said {
  readonly status: number
  readonly text?: string
}

const BALANCE = 'Your balance is 12.34 EUR.'
const TOP = 'Virtual Mobile\n1 Balance\n2 My number\n0 End'

const CODES: Readonly<Record<string, Said>> = {
  '*100#': { status: DONE, text: BALANCE },
  '*101#': { status: REPLY_WANTED, text: TOP },
  // Not of the GSM alphabet.
  '*102#': { status: DONE, text: 'Баланс: 12,34 €' },
}

const CHOICES: Readonly<Record<string, Said>> = {
  '1': { status: DONE, text: BALANCE },
  '2': { status: REPLY_WANTED, text: 'Your number is +999001.\n0 End' },
  '0': { status: TERMINATED, text: 'Good bye.' },
}
const WRONG_CHOICE: Said = { status: REPLY_WANTED, text: `There is no such choice.\n${TOP}` }

/** A network's usual pace, made short. */
const ANSWER_AFTER_MS = 200

export interface UssdServiceOptions {
  readonly dialect: UssdDialect
  /** A line for the ports that want USSD. */
  say(line: string, nowMs: number): void
}

export class UssdService {
  readonly #options: UssdServiceOptions
  #isOpen = false
  #due: { readonly atMs: number; readonly said: Said } | undefined

  constructor(options: UssdServiceOptions) {
    this.#options = options
  }

  /** From the host; false: the modem cannot read the string. */
  ask(string: string, nowMs: number): boolean {
    const text = this.#options.dialect === 'packed' ? unpacked(string) : string
    if (text === undefined) return false
    const said = this.#isOpen ? (CHOICES[text] ?? WRONG_CHOICE) : (CODES[text] ?? { status: UNSUPPORTED })
    this.#isOpen = false
    this.#due = { atMs: nowMs + ANSWER_AFTER_MS, said }
    return true
  }

  /** The network begins. */
  begin(text: string, wantsReply: boolean, nowMs: number): void {
    this.#say({ status: wantsReply ? REPLY_WANTED : DONE, text }, nowMs)
  }

  /** +CUSD=2. */
  cancel(): void {
    this.#isOpen = false
    this.#due = undefined
  }

  deadline(): Deadline | undefined {
    return this.#due && { atMs: this.#due.atMs, why: 'USSD' }
  }

  tick(nowMs: number): void {
    const due = this.#due
    if (!due || due.atMs > nowMs) return
    this.#due = undefined
    this.#say(due.said, nowMs)
  }

  #say({ status, text }: Said, nowMs: number): void {
    this.#isOpen = status === REPLY_WANTED
    this.#options.say(text === undefined ? `+CUSD: ${status}` : `+CUSD: ${status},${this.#written(text)}`, nowMs)
  }

  #written(text: string): string {
    const septets = encodeSeptets(text)
    if (!septets) return `"${ucs2Hex(text)}",72`
    if (this.#options.dialect === 'plain') return `"${text}",15`
    const filled = septets.length % 8 === 7 ? [...septets, 0x0d] : septets
    return `"${Buffer.from(packSeptets(filled)).toString('hex').toUpperCase()}",15`
  }
}

/** Digits and a few signs are all that a host sends: each is found by trying. */
function unpacked(hex: string): string | undefined {
  if (!/^(?:[0-9A-F]{2})+$/i.test(hex)) return undefined
  const octets = Buffer.from(hex, 'hex')
  const known = [...Object.keys(CODES), ...Object.keys(CHOICES)]
  return known.find((text) => Buffer.from(packSeptets(encodeSeptets(text)!)).equals(octets)) ?? ''
}

function ucs2Hex(text: string): string {
  return Array.from({ length: text.length }, (_, at) => text.charCodeAt(at).toString(16).padStart(4, '0'))
    .join('')
    .toUpperCase()
}
