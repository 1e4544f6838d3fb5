import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ModemdError } from '../../src/base/errors.ts'
import { AUTO, copyState, FleetBench, type FleetBenchOptions } from './support/fleet-bench.ts'
import { ScriptedModem } from './support/scripted-modem.ts'

function benchFor(t: { after(fn: () => Promise<void>): void }, options?: FleetBenchOptions): FleetBench {
  const bench = new FleetBench(options)
  t.after(() => bench.dispose())
  return bench
}

test('a plugged modem is there within 0.3 s of its event and registered within 0.6 s', async (t) => {
  const bench = benchFor(t)
  bench.fleet
  await bench.clock.advance(1000)
  const startMs = bench.clock.nowMs()
  const modem = bench.plug()
  await bench.until('it is exported', () => bench.added.length === 1)
  assert.ok(bench.clock.nowMs() - startMs <= 300, `${bench.clock.nowMs() - startMs} ms`)
  assert.equal(bench.modem.snapshot.id, 'imei_356938035643809')
  await bench.until('it is registered', () => bench.modem.snapshot.state === 'registered')
  assert.ok(bench.clock.nowMs() - startMs <= 600, `${bench.clock.nowMs() - startMs} ms`)
  await bench.until('its operator is known', () => bench.modem.snapshot.ownNumbers.length > 0)
  const { snapshot } = bench.modem
  assert.equal(snapshot.device, '/sys/devices/pci0000:00/0000:00:14.0/usb1/1-2')
  assert.equal(snapshot.driver, 'option')
  assert.equal(snapshot.manufacturer, 'Virtual')
  assert.equal(snapshot.model, 'V1')
  assert.equal(snapshot.equipmentIdentifier, '356938035643809')
  assert.deepEqual(snapshot.sim, { status: 'ready', iccid: '8934071100000000017', pinTries: 3, pukTries: 10 })
  assert.equal(snapshot.operatorName, 'Virtual Net')
  assert.equal(snapshot.operatorCode, '21401')
  assert.deepEqual(snapshot.accessTechnologies, ['lte'])
  assert.equal(snapshot.signalDbm, -71)
  assert.equal(snapshot.signalQuality, 67)
  assert.deepEqual(snapshot.ownNumbers, ['+34600000001'])
  assert.equal(snapshot.powerState, 'on')
  assert.deepEqual(snapshot.ports, [
    { name: '/dev/ttyUSB0', role: 'data', owner: 'modemd (at)' },
    { name: '/dev/ttyUSB1', role: 'at', owner: 'modemd (at)' },
  ])
  assert.ok(modem.commands.length <= 40, `${modem.commands.length} commands`)
})

test('idle, only the signal is asked for', async (t) => {
  const bench = benchFor(t)
  const modem = bench.plug()
  bench.fleet
  await bench.until('it is registered', () => bench.fleet.modems[0]?.snapshot.ownNumbers.length === 1)
  await bench.clock.advance(15_000)
  modem.commands.length = 0
  await bench.clock.advance(60_000)
  assert.deepEqual(new Set(modem.commands), new Set(['AT+CSQ']))
  assert.equal(modem.commands.length, 6)
  assert.equal(bench.clock.pending, 1)
  bench.modem.setSignalPoll(86_400)
  await bench.clock.advance(0)
  modem.commands.length = 0
  await bench.clock.advance(20_000)
  assert.deepEqual(modem.commands, [])
  // The usual pace again.
  bench.modem.setSignalPoll(0)
  await bench.clock.advance(20_000)
  assert.equal(modem.commands.length, 3)
  assert.ok(bench.modem.signalHistory().length >= 7)
})

test('an Arduino, a cable and an unknown board are never even opened', async (t) => {
  const bench = benchFor(t)
  bench.fleet
  const devices = [
    ['1-1', '2341:0043', 'cdc_acm', 'ttyACM0'],
    ['1-2', '0403:6001', 'ftdi_sio', 'ttyUSB0'],
    ['1-3', 'abcd:1234', 'cdc_acm', 'ttyACM1'],
    ['1-4', '0483:5740', 'cdc_acm', 'ttyACM2'],
  ] as const
  for (const [place, id, driver, tty] of devices)
    bench.plug({}, { place, id, interfaces: [{ number: 0, driver, tty }] })
  bench.sysfs.addPlain('ttyS0')
  bench.sysfs.announce('add', 'ttyS0')
  bench.fleet.rescan()
  await bench.clock.advance(30_000)
  assert.deepEqual(bench.opened, [])
  assert.deepEqual(bench.added, [])
})

