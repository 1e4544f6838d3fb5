/** Modems that come, go, move and change; dongles that play a CD-ROM; a ModemManager beside us. */

import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { ModemdError } from '../../src/base/errors.ts'
import { Listeners } from '../../src/base/listeners.ts'
import { type Cancel, silentLogger } from '../../src/base/ports.ts'
import type { ForeignManagers } from '../../src/modem/foreign-managers.ts'
import { withoutDescriptors } from '../support/shortage.ts'
import { AUTO, FleetBench, type FleetBenchOptions } from './support/fleet-bench.ts'

function benchFor(t: { after(fn: () => Promise<void>): void }, options?: FleetBenchOptions): FleetBench {
  const bench = new FleetBench(options)
  t.after(() => bench.dispose())
  return bench
}

function onePort(number: number) {
  return [{ number: 0, driver: 'option', tty: `ttyUSB${number}` }]
}

function imeiOf(index: number): string {
  return String(356938035000000 + index)
}

test('four ttys that come one after the other, the last two seconds late, are one modem', async (t) => {
  const bench = benchFor(t)
  bench.fleet
  const port = (number: number) => ({ interfaces: [{ number, driver: 'option', tty: `ttyUSB${number}` }] })
  bench.plug({}, port(0))
  await bench.clock.advance(15)
  bench.plug({}, port(1))
  await bench.clock.advance(15)
  bench.plug({}, port(2))
  await bench.until('it is there', () => bench.added.length === 1)
  await bench.clock.advance(2000)
  bench.plug({}, port(3))
  await bench.until('all are known', () => bench.modem.snapshot.ports.length === 4)
  assert.deepEqual(
    bench.modem.snapshot.ports.map(({ role }) => role),
    ['data', 'at', 'at', 'at'],
  )
  assert.equal(bench.added.length, 1)
})

test('re-plugged elsewhere it is the same modem; two of a kind without IMEI go by their place', async (t) => {
  const bench = benchFor(t)
  bench.fleet
  bench.plug({ imei: imeiOf(1) }, { place: '1-2', interfaces: onePort(0) })
  bench.plug({ imei: imeiOf(2) }, { place: '1-3', interfaces: onePort(1) })
  bench.plug({ imei: '' }, { place: '1-4.1', interfaces: onePort(2) })
  bench.plug({ imei: '' }, { place: '1-4.2', interfaces: onePort(3) })
  await bench.until('all are there', () => bench.added.length === 4)
  const ids = () => bench.fleet.modems.map(({ snapshot }) => snapshot.id).sort()
  const all = [`imei_${imeiOf(1)}`, `imei_${imeiOf(2)}`, 'usb_1_4_1', 'usb_1_4_2']
  assert.deepEqual(ids(), all)
  bench.unplug('1-2', 'ttyUSB0')
  bench.unplug('1-3', 'ttyUSB1')
  await bench.until('two are gone', () => bench.removed.length === 2)
  // Each in the other's place, under the other's name.
  bench.plug({ imei: imeiOf(2) }, { place: '1-2', interfaces: onePort(0) })
  bench.plug({ imei: imeiOf(1) }, { place: '1-3', interfaces: onePort(1) })
  await bench.until('they are back', () => bench.added.length === 6)
  assert.deepEqual(ids(), all)
  const first = bench.fleet.modems.find(({ snapshot }) => snapshot.id === `imei_${imeiOf(1)}`)
  assert.match(first!.snapshot.device, /\/1-3$/)
})

test('another device in the same place under the same tty is noticed when its events were lost', async (t) => {
  const bench = benchFor(t)
  bench.plug({ imei: imeiOf(1) }, { interfaces: onePort(0) })
  bench.fleet
  await bench.until('it is there', () => bench.added.length === 1)
  bench.sysfs.isMute = true
  bench.sysfs.removeUsb('1-2', 'ttyUSB0')
  bench.plug({ imei: imeiOf(2) }, { interfaces: onePort(0) })
  bench.fleet.rescan()
  await bench.until('the other is there', () => bench.added.length === 2)
  assert.deepEqual(
    bench.fleet.modems.map(({ snapshot }) => snapshot.id),
    [`imei_${imeiOf(2)}`],
  )
})

