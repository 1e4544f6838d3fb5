/**
 * All modems that are here: detection finds ports, the tables say which are a modem's, candidates make modems of them, and
 * the supervisor and the bus see the result. Made by `daemon/main.ts`.
 */

import { ModemdError } from '../base/errors.ts'
import { Listeners } from '../base/listeners.ts'
import type { Cancel, Clock, Logger, Random } from '../base/ports.ts'
import type { WireOpener } from '../serial/wire.ts'
import { Candidate, type FoundModem } from './candidate.ts'
import { Detection, type ListenDeviceEvents } from './detection.ts'
import { RememberedIds } from './ids.ts'
import { type DetectSettings, driverForUsb, isPlain, judge, namedTtys } from './known-devices.ts'
import { Modem } from './modem.ts'
import { PinLedger } from './pin-ledger.ts'
import type { ModemFleet, ModemHandle, ModemSnapshot } from './snapshot.ts'
import { stateFilesIn } from './state-files.ts'
import type { TtyFacts } from './sysfs.ts'

export interface FleetOptions {
  /** Put before /sys and /dev; '' for the machine's own. */
  readonly root: string
  /** Where the PIN ledger lives; with the root. */
  readonly stateDirectory: string
  readonly settings: DetectSettings
  readonly openWire: WireOpener
  readonly listenUevents: ListenDeviceEvents
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** The PIN that may be tried by itself for a modem that appears locked. */
  pinFor(modem: ModemSnapshot): string | undefined
}

/** Begins to look at once, but tells of modems only later than the present turn. */
export function createFleet(options: FleetOptions): Fleet {
  return new Fleet(options)
}

export class Fleet implements ModemFleet {
  readonly #options: FleetOptions
  readonly #detection: Detection
  readonly #ledger: PinLedger
  readonly #ids: RememberedIds
  readonly #ttys = new Map<string, TtyFacts>()
  /** By `keyOf`. */
  readonly #candidates = new Map<string, Candidate>()
  /** How many hold each. */
  readonly #inhibited = new Map<string, number>()
  readonly #added = new Listeners<[modem: ModemHandle]>()
  readonly #removed = new Listeners<[modem: ModemHandle]>()
  #modems: readonly Modem[] = []
  #isClosed = false