test('unplugging removes the modem at once, re-plugging brings it back under the same id', async (t) => {
  const bench = benchFor(t)
  bench.plug()
  bench.fleet
  await bench.until('it is there', () => bench.added.length === 1)
  bench.unplug('1-2', 'ttyUSB0', 'ttyUSB1')
  await bench.until('it is gone', () => bench.removed.length === 1)
  assert.equal(bench.removed[0], bench.added[0])
  assert.equal(bench.removed[0]?.snapshot.failure?.cause, 'modem-gone')
  assert.equal(bench.removed[0]?.snapshot.state, 'failed')
  assert.deepEqual(bench.fleet.modems, [])
  await bench.clock.advance(10_000)
  assert.equal(bench.clock.pending, 0, 'nothing waits for what is not there')
  bench.plug({}, { place: '1-3', interfaces: [{ number: 0, driver: 'option', tty: 'ttyUSB5' }] })
  await bench.until('it is back', () => bench.added.length === 2)
  assert.equal(bench.modem.snapshot.id, 'imei_356938035643809')
})

test('a port that closes without an event takes the modem with it, and is tried again', async (t) => {
  const bench = benchFor(t)
  bench.plug()
  bench.fleet
  await bench.until('it is registered', () => bench.fleet.modems[0]?.snapshot.state === 'registered')
  const imsi = bench.modem.imsi()
  bench.ports.get('/dev/ttyUSB0')!.close()
  bench.ports.get('/dev/ttyUSB1')!.close()
  await assert.rejects(
    bench.settled(imsi),
    (error) => error instanceof ModemdError && error.failureCause === 'modem-gone',
  )
  await bench.until('it is gone', () => bench.removed.length === 1)
  await bench.until('it is back', () => bench.added.length === 2, 5000)
})

test('a deaf port is let go within 3 s; the modem does not wait for it', async (t) => {
  const bench = benchFor(t)
  const deaf = new ScriptedModem(bench.clock)
  deaf.isDeaf = true
  bench.plug()
  bench.put('/dev/ttyUSB1', deaf)
  bench.fleet
  await bench.until('it is there', () => bench.added.length === 1, 300)
  await bench.clock.advance(3000)
  assert.ok(bench.wires.get('/dev/ttyUSB1')!.isClosed || bench.opened.length === 3)
  await bench.clock.advance(3000)
  assert.ok(bench.wires.get('/dev/ttyUSB1')!.isClosed, 'the second, last look has ended, too')
  await bench.clock.advance(120_000)
  assert.equal(bench.opened.filter((path) => path === '/dev/ttyUSB1').length, 2)
  assert.deepEqual(bench.modem.snapshot.ports, [
    { name: '/dev/ttyUSB0', role: 'at', owner: 'modemd (at)' },
    { name: '/dev/ttyUSB1', role: 'ignored', owner: '' },
  ])
})

test('a modem that answers nothing is let go, and tried at once when asked', async (t) => {
  const bench = benchFor(t)
  const modem = bench.plug()
  modem.isDeaf = true
  bench.fleet
  await bench.clock.advance(3000)
  assert.ok([...bench.wires.values()].every((wire) => wire.isClosed))
  await bench.clock.advance(3_600_000)
  assert.deepEqual(bench.added, [])
  modem.isDeaf = false
  bench.fleet.rescan()
  await bench.until('it is there', () => bench.added.length === 1, 5000)
})

test('a data port that a crashed daemon left in a call is recovered', async (t) => {
  const bench = benchFor(t)
  bench.inCall.add('/dev/ttyUSB0')
  bench.plug()
  bench.fleet
  await bench.until('it is there', () => bench.added.length === 1, 300)
  await bench.until('the port is back', () => bench.modem.snapshot.ports[0]?.role === 'data', 15_000)
})

test('a late port joins its modem', async (t) => {
  const bench = benchFor(t)
  bench.plug({}, { interfaces: [{ number: 2, driver: 'option', tty: 'ttyUSB0' }] })
  bench.fleet
  await bench.until('it is there', () => bench.added.length === 1)
  await bench.clock.advance(2000)
  const second = bench.plug({}, { interfaces: [{ number: 3, driver: 'option', tty: 'ttyUSB3' }] })
  await bench.until('the port is known', () => bench.modem.snapshot.ports.length === 2)
  assert.deepEqual(
    bench.modem.snapshot.ports.map(({ name, role }) => `${name} ${role}`),
    ['/dev/ttyUSB0 data', '/dev/ttyUSB3 at'],
  )
  assert.equal(bench.added.length, 1)
  assert.deepEqual(second.commands, ['AT'])
  await bench.settled(bench.modem.imsi())
  assert.deepEqual(second.commands.slice(1), ['ATE0', 'AT+CMEE=1', 'AT+CIMI'], 'prepared before its first command')
})

