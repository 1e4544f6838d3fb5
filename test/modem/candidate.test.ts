/** A device whose ports do not answer, or cannot be opened: how often it is asked, and what is told of it. On virtual time. */

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Logger } from '../../src/base/ports.ts'
import { AUTO, FleetBench, type FleetBenchOptions } from './support/fleet-bench.ts'

function benchFor(t: TestContext, options: FleetBenchOptions = {}): FleetBench {
  const bench = new FleetBench(options)
  t.after(() => bench.dispose())
  return bench
}

/** Every line, whatever its level. */
function linesTo(lines: string[]): Logger {
  const log = (text: string) => void lines.push(text)
  return { error: log, warn: log, info: log, debug: () => {} }
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

test('a USB modem that answers nothing is asked ever more rarely, and found whenever it answers', async (t) => {
  const lines: string[] = []
  const bench = benchFor(t, { logger: linesTo(lines) })
  const modem = bench.plug()
  modem.isDeaf = true
  bench.fleet
  const roundsIn = async (ms: number) => {
    const before = bench.opened.length
    await bench.clock.advance(ms)
    return (bench.opened.length - before) / 2
  }
  await roundsIn(4 * MINUTE_MS)
  const perHour = await roundsIn(HOUR_MS)
  assert.ok(perHour > 12 && perHour < 30, `${perHour} rounds in the first hour`)
  const perDay = (await roundsIn(24 * HOUR_MS)) / 24
  assert.ok(perDay > 10 && perDay <= 12, `${perDay} rounds an hour later`)
  assert.deepEqual(
    lines.filter((line) => line.includes('does not answer')).toSorted(),
    ['/dev/ttyUSB0 does not answer AT.', '/dev/ttyUSB1 does not answer AT.'],
    'the log is not filled with it',
  )
  assert.ok([...bench.wires.values()].every((wire) => wire.isClosed))
  modem.isDeaf = false
  await bench.until('it is there', () => bench.added.length === 1, 5 * MINUTE_MS + 3000)
})

test('a USB modem that answers four minutes after it was plugged in is there a minute later', async (t) => {
  const bench = benchFor(t)
  const modem = bench.plug()
  modem.isDeaf = true
  bench.fleet
  await bench.clock.advance(4 * MINUTE_MS)
  modem.isDeaf = false
  await bench.until('it is there', () => bench.added.length === 1, MINUTE_MS + 5000)
})

test('a modem whose ports end without an event, and that answers again four minutes later, comes back', async (t) => {
  const bench = benchFor(t)
  const modem = bench.plug()
  bench.fleet
  await bench.until('it is registered', () => bench.fleet.modems[0]?.snapshot.state === 'registered')
  modem.isDeaf = true
  for (const tty of ['/dev/ttyUSB0', '/dev/ttyUSB1']) bench.ports.get(tty)!.close()
  await bench.clock.advance(4 * MINUTE_MS)
  modem.isDeaf = false
  await bench.until('it is back', () => bench.added.length === 2, MINUTE_MS + 5000)
})

test('what is no modem by the tables is never asked, however long it is there', async (t) => {
  const bench = benchFor(t)
  const board = bench.plug({}, { id: '2341:0043', interfaces: [{ number: 0, driver: 'cdc_acm', tty: 'ttyACM0' }] })
  board.isDeaf = true
  bench.fleet
  await bench.clock.advance(24 * HOUR_MS)
  assert.deepEqual(bench.opened, [])
})

test('a port that cannot be opened is not called deaf: its reason is told, once in the log', async (t) => {
  const lines: string[] = []
  const settings = { ...AUTO, devices: [{ device: 'tty:/dev/ttyS7', baud: 115200, init: '' }] }
  const bench = benchFor(t, { settings, logger: linesTo(lines) })
  const report = () => bench.fleet.ports().find(({ name }) => name === '/dev/ttyS7')!
  bench.fleet
  await bench.clock.advance(2000)
  assert.equal(report().reason, 'the configuration names it; it cannot be used: /dev/ttyS7 is not there')
  assert.deepEqual([report().isTaken, report().role], [false, undefined])
  // Also while it is tried again.
  await bench.clock.advance(HOUR_MS)
  for (let steps = 0; steps < 20; steps++) {
    await bench.clock.step()
    assert.match(report().reason, /it cannot be used: /)
  }
  assert.deepEqual(
    lines.filter((line) => line.includes('ttyS7')),
    ['/dev/ttyS7 cannot be used: /dev/ttyS7 is not there.'],
  )
  bench.put('/dev/ttyS7', 'busy')
  await bench.clock.advance(MINUTE_MS + 1000)
  assert.match(report().reason, /port-busy: minicom/)
  assert.equal(report().isTaken, true)
})
