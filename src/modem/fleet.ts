/**
 * All modems that are here: detection finds ports, the tables say which are a modem's, candidates make modems of them, and
 * the supervisor and the bus see the result. Made by `daemon/main.ts`.
 */

import { join } from 'node:path'
import { ModemdError } from '../base/errors.ts'
import { Listeners } from '../base/listeners.ts'
import type { Cancel, Clock, Logger, Random } from '../base/ports.ts'
import { holdersOf } from '../serial/holders.ts'
import type { WireOpener } from '../serial/wire.ts'
import { Candidate, type FoundModem } from './candidate.ts'
import { Detection, type ListenDeviceEvents } from './detection.ts'
import { DeviceRestart } from './device-restart.ts'
import { driverForUsb } from './drivers/choose.ts'
import { ForeignGate, type ForeignManagers } from './foreign-managers.ts'
import { RememberedIds } from './ids.ts'
import { type DetectSettings, isNamed, isPlain, judge, namedTtys } from './known-devices.ts'
import { ModeSwitch, type RunProgram } from './mode-switch.ts'
import { Modem } from './modem.ts'
import { PinLedger } from './pin-ledger.ts'
import { PortLinks } from './port-links.ts'
import { PortMemory } from './port-memory.ts'
import type { ModemFleet, ModemHandle, ModemSnapshot, PortReport, Restart } from './snapshot.ts'
import { stateFilesIn } from './state-files.ts'
import type { TtyFacts } from './sysfs.ts'

export interface FleetOptions {
  /** Put before /sys and /dev; '' for the machine's own. */
  readonly root: string
  /** Where the PIN ledger and what was learnt of ports live; with the root. */
  readonly stateDirectory: string
  readonly settings: DetectSettings
  readonly openWire: WireOpener
  readonly listenUevents: ListenDeviceEvents
  /** Who else takes modems by itself; undefined: nobody does. */
  readonly foreign?: ForeignManagers | undefined
  /** For usb_modeswitch; undefined: as a child process. */
  readonly runProgram?: RunProgram | undefined
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
  readonly #memory: PortMemory
  readonly #links: PortLinks
  readonly #modeSwitch: ModeSwitch
  readonly #restart: DeviceRestart
  readonly #gate: ForeignGate | undefined
  readonly #ttys = new Map<string, TtyFacts>()
  /** By `keyOf`. */
  readonly #candidates = new Map<string, Candidate>()
  /** How many hold each. */
  readonly #inhibited = new Map<string, number>()
  /** By the id that it had, the key of a modem that was let go of. */
  readonly #inhibitedIds = new Map<string, string>()
  readonly #added = new Listeners<[modem: ModemHandle]>()
  readonly #removed = new Listeners<[modem: ModemHandle]>()
  #modems: readonly Modem[] = []
  #isClosed = false

