/**
 * One modem: its ports, its one record, and the commands that the supervisor and the bus give. The steps themselves are
 * procedures (bring-up, SIM, dial, hang-up); here they are started, kept apart and turned into states.
 */

import { isDeepStrictEqual } from 'node:util'
import { ModemdError } from '../base/errors.ts'
import { Listeners } from '../base/listeners.ts'
import type { Cancel, Clock, Logger } from '../base/ports.ts'
import type { WireOpener } from '../serial/wire.ts'
import type { AtReply } from './at/channel.ts'
import type { ScannedNetwork } from './at/replies/cops.ts'
import { parseCimi } from './at/replies/identity.ts'
import { type CommandOptions, errorOf } from './at/session.ts'
import { prefixOf } from './at/unsolicited.ts'
import { CallDesk } from './call-desk.ts'
import type { ModemDriver } from './drivers/driver.ts'
import { AtConsole } from './features/console/console.ts'
import type { FeatureRound } from './features/feature.ts'
import { FeatureSet } from './features/feature-set.ts'
import { NmeaLocation } from './features/location/location.ts'
import { ModemMessaging } from './features/messaging/messaging.ts'
import { Subscriber } from './features/subscriber/subscriber.ts'
import { NetworkClock } from './features/time/time.ts'
import { UssdSession } from './features/ussd/ussd.ts'
import { NetworkSearch } from './network-search.ts'
import { changePin, enterPin, enterPuk, requirePin } from './pin.ts'
import { PinDesk } from './pin-desk.ts'
import type { PinLedger } from './pin-ledger.ts'
import type { ModemPort } from './port.ts'
import { PortSet, sessionOf } from './port-set.ts'
import { PowerDesk } from './power-desk.ts'
import { isOpen, isSimNews, simFailure } from './sim.ts'
import type {
  Call,
  DialRequest,
  ModemHandle,
  ModemSnapshot,
  PersonCaller,
  PinCaller,
  PortInfo,
  Restart,
} from './snapshot.ts'
import { type Change, isIn, type ModemRecord, newRecord, reduce } from './state.ts'
import { StateLog } from './state-log.ts'
import { Upkeep, Wakeups } from './upkeep.ts'

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
  /** For ports that are not AT's. */
  readonly openWire: WireOpener
  /** From outside, the gentlest first. */
  readonly restarts: readonly Restart[]
  readonly restartDevice: (way: Restart) => Promise<void>
  readonly clock: Clock
  readonly logger: Logger
  pinFor(modem: ModemSnapshot): string | undefined
  /** A port ended: the modem is dead from here on. */
  onGone(reason: string): void
}

const HISTORY_LENGTH = 360

export class Modem implements ModemHandle {
  /** Beside calls: each a class of its own in `features/`, made in the constructor: `this.x = this.#features.add(new X(context))`. */
  readonly console: AtConsole
  readonly messaging: ModemMessaging
  readonly subscriber: Subscriber
  readonly ussd: UssdSession
  readonly time: NetworkClock
  readonly location: NmeaLocation
  readonly #options: ModemOptions
  readonly #clock: Clock
  readonly #driver: ModemDriver
  readonly #listeners = new Listeners<[next: ModemSnapshot, previous: ModemSnapshot]>()
  readonly #log: StateLog
  readonly #wakeups = new Wakeups()
  readonly #ports = new PortSet()
  readonly #features = new FeatureSet()
  readonly #search: NetworkSearch
  readonly #calls: CallDesk
  readonly #pinDesk: PinDesk
  readonly #upkeep: Upkeep
  readonly #power: PowerDesk
  #history: readonly { readonly atUs: bigint; readonly dbm: number }[] = []
  #record: ModemRecord
  #isGone = false

