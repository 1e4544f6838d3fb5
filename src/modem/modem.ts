/**
 * One modem: its ports, its one record, and the commands that the supervisor and the bus give. The steps themselves are
 * procedures (bring-up, SIM, dial, hang-up); here they are started, kept apart and turned into states.
 */

import { isDeepStrictEqual } from 'node:util'
import type { Failure } from '../base/cause.ts'
import { errorText, ModemdError } from '../base/errors.ts'
import { Listeners } from '../base/listeners.ts'
import { type Cancel, type Clock, type Logger, sleep } from '../base/ports.ts'
import type { AtReply } from './at/channel.ts'
import { parseCopsTest, type ScannedNetwork } from './at/replies/cops.ts'
import { parseCimi } from './at/replies/identity.ts'
import { type CommandOptions, errorOf } from './at/session.ts'
import { prefixOf } from './at/unsolicited.ts'
import { bringUp, followNetwork, followSignal, type NetworkReports } from './bring-up.ts'
import { asDialError, type Connected, dial, obstacleOf } from './dial.ts'
import type { ModemDriver } from './drivers/driver.ts'
import { hangUp } from './hang-up.ts'
import { changePin, enterPin, enterPuk, requirePin } from './pin.ts'
import { PinDesk } from './pin-desk.ts'
import type { PinLedger } from './pin-ledger.ts'
import type { ModemPort } from './port.ts'
import { PortSet, sessionOf } from './port-set.ts'
import type { ModemContext } from './procedure.ts'
import { awaitRestart, sendReset } from './reset.ts'
import {
  type Call,
  DialError,
  type DialRequest,
  type ModemHandle,
  type ModemSnapshot,
  type PinCaller,
  type PortInfo,
} from './snapshot.ts'
import { type Change, isIn, type ModemRecord, newRecord, reduce } from './state.ts'
import { Wakeup } from './wakeup.ts'

export interface ModemOptions {
  readonly id: string
  /** The sysfs path of the device, or the tty. */
  readonly device: string
  readonly driver: ModemDriver
  /** `option`, `cdc_acm`, `serial`. */
  readonly kernelDriver: string
  readonly manufacturer: string | undefined
  readonly imei: string | undefined
  /** Those that answer AT; at least one. */
  readonly ports: readonly ModemPort[]
  readonly ledger: PinLedger
  readonly clock: Clock
  readonly logger: Logger
  pinFor(modem: ModemSnapshot): string | undefined
  /** A port ended: the modem is dead from here on. */
  onGone(reason: string): void
}

const DEFAULT_SIGNAL_POLL_MS = 10_000
const HISTORY_LENGTH = 360
const SCAN_TIMEOUT_MS = 180_000
const REGISTER_TIMEOUT_MS = 120_000
const RADIO_TIMEOUT_MS = 15_000
/** A modem that lost one answer is asked again soon; one that stays silent is failed and asked ever less. */
const SILENCE_PAUSES_MS = [1000, 5000, 10_000, 20_000, 40_000, 60_000]

export class Modem implements ModemHandle {
  readonly #options: ModemOptions
  readonly #clock: Clock
  readonly #driver: ModemDriver
  readonly #listeners = new Listeners<[next: ModemSnapshot, previous: ModemSnapshot]>()
  readonly #simWakeup = new Wakeup()
  readonly #networkWakeup = new Wakeup()
  readonly #signalWakeup = new Wakeup()
  #history: readonly { readonly atUs: bigint; readonly dbm: number }[] = []
  readonly #ports = new PortSet()
  readonly #pinDesk: PinDesk
  #record: ModemRecord
  #signalPollMs: number | undefined = DEFAULT_SIGNAL_POLL_MS
  /** Ends what runs by itself: bring-up, and the loops that follow network and signal. */
  #round = new AbortController()
  #call: Call | undefined
  #isGone = false

