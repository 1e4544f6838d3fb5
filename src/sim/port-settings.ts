/** What each AT port remembers for itself: V.250's switches and which reports it wants. ATZ and AT&F put it back. */

import type { Personality } from './personality.ts'

export type RegistrationDomain = '+CREG' | '+CGREG' | '+CEREG'

export class PortSettings {
  readonly #defaults: Pick<Personality['dialect'], 'echo' | 'errorLevel'>
  echo = true
  isVerbose = true
  isQuiet = false
  /** &D: what a closed tty does to a call. */
  hangsUpOnDtr = true
  /** +CMEE: 0 ERROR, 1 numbers, 2 words. */
  errorLevel = 0
  reportLevel: Record<RegistrationDomain, number> = { '+CREG': 0, '+CGREG': 0, '+CEREG': 0 }
  /** +COPS=3,n: 0 long name, 1 short name, 2 number. */
  operatorFormat = 0
  /** ^CURC: the vendor's reports. */
  wantsVendorReports = true
  /** S7, S10 and so on: kept, not acted upon. */
  registers = new Map<string, number>()

  constructor(personality: Personality) {
    this.#defaults = personality.dialect
    this.reset()
  }

  reset(): void {
    this.echo = this.#defaults.echo
    this.isVerbose = true
    this.isQuiet = false
    this.hangsUpOnDtr = true
    this.errorLevel = this.#defaults.errorLevel
    this.reportLevel = { '+CREG': 0, '+CGREG': 0, '+CEREG': 0 }
    this.operatorFormat = 0
    this.wantsVendorReports = true
    this.registers = new Map()
  }
}
