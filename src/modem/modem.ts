/**
 * One modem: its ports, its one record, and the commands that the supervisor and the bus give. The steps themselves are
 * procedures (bring-up, SIM, dial, hang-up); here they are started, kept apart and turned into states.
 */

import { isDeepStrictEqual } from 'node:util'
import type { Failure } from '../base/cause.ts'
import { errorText, ModemdError } from '../base/errors.ts'
import { type Cancel, type Clock, type Logger, sleep } from '../base/ports.ts'
import type { AtReply } from './at/channel.ts'
import { parseCopsTest, type ScannedNetwork } from './at/replies/cops.ts'
import { parseCimi } from './at/replies/identity.ts'
import { type AtSession, type CommandOptions, errorOf } from './at/session.ts'
import { prefixOf } from './at/unsolicited.ts'
import { bringUp, followNetwork, followSignal, type NetworkReports } from './bring-up.ts'
import { asDialError, type Connected, dial } from './dial.ts'
import type { ModemDriver } from './drivers/driver.ts'
import { hangUp } from './hang-up.ts'
import { changePin, enterPin, enterPuk, type PinContext, requirePin } from './pin.ts'
import type { PinLedger } from './pin-ledger.ts'
import type { ModemPort } from './port.ts'
import type { ModemContext } from './procedure.ts'
import { readSimStatus, readTriesLeft, simError } from './sim.ts'
import {
  type Call,
  DialError,
  type DialRequest,
  type ModemHandle,
  type ModemSnapshot,
  type PinCaller,
  type PortInfo,
} from './snapshot.ts'
import { type Change, type ModemRecord, newRecord, reduce } from './state.ts'
import { Wakeup } from './wakeup.ts'

export interface ModemOptions {
  readonly id: string
  /** The sysfs path of the device, or the tty. */
  readonly device: string
  readonly driver: ModemDriver
  /** `option`, `cdc_acm`, `serial`. */
  readonly kernelDriver: string
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
const RESET_DEAF_MS = 2000
const RESET_PROBE_TIMES = [0, 2000, 5000, 10_000, 20_000, 40_000, 60_000]

export class Modem implements ModemHandle {
  readonly #options: ModemOptions
  readonly #clock: Clock
  readonly #driver: ModemDriver
  readonly #listeners = new Set<(next: ModemSnapshot, previous: ModemSnapshot) => void>()
  readonly #simWakeup = new Wakeup()
  readonly #networkWakeup = new Wakeup()
  readonly #signalWakeup = new Wakeup()
  #history: readonly { readonly atUs: bigint; readonly dbm: number }[] = []
  #ports: readonly ModemPort[] = []
  #otherPorts: readonly PortInfo[] = []
  #record: ModemRecord
  #signalPollMs: number | undefined = DEFAULT_SIGNAL_POLL_MS
  /** Ends what runs by itself: bring-up, and the loops that follow network and signal. */
  #round = new AbortController()
  #pinTurn: Promise<void> = Promise.resolve()
  /** The port that a dial or a call has. */
  #calledPort: ModemPort | undefined
  #call: Call | undefined
  #isGone = false

  constructor(options: ModemOptions) {
    const { id, device, driver, kernelDriver, imei } = options
    this.#options = options
    this.#clock = options.clock
    this.#driver = driver
    this.#record = newRecord({ id, device, driver: kernelDriver, ports: [], equipmentIdentifier: imei })
    for (const port of options.ports) this.addPort(port)
  }

  get snapshot(): ModemSnapshot {
    return this.#record.snapshot
  }

  onChange(listener: (next: ModemSnapshot, previous: ModemSnapshot) => void): Cancel {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
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
    this.#ports = assignRoles([...this.#ports, port])
    this.#tellPorts()
  }

  /** The device's ports that do not answer AT, or are not asked. */
  setOtherPorts(ports: readonly PortInfo[]): void {
    this.#otherPorts = ports
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
    await Promise.all(this.#ports.map((port) => port.close()))
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
      this.#apply({ type: 'unregistered' })
      this.#apply({ type: 'activity', activity: 'disabled' })
      return
    }
    this.start()
    throw new ModemdError('Unsupported', 'This modem does not let its radio be switched off.')
  }

