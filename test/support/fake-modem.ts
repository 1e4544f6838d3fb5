/** A modem fleet as the supervisor sees it, honest to `modem/snapshot.ts`: one call at a time, dials that a test answers, vanishing at any moment. */

import type { Failure } from '../../src/base/cause.ts'
import { ModemdError } from '../../src/base/errors.ts'
import type { Cancel } from '../../src/base/ports.ts'
import {
  type Call,
  DialError,
  type DialFailure,
  type DialRequest,
  type LineState,
  type ModemFleet,
  type ModemHandle,
  type ModemSnapshot,
  type PinCaller,
  type PortReport,
  type Restart,
} from '../../src/modem/snapshot.ts'
import type { Wire, WireListener } from '../../src/serial/wire.ts'

const REGISTERED: ModemSnapshot = {
  id: 'imei_356938035643809',
  device: '/sys/devices/pci0000:00/0000:00:14.0/usb1/1-2',
  driver: 'option',
  ports: [{ name: '/dev/ttyUSB0', role: 'data', owner: '' }],
  equipmentIdentifier: '356938035643809',
  state: 'registered',
  stateReason: '',
  sim: { status: 'ready', iccid: '8931440400000000017' },
  registration: 'home',
  accessTechnologies: ['lte'],
  ownNumbers: [],
  powerState: 'on',
}

/** A line that carries nothing: the fake engine looks only at its end. */
class StillWire implements Wire {
  readonly fd = undefined
  readonly path = '/dev/ttyUSB0'
  isClosed = false
  #listener: WireListener | undefined

  listen(listener: WireListener): void {
    this.#listener = listener
  }

  write(): boolean {
    return true
  }

  async setBaud(): Promise<void> {}
  async setLines(): Promise<void> {}
  async sendBreak(): Promise<void> {}
  async flush(): Promise<void> {}
  setReadSize(): void {}

  async close(): Promise<void> {
    this.hangUp('closed')
  }

  hangUp(reason: string): void {
    if (this.isClosed) return
    this.isClosed = true
    this.#listener?.closed(reason)
  }
}

export class FakeCall implements Call {
  readonly wire = new StillWire()
  readonly report: string | undefined
  readonly connectSpeed: number | undefined
  readonly chatExit = 0
  isEstablished = false
  /** undefined: it still stands; null: it ended without a reason. */
  endedBy: Failure | null | undefined
  readonly #onEnd: () => void

  constructor(report: string | undefined, onEnd: () => void) {
    this.report = report
    const speed = /\d+/.exec(report ?? '')
    this.connectSpeed = speed ? Number(speed[0]) : undefined
    this.#onEnd = onEnd
  }

  established(): void {
    this.isEstablished = true
  }

  /** What the network said of its end. */
  reason: Failure | undefined
  /** Somebody else knows that it is over. */
  lose: (failure: Failure, line?: LineState) => void = () => {}

  onEnd(listener: (failure: Failure, line: LineState) => void): void {
    this.lose = (failure, line = 'is dead') => listener(failure, line)
  }

  async hangUp(failure?: Failure): Promise<Failure | undefined> {
    if (this.endedBy !== undefined) return this.reason
    this.endedBy = failure ?? null
    this.#onEnd()
    return this.reason
  }
}

/** A dial under way, until the test (or the caller's signal) ends it. */
export interface FakeDial {
  readonly request: DialRequest
  readonly isOver: () => boolean
  connect(report?: string): FakeCall
  fail(failure: DialFailure): void
}

export class FakeModem implements ModemHandle {
  snapshot: ModemSnapshot
  readonly dials: FakeDial[] = []
  /** `1234 by automatic`. */
  readonly pins: string[] = []
  /** What sendPin does; by default the SIM opens. */
  onPin: (pin: string, caller: PinCaller) => Promise<void> = async () =>
    this.set({ state: 'registered', sim: { status: 'ready' } })
  /** Answers a dial at once, where a test does not want to do it itself. */
  onDial: (dial: FakeDial) => void = () => {}
  enabled = 0
  restarts: readonly Restart[] = []
  /** What a restart of whichever kind does. */
  onRestart: (how: Restart | 'radio' | 'reset' | 'hard reset') => Promise<void> = async () => {}
  #stateBefore: ModemSnapshot['state'] = 'registered'
  readonly #listeners = new Set<(next: ModemSnapshot, previous: ModemSnapshot) => void>()
  #isBusy = false
  #abandon: (() => void) | undefined

