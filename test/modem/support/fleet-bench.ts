/** A fleet over a fake /sys, virtual wires and scripted modems; time moves only as a test moves it. */

import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ModemdError } from '../../../src/base/errors.ts'
import { type Logger, silentLogger } from '../../../src/base/ports.ts'
import { createFleet, type Fleet } from '../../../src/modem/fleet.ts'
import type { ForeignManagers } from '../../../src/modem/foreign-managers.ts'
import type { DetectSettings } from '../../../src/modem/known-devices.ts'
import type { RunProgram } from '../../../src/modem/mode-switch.ts'
import type { ModemHandle, ModemSnapshot } from '../../../src/modem/snapshot.ts'
import { PortBusyError } from '../../../src/serial/port-busy.ts'
import type { Wire } from '../../../src/serial/wire.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import { virtualWires } from '../../support/virtual-wire.ts'
import { type FakeInterface, FakeSysfs } from './fake-sysfs.ts'
import { ScriptedModem, type ScriptedModemOptions, type ScriptedPort } from './scripted-modem.ts'

export const AUTO: DetectSettings = { allow: ['auto'], ignore: [], devices: [] }

/** Two ports: data and commands. */
export const TWO_PORTS: readonly FakeInterface[] = [
  { number: 0, driver: 'option', tty: 'ttyUSB0' },
  { number: 1, driver: 'option', tty: 'ttyUSB1' },
]

export interface FleetBenchOptions {
  readonly settings?: DetectSettings
  readonly pinFor?: (modem: ModemSnapshot) => string | undefined
  readonly latencyMs?: number
  readonly foreign?: ForeignManagers
  readonly runProgram?: RunProgram
  readonly logger?: Logger
}

export class FleetBench {
  readonly clock = new VirtualClock()
  readonly sysfs = new FakeSysfs()
  readonly added: ModemHandle[] = []
  readonly removed: ModemHandle[] = []
  /** Every path that was opened, in order. */
  readonly opened: string[] = []
  readonly written: string[] = []
  readonly ports = new Map<string, ScriptedPort>()
  readonly wires = new Map<string, Wire>()
  /** Ttys whose modem is in a call when they are opened. */
  readonly inCall = new Set<string>()
  readonly #behind = new Map<string, ScriptedModem | 'busy'>()
  readonly #options: FleetBenchOptions
  #fleet: Fleet | undefined

  constructor(options: FleetBenchOptions = {}) {
    this.#options = options
  }

  get fleet(): Fleet {
    this.#fleet ??= this.#start()
    return this.#fleet
  }

  get stateDirectory(): string {
    return join(this.sysfs.root, 'state')
  }

  /** A modem whose ttys these are; plugged at once. */
  plug(
    options: ScriptedModemOptions = {},
    { place = '1-2', id = '12d1:1001', interfaces = TWO_PORTS, ...more }: Partial<Plug> = {},
  ): ScriptedModem {
    const modem = new ScriptedModem(this.clock, options)
    const [vendor = '', product = ''] = id.split(':')
    const ttys = interfaces.flatMap(({ tty }) => tty ?? [])
    for (const tty of ttys) this.put(`/dev/${tty}`, modem)
    this.sysfs.addUsb({ place, vendor, product, interfaces, ...more })
    this.sysfs.announce('add', ...ttys)
    return modem
  }

  unplug(place: string, ...ttys: string[]): void {
    this.sysfs.removeUsb(place, ...ttys)
    for (const tty of ttys) {
      this.#behind.delete(`/dev/${tty}`)
      this.ports.get(`/dev/${tty}`)?.close()
    }
    this.sysfs.announce('remove', ...ttys)
  }

  /** What answers behind a tty from now on. */
  put(path: string, modem: ScriptedModem | 'busy'): void {
    this.#behind.set(path, modem)
  }

  take(path: string): void {
    this.#behind.delete(path)
  }

  get modem(): ModemHandle {
    const modem = this.fleet.modems[0]
    if (!modem) throw new Error('no modem')
    return modem
  }

  /** Until the condition holds; throws when the clock's limit passes first. */
  async until(what: string, isSo: () => boolean, limitMs = 60_000): Promise<void> {
    const untilMs = this.clock.nowMs() + limitMs
    await this.clock.advance(0)
    while (!isSo()) {
      if (this.clock.nowMs() >= untilMs) throw new Error(`waited ${limitMs} ms in vain until ${what}`)
      if (!(await this.clock.step(untilMs))) await this.clock.advance(untilMs - this.clock.nowMs())
    }
  }

  /** Moves time until the promise has settled. */
  async settled<T>(promise: Promise<T>, limitMs?: number): Promise<T> {
    let isSettled = false
    const note = () => {
      isSettled = true
    }
    promise.then(note, note)
    await this.until('a command ends', () => isSettled, limitMs)
    return promise
  }

  async dispose(): Promise<void> {
    // A port that is just being asked is let go of after its pause.
    if (this.#fleet) await this.settled(this.#fleet.close())
    this.sysfs.dispose()
  }

  #start(): Fleet {
    const { settings = AUTO, pinFor = () => undefined, logger = silentLogger, foreign, runProgram } = this.#options
    const fleet = createFleet({
      root: this.sysfs.root,
      stateDirectory: this.stateDirectory,
      settings,
      openWire: (path) => this.#open(path),
      listenUevents: this.sysfs.listenUevents,
      clock: this.clock,
      random: new SeededRandom(3),
      logger,
      foreign,
      runProgram,
      pinFor,
    })
    fleet.onAdded((modem) => this.added.push(modem))
    fleet.onRemoved((modem) => this.removed.push(modem))
    return fleet
  }

  async #open(path: string): Promise<Wire> {
    this.opened.push(path)
    const modem = this.#behind.get(path)
    if (!modem) throw new ModemdError('ModemGone', `${path} is not there.`, 'modem-gone')
    if (modem === 'busy') throw new PortBusyError(path, 'minicom (process 4711)')
    const [near, far] = virtualWires(this.clock, { path, latencyMs: this.#options.latencyMs ?? 0 })
    const port = modem.attach(far)
    if (this.inCall.has(path)) port.mode = 'data'
    this.ports.set(path, port)
    this.wires.set(path, near)
    return near
  }
}

export interface Plug {
  readonly place: string
  readonly id: string
  readonly interfaces: readonly FakeInterface[]
  readonly revision: string
  readonly serial: string
}

/** What the daemon left behind in its state directory is for the next one. */
export function copyState(from: FleetBench, to: FleetBench, read: (path: string) => string): void {
  for (const name of ['pin-ledger.json', 'pin-ledger.key', 'modem-ids.json', 'ports.json'])
    if (existsSync(join(from.stateDirectory, name)))
      writeFileSync(join(to.stateDirectory, name), read(join(from.stateDirectory, name)))
}