test('without descriptors nothing is taken for unplugged, and what came meanwhile is found when there are some', async (t) => {
  const warnings: string[] = []
  const bench = benchFor(t, { logger: { ...silentLogger, warn: (text) => void warnings.push(text) } })
  bench.plug({ imei: imeiOf(1) }, { interfaces: onePort(0) })
  bench.fleet
  await bench.until('it is there', () => bench.added.length === 1)
  bench.sysfs.isMute = true
  bench.plug({ imei: imeiOf(2) }, { place: '1-3', interfaces: onePort(1) })
  bench.plug({ imei: imeiOf(3) }, { place: '1-4', interfaces: onePort(2) })
  bench.sysfs.isMute = false
  const said = () => warnings.filter((text) => /cannot be looked at .*EMFILE/.test(text))
  withoutDescriptors(() => bench.fleet.rescan())
  withoutDescriptors(() => bench.fleet.rescan())
  withoutDescriptors(() => {
    bench.sysfs.announce('add', 'ttyUSB1')
    bench.sysfs.announceUsb('add', '1-3')
  })
  assert.equal(said().length, 1)
  assert.deepEqual(bench.removed, [])
  await bench.until('the others are found', () => bench.added.length === 3, 6000)
  assert.deepEqual(bench.removed, [])
  withoutDescriptors(() => bench.fleet.rescan())
  assert.equal(said().length, 2)
})

test('unplugged while its ports are still being asked, nothing is left behind', async (t) => {
  const bench = benchFor(t)
  const modem = bench.plug()
  modem.isDeaf = true
  bench.fleet
  await bench.clock.advance(300)
  bench.unplug('1-2', 'ttyUSB0', 'ttyUSB1')
  await bench.clock.advance(10_000)
  assert.equal(bench.clock.pending, 0)
  assert.deepEqual(bench.fleet.ports(), [])
  assert.ok([...bench.wires.values()].every((wire) => wire.isClosed))
})

test('64 modems plugged at once are all registered within 5 s', async (t) => {
  const bench = benchFor(t)
  bench.fleet
  await bench.clock.advance(1000)
  const startMs = bench.clock.nowMs()
  for (let index = 0; index < 64; index++) {
    const interfaces = [0, 1].map((number) => ({ number, driver: 'option', tty: `ttyUSB${index * 2 + number}` }))
    bench.plug({ imei: imeiOf(index) }, { place: `1-${index + 1}`, interfaces })
  }
  const isRegistered = () => bench.fleet.modems.filter(({ snapshot }) => snapshot.state === 'registered').length === 64
  await bench.until('all are registered', isRegistered, 5000)
  assert.ok(bench.clock.nowMs() - startMs <= 5000)
  assert.equal(new Set(bench.fleet.modems.map(({ snapshot }) => snapshot.id)).size, 64)
})

const STORAGE = [{ number: 0, driver: 'usb-storage', class: '08/06/50' }]
const DONGLE = { place: '1-2', vendor: '12d1', product: '1446', interfaces: STORAGE }

/** As if the program were installed below the root. */
function install(bench: FleetBench): void {
  mkdirSync(`${bench.sysfs.root}/usr/sbin`, { recursive: true })
  writeFileSync(`${bench.sysfs.root}/usr/sbin/usb_modeswitch`, '#!/bin/sh\n', { mode: 0o755 })
}

test('a dongle that shows only its CD-ROM is switched, once a plug, and is a modem then', async (t) => {
  const runs: string[] = []
  const runProgram = async (file: string, args: readonly string[]) => {
    runs.push([file.slice(bench.sysfs.root.length), ...args].join(' '))
    return { error: undefined }
  }
  const bench = benchFor(t, { runProgram })
  install(bench)
  bench.fleet
  await bench.clock.advance(10)
  bench.sysfs.addUsb(DONGLE)
  bench.sysfs.announceUsb('add', '1-2')
  const [report] = bench.fleet.ports()
  assert.equal(report?.name, 'usb:1-2')
  assert.equal(report.isTaken, false)
  assert.match(report.reason, /^12d1:1446 shows only its CD-ROM/)
  await bench.clock.advance(3000)
  assert.deepEqual(runs, [], "udev's own rule has the first go")
  await bench.clock.advance(60_000)
  assert.deepEqual(runs, ['/usr/sbin/usb_modeswitch -v 12d1 -p 1446 -b 1 -g 1 -J'])
  bench.fleet.rescan()
  await bench.clock.advance(60_000)
  assert.equal(runs.length, 1)
  assert.match(bench.fleet.ports()[0]!.reason, /also after usb_modeswitch/)
  bench.sysfs.removeUsb('1-2')
  bench.sysfs.announceUsb('remove', '1-2')
  assert.deepEqual(bench.fleet.ports(), [])
  bench.plug({}, { id: '12d1:1001' })
  bench.sysfs.announceUsb('add', '1-2')
  await bench.until('it is a modem', () => bench.added.length === 1)
  await bench.clock.advance(10_000)
  assert.equal(runs.length, 1)
})