  async reset(hard: boolean): Promise<void> {
    if (hard) throw new ModemdError('Unsupported', 'A hard reset is not supported yet; unplug the modem for a moment.')
    await this.#endAnyCall('the modem is reset')
    await this.#command(this.#driver.reset, { timeoutMs: RADIO_TIMEOUT_MS })
    this.#round.abort()
    this.#round = new AbortController()
    this.#apply({ type: 'unregistered' })
    this.#apply({ type: 'activity', activity: 'resetting' })
    void this.#awaitReset(this.#round.signal)
  }

  sendPin(pin: string, caller: PinCaller): Promise<void> {
    return this.#withPin((context) => enterPin(context, pin, caller))
  }

  sendPuk(puk: string, newPin: string): Promise<void> {
    return this.#withPin((context) => enterPuk(context, puk, newPin))
  }

  changePin(oldPin: string, newPin: string): Promise<void> {
    return this.#withPin((context) => changePin(context, oldPin, newPin))
  }

  enablePin(pin: string, on: boolean): Promise<void> {
    return this.#withPin((context) => requirePin(context, pin, on))
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
    if (this.#calledPort) throw new ModemdError('Busy', 'The modem already carries a call.', 'port-busy')
    const obstacle = obstacleOf(this.#record)
    if (obstacle) throw new DialError(obstacle)
    const port = this.#ports.find(({ role }) => role === 'data') ?? this.#ports[0]!
    this.#calledPort = port
    this.#apply({ type: 'activity', activity: 'connecting' })
    try {
      const isLte = this.#record.domains.eps !== undefined
      const connected = await dial(port, request, { clock: this.#clock, logger: this.#options.logger, isLte })
      this.#call = this.#callOn(port, connected)
      return this.#call
    } catch (error) {
      const { failure } = asDialError(error)
      // An abort string was the modem's own word: it is in command mode. After silence nobody knows.
      if (!port.session && (failure.chatExit ?? 0) >= 4) port.toAt()
      else if (!port.session && !this.#isGone) await hangUp(port, this.#clock)
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
    this.#calledPort = undefined
    this.#call = undefined
    if (failure) this.#apply({ type: 'failure', failure })
    this.#apply({ type: 'activity', activity: 'running' })
    this.#networkWakeup.wake()
    this.#signalWakeup.wake()
  }

  async #endAnyCall(why: string): Promise<void> {
    if (this.#call) await this.#call.hangUp({ cause: 'user-request', detail: why })
    else if (this.#calledPort)
      throw new ModemdError('Busy', 'The modem is dialling; try again in a moment.', 'port-busy')
  }

  /** PIN tries come one after another, each with the SIM's numbers and counters of that moment. */
  #withPin(step: (context: PinContext) => Promise<void>): Promise<void> {
    const turn = this.#pinTurn.then(async () => {
      const port = this.#freePort()
      const modem = this.#contextFor(new AbortController().signal)
      try {
        await step({
          clock: this.#clock,
          guard: port.guard,
          ledger: this.#options.ledger,
          sim: { iccid: this.snapshot.sim.iccid, imei: this.snapshot.equipmentIdentifier },
          attempt: (text, options) => sessionOf(port).attempt(text, options),
          readStatus: () => readSimStatus(modem),
          readTries: () => readTriesLeft(modem),
        })
        this.#apply({ type: 'sim', sim: { status: await readSimStatus(modem) } })
      } catch (error) {
        const failure = pinFailure(error)
        if (failure && this.snapshot.state === 'locked') this.#apply({ type: 'failure', failure })
        throw error
      } finally {
        this.#simWakeup.wake()
      }
    })
    this.#pinTurn = turn.catch(() => {})
    return turn
  }

  async #tryProfilePin(): Promise<boolean> {
    const pin = this.#options.pinFor(this.snapshot)
    if (pin === undefined) {
      this.#apply({ type: 'failure', failure: { cause: 'sim-pin', detail: 'The SIM asks for its PIN.' } })
      return false
    }
    try {
      await this.sendPin(pin, 'automatic')
      return true
    } catch (error) {
      if (this.#isGone) throw error
      this.#options.logger.warn(`The profile's PIN did not open the SIM: ${errorText(error)}`, {
        modem: this.snapshot.id,
      })
      return false
    }
  }

  /** Brings the modem up and keeps informed until the round ends; what fails is tried again with growing pauses. */
  async #run(signal: AbortSignal): Promise<void> {
    const modem = this.#contextFor(signal)
    const opener = { wakeup: this.#simWakeup, tryProfilePin: () => this.#tryProfilePin() }
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
    if (!isSilent || failures === 0 || this.#calledPort) return
    this.#apply({ type: 'failure', failure: { cause: 'modem-silent', detail: error.message } })
    this.#apply({ type: 'activity', activity: 'silent' })
  }

  /** A USB modem comes back as a new one; a plain UART's answers here again. */
  async #awaitReset(signal: AbortSignal): Promise<void> {
    try {
      await sleep(this.#clock, RESET_DEAF_MS, signal)
      for (const { session } of this.#ports) {
        await session?.probe(RESET_PROBE_TIMES)
        for (const command of this.#driver.portInit) await session?.attempt(command)
      }
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
    if (change?.type === 'registration' || change?.type === 'technologies') this.#networkWakeup.wake()
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
    return sessionOf(this.#freePort()).attempt(text, options)
  }

  /** The second AT port first: it is free whatever the data port does. */
  #freePort(): ModemPort {
    const free = this.#ports.filter((port) => port !== this.#calledPort && port.session)
    const port = free.find(({ role }) => role !== 'data') ?? free[0]
    if (!port) throw new ModemdError('Busy', "A call has the modem's only AT port.", 'port-busy')
    return port
  }

  #apply(change: Change): void {
    if (this.#isGone) return
    const previous = this.#record.snapshot
    const next = reduce(this.#record, change)
    const isNews = !isDeepStrictEqual(previous, next.snapshot)
    this.#record = isNews ? next : { ...next, snapshot: previous }
    if (change.type === 'signal' && change.signal.rssi !== undefined) {
      const sample = { atUs: change.signal.atUs, dbm: change.signal.rssi }
      this.#history = [...this.#history.slice(1 - HISTORY_LENGTH), sample]
    }
    if (isNews) for (const listener of [...this.#listeners]) listener(next.snapshot, previous)
  }

  #tellPorts(): void {
    const own = this.#ports.map(({ path, role, owner }) => ({ name: path, role, owner }))
    const ports = [...own, ...this.#otherPorts].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))
    this.#apply({ type: 'ports', ports })
  }
}

function sessionOf(port: ModemPort): AtSession {
  if (!port.session) throw new ModemdError('Busy', `${port.path} carries a call now.`, 'port-busy')
  return port.session
}

/** With two or more, one is for data (the table's, else the lowest) and the others for commands. */
function assignRoles(ports: readonly ModemPort[]): readonly ModemPort[] {
  const sorted = [...ports].sort((a, b) => a.number - b.number)
  const data = sorted.find(({ hint }) => hint === 'data') ?? sorted.find(({ hint }) => hint !== 'at') ?? sorted[0]
  for (const port of sorted) port.role = sorted.length > 1 && port === data ? 'data' : 'at'
  return sorted
}

/** Why a dial cannot even begin. */
function obstacleOf({ activity, snapshot }: ModemRecord): Failure | undefined {
  if (activity === 'gone') return { cause: 'modem-gone', detail: 'the modem is gone' }
  if (activity === 'silent') return { cause: 'modem-silent', detail: snapshot.stateReason }
  const error = simError(snapshot.sim.status)
  if (error) return snapshot.failure ?? { cause: error.failureCause ?? 'sim-failed', detail: error.message }
  if (activity === 'disabled') return { cause: 'radio-off', detail: 'the radio was switched off' }
  if (activity !== 'running') return { cause: 'no-network', detail: `the modem is ${activity}` }
  return undefined
}

/** Why the SIM stays locked; undefined: the caller's own mistake, which changes nothing. */
function pinFailure(error: unknown): Failure | undefined {
  if (!(error instanceof ModemdError)) return undefined
  const isOurs = error.code === 'PinGuard' || error.code === 'SimPin' || error.code === 'SimPuk'
  return isOurs ? { cause: error.failureCause ?? 'sim-pin', detail: error.message } : undefined
}

function isBusy(error: unknown): boolean {
  return error instanceof ModemdError && error.failureCause === 'port-busy'
}