  constructor(options: FleetOptions) {
    const { root, listenUevents, clock, logger, stateDirectory, random, runProgram, foreign } = options
    this.#options = options
    const files = stateFilesIn(stateDirectory, root)
    this.#ledger = new PinLedger(files, random)
    this.#ids = new RememberedIds(files, logger)
    this.#memory = new PortMemory(files, logger)
    this.#links = new PortLinks(root, logger)
    this.#restart = new DeviceRestart({ root, settings: () => options.settings, files, clock, logger })
    this.#modeSwitch = new ModeSwitch({ root, clock, logger, runProgram })
    this.#gate =
      foreign &&
      new ForeignGate({
        managers: foreign,
        clock,
        logger,
        onChange: () => this.#managersChanged(),
        onFree: (key) => this.#takeAllOf(key),
      })
    this.#detection = new Detection({
      root,
      listenUevents,
      clock,
      logger,
      onTty: (tty) => this.#onTty(tty),
      onTtyGone: (tty) => this.#onTtyGone(tty),
      onUsb: (place) => this.#modeSwitch.noticed(place),
      onLook: () => {
        this.#modeSwitch.look()
        this.#addNamedTtys()
      },
    })
    queueMicrotask(() => this.#detection.look())
    // Its uevents tell of what comes of it.
    void this.#restart.restoreAfterCrash()
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
    for (const candidate of this.#candidates.values()) candidate.relearn()
  }

  wake(): void {
    this.#detection.look()
    for (const candidate of this.#candidates.values()) candidate.retry()
    for (const modem of this.#modems) modem.wake()
  }

  ports(): readonly PortReport[] {
    const root = this.#options.root
    const holders = holdersOf([...this.#ttys.keys()].map((path) => join(root, path)))
    return [...this.#ttys.values()]
      .map((tty) => this.#reportOf(tty, holders.get(join(root, tty.path))))
      .concat(this.#modeSwitch.reports())
      .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))
  }

  async inhibit(device: string): Promise<Cancel> {
    const key = this.#keyNamed(device)
    if (key === undefined)
      throw new ModemdError('NotFound', `There is no modem ${device}: name it by its id, device path or tty.`)
    this.#inhibited.set(key, (this.#inhibited.get(key) ?? 0) + 1)
    for (const { snapshot } of this.#modems) if (snapshot.device === key) this.#inhibitedIds.set(snapshot.id, key)
    await this.#drop(key, 'let go of because another program asked for it')
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      const others = this.#inhibited.get(key)! - 1
      this.#inhibited.set(key, others)
      if (others > 0) return
      this.#inhibited.delete(key)
      for (const [id, held] of this.#inhibitedIds) if (held === key) this.#inhibitedIds.delete(id)
      this.#takeAllOf(key)
    }
  }

  /** Lets go of every port; calls are the supervisor's to end before. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#detection.close()
    this.#modeSwitch.close()
    await Promise.all([...this.#candidates.keys()].map((key) => this.#drop(key, 'modemd ends')))
    this.#links.close()
    // Only now: what is let go of there is let go of here.
    this.#gate?.close()
  }

  #reportOf(tty: TtyFacts, holder: string | undefined): PortReport {
    const { settings } = this.#options
    const { isModem, reason } = judge(tty, settings)
    const key = keyOf(tty)
    const candidate = this.#candidates.get(key)
    const port = candidate?.portNamed(tty.path)
    const obstacle = isModem && !port ? this.#obstacle(tty) : undefined
    const how = candidate?.reasonFor(tty.path)
    const isUnusable = candidate?.isUnusable(tty.path) === true
    return {
      name: tty.path,
      device: tty.device,
      driver: tty.usb?.kernelDriver ?? tty.driver ?? '',
      usbId: tty.usb && `${tty.usb.vendor}:${tty.usb.product}`,
      interfaceClass: tty.usb?.interfaceClass,
      role: isUnusable ? undefined : port?.role,
      owner: port?.owner || (holder ?? (obstacle && this.#gate?.holder) ?? ''),
      isTaken: isModem && obstacle === undefined && !isUnusable,
      reason: obstacle ?? (how ? `${reason}; ${how}` : reason),
      modem: candidate?.modem?.snapshot.id,
    }
  }

  /** Why a modem's port is not taken for now. */
  #obstacle(tty: TtyFacts): string | undefined {
    if (this.#inhibited.has(keyOf(tty))) return 'let go of because another program asked for it (`mmctl inhibit`)'
    return this.#gate?.obstacle(keyOf(tty), isNamed(tty, this.#options.settings))
  }

  #onTty(tty: TtyFacts): void {
    const { settings, logger } = this.#options
    this.#ttys.set(tty.path, tty)
    const { isModem, reason } = judge(tty, settings)
    logger.debug(`${tty.path} is ${isModem ? 'taken' : 'left alone'}: ${reason}.`)
    const key = keyOf(tty)
    if (!isModem || this.#isClosed || this.#inhibited.has(key)) return
    if (this.#gate && !this.#gate.isFree(key) && !this.#candidates.has(key)) {
      if (isNamed(tty, settings)) this.#gate.ask(key)
      return
    }
    const candidate = this.#candidates.get(key) ?? this.#newCandidate(key, tty)
    if (!candidate.owns(tty.path)) candidate.addTty(tty)
  }

  #takeAllOf(key: string): void {
    for (const tty of [...this.#ttys.values()]) if (keyOf(tty) === key) this.#onTty(tty)
  }

  /** A manager that comes gets what nobody named; a call that stands is not cut. One that goes leaves all to us. */
  #managersChanged(): void {
    const gate = this.#gate
    if (!gate || this.#isClosed) return
    const { logger, settings } = this.#options
    if (gate.holder !== undefined)
      logger.warn(`${gate.holder} runs: only modems that the configuration names are taken.`)
    for (const tty of [...this.#ttys.values()]) {
      const key = keyOf(tty)
      const candidate = this.#candidates.get(key)
      if (gate.holder === undefined || !candidate) this.#onTty(tty)
      else if (isNamed(tty, settings) || isInCall(candidate)) gate.ask(key)
      else void this.#drop(key, `left to ${gate.holder}`)
    }
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
      memory: this.#memory,
      holderOf: (path) => this.#holderOf(path),
      openWire,
      clock,
      logger,
      onFound: (found) => this.#addModem(key, tty, found),
    })
    this.#candidates.set(key, candidate)
    return candidate
  }

  #holderOf(path: string): string | undefined {
    const file = join(this.#options.root, path)
    return holdersOf([file]).get(file)
  }

  #addModem(key: string, tty: TtyFacts, { driver, manufacturer, imei, ports }: FoundModem): Modem {
    const { clock, logger } = this.#options
    const switches = this.#restart.switchesFor(tty)
    const taken = new Set(this.#modems.map(({ snapshot }) => snapshot.id))
    const id = this.#ids.choose(tty, imei, taken)
    const modem: Modem = new Modem({
      id,
      device: key,
      driver,
      kernelDriver: tty.usb?.kernelDriver || (tty.wwan && tty.driver) || 'serial',
      manufacturer,
      imei,
      ports,
      ledger: this.#ledger,
      openWire: this.#options.openWire,
      restarts: RESTARTS.filter((way) => switches[way] !== undefined),
      restartDevice: (way) => this.#restart.restart(switches, way),
      clock,
      logger,
      pinFor: (snapshot) => this.#options.pinFor(snapshot),
      onGone: (reason) => this.#removeModem(key, modem, reason),
    })
    if (imei === undefined) modem.onChange(({ equipmentIdentifier }) => this.#ids.learn(tty, equipmentIdentifier))
    const tell = ({ ports: shown }: ModemSnapshot) => this.#links.show(id, shown)
    modem.onChange((next, previous) => next.ports !== previous.ports && tell(next))
    tell(modem.snapshot)
    this.#modems = [...this.#modems, modem]
    logger.info(`Modem ${id} is here: ${ports.map(({ path }) => path).join(', ')}.`)
    this.#added.emit(modem)
    return modem
  }

  #removeModem(key: string, modem: Modem, reason: string): void {
    this.#modems = this.#modems.filter((other) => other !== modem)
    this.#links.show(modem.snapshot.id, [])
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
    const key = this.#inhibitedIds.get(device)
    if (key !== undefined) return key
    return this.#candidates.has(device) || this.#inhibited.has(device) ? device : undefined
  }
}

/** The gentlest first. */
const RESTARTS: readonly Restart[] = ['usb-port', 'power']

/** What belongs together: the USB device, or a plain port by itself. */
function keyOf(tty: TtyFacts): string {
  return isPlain(tty) ? tty.path : tty.device
}

function isInCall({ modem }: Candidate): boolean {
  return /^(connecting|connected|disconnecting)$/.test(modem?.snapshot.state ?? '')
}