test('known diagnostic ports are shown and not asked', async (t) => {
  const bench = benchFor(t)
  bench.plug(
    {},
    {
      id: '12d1:1436',
      interfaces: [
        { number: 0, driver: 'option', tty: 'ttyUSB0' },
        { number: 3, driver: 'option', tty: 'ttyUSB1' },
        { number: 4, driver: 'option', tty: 'ttyUSB2' },
      ],
    },
  )
  bench.fleet
  await bench.until('it is there', () => bench.added.length === 1)
  assert.deepEqual([...bench.opened].sort(), ['/dev/ttyUSB0', '/dev/ttyUSB2'])
  assert.deepEqual(
    bench.modem.snapshot.ports.map(({ name, role }) => `${name} ${role}`),
    ['/dev/ttyUSB0 data', '/dev/ttyUSB1 diag', '/dev/ttyUSB2 at'],
  )
})

test('two modems with one IMEI, and one without', async (t) => {
  const bench = benchFor(t)
  bench.plug()
  bench.plug({}, { place: '1-3', interfaces: [{ number: 0, driver: 'option', tty: 'ttyUSB2' }] })
  bench.plug({ imei: '' }, { place: '1-4.1', interfaces: [{ number: 0, driver: 'option', tty: 'ttyUSB4' }] })
  bench.fleet
  await bench.until('all are there', () => bench.added.length === 3)
  assert.deepEqual(bench.fleet.modems.map(({ snapshot }) => snapshot.id).sort(), [
    'imei_356938035643809',
    'usb_1_3',
    'usb_1_4_1',
  ])
})

test('an IMEI that shows only after the PIN is the id of the next time', async (t) => {
  const bench = benchFor(t, { pinFor: () => '1234' })
  const answer = (command: string): string | undefined =>
    /^AT\+C?GSN$/.test(command) && modem.isLocked ? '+CME ERROR: 11' : undefined
  const modem: ScriptedModem = bench.plug({ pin: '1234', answer })
  bench.fleet
  await bench.until('it is open', () => bench.fleet.modems[0]?.snapshot.equipmentIdentifier !== undefined)
  assert.equal(bench.modem.snapshot.id, 'usb_1_2')
  assert.equal(bench.modem.snapshot.equipmentIdentifier, '356938035643809')
  bench.unplug('1-2', 'ttyUSB0', 'ttyUSB1')
  await bench.until('it is gone', () => bench.removed.length === 1)
  const again = bench.plug({ pin: '1234', answer: (command) => (/^AT\+C?GSN$/.test(command) ? 'ERROR' : undefined) })
  await bench.until('it is back', () => bench.added.length === 2)
  assert.equal(bench.modem.snapshot.id, 'imei_356938035643809')
  assert.ok(again.commands.includes('AT+CGSN'))
})

test('a plain UART: named in the configuration, with its speed and command, tried for ever', async (t) => {
  const settings = { ...AUTO, devices: [{ device: 'tty:/dev/ttyS1', baud: 9600, init: 'AT+CFUN=1' }] }
  const bench = benchFor(t, { settings })
  bench.fleet
  await bench.clock.advance(120_000)
  assert.ok(bench.opened.length >= 4 && bench.opened.every((path) => path === '/dev/ttyS1'))
  assert.equal(bench.added.length, 0)
  const modem = new ScriptedModem(bench.clock, {
    answer: (command) => (command === 'AT+CGMI' ? 'huawei\nOK' : undefined),
  })
  bench.put('/dev/ttyS1', modem)
  await bench.until('it is there', () => bench.added.length === 1, 70_000)
  assert.ok(modem.commands.indexOf('AT+CFUN=1') < modem.commands.indexOf('AT+CGSN'))
  assert.equal(bench.modem.snapshot.device, '/dev/ttyS1')
  assert.equal(bench.modem.snapshot.driver, 'serial')
  await bench.until('its SIM is asked as a Huawei is', () => modem.commands.includes('AT^ICCID?'))
  bench.ports.get('/dev/ttyS1')!.close()
  await bench.until('it is gone', () => bench.removed.length === 1)
  await bench.until('it is back', () => bench.added.length === 2, 5000)
})

test('a busy port is named as such and tried again', async (t) => {
  const bench = benchFor(t)
  bench.plug()
  bench.put('/dev/ttyUSB1', 'busy')
  bench.fleet
  await bench.until('it is there', () => bench.added.length === 1)
  assert.deepEqual(bench.modem.snapshot.ports[1], {
    name: '/dev/ttyUSB1',
    role: 'ignored',
    owner: 'minicom (process 4711)',
  })
})

