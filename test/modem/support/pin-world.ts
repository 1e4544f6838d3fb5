/** A SIM, a modem, a disk and a daemon that can lose power at any step: the ground of the PIN property test. */

import { latin1 } from '../../../src/base/bytes.ts'
import { ModemdError } from '../../../src/base/errors.ts'
import type { Clock } from '../../../src/base/ports.ts'
import type { AtReply } from '../../../src/modem/at/channel.ts'
import { changePin, enterPin, enterPuk, type PinContext } from '../../../src/modem/pin.ts'
import { PinGuard } from '../../../src/modem/pin-guard.ts'
import { PinLedger, type SimIdentity } from '../../../src/modem/pin-ledger.ts'
import type { PinCaller, SimStatus } from '../../../src/modem/snapshot.ts'
import type { StateFiles } from '../../../src/modem/state-files.ts'
import { SeededRandom } from '../../support/seeded-random.ts'

export class PowerCut extends Error {}

/** `kill -9`: the modem keeps its power. */
export class Killed extends Error {}

/** What may go wrong with one PIN line on its way. */
export const LINE_FAULTS = [
  'none',
  'none',
  'none',
  'answer-lost',
  'never-arrives',
  'busy',
  'plain-error',
  'lies-ok',
  'cut-before',
  'cut-after',
  'killed-before',
  'killed-after',
  'vanishes',
] as const
export type LineFault = (typeof LINE_FAULTS)[number]

/** What may go wrong with the disk: counted in writes from now. */
export interface DiskFault {
  readonly atWrite: number
  readonly kind: 'cut-before' | 'cut-after' | 'full'
}

/** Waits take no time, so nothing needs to move it. */
class InstantClock implements Clock {
  #nowMs = 0

  nowMs(): number {
    return this.#nowMs
  }

  wallUs(): bigint {
    return 0n
  }

  at(atMs: number, fn: () => void): () => void {
    let isCancelled = false
    queueMicrotask(() => {
      if (isCancelled) return
      this.#nowMs = Math.max(this.#nowMs, atMs)
      fn()
    })
    return () => {
      isCancelled = true
    }
  }
}

class Disk implements StateFiles {
  readonly directory = '/var/lib/modemd'
  readonly content = new Map<string, string>()
  fault: DiskFault | undefined
  #writes = 0

  read(name: string): string | undefined {
    return this.content.get(name)
  }

  write(name: string, text: string): void {
    const { fault } = this
    const isDue = fault !== undefined && this.#writes++ === fault.atWrite
    if (isDue && fault.kind === 'full') throw new Error('no space left on device')
    if (!isDue || fault.kind === 'cut-after') this.content.set(name, text)
    if (isDue) throw new PowerCut()
  }

  arm(fault: DiskFault | undefined): void {
    this.fault = fault
    this.#writes = 0
  }
}

export interface PinSend {
  readonly pin: string
  readonly caller: PinCaller
  readonly wasRight: boolean
  /** What the SIM truly had left. */
  readonly triesLeft: number
}

export interface Weather {
  readonly lineFault: LineFault
  readonly disk: DiskFault | undefined
  readonly showsTries: boolean
  readonly identity: 'both' | 'iccid' | 'imei' | 'none'
}

export class PinWorld {
  readonly sends: PinSend[] = []
  readonly #disk = new Disk()
  readonly #clock = new InstantClock()
  readonly #guard = new PinGuard()
  #ledger = this.#newLedger()
  #pin: string
  #puk = '12345678'
  #triesLeft = 3
  #pukTriesLeft = 10
  #isOpen = false
  /** The PIN has been another since: what was wrong may be right. */
  onPinChanged: (pin: string) => void = () => {}

  constructor(pin: string) {
    this.#pin = pin
  }

