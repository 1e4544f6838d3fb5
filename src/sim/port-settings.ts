/** What each AT port remembers for itself: V.250's switches and which reports it wants. ATZ and AT&F put it back. */

import type { Personality } from './personality.ts'
import type { Routing } from './sms-inbox.ts'

export type RegistrationDomain = '+CREG' | '+CGREG' | '+CEREG'

export class PortSettings {
  readonly #defaults: Personality
  echo = true
  isVerbose = true
  isQuiet = false
  /** &D: what a closed tty does to a call. */
  hangsUpOnDtr = true
  /** +CMEE: 0 ERROR, 1 numbers, 2 words. */
  errorLevel = 0
  reportLevel: Record<RegistrationDomain, number> = { '+CREG': 0, '+CGREG': 0, '+CEREG': 0 }
  /** +CGEREP: 0 none. */
  packetEvents = 0
  /** +COPS=3,n: 0 long name, 1 short name, 2 number. */
  operatorFormat = 0
  /** ^CURC: the vendor's reports. */
  wantsVendorReports = true
  /** The signal among them: +QINDCFG, +EXUNSOL and the like. */
  wantsSignalReports = true
  /** +CNMI. */
  messages: Routing = { mt: 0, ds: 0 }
  /** +CUSD=1. */
  wantsUssd = false
  /** S7, S10 and so on: kept, not acted upon. */
  registers = new Map<string, number>()

  constructor(personality: Personality) {
    this.#defaults = personality
    this.reset()
  }

  reset(): void {
    const { dialect, reports } = this.#defaults
    this.echo = dialect.echo
    this.isVerbose = true
    this.isQuiet = false
    this.hangsUpOnDtr = true
    this.errorLevel = dialect.errorLevel
    this.reportLevel = { '+CREG': 0, '+CGREG': 0, '+CEREG': 0 }
    this.packetEvents = 0
    this.operatorFormat = 0
    this.wantsVendorReports = true
    this.wantsSignalReports = reports.signalUnasked
    this.messages = { mt: 0, ds: 0 }
    this.wantsUssd = false
    this.registers = new Map()
  }
}