test('inhibit lets go of every port until it is released', async (t) => {
  const bench = benchFor(t)
  bench.plug()
  bench.fleet
  await bench.until('it is there', () => bench.added.length === 1)
  await assert.rejects(
    bench.fleet.inhibit('nothing'),
    (error) => error instanceof ModemdError && error.code === 'NotFound',
  )
  const release = await bench.settled(bench.fleet.inhibit('imei_356938035643809'))
  assert.equal(bench.removed.length, 1)
  assert.ok([...bench.wires.values()].every((wire) => wire.isClosed))
  bench.fleet.rescan()
  await bench.clock.advance(5000)
  assert.equal(bench.added.length, 1)
  const releaseSecond = await bench.settled(bench.fleet.inhibit('imei_356938035643809'))
  release()
  release()
  await bench.clock.advance(5000)
  assert.equal(bench.added.length, 1, 'the second holder still has it')
  releaseSecond()
  await bench.until('it is back', () => bench.added.length === 2, 5000)
})

test('a tree that appears without events is seen by its directories, also when it is made anew', async (t) => {
  const bench = benchFor(t)
  bench.fleet
  await bench.clock.advance(10)
  bench.sysfs.isMute = true
  bench.plug()
  await seen(bench, 1)
  bench.sysfs.wipe()
  bench.unplug('1-2', 'ttyUSB0', 'ttyUSB1')
  await realTurns(bench, () => bench.fleet.modems.length === 0, 5000)
  await realTurns(bench, () => false, 100)
  bench.plug({ imei: '861075028831595' }, { place: '1-7' })
  await seen(bench, 2)
  assert.equal(bench.modem.snapshot.id, 'imei_861075028831595')
})

function seen(bench: FleetBench, count: number): Promise<void> {
  return realTurns(bench, () => bench.added.length === count, 5000).then(() => assert.equal(bench.added.length, count))
}

/** Directory events come in real time, what follows from them in the clock's. */
async function realTurns(bench: FleetBench, isDone: () => boolean, limitMs: number): Promise<void> {
  const giveUpAtMs = performance.now() + limitMs
  while (!isDone() && performance.now() < giveUpAtMs) {
    await new Promise((resolve) => setImmediate(resolve))
    await bench.clock.advance(5)
  }
}

test('closing lets go of everything', async (t) => {
  const bench = benchFor(t)
  bench.plug()
  bench.plug(
    { imei: '861075028831595' },
    { place: '1-3', interfaces: [{ number: 0, driver: 'option', tty: 'ttyUSB2' }] },
  )
  bench.fleet
  await bench.until('one is there', () => bench.added.length >= 1)
  await bench.fleet.close()
  await bench.clock.advance(1)
  assert.deepEqual(bench.fleet.modems, [])
  assert.ok([...bench.wires.values()].every((wire) => wire.isClosed))
  assert.equal(bench.clock.pending, 0)
})

test('a wrong PIN of a profile is tried once, over restarts; the ledger is private', async (t) => {
  const first = benchFor(t, { pinFor: () => '9999' })
  const modem = first.plug({ pin: '1234' })
  first.fleet
  await first.until('it is refused', () => first.fleet.modems[0]?.snapshot.failure?.cause === 'sim-pin-refused')
  assert.deepEqual(modem.pinsSeen, ['9999'])
  assert.equal(first.modem.snapshot.state, 'locked')
  assert.equal(first.modem.snapshot.sim.pinTries, 2)
  assert.match(first.modem.snapshot.stateReason, /2 tries are left/)
  const ledger = join(first.stateDirectory, 'pin-ledger.json')
  assert.equal(statSync(ledger).mode & 0o777, 0o600)
  assert.equal(statSync(join(first.stateDirectory, 'pin-ledger.key')).mode & 0o777, 0o600)
  assert.doesNotMatch(readFileSync(ledger, 'utf8'), /9999/)
  await first.fleet.close()

  const second = benchFor(t, { pinFor: () => '9999' })
  mkdirSync(second.stateDirectory, { recursive: true })
  copyState(first, second, (path) => readFileSync(path, 'utf8'))
  const again = second.plug({ pin: '1234' })
  second.fleet
  await second.until('it is refused', () => second.fleet.modems[0]?.snapshot.failure?.cause === 'sim-pin-refused')
  await second.clock.advance(60_000)
  assert.deepEqual(again.pinsSeen, [])
  await assert.rejects(
    second.settled(second.modem.sendPin('9999', 'person-last-try')),
    (error) =>
      error instanceof ModemdError && error.code === 'SimPin' && /was refused by the SIM before/.test(error.message),
  )
  assert.deepEqual(again.pinsSeen, [])
  await second.settled(second.modem.sendPin('1234', 'person'))
  await second.until('it is registered', () => second.modem.snapshot.state === 'registered')
  assert.equal(second.modem.snapshot.failure, undefined)
})