  constructor(options: FleetOptions) {
    const { root, listenUevents, clock, logger, stateDirectory, random } = options
    this.#options = options
    const files = stateFilesIn(stateDirectory, root)
    this.#ledger = new PinLedger(files, random)
    this.#ids = new RememberedIds(files, logger)
    this.#detection = new Detection({
      root,
      listenUevents,
      clock,
      logger,
      onTty: (tty) => this.#onTty(tty),
      onTtyGone: (tty) => this.#onTtyGone(tty),
      onLook: () => this.#addNamedTtys(),
    })
    queueMicrotask(() => this.#detection.look())
  }

  get modems(): readonly ModemHandle[] {
    return this.#modems
  }

  onAdded(listener: (modem: ModemHandle) => void): Cancel {
    return this.#added.add(listener)
  }

  onRemoved(listener: (modem: ModemHandle) => void): Cancel {
    return this.#removed.add(listener)
  }

  rescan(): void {
    this.#detection.look()
    for (const candidate of this.#candidates.values()) candidate.retry()
  }

  async inhibit(device: string): Promise<Cancel> {
    const key = this.#keyNamed(device)
    if (key === undefined)
      throw new ModemdError('NotFound', `There is no modem ${device}: name it by its id, device path or tty.`)
    this.#inhibited.set(key, (this.#inhibited.get(key) ?? 0) + 1)
    await this.#drop(key, 'let go of because another program asked for it')
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      const others = this.#inhibited.get(key)! - 1
      this.#inhibited.set(key, others)
      if (others > 0) return
      this.#inhibited.delete(key)
      for (const tty of this.#ttys.values()) if (keyOf(tty) === key) this.#onTty(tty)
    }
  }

  /** Lets go of every port; calls are the supervisor's to end before. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#detection.close()
    await Promise.all([...this.#candidates.keys()].map((key) => this.#drop(key, 'modemd ends')))
  }

  #onTty(tty: TtyFacts): void {
    const { settings, logger } = this.#options
    this.#ttys.set(tty.path, tty)
    const { isModem, reason } = judge(tty, settings)
    logger.debug(`${tty.path} is ${isModem ? 'taken' : 'left alone'}: ${reason}.`)
    const key = keyOf(tty)
    if (!isModem || this.#isClosed || this.#inhibited.has(key)) return
    const candidate = this.#candidates.get(key) ?? this.#newCandidate(key, tty)
    if (!candidate.owns(tty.path)) candidate.addTty(tty)
  }

  #onTtyGone(tty: TtyFacts): void {
    this.#ttys.delete(tty.path)
    const key = keyOf(tty)
    const candidate = this.#candidates.get(key)
    candidate?.removeTty(tty.path)
    if (candidate?.isEmpty) void this.#drop(key, `${tty.path}: unplugged`)
  }

  /** Plain ports that the configuration names need no entry in /sys. */
  #addNamedTtys(): void {
    for (const path of namedTtys(this.#options.settings)) {
      const candidate = this.#candidates.get(path)
      if (candidate) candidate.retry()
      else if (!this.#ttys.has(path)) this.#onTty({ name: path.split('/').at(-1)!, path, device: path })
    }
  }

  #newCandidate(key: string, tty: TtyFacts): Candidate {
    const { settings, openWire, clock, logger } = this.#options
    const candidate: Candidate = new Candidate({
      name: tty.usb?.place ?? tty.path,
      driver: tty.usb && !isPlain(tty) ? driverForUsb(tty.usb) : undefined,
      triesForEver: isPlain(tty),
      settings,
      openWire,
      clock,
      logger,
      onFound: (found) => this.#addModem(key, tty, found),
    })
    this.#candidates.set(key, candidate)
    return candidate
  }

  #addModem(key: string, tty: TtyFacts, { driver, manufacturer, imei, ports }: FoundModem): Modem {
    const { clock, logger } = this.#options
    const taken = new Set(this.#modems.map(({ snapshot }) => snapshot.id))
    const id = this.#ids.choose(tty, imei, taken)
    const modem: Modem = new Modem({
      id,
      device: key,
      driver,
      kernelDriver: tty.usb?.kernelDriver || 'serial',
      manufacturer,
      imei,
      ports,
      ledger: this.#ledger,
      clock,
      logger,
      pinFor: (snapshot) => this.#options.pinFor(snapshot),
      onGone: (reason) => this.#removeModem(key, modem, reason),
    })
    if (imei === undefined) modem.onChange(({ equipmentIdentifier }) => this.#ids.learn(tty, equipmentIdentifier))
    this.#modems = [...this.#modems, modem]
    logger.info(`Modem ${id} is here: ${ports.map(({ path }) => path).join(', ')}.`)
    this.#added.emit(modem)
    return modem
  }

  #removeModem(key: string, modem: Modem, reason: string): void {
    this.#modems = this.#modems.filter((other) => other !== modem)
    this.#options.logger.info(`Modem ${modem.snapshot.id} is gone (${reason}).`)
    this.#removed.emit(modem)
    this.#candidates.get(key)?.modemGone()
  }

  async #drop(key: string, reason: string): Promise<void> {
    const candidate = this.#candidates.get(key)
    this.#candidates.delete(key)
    await candidate?.close(reason)
  }

  #keyNamed(device: string): string | undefined {
    const modem = this.#modems.find(({ snapshot }) => snapshot.id === device || snapshot.device === device)
    if (modem) return modem.snapshot.device
    const tty = [...this.#ttys.values()].find(({ path }) => path === device)
    if (tty) return keyOf(tty)
    return this.#candidates.has(device) || this.#inhibited.has(device) ? device : undefined
  }
}

/** What belongs together: the USB device, or a plain port by itself. */
function keyOf(tty: TtyFacts): string {
  return isPlain(tty) ? tty.path : tty.device
}