  constructor(change: Partial<ModemSnapshot> = {}) {
    this.snapshot = { ...REGISTERED, ...change }
  }

  /** How many listen to it. */
  get followers(): number {
    return this.#listeners.size
  }

  set(change: Partial<ModemSnapshot>): void {
    const previous = this.snapshot
    this.snapshot = { ...previous, ...change }
    for (const listener of [...this.#listeners]) listener(this.snapshot, previous)
  }

  onChange(listener: (next: ModemSnapshot, previous: ModemSnapshot) => void): Cancel {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  dial(request: DialRequest): Promise<Call> {
    if (this.#isBusy) return Promise.reject(new ModemdError('Busy', 'The modem is in a call.', 'port-busy'))
    this.#isBusy = true
    return new Promise((resolve, reject) => {
      let isOver = false
      const end = (settle: () => void) => {
        if (isOver) return
        isOver = true
        request.signal.removeEventListener('abort', onAbort)
        settle()
      }
      const fail = (failure: DialFailure) =>
        end(() => {
          this.#isBusy = false
          reject(new DialError(failure))
        })
      const onAbort = () => fail({ cause: 'user-request', detail: 'the dial was given up', chatExit: 2 })
      request.signal.addEventListener('abort', onAbort)
      if (request.signal.aborted) onAbort()
      this.#abandon = () => fail({ cause: 'modem-gone', detail: 'the port ended during ATD' })
      const dial: FakeDial = {
        request,
        isOver: () => isOver,
        fail,
        connect: (report) => {
          const call = new FakeCall(report, () => {
            this.#isBusy = false
          })
          this.#abandon = () => call.wire.hangUp('input/output error')
          end(() => resolve(call))
          return call
        },
      }
      this.dials.push(dial)
      this.onDial(dial)
    })
  }

  /** What a pulled cable does to calls; the fleet tells the rest. */
  unplug(): void {
    this.#abandon?.()
  }

  async enable(): Promise<void> {
    this.enabled++
    this.set({ state: this.#stateBefore })
  }

  async sendPin(pin: string, caller: PinCaller): Promise<void> {
    this.pins.push(`${pin} by ${caller}`)
    await this.onPin(pin, caller)
  }

  async disable(): Promise<void> {
    await this.onRestart('radio')
    this.#stateBefore = this.snapshot.state
    this.set({ state: 'disabled' })
  }

  async reset(hard: boolean): Promise<void> {
    await this.onRestart(hard ? 'hard reset' : 'reset')
  }

  async restart(way: Restart): Promise<void> {
    await this.onRestart(way)
  }

  sendPuk = unused
  changePin = unused
  enablePin = unused
  imsi = unused
  scan = unused
  register = unused
  setSignalPoll(): void {}

  signalHistory(): [] {
    return []
  }
}

function unused(): Promise<never> {
  return Promise.reject(new ModemdError('Unsupported', 'The supervisor does not ask for this.'))
}

export class FakeFleet implements ModemFleet {
  readonly modems: FakeModem[] = []
  portReports: readonly PortReport[] = []
  wakings = 0
  readonly #added = new Set<(modem: ModemHandle) => void>()
  readonly #removed = new Set<(modem: ModemHandle) => void>()

  plug(modem: FakeModem = new FakeModem()): FakeModem {
    this.modems.push(modem)
    for (const listener of [...this.#added]) listener(modem)
    return modem
  }

  /** First the line ends, then the kernel says that the device is gone, as it comes in life. */
  unplug(modem: FakeModem): void {
    modem.unplug()
    this.modems.splice(this.modems.indexOf(modem), 1)
    for (const listener of [...this.#removed]) listener(modem)
  }

  onAdded(listener: (modem: ModemHandle) => void): Cancel {
    this.#added.add(listener)
    return () => this.#added.delete(listener)
  }

  onRemoved(listener: (modem: ModemHandle) => void): Cancel {
    this.#removed.add(listener)
    return () => this.#removed.delete(listener)
  }

  rescan(): void {}

  wake(): void {
    this.wakings++
  }

  ports(): readonly PortReport[] {
    return this.portReports
  }

  async inhibit(): Promise<Cancel> {
    return () => {}
  }
}