  get status(): SimStatus {
    if (this.#triesLeft === 0) return this.#pukTriesLeft === 0 ? 'failed' : 'puk'
    return this.#isOpen ? 'ready' : 'pin'
  }

  async enter(pin: string, caller: PinCaller, weather: Weather): Promise<void> {
    await this.#daemon(weather, (context) => enterPin(context, pin, caller), caller, weather)
  }

  async unblock(puk: string, newPin: string, weather: Weather): Promise<void> {
    await this.#daemon(weather, (context) => enterPuk(context, puk, newPin), 'person', weather)
  }

  async change(oldPin: string, newPin: string, weather: Weather): Promise<void> {
    await this.#daemon(weather, (context) => changePin(context, oldPin, newPin, 'person'), 'person', weather)
  }

  /** The modem is plugged in again: the SIM asks anew. */
  replug(): void {
    this.#isOpen = false
  }

  restart(): void {
    this.#ledger = this.#newLedger()
  }

  /** In a telephone: the right PIN, or the PUK, and perhaps another PIN afterwards. */
  usePhone(newPin: string): void {
    this.#triesLeft = 3
    this.#isOpen = false
    this.#setPin(newPin)
  }

  async #daemon(
    { identity, showsTries, disk }: Weather,
    step: (context: PinContext) => Promise<void>,
    caller: PinCaller,
    weather: Weather,
  ): Promise<void> {
    const sim: SimIdentity = {
      ...(identity === 'both' || identity === 'iccid' ? { iccid: '8934071100000000017' } : {}),
      ...(identity === 'both' || identity === 'imei' ? { imei: '356938035643809' } : {}),
    }
    this.#disk.arm(disk)
    try {
      // As bring-up does, and before each step, since it must not matter how often.
      if (this.status === 'ready') this.#ledger.foundOpen(sim)
      await step({
        clock: this.#clock,
        guard: this.#guard,
        ledger: this.#ledger,
        sim,
        attempt: (text) => this.#atLine(text, caller, weather.lineFault),
        readStatus: async () => this.status,
        readTries: async () => (showsTries ? { pin: this.#triesLeft, puk: this.#pukTriesLeft } : undefined),
      })
    } catch (error) {
      if (error instanceof PowerCut || error instanceof Killed) {
        this.restart()
        if (error instanceof PowerCut) this.replug()
      } else if (!(error instanceof ModemdError)) throw error
    } finally {
      this.#disk.arm(undefined)
    }
  }

  async #atLine(text: string, caller: PinCaller, fault: LineFault): Promise<AtReply> {
    const passed = Buffer.from(this.#guard.pass(latin1(`${text}\r`))).toString('latin1')
    if (passed !== `${text}\r`) throw new Error(`the guard refused its own line ${text}`)
    if (text === 'AT+CLCK="SC",2') return { isOk: true, lines: ['+CLCK: 1'], final: 'OK' }
    if (fault === 'cut-before') {
      this.#note(text, caller)
      throw new PowerCut()
    }
    if (['never-arrives', 'killed-before', 'vanishes', 'busy'].includes(fault)) this.#note(text, caller)
    if (fault === 'killed-before') throw new Killed()
    if (fault === 'never-arrives') throw silent()
    if (fault === 'vanishes') throw new ModemdError('ModemGone', 'gone', 'modem-gone')
    if (fault === 'busy') return { isOk: false, lines: [], final: '+CME ERROR: 14' }
    const isAccepted = this.#present(text, caller)
    if (fault === 'answer-lost') throw silent()
    if (fault === 'cut-after') throw new PowerCut()
    if (fault === 'killed-after') throw new Killed()
    if (fault === 'lies-ok' || isAccepted) return { isOk: true, lines: [], final: 'OK' }
    return { isOk: false, lines: [], final: fault === 'plain-error' ? 'ERROR' : '+CME ERROR: 16' }
  }

  #note(text: string, caller: PinCaller): void {
    const [first = '', second = ''] = [...text.matchAll(/"(\d+)"/g)].map(([, digits]) => digits!)
    const pin = text.startsWith('AT+CPWD') ? second && first : first
    if (pin.length < 8) this.sends.push({ pin, caller, wasRight: pin === this.#pin, triesLeft: this.#triesLeft })
  }

  #present(text: string, caller: PinCaller): boolean {
    this.#note(text, caller)
    const [first = '', second = ''] = [...text.matchAll(/"(\d+)"/g)].map(([, digits]) => digits!)
    if (text.startsWith('AT+CPIN') && second !== '') return this.#presentPuk(first, second)
    if (this.#triesLeft === 0) return false
    if (first !== this.#pin) {
      this.#triesLeft--
      if (this.#triesLeft === 0) this.#isOpen = false
      return false
    }
    this.#triesLeft = 3
    this.#isOpen = true
    if (text.startsWith('AT+CPWD')) this.#setPin(second)
    return true
  }

  #presentPuk(puk: string, newPin: string): boolean {
    if (puk !== this.#puk) {
      this.#pukTriesLeft--
      return false
    }
    this.#triesLeft = 3
    this.#pukTriesLeft = 10
    this.#isOpen = true
    this.#setPin(newPin)
    return true
  }

  #setPin(pin: string): void {
    if (pin === this.#pin) return
    this.#pin = pin
    this.onPinChanged(pin)
  }

  #newLedger(): PinLedger {
    return new PinLedger(this.#disk, new SeededRandom(1))
  }
}

function silent(): ModemdError {
  return new ModemdError('Timeout', 'silent', 'modem-silent')
}
