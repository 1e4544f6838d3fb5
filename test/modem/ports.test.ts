/** What each port of a modem is: learnt, remembered, told to people; and who has it. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Logger } from '../../src/base/ports.ts'
import { isSentence } from '../../src/modem/nmea.ts'
import { PortMemory } from '../../src/modem/port-memory.ts'
import type { PortReport } from '../../src/modem/snapshot.ts'
import type { StateFiles } from '../../src/modem/state-files.ts'
import type { TtyFacts } from '../../src/modem/sysfs.ts'
import type { Wire } from '../../src/serial/wire.ts'
import { AUTO, copyState, FleetBench, type FleetBenchOptions } from './support/fleet-bench.ts'
import { ScriptedModem, type ScriptedPort } from './support/scripted-modem.ts'

const THREE_PORTS = [0, 1, 2].map((number) => ({ number, driver: 'option', tty: `ttyUSB${number}` }))
/** Nobody's table has it. */
const PLUG = { id: 'abcd:1234', revision: '0318', interfaces: THREE_PORTS }

function benchFor(t: { after(fn: () => Promise<void>): void }, options?: FleetBenchOptions): FleetBench {
  const bench = new FleetBench(options)
  t.after(() => bench.dispose())
  return bench
}

function deaf(bench: FleetBench): ScriptedModem {
  const modem = new ScriptedModem(bench.clock)
  modem.isDeaf = true
  return modem
}

/** Answers nothing, tells where it is every 200 ms. */
class Receiver extends ScriptedModem {
  override attach(wire: Wire): ScriptedPort {
    this.isDeaf = true
    const port = super.attach(wire)
    const tell = () => {
      if (wire.isClosed) return
      port.say('$GPRMC,,V,,,,,,,,,,N*53\r\n$GPGGA,,,,,,0,,,,,,,,*66\r\n')
      this.clock.at(this.clock.nowMs() + 200, tell)
    }
    this.clock.at(this.clock.nowMs() + 50, tell)
    return port
  }
}

function rolesOf(bench: FleetBench): readonly string[] {
  return bench.modem.snapshot.ports.map(({ name, role }) => `${name} ${role}`)
}

function reportOf(bench: FleetBench, name: string): PortReport {
  const report = bench.fleet.ports().find((each) => each.name === name)
  assert.ok(report, `${name} is reported`)
  return report
}

test('ports are learnt in parallel, within 3 s a round, and a GPS shows by what it tells', async (t) => {
  const bench = benchFor(t)
  bench.plug({}, PLUG)
  bench.put('/dev/ttyUSB1', new Receiver(bench.clock))
  bench.put('/dev/ttyUSB2', deaf(bench))
  const startMs = bench.clock.nowMs()
  bench.fleet
  await bench.until('it is there', () => bench.added.length === 1, 300)
  await bench.until('the GPS is known', () => rolesOf(bench).includes('/dev/ttyUSB1 gps'), 1000)
  assert.ok(bench.wires.get('/dev/ttyUSB1')!.isClosed)
  const first = bench.wires.get('/dev/ttyUSB2')!
  await bench.until('the deaf port is let go', () => first.isClosed, 3000)
  assert.ok(bench.clock.nowMs() - startMs <= 3000)
  assert.deepEqual(rolesOf(bench), ['/dev/ttyUSB0 at', '/dev/ttyUSB1 gps', '/dev/ttyUSB2 ignored'])
  assert.match(reportOf(bench, '/dev/ttyUSB1').reason, /tells of satellites/)
})

test('an AT port that tells of satellites too is an AT port', async (t) => {
  const bench = benchFor(t)
  const modem = bench.plug({}, { ...PLUG, interfaces: THREE_PORTS.slice(0, 1) })
  const attach = modem.attach.bind(modem)
  modem.attach = (wire) => {
    const port = attach(wire)
    port.say('$GPGGA,,,,,,0,,,,,,,,*66\r\n')
    return port
  }
  bench.fleet
  await bench.until('it is there', () => bench.added.length === 1, 1000)
  await bench.clock.advance(5000)
  assert.deepEqual(rolesOf(bench), ['/dev/ttyUSB0 at'])
  assert.equal(bench.wires.get('/dev/ttyUSB0')!.isClosed, false)
})