test('a modem whose first interface is its CD-ROM is none that must be switched, while the rest comes', async (t) => {
  const bench = benchFor(t)
  bench.fleet
  await bench.clock.advance(10)
  const port = { number: 1, driver: 'option', tty: 'ttyUSB0' }
  bench.sysfs.addUsb({ ...DONGLE, interfaces: [...STORAGE, port] })
  bench.sysfs.hideInterface('1-2', 1)
  bench.sysfs.announceUsb('add', '1-2')
  assert.deepEqual(bench.fleet.ports(), [])
})

test('where usb_modeswitch is not installed, it is said', async (t) => {
  const lines: string[] = []
  const note = (text: string) => void lines.push(text)
  const bench = benchFor(t, { logger: { error: note, warn: note, info: note, debug() {} } })
  bench.sysfs.addUsb(DONGLE)
  bench.fleet
  await bench.clock.advance(5000)
  assert.match(bench.fleet.ports()[0]!.reason, /usb_modeswitch is not installed: install the package usb-modeswitch/)
  assert.ok(lines.some((line) => /1-2: .*not installed/.test(line)))
})

test('memory sticks, telephones and what is switched already are not switched', async (t) => {
  const runs: unknown[] = []
  const runProgram = async (...call: unknown[]) => {
    runs.push(call)
    return { error: undefined }
  }
  const bench = benchFor(t, { runProgram })
  install(bench)
  bench.sysfs.addUsb({ ...DONGLE, place: '1-3', vendor: '0781', product: '5567' })
  bench.sysfs.addUsb({ ...DONGLE, place: '1-4', manufacturer: 'Android' })
  bench.sysfs.addUsb({
    ...DONGLE,
    place: '1-5',
    interfaces: [{ number: 1, driver: 'option', class: 'ff' }, ...STORAGE],
  })
  bench.sysfs.addUsb({ ...DONGLE, place: '1-6;reboot' })
  bench.fleet
  await bench.clock.advance(30_000)
  assert.deepEqual(runs, [])
  assert.deepEqual(bench.fleet.ports(), [])
})

/** As much of ModemManager as the fleet sees. */
class Manager implements ForeignManagers {
  readonly asked: string[] = []
  readonly released: string[] = []
  readonly known = new Set<string>()
  refusal: ModemdError | undefined
  holder: string | undefined
  readonly #listeners = new Listeners<[]>()
  readonly #deviceListeners = new Listeners<[]>()

  constructor(holder: string | undefined) {
    this.holder = holder
  }

  onDevice(listener: () => void): Cancel {
    return this.#deviceListeners.add(listener)
  }

  /** It has probed a modem. */
  shows(): void {
    this.#deviceListeners.emit()
  }

  onChange(listener: () => void): Cancel {
    return this.#listeners.add(listener)
  }

  become(holder: string | undefined): void {
    this.holder = holder
    this.#listeners.emit()
  }

  async inhibit(device: string): Promise<Cancel> {
    this.asked.push(device)
    if (this.refusal) throw this.refusal
    if (!this.known.has(device)) throw new ModemdError('NotFound', 'ModemManager does not know it.')
    return () => void this.released.push(device)
  }
}

const HUB = '/sys/devices/pci0000:00/0000:00:14.0/usb1'
const NAMED = { ...AUTO, devices: [{ device: 'usb:1-2', baud: 115200, init: '' }] }