  constructor(options: ModemOptions) {
    const { id, device, driver, kernelDriver, manufacturer, imei } = options
    this.#options = options
    this.#clock = options.clock
    this.#driver = driver
    this.#record = newRecord({ id, device, driver: kernelDriver, ports: [], manufacturer, equipmentIdentifier: imei })
    this.#pinDesk = new PinDesk({
      modem: this.#contextFor(new AbortController().signal),
      ports: this.#ports,
      ledger: options.ledger,
      wakeup: this.#simWakeup,
      pinFor: (snapshot) => options.pinFor(snapshot),
    })
    for (const port of options.ports) this.addPort(port)
  }

  get snapshot(): ModemSnapshot {
    return this.#record.snapshot
  }

  onChange(listener: (next: ModemSnapshot, previous: ModemSnapshot) => void): Cancel {
    return this.#listeners.add(listener)
  }

  /** Begins the bring-up; also again after a reset or `disable`. */
  start(): void {
    this.#round.abort()
    this.#round = new AbortController()
    void this.#run(this.#round.signal)
  }

  /** One that answers AT; also later than the others. */
  addPort(port: ModemPort): void {
    port.onReport = (line) => this.#onReport(line)
    port.onClosed = (reason) => void this.vanish(`${port.path}: ${reason}`)
    port.onOwner = () => this.#tellPorts()
    this.#ports.add(port)
    this.#tellPorts()
  }

  /** The device's ports that do not answer AT, or are not asked. */
  setOtherPorts(ports: readonly PortInfo[]): void {
    this.#ports.setOthers(ports)
    this.#tellPorts()
  }

  /** The device is gone, or let go of: everything pending rejects. Resolves when the ports are closed. Idempotent. */
  async vanish(reason: string): Promise<void> {
    if (this.#isGone) return
    this.#apply({ type: 'failure', failure: { cause: 'modem-gone', detail: reason } })
    this.#apply({ type: 'activity', activity: 'gone' })
    this.#isGone = true
    this.#round.abort()
    this.#options.onGone(reason)
    await this.#ports.close()
  }

  async enable(): Promise<void> {
    if (this.#record.activity !== 'disabled') return
    await this.#command(this.#driver.radioOn, { timeoutMs: RADIO_TIMEOUT_MS })
    this.#apply({ type: 'identity', identity: { powerState: 'on' } })
    this.#apply({ type: 'activity', activity: 'starting' })
    this.start()
  }

  async disable(): Promise<void> {
    await this.#endAnyCall('the modem was switched off')
    this.#round.abort()
    for (const command of this.#driver.radioOff) {
      if (!(await this.#attempt(command, { timeoutMs: RADIO_TIMEOUT_MS })).isOk) continue
      this.#apply({ type: 'identity', identity: { powerState: 'low' } })
      this.#apply({ type: 'activity', activity: 'disabled' })
      this.#apply({ type: 'unregistered' })
      return
    }
    this.start()
    throw new ModemdError('Unsupported', 'This modem does not let its radio be switched off.')
  }

  async reset(hard: boolean): Promise<void> {
    if (hard) throw new ModemdError('Unsupported', 'A hard reset is not supported yet; unplug the modem for a moment.')
    if (this.#isGone) throw new ModemdError('ModemGone', 'The modem is gone.', 'modem-gone')
    await this.#endAnyCall('the modem is reset')
    const wasDisabled = this.#record.activity === 'disabled'
    this.#round.abort()
    this.#round = new AbortController()
    this.#apply({ type: 'activity', activity: 'resetting' })
    try {
      await sendReset(this.#driver.reset, (text) => this.#attempt(text, { timeoutMs: RADIO_TIMEOUT_MS }))
    } catch (error) {
      this.#apply({ type: 'activity', activity: wasDisabled ? 'disabled' : 'starting' })
      if (!wasDisabled) this.start()
      throw error
    }
    this.#apply({ type: 'unregistered' })
    void this.#awaitRestart(this.#round.signal)
  }

  sendPin(pin: string, caller: PinCaller): Promise<void> {
    return this.#pinDesk.serve((context) => enterPin(context, pin, caller))
  }

  sendPuk(puk: string, newPin: string): Promise<void> {
    return this.#pinDesk.serve((context) => enterPuk(context, puk, newPin))
  }

  changePin(oldPin: string, newPin: string): Promise<void> {
    return this.#pinDesk.serve((context) => changePin(context, oldPin, newPin))
  }

  enablePin(pin: string, on: boolean): Promise<void> {
    return this.#pinDesk.serve((context) => requirePin(context, pin, on))
  }

  async imsi(): Promise<string> {
    const imsi = parseCimi((await this.#command('AT+CIMI')).lines)
    if (imsi === undefined) throw new ModemdError('Unknown', 'The SIM does not tell its IMSI.')
    return imsi
  }

  setSignalPoll(seconds: number): void {
    this.#signalPollMs = seconds > 0 ? seconds * 1000 : undefined
    this.#signalWakeup.wake()
  }

  signalHistory(): readonly { readonly atUs: bigint; readonly dbm: number }[] {
    return this.#history
  }

  async scan(): Promise<readonly ScannedNetwork[]> {
    return parseCopsTest((await this.#command('AT+COPS=?', { timeoutMs: SCAN_TIMEOUT_MS })).lines)
  }

  async register(plmn: string): Promise<void> {
    if (!/^(\d{5,6})?$/.test(plmn)) throw new ModemdError('InvalidArgs', 'A network is a number of 5 or 6 digits.')
    const command = plmn === '' ? 'AT+COPS=0' : `AT+COPS=1,2,"${plmn}"`
    await this.#command(command, { timeoutMs: REGISTER_TIMEOUT_MS })
    this.#networkWakeup.wake()
  }

  async dial(request: DialRequest): Promise<Call> {
    if (this.#ports.called) throw new ModemdError('Busy', 'The modem already carries a call.', 'port-busy')
    const obstacle = obstacleOf(this.#record)
    if (obstacle) throw new DialError(obstacle)
    const port = this.#ports.data
    this.#ports.called = port
    this.#apply({ type: 'activity', activity: 'connecting' })
    try {
      const isLte = this.#record.domains.eps !== undefined
      const connected = await dial(port, request, { clock: this.#clock, logger: this.#options.logger, isLte })
      this.#call = this.#callOn(port, connected)
      return this.#call
    } catch (error) {
      const { failure } = asDialError(error)
      // An abort string was the modem's own word: it is in command mode. After silence nobody knows, it may be an old call.
      const isLost = !port.session || failure.cause === 'modem-silent'
      if ((failure.chatExit ?? 0) >= 4) port.toAt()
      else if (isLost && !this.#isGone) await hangUp(port, this.#clock)
      this.#endCall(failure)
      throw new DialError(failure)
    }
  }

  #callOn(port: ModemPort, connected: Connected): Call {
    let ending: Promise<void> | undefined
    return {
      ...connected,
      established: () => {
        if (ending) return
        this.#apply({ type: 'failure', failure: undefined })
        this.#apply({ type: 'activity', activity: 'connected' })
      },
      hangUp: (failure) => {
        ending ??= this.#hangUp(port, failure)
        return ending
      },
    }
  }

  async #hangUp(port: ModemPort, failure: Failure | undefined): Promise<void> {
    this.#apply({ type: 'activity', activity: 'disconnecting' })
    if (!this.#isGone && !(await hangUp(port, this.#clock)))
      this.#options.logger.warn(`${port.path}: the modem does not answer AT after the call.`)
    this.#endCall(failure)
  }

  #endCall(failure: Failure | undefined): void {
    this.#ports.called = undefined
    this.#call = undefined
    if (failure) this.#apply({ type: 'failure', failure })
    this.#apply({ type: 'activity', activity: 'running' })
    this.#networkWakeup.wake()
    this.#signalWakeup.wake()
  }

  async #endAnyCall(why: string): Promise<void> {
    if (this.#call) await this.#call.hangUp({ cause: 'user-request', detail: why })
    else if (this.#ports.called)
      throw new ModemdError('Busy', 'The modem is dialling; try again in a moment.', 'port-busy')
  }

  /** Brings the modem up and keeps informed until the round ends; what fails is tried again with growing pauses. */
  async #run(signal: AbortSignal): Promise<void> {
    const modem = this.#contextFor(signal)
    const opener = { wakeup: this.#simWakeup, tryProfilePin: () => this.#pinDesk.tryProfilePin() }
    for (let failures = 0; !signal.aborted; ) {
      try {
        const reports = await bringUp(modem, opener, signal)
        failures = 0
        this.#noteAlive()
        await this.#follow(modem, reports, signal)
      } catch (error) {
        if (signal.aborted) return
        if (isBusy(error)) await this.#networkWakeup.pause(this.#clock, undefined, signal).catch(() => {})
        else {
          this.#noteTrouble(error, failures)
          const pauseMs = SILENCE_PAUSES_MS[Math.min(failures++, SILENCE_PAUSES_MS.length - 1)]!
          await sleep(this.#clock, pauseMs, signal).catch(() => {})
        }
      }
    }
  }

  async #follow(modem: ModemContext, reports: NetworkReports, signal: AbortSignal): Promise<void> {
    const loops = new AbortController()
    const both = AbortSignal.any([signal, loops.signal])
    try {
      await Promise.race([
        followNetwork(modem, reports, this.#networkWakeup, both),
        followSignal(modem, () => this.#signalPollMs, this.#signalWakeup, both),
      ])
    } finally {
      loops.abort()
    }
  }

  #noteAlive(): void {
    if (this.snapshot.failure?.cause === 'modem-silent') this.#apply({ type: 'failure', failure: undefined })
    const { activity } = this.#record
    if (activity === 'starting' || activity === 'silent') this.#apply({ type: 'activity', activity: 'running' })
  }

  #noteTrouble(error: unknown, failures: number): void {
    this.#options.logger.warn(`A step of the bring-up failed: ${errorText(error)}`, { modem: this.snapshot.id })
    const isSilent = error instanceof ModemdError && error.failureCause === 'modem-silent'
    if (!isSilent || failures === 0 || this.#ports.called) return
    this.#apply({ type: 'failure', failure: { cause: 'modem-silent', detail: error.message } })
    this.#apply({ type: 'activity', activity: 'silent' })
  }

  async #awaitRestart(signal: AbortSignal): Promise<void> {
    try {
      await awaitRestart(this.#ports.all, this.#driver, this.#clock, signal)
    } catch (error) {
      if (!signal.aborted)
        this.#options.logger.warn(`After the reset: ${errorText(error)}`, { modem: this.snapshot.id })
    }
    if (signal.aborted) return
    this.#apply({ type: 'activity', activity: 'starting' })
    this.start()
  }

  #onReport(line: string): void {
    const change = this.#driver.reports[prefixOf(line) ?? '']?.(line, { wallUs: this.#clock.wallUs() })
    if (change) this.#apply(change)
    if (change?.type === 'registration') this.#networkWakeup.wake()
    if (this.#driver.isSimReport(line)) this.#simWakeup.wake()
  }

  #contextFor(signal: AbortSignal): ModemContext {
    const { logger } = this.#options
    const snapshot = () => this.snapshot
    return {
      clock: this.#clock,
      logger,
      driver: this.#driver,
      get snapshot() {
        return snapshot()
      },
      apply: (change) => this.#apply(change),
      attempt: (text, options) => (signal.aborted ? Promise.reject(signal.reason) : this.#attempt(text, options)),
    }
  }

  async #command(text: string, options?: CommandOptions): Promise<AtReply> {
    const reply = await this.#attempt(text, options)
    if (!reply.isOk) throw errorOf(text, reply)
    return reply
  }

  async #attempt(text: string, options?: CommandOptions): Promise<AtReply> {
    return sessionOf(this.#ports.free()).attempt(text, options)
  }

  #apply(change: Change): void {
    if (this.#isGone) return
    const previous = this.#record.snapshot
    const next = reduce(this.#record, change)
    const isNews = !isDeepStrictEqual(previous, next.snapshot)
    this.#record = isNews ? next : { ...next, snapshot: previous }
    const { signal, registration } = next.snapshot
    if (change.type === 'signal' && signal?.rssi !== undefined)
      this.#history = [...this.#history.slice(1 - HISTORY_LENGTH), { atUs: signal.atUs, dbm: signal.rssi }]
    // What was measured in the network may be no more.
    if (isIn(previous.registration) && !isIn(registration)) this.#signalWakeup.wake()
    if (isNews) this.#listeners.emit(next.snapshot, previous)
  }

  #tellPorts(): void {
    this.#apply({ type: 'ports', ports: this.#ports.infos() })
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof ModemdError && error.failureCause === 'port-busy'
}