test('what was learnt is remembered over a restart: a deaf port is not asked again until a rescan', async (t) => {
  const first = benchFor(t)
  first.plug({}, PLUG)
  first.put('/dev/ttyUSB1', new Receiver(first.clock))
  first.put('/dev/ttyUSB2', deaf(first))
  first.fleet
  const file = join(first.stateDirectory, 'ports.json')
  await first.until('it is written', () => first.added.length === 1 && ruleOf(file) !== undefined, 10_000)
  assert.deepEqual(ruleOf(file), { '0': 'at', '1': 'gps', '2': 'deaf' })
  await first.fleet.close()

  const second = benchFor(t)
  mkdirSync(second.stateDirectory, { recursive: true })
  copyState(first, second, (path) => readFileSync(path, 'utf8'))
  second.plug({}, PLUG)
  second.put('/dev/ttyUSB1', new Receiver(second.clock))
  second.put('/dev/ttyUSB2', deaf(second))
  second.fleet
  await second.until('it is there', () => second.added.length === 1, 300)
  await second.clock.advance(20_000)
  assert.deepEqual(second.opened, ['/dev/ttyUSB0'])
  assert.deepEqual(rolesOf(second), ['/dev/ttyUSB0 at', '/dev/ttyUSB1 gps', '/dev/ttyUSB2 ignored'])
  assert.match(reportOf(second, '/dev/ttyUSB2').reason, /did not answer AT the last time/)

  second.put('/dev/ttyUSB2', second.ports.get('/dev/ttyUSB0')!.modem)
  second.fleet.rescan()
  await second.until('it answers now', () => rolesOf(second).includes('/dev/ttyUSB2 at'), 5000)
  assert.deepEqual(rolesOf(second)[0], '/dev/ttyUSB0 data')
})

test('another revision of the same modem is asked anew', async (t) => {
  const bench = benchFor(t)
  mkdirSync(bench.stateDirectory, { recursive: true })
  const devices = { 'abcd:1234:0318': { '0': 'deaf', '1': 'deaf', '2': 'deaf' } }
  writeFileSync(join(bench.stateDirectory, 'ports.json'), JSON.stringify({ version: 1, devices }))
  bench.plug({}, { ...PLUG, revision: '0319' })
  bench.fleet
  await bench.until('it is there', () => bench.added.length === 1, 300)
  assert.equal(bench.opened.length, 3)
})

test('where nobody else answers, ports that were deaf the last time are asked after all', async (t) => {
  const bench = benchFor(t)
  mkdirSync(bench.stateDirectory, { recursive: true })
  const devices = { 'abcd:1234:0318': { '0': 'deaf', '1': 'deaf', '2': 'deaf' } }
  writeFileSync(join(bench.stateDirectory, 'ports.json'), JSON.stringify({ version: 1, devices }))
  bench.plug({}, PLUG)
  bench.fleet
  await bench.until('it is there', () => bench.added.length === 1, 5000)
})

test('a ports.json that cannot be read is reported and begun anew; strange entries are nothing', () => {
  const warnings: string[] = []
  const logger: Logger = { error() {}, warn: (text) => warnings.push(text), info() {}, debug() {} }
  const written: string[] = []
  const filesWith = (text: string): StateFiles => ({
    directory: '/var/lib/modemd',
    read: () => text,
    write: (_name, content) => written.push(content),
  })
  const tty = ttyOf('abcd:1234', 2)
  for (const text of ['{', 'null', `"${'x'.repeat(300_000)}"`]) {
    assert.equal(new PortMemory(filesWith(text), logger).recall(tty), undefined)
    assert.match(warnings.pop() ?? '', /\/var\/lib\/modemd\/ports\.json cannot be read/)
  }
  const strange = { 'abcd:1234:': { '2': 'rm -rf', x: 'at' }, '../..': { '2': 'at' }, 'abcd:1235:': [] }
  const memory = new PortMemory(filesWith(JSON.stringify({ devices: strange })), logger)
  assert.equal(memory.recall(tty), undefined)
  for (let product = 0; product < 400; product++)
    memory.learn([[ttyOf(`1234:${product.toString(16).padStart(4, '0')}`, 0), 'at']])
  const { devices } = JSON.parse(written.at(-1)!) as { devices: object }
  assert.equal(Object.keys(devices).length, 256)
  assert.equal(memory.recall(ttyOf('1234:0000', 0)), undefined, 'the oldest went')
  assert.equal(memory.recall(ttyOf('1234:018f', 0)), 'at')
  const count = written.length
  memory.learn([[ttyOf('1234:018f', 0), 'at']])
  memory.learn([[ttyOf('1234:018f', 0), 'deaf']])
  assert.equal(written.length, count, 'no news, and silence is none after an answer')
})