  constructor(options: ModemOptions) {
    const { id, device, driver, kernelDriver, manufacturer, imei, clock, logger } = options
    this.#options = options
    this.#clock = clock
    this.#driver = driver
    this.#log = new StateLog(logger)
    this.#record = newRecord({ id, device, driver: kernelDriver, ports: [], manufacturer, equipmentIdentifier: imei })
    const context = this.#contextFor(new AbortController().signal)
    this.#pinDesk = this.#features.add(
      new PinDesk({
        modem: context,
        ports: this.#ports,
        ledger: options.ledger,
        wakeup: this.#wakeups.sim,
        pinFor: (snapshot) => options.pinFor(snapshot),
      }),
    )
    this.#calls = this.#features.add(
      new CallDesk({
        clock,
        logger,
        driver,
        ports: this.#ports,
        record: () => this.#record,
        apply: (change) => this.#apply(change),
        simFailure: (port, failure) => simFailure(port, failure, (change) => this.#apply(change)),
        ask: (text) => this.#attempt(text),
        onEnded: () => this.#callEnded(),
      }),
    )
    this.#upkeep = new Upkeep({
      ports: this.#ports,
      pinDesk: this.#pinDesk,
      features: this.#features,
      wakeups: this.#wakeups,
      activity: () => this.#record.activity,
      roundFor: (signal) => this.#contextFor(signal),
    })
    this.#power = new PowerDesk({
      modem: context,
      ports: this.#ports,
      calls: this.#calls,
      upkeep: this.#upkeep,
      wakeups: this.#wakeups,
      activity: () => this.#record.activity,
      restarts: options.restarts,
      restartDevice: options.restartDevice,
    })
    this.console = new AtConsole(context)
    this.messaging = this.#features.add(new ModemMessaging(context))
    this.subscriber = new Subscriber(context)
    this.ussd = this.#features.add(new UssdSession(context))
    this.time = this.#features.add(new NetworkClock(context))
    this.location = this.#features.add(new NmeaLocation(context, options.openWire))
    this.#search = new NetworkSearch(context)
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
    if (!this.#isGone) this.#upkeep.start()
  }

  /** It may have lost power, and with it what it was told. */
  wake(): void {
    if (this.#isGone || this.#ports.called || !/^(starting|running|silent)$/.test(this.#record.activity)) return
    this.#apply({ type: 'activity', activity: 'starting' })
    this.#apply({ type: 'unregistered' })
    this.start()
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
    this.#upkeep.stop()
    this.#features.gone(reason)
    this.#options.onGone(reason)
    await this.#ports.close()
  }

  enable(): Promise<void> {
    return this.#power.enable()
  }

  disable(): Promise<void> {
    return this.#power.disable()
  }

  get restarts(): readonly Restart[] {
    return this.#options.restarts
  }

  reset(hard: boolean): Promise<void> {
    return this.#power.reset(hard)
  }

  restart(way: Restart): Promise<void> {
    return this.#power.restart(way)
  }

  sendPin(pin: string, caller: PinCaller): Promise<void> {
    return this.#pinDesk.serve((context) => enterPin(context, pin, caller))
  }

  sendPuk(puk: string, newPin: string): Promise<void> {
    return this.#pinDesk.serve((context) => enterPuk(context, puk, newPin))
  }

  changePin(oldPin: string, newPin: string, caller: PersonCaller): Promise<void> {
    return this.#pinDesk.serve((context) => changePin(context, oldPin, newPin, caller))
  }

  enablePin(pin: string, on: boolean, caller: PersonCaller): Promise<void> {
    return this.#pinDesk.serve((context) => requirePin(context, pin, on, caller))
  }

  async imsi(): Promise<string> {
    const imsi = parseCimi((await this.#command('AT+CIMI')).lines)
    if (imsi === undefined) throw new ModemdError('Unknown', 'The SIM does not tell its IMSI.')
    return imsi
  }

  setSignalPoll(seconds: number): void {
    this.#upkeep.setSignalPoll(seconds * 1000)
  }

  signalHistory(): readonly { readonly atUs: bigint; readonly dbm: number }[] {
    return this.#history
  }

  scan(): Promise<readonly ScannedNetwork[]> {
    return this.#search.scan()
  }

  async register(plmn: string): Promise<void> {
    await this.#search.register(plmn)
    this.#wakeups.network.wake()
  }

  dial(request: DialRequest): Promise<Call> {
    return this.#calls.dial(request)
  }

  #callEnded(): void {
    this.#wakeups.network.wake()
    this.#wakeups.signal.wake()
    // With one port nobody heard what happened to the SIM.
    if (this.#ports.all.length === 1) this.#wakeups.sim.wake()
    this.#features.callEnded()
  }

  #onReport(line: string): void {
    if (this.#features.report(line)) return
    const change = this.#driver.reports[prefixOf(line) ?? '']?.(line, {
      wallUs: this.#clock.wallUs(),
      snapshot: this.snapshot,
    })
    const { registration } = this.snapshot
    if (change) this.#apply(change)
    // A search that goes on is no news.
    const isNews = this.snapshot.registration !== registration || isIn(registration)
    if (change?.type === 'registration' && isNews) this.#wakeups.network.wake()
    if (isSimNews(line, this.snapshot)) this.#wakeups.sim.wake()
  }

  /** Its commands reject once `signal` is aborted. */
  #contextFor(signal: AbortSignal): FeatureRound {
    const snapshot = () => this.snapshot
    const whileOn = <T>(run: () => Promise<T>) => (signal.aborted ? Promise.reject(signal.reason) : run())
    return {
      clock: this.#clock,
      logger: this.#options.logger,
      driver: this.#driver,
      signal,
      get snapshot() {
        return snapshot()
      },
      apply: (change) => this.#apply(change),
      attempt: (text, options) => whileOn(() => this.#attempt(text, options)),
      command: (text, options) => whileOn(() => this.#command(text, options)),
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
    if (isIn(previous.registration) && !isIn(registration)) {
      this.#wakeups.signal.wake()
      // Modems that report nothing else of it lose the network with the SIM.
      this.#wakeups.sim.wake()
    }
    if (isNews) this.#log.note(next.snapshot)
    if (isNews) this.#listeners.emit(next.snapshot, previous)
    if (registration !== previous.registration && !isIn(registration)) void this.#calls.doubt()
    if (isOpen(previous.sim.status) && !isOpen(next.snapshot.sim.status)) this.#wakeups.sim.wake()
    if (next.snapshot.state === 'absent-sim')
      this.#calls.drop({ cause: 'sim-absent', detail: next.snapshot.stateReason })
    if (next.snapshot.state === 'registered' && previous.state !== 'registered') this.#features.registered()
  }

  #tellPorts(): void {
    this.#apply({ type: 'ports', ports: this.#ports.infos() })
  }
}