test('beside a ModemManager only what is configured is taken, when it has let go; the rest is port-busy', async (t) => {
  const manager = new Manager('ModemManager')
  const bench = benchFor(t, { foreign: manager, settings: NAMED })
  bench.plug({ imei: imeiOf(1) }, { place: '1-2', interfaces: onePort(0) })
  bench.plug({ imei: imeiOf(2) }, { place: '1-3', interfaces: onePort(1) })
  bench.fleet
  await bench.clock.advance(200)
  assert.deepEqual(bench.opened, [], 'it does not know the device yet')
  manager.known.add(`${HUB}/1-2`)
  await bench.until('the named one is there', () => bench.added.length === 1)
  await bench.clock.advance(60_000)
  assert.deepEqual([...new Set(bench.opened)], ['/dev/ttyUSB0'])
  assert.deepEqual([...new Set(manager.asked)], [`${HUB}/1-2`])
  const [, other] = bench.fleet.ports()
  assert.equal(other?.owner, 'ModemManager')
  assert.equal(other.isTaken, false)
  assert.match(other.reason, /^port-busy \(ModemManager\): .*\[device\]/)
  bench.fleet.rescan()
  await bench.clock.advance(1000)
  assert.equal(bench.added.length, 1)

  manager.become(undefined)
  await bench.until('the rest is taken when it ends', () => bench.added.length === 2)
  assert.equal(bench.removed.length, 0)
})

test('a ModemManager that comes later gets what nobody named, but a call is not cut', async (t) => {
  const manager = new Manager(undefined)
  const bench = benchFor(t, { foreign: manager, settings: NAMED })
  for (const [index, place] of ['1-2', '1-3', '1-4'].entries()) {
    manager.known.add(`${HUB}/${place}`)
    bench.plug({ imei: imeiOf(index) }, { place, interfaces: onePort(index) })
  }
  bench.fleet
  await bench.until(
    'all are registered',
    () => bench.fleet.modems.filter(({ snapshot }) => snapshot.state === 'registered').length === 3,
  )
  const third = bench.fleet.modems.find(({ snapshot }) => snapshot.id === `imei_${imeiOf(2)}`)!
  const { signal } = new AbortController()
  const call = await bench.settled(
    third.dial({ apn: 'internet', number: '*99#', ipType: '4', cid: 1, timeoutMs: 20_000, signal }),
  )
  call.established()
  manager.become('ModemManager')
  await bench.until('one is let go', () => bench.removed.length === 1)
  assert.equal(bench.removed[0]!.snapshot.id, `imei_${imeiOf(1)}`)
  assert.deepEqual(manager.asked.sort(), [`${HUB}/1-2`, `${HUB}/1-4`])
  await bench.clock.advance(30_000)
  assert.equal(bench.fleet.modems.length, 2)
  assert.equal(third.snapshot.state, 'connected')
  await bench.fleet.close()
  assert.deepEqual(manager.released.sort(), [`${HUB}/1-2`, `${HUB}/1-4`])
})

test('a ModemManager that does not let go keeps the modem; what it never knows is free', async (t) => {
  const manager = new Manager('ModemManager')
  manager.refusal = new ModemdError('NotAuthorized', 'ModemManager does not let this user.', 'permission')
  const bench = benchFor(t, { foreign: manager, settings: NAMED })
  bench.plug({}, { interfaces: onePort(0) })
  bench.fleet
  await bench.clock.advance(20_000)
  assert.deepEqual(bench.opened, [])
  assert.match(bench.fleet.ports()[0]!.reason, /^port-busy \(ModemManager\): it does not let go .*this user/)
  manager.refusal = undefined
  await bench.until('it is free at last', () => bench.added.length === 1, 60_000)
})

test('a ModemManager that still probes is asked again as soon as it has finished, once', async (t) => {
  const manager = new Manager('ModemManager')
  manager.refusal = new ModemdError('Internal', 'ModemManager answered Modem not exported in the bus')
  const bench = benchFor(t, { foreign: manager, settings: NAMED })
  bench.plug({}, { interfaces: onePort(0) })
  bench.fleet
  await bench.clock.advance(5000)
  assert.equal(manager.asked.length, 1)
  manager.shows()
  await bench.clock.advance(1000)
  assert.equal(manager.asked.length, 2, 'another modem was shown: this one is still refused')
  await bench.clock.advance(28_000)
  assert.equal(manager.asked.length, 2, 'the pause begins anew')
  manager.refusal = undefined
  manager.known.add(`${HUB}/1-2`)
  manager.shows()
  await bench.until('it is taken', () => bench.added.length === 1, 5000)
  manager.shows()
  await bench.clock.advance(60_000)
  assert.equal(manager.asked.length, 3)
})
