/** USSD, time and location of a FakeModem: a menu of two steps, and what a test puts in. */

import { ModemdError } from '../../src/base/errors.ts'
import { Listeners } from '../../src/base/listeners.ts'
import type { Fix, Location, LocationSnapshot } from '../../src/modem/features/location/snapshot.ts'
import type { NetworkTime, TimeSnapshot } from '../../src/modem/features/time/snapshot.ts'
import type { Ussd, UssdMessageKind, UssdState } from '../../src/modem/features/ussd/snapshot.ts'

export class FakeUssd implements Ussd {
  state: UssdState = 'idle'
  lastText: string | undefined
  readonly #changed = new Listeners<[UssdState]>()
  readonly #messages = new Listeners<[UssdMessageKind]>()
  readonly #log: string[]

  constructor(log: string[]) {
    this.#log = log
  }

  onChange(listener: (state: UssdState) => void) {
    return this.#changed.add(listener)
  }

  onMessage(listener: (kind: UssdMessageKind) => void) {
    return this.#messages.add(listener)
  }

  /** The network begins. */
  begin(kind: UssdMessageKind, text: string): void {
    this.#say(text, kind === 'request' ? 'user-response' : 'idle')
    this.#messages.emit(kind)
  }

  async initiate(code: string): Promise<string> {
    this.#log.push(`ussd(${code})`)
    if (code === '*4#') throw new ModemdError('Unsupported', 'The network or the modem does not know this USSD code.')
    if (code === '*101#') return this.#say('1 Balance\n2 \x1b[2JEnd', 'user-response')
    return this.#say('12.34 EUR', 'idle')
  }

  async respond(text: string): Promise<string> {
    this.#log.push(`respond(${text})`)
    return this.#say(`You said ${text}`, 'idle')
  }

  async cancel(): Promise<void> {
    this.#log.push('cancel()')
    this.#enter('idle')
  }

  #say(text: string, state: UssdState): string {
    this.lastText = text
    this.#enter(state)
    return text
  }

  #enter(state: UssdState): void {
    this.state = state
    this.#changed.emit(state)
  }
}

export class FakeTime implements NetworkTime {
  snapshot: TimeSnapshot | undefined
  readonly #changed = new Listeners<[TimeSnapshot]>()

  onChange(listener: (next: TimeSnapshot) => void) {
    return this.#changed.add(listener)
  }

  tell(snapshot: TimeSnapshot): void {
    this.snapshot = snapshot
    this.#changed.emit(snapshot)
  }
}

export class FakeLocation implements Location {
  snapshot: LocationSnapshot = { isEnabled: false, hasFix: false, port: '/dev/ttyUSB1' }
  readonly #changed = new Listeners<[LocationSnapshot]>()

  onChange(listener: (next: LocationSnapshot) => void) {
    return this.#changed.add(listener)
  }

  async setEnabled(on: boolean): Promise<void> {
    this.snapshot = { ...this.snapshot, isEnabled: on, hasFix: on }
    this.#changed.emit(this.snapshot)
  }

  fix(): Fix {
    if (!this.snapshot.isEnabled) throw new ModemdError('WrongState', 'Location is switched off.')
    return { latitude: 48.1173, longitude: -11.5, satellites: 8, atUs: 1_700_000_000_000_000n }
  }
}
