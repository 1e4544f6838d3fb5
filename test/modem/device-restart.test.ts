/** Restarting a device from outside, on files of our own; that the simulator's tree takes part is shown end to end. */

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { silentLogger } from '../../src/base/ports.ts'
import { DeviceRestart } from '../../src/modem/device-restart.ts'
import type { DeviceSettings } from '../../src/modem/known-devices.ts'
import { stateFilesIn } from '../../src/modem/state-files.ts'
import type { TtyFacts } from '../../src/modem/sysfs.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { until } from '../system/until.ts'

const DEVICE = '/sys/devices/pci0000:00/0000:00:14.0/usb1/1-2'
const GPIO = '/sys/class/gpio/gpio17/value'
const USB: NonNullable<TtyFacts['usb']> = {
  place: '1-2',
  vendor: '2c7c',
  product: '0125',
  serial: '',
  interfaceNumber: 2,
  interfaceClass: 'ff/00/00',
  kernelDriver: 'option',
}
const TTY: TtyFacts = { name: 'ttyUSB2', path: '/dev/ttyUSB2', device: DEVICE, usb: USB }
const UART: TtyFacts = { name: 'ttyS1', path: '/dev/ttyS1', device: '/dev/ttyS1' }

class Bench {
  readonly root = mkdtempSync(join(tmpdir(), 'restart-'))
  readonly clock = new VirtualClock()
  readonly ledger = join(this.root, 'state/switched-off.json')
  devices: DeviceSettings[] = []

  constructor(t: TestContext) {
    t.after(() => rmSync(this.root, { recursive: true }))
    this.write(`${DEVICE}/authorized`, '1\n')
    this.write(GPIO, '1\n')
  }

  make(): DeviceRestart {
    return new DeviceRestart({
      root: this.root,
      settings: () => ({ allow: ['auto'], ignore: [], devices: this.devices }),
      files: stateFilesIn(join(this.root, 'state')),
      clock: this.clock,
      logger: silentLogger,
    })
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true })
    writeFileSync(join(this.root, path), text)
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8').trim()
  }

  noted(): string[] {
    return JSON.parse(readFileSync(this.ledger, 'utf8'))
  }
}

test('what can be done: the port of a modem on USB, the power where [device] names a line that is there', (t) => {
  const bench = new Bench(t)
  const restart = bench.make()
  assert.deepEqual(restart.switchesFor(TTY), { 'usb-port': `${DEVICE}/authorized` })
  assert.deepEqual(restart.switchesFor(UART), {})
  const cable = { ...TTY, usb: { ...USB, kernelDriver: 'ftdi_sio' } }
  assert.deepEqual(restart.switchesFor(cable), {}, 'the port of a cable is not the modem behind it')
  bench.devices = [
    { device: 'usb:1-2', baud: 115_200, init: '', powerGpio: GPIO },
    { device: 'tty:/dev/ttyS1', baud: 115_200, init: '', powerGpio: '/sys/class/gpio/gpio99/value' },
  ]
  assert.deepEqual(restart.switchesFor(TTY), { 'usb-port': `${DEVICE}/authorized`, power: GPIO })
  assert.deepEqual(restart.switchesFor(UART), {}, 'no such line')
})

for (const [way, file, offMs] of [
  ['usb-port', `${DEVICE}/authorized`, 500],
  ['power', GPIO, 3000],
] as const) {
  test(`${way}: off, noted as long as it is, and on again`, async (t) => {
    const bench = new Bench(t)
    const restart = bench.make()
    const done = restart.restart({ [way]: file }, way)
    await until('it is off', () => bench.read(file) === '0' && bench.clock.pending === 1)
    assert.deepEqual(bench.noted(), [file])
    await assert.rejects(restart.restart({ [way]: file }, way), /being restarted already/)
    await bench.clock.advance(offMs - 1)
    assert.equal(bench.read(file), '0')
    await bench.clock.advance(1)
    await done
    assert.equal(bench.read(file), '1')
    assert.deepEqual(bench.noted(), [])
  })
}

const SWITCH = `${DEVICE}/authorized`

/** Its port is off and refuses so often to be switched on again; `done`: the restart's end. */
async function refusing(bench: Bench, times: number): Promise<{ readonly done: Promise<void> }> {
  const done = bench.make().restart({ 'usb-port': SWITCH }, 'usb-port')
  done.catch(() => {})
  const waits = () => until('it waits for the next try', () => bench.clock.pending === 1)
  await waits()
  assert.equal(bench.read(SWITCH), '0')
  rmSync(join(bench.root, SWITCH))
  mkdirSync(join(bench.root, SWITCH))
  for (let left = times; left > 0; left--) {
    await waits()
    await bench.clock.advance(500)
  }
  return { done }
}

test('a port that refuses twice to come back is switched on the third time', async (t) => {
  const bench = new Bench(t)
  const { done } = await refusing(bench, 2)
  await until('it waits for the third try', () => bench.clock.pending === 1)
  rmSync(join(bench.root, SWITCH), { recursive: true })
  await bench.clock.advance(500)
  await done
  assert.equal(bench.read(SWITCH), '1')
  assert.deepEqual(bench.noted(), [])
})

test('a port that refuses three times is said, and left to the next start', async (t) => {
  const bench = new Bench(t)
  const { done } = await refusing(bench, 3)
  await assert.rejects(done, /authorized cannot be written: EISDIR/)
  assert.deepEqual(bench.noted(), [SWITCH])
})

test('what a killed daemon left off is on again with the next start, and nothing else is touched', async (t) => {
  const bench = new Bench(t)
  bench.devices = [{ device: 'usb:1-2', baud: 115_200, init: '', powerGpio: GPIO }]
  const others = ['/sys/class/leds/led/brightness', '/sys/devices/../../etc/authorized', '/etc/passwd/authorized']
  for (const file of [`${DEVICE}/authorized`, GPIO, '/sys/class/leds/led/brightness', '/etc/authorized'])
    bench.write(file, '0')
  bench.write('state/switched-off.json', JSON.stringify([`${DEVICE}/authorized`, GPIO, ...others, 7]))
  await bench.make().restoreAfterCrash()
  assert.deepEqual([bench.read(`${DEVICE}/authorized`), bench.read(GPIO)], ['1', '1'])
  assert.deepEqual([bench.read('/sys/class/leds/led/brightness'), bench.read('/etc/authorized')], ['0', '0'])
  assert.deepEqual(bench.noted(), [])
  bench.write('state/switched-off.json', '{ not json')
  await bench.make().restoreAfterCrash()
})

test('a file that cannot be written is an error that names it', async (t) => {
  const bench = new Bench(t)
  const file = `${DEVICE}/nothing/authorized`
  await assert.rejects(bench.make().restart({ 'usb-port': file }, 'usb-port'), {
    code: 'ModemGone',
    message: `${file} cannot be written: the device is not there any more.`,
  })
  const folder = DEVICE
  await assert.rejects(bench.make().restart({ power: folder }, 'power'), { code: 'Internal', message: /EISDIR/ })
  await assert.rejects(bench.make().restart({}, 'power'), /cannot restart the modem by its power/)
  assert.deepEqual(bench.noted(), [])
})