test('a busy port is named, told to people, and taken when it is free', async (t) => {
  const bench = benchFor(t)
  const modem = bench.plug({}, PLUG)
  for (const each of ['/dev/ttyUSB0', '/dev/ttyUSB1', '/dev/ttyUSB2']) bench.put(each, 'busy')
  bench.fleet
  await bench.clock.advance(300_000)
  assert.equal(bench.added.length, 0)
  const report = reportOf(bench, '/dev/ttyUSB0')
  assert.equal(report.owner, 'minicom (process 4711)')
  assert.match(report.reason, /port-busy: minicom \(process 4711\) has it$/)
  bench.put('/dev/ttyUSB0', modem)
  await bench.until('it is taken', () => bench.added.length === 1, 6000)
  bench.put('/dev/ttyUSB2', modem)
  await bench.until('the other joins', () => rolesOf(bench).includes('/dev/ttyUSB2 at'), 6000)
  assert.equal(reportOf(bench, '/dev/ttyUSB1').owner, 'minicom (process 4711)')
})

test('a port that is deaf because another program reads along is busy, and says who', async (t) => {
  const bench = benchFor(t)
  bench.plug({}, PLUG)
  bench.put('/dev/ttyUSB2', deaf(bench))
  const file = join(bench.sysfs.root, 'dev/ttyUSB2')
  writeFileSync(file, '')
  const other = spawn('sh', ['-c', 'exec 3<"$1"; echo held; exec sleep 30', 'sh', file])
  t.after(() => other.kill())
  await once(other.stdout, 'data')
  bench.fleet
  await bench.until('it is asked', () => bench.wires.get('/dev/ttyUSB2')?.isClosed === true, 5000)
  await bench.clock.advance(100)
  const { owner, reason } = reportOf(bench, '/dev/ttyUSB2')
  assert.match(owner, new RegExp(`^(sh|sleep) \\(process ${other.pid}\\)$`))
  assert.match(reason, /port-busy: (sh|sleep) \(process \d+\) has it$/)
})

test('every port is explained: why it is taken or left alone', async (t) => {
  const bench = benchFor(t, { settings: { ...AUTO, ignore: ['usb:1-7'] } })
  bench.plug(
    {},
    { id: '2c7c:0125', interfaces: [0, 1, 2, 3].map((n) => ({ number: n, driver: 'option', tty: `ttyUSB${n}` })) },
  )
  const alone = [
    ['1-3', '2341:0043', 'cdc_acm', 'ttyACM0'],
    ['1-4', '0403:6001', 'ftdi_sio', 'ttyUSB8'],
    ['1-5', 'abcd:1234', 'cdc_acm', 'ttyACM1'],
    ['1-7', '12d1:1001', 'option', 'ttyUSB9'],
  ] as const
  for (const [place, id, driver, tty] of alone)
    bench.plug({}, { place, id, interfaces: [{ number: 0, driver, tty, class: '02/02/01' }] })
  bench.sysfs.addPci('ttyS4', '13a8', '0352')
  bench.fleet
  await bench.until('the modem is there', () => bench.added.length === 1)
  const told = bench.fleet
    .ports()
    .map(({ name, role = '-', isTaken, reason }) => `${name} ${role} ${isTaken}: ${reason}`)
  assert.deepEqual(told, [
    '/dev/ttyACM0 - false: 2341:0043 is an Arduino',
    "/dev/ttyACM1 - false: abcd:1234 with the cdc_acm driver is not known to be a modem's, though its interface claims AT commands, as boards do, too",
    '/dev/ttyS4 - false: nothing tells what is behind a serial port of the PCI card 13a8:0352: for a modem add [device "tty:/dev/ttyS4"]',
    "/dev/ttyUSB0 diag true: the kernel's option driver is for modems only; interface 0 of 2c7c:0125 is known",
    "/dev/ttyUSB1 gps true: the kernel's option driver is for modems only; interface 1 of 2c7c:0125 is known",
    "/dev/ttyUSB2 at true: the kernel's option driver is for modems only; it answers AT; interface 2 of 2c7c:0125 is known",
    "/dev/ttyUSB3 data true: the kernel's option driver is for modems only; it answers AT; interface 3 of 2c7c:0125 is known",
    '/dev/ttyUSB8 - false: 0403:6001 is an FTDI serial cable or a board behind one',
    '/dev/ttyUSB9 - false: the configuration ignores it',
  ])
  assert.deepEqual([...bench.opened].sort(), ['/dev/ttyUSB2', '/dev/ttyUSB3'])
})

test('a port whose interface speaks no AT is asked where the configuration names it', async (t) => {
  const interfaces = [{ number: 0, driver: 'cdc_acm', tty: 'ttyACM0', class: '02/02/ff' }]
  const bench = benchFor(t)
  bench.plug({}, { id: '1546:1102', interfaces: [{ ...interfaces[0]!, number: 20 }] })
  bench.fleet
  await bench.clock.advance(10_000)
  assert.deepEqual(bench.opened, [])
  const named = benchFor(t, { settings: { ...AUTO, devices: [{ device: 'tty:/dev/ttyACM0', baud: 9600, init: '' }] } })
  named.plug({}, { id: '1546:1102', interfaces: [{ ...interfaces[0]!, number: 20 }] })
  named.fleet
  await named.until('it is there', () => named.added.length === 1)
})

test('while a call has the data port, signal and registration go on over the other', async (t) => {
  const bench = benchFor(t)
  const modem = bench.plug()
  bench.fleet
  await bench.until('it is registered', () => bench.fleet.modems[0]?.snapshot.state === 'registered')
  const call = await bench.settled(
    bench.modem.dial({
      apn: 'internet',
      number: '*99#',
      ipType: '4',
      cid: 1,
      timeoutMs: 20_000,
      signal: new AbortController().signal,
    }),
  )
  call.established()
  assert.deepEqual(
    bench.modem.snapshot.ports.map(({ role, owner }) => `${role} ${owner}`),
    ['data modemd (ppp)', 'at modemd (at)'],
  )
  const data = bench.ports.get('/dev/ttyUSB0')!
  modem.commands.length = 0
  await bench.clock.advance(30_000)
  assert.ok(modem.commands.filter((command) => command === 'AT+CSQ').length >= 2)
  assert.equal(data.data, '', 'nothing but PPP may be written to the data port')
  bench.ports.get('/dev/ttyUSB1')!.report('+CEREG: 5,"1F4A","00C0A302",7')
  await bench.until('it roams', () => bench.modem.snapshot.registration === 'roaming')
  await bench.settled(call.hangUp())
})

test('udev is told which port is what, and that the modem is gone', async (t) => {
  const bench = benchFor(t)
  const folder = join(bench.sysfs.root, 'run/modemd/ports')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'ttyUSB7'), 'MODEMD_AT=imei_1\n')
  bench.plug({}, PLUG)
  bench.put('/dev/ttyUSB1', new Receiver(bench.clock))
  bench.fleet
  const told = () =>
    readdirSync(folder).map(
      (name) => `${name} ${readFileSync(join(folder, name), 'utf8').trim().split('\n').join(' ')}`,
    )
  await bench.until('all are known', () => bench.added.length === 1 && told().length === 3, 2000)
  const id = 'imei_356938035643809'
  assert.deepEqual(told(), [`ttyUSB0 MODEMD_DATA=${id}`, `ttyUSB1 MODEMD_GPS=${id}`, `ttyUSB2 MODEMD_AT=${id}`])
  bench.unplug('1-2', 'ttyUSB0', 'ttyUSB1', 'ttyUSB2')
  await bench.until('it is gone', () => bench.removed.length === 1)
  assert.deepEqual(told(), [])
  bench.plug({}, { ...PLUG, interfaces: THREE_PORTS.slice(0, 1) })
  await bench.until('it is back', () => bench.added.length === 2)
  assert.deepEqual(told(), [`ttyUSB0 MODEMD_AT=${id} MODEMD_DATA=${id}`])
})

test('NMEA sentences need their checksum', () => {
  assert.ok(isSentence('$GPGGA,,,,,,0,,,,,,,,*66'))
  assert.ok(isSentence('$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6A'))
  for (const line of ['$GPGGA,,,,,,0,,,,,,,,*67', '$GPGGA,,,,,,0,,,,,,,,', '+CREG: 1', '$QCSQ: -70', 'AT$GPSP=1', ''])
    assert.equal(isSentence(line), false, line)
})

function ruleOf(file: string): Record<string, string> | undefined {
  try {
    const { devices } = JSON.parse(readFileSync(file, 'utf8')) as { devices: Record<string, Record<string, string>> }
    const ports = devices['abcd:1234:0318']
    return ports && Object.keys(ports).length === 3 ? ports : undefined
  } catch {
    return undefined
  }
}

function ttyOf(id: string, interfaceNumber: number): TtyFacts {
  const [vendor = '', product = ''] = id.split(':')
  const usb = {
    place: '1-2',
    vendor,
    product,
    serial: '',
    interfaceNumber,
    interfaceClass: 'ff/00/00',
    kernelDriver: 'option',
  }
  return { name: 'ttyUSB0', path: '/dev/ttyUSB0', device: '/sys/devices/x', usb }
}
