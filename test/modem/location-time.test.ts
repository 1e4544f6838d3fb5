/** The network's time and the place of a modem: sentences read one by one, and both features over a scripted modem. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { latin1 } from '../../src/base/bytes.ts'
import { ModemdError } from '../../src/base/errors.ts'
import { silentLogger } from '../../src/base/ports.ts'
import { generic } from '../../src/modem/drivers/generic.ts'
import type { FeatureContext } from '../../src/modem/features/feature.ts'
import { NmeaLocation } from '../../src/modem/features/location/location.ts'
import { parseNmea } from '../../src/modem/features/location/nmea.ts'
import type { ModemSnapshot } from '../../src/modem/snapshot.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { virtualWires } from '../support/virtual-wire.ts'
import { FleetBench } from './support/fleet-bench.ts'

function sentence(body: string): string {
  let sum = 0
  for (const char of body) sum ^= char.charCodeAt(0)
  return `$${body}*${sum.toString(16).toUpperCase().padStart(2, '0')}`
}

const GGA = 'GPGGA,123519.00,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,'
const RMC = 'GNRMC,225446,A,4916.45,S,12311.12,W,000.5,054.7,191126,020.3,E'

test('sentences: GGA, RMC, GLL', () => {
  assert.deepEqual(parseNmea(sentence(GGA)), {
    timeOfDayMs: 45_319_000,
    satellites: 8,
    latitude: 48.1173,
    longitude: 11.5166667,
    hdop: 0.9,
    altitude: 545.4,
  })
  const rmc = parseNmea(`noise${sentence(RMC)}\r`)
  assert.equal(rmc?.latitude, -49.2741667)
  assert.equal(rmc?.longitude, -123.1853333)
  assert.equal(rmc?.speed, 0.26)
  assert.equal(rmc?.dayMs, Date.UTC(2026, 10, 19))
  assert.equal(parseNmea(sentence('GPGLL,4916.45,N,12311.12,W,225444,A'))?.latitude, 49.2741667)
})

test('no fix is no place; a wrong or missing checksum is nothing; values out of range are left out', () => {
  assert.deepEqual(parseNmea(sentence('GPGGA,,,,,,0,00,,,M,,M,,')), { satellites: 0 })
  assert.deepEqual(parseNmea(sentence('GPRMC,225446,V,,,,,,,191126,,')), {
    timeOfDayMs: 82_486_000,
    dayMs: Date.UTC(2026, 10, 19),
  })
  assert.equal(parseNmea(`$${GGA}*00`), undefined)
  assert.equal(parseNmea(`$${GGA}`), undefined)
  assert.equal(parseNmea(sentence('GPGSV,3,1,11,03,03,111,00')), undefined)
  const odd = parseNmea(sentence('GPGGA,256199,9107.038,N,01131.000,E,1,08,x,1e9,M,,M,,'))
  assert.deepEqual(odd, { satellites: 8 })
})

test('whatever comes: no throw, and no place off the globe', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 90 }),
      fc.constantFrom('GPGGA,', 'GPRMC,', 'GPGLL,'),
      (text, head) => {
        for (const line of [text, sentence(head + text)]) {
          const found = parseNmea(line)
          if (found?.latitude === undefined) continue
          assert.ok(Math.abs(found.latitude) <= 90 && Math.abs(found.longitude!) <= 180)
        }
      },
    ),
    { seed: 1, numRuns: 500 },
  )
})

test('location: off until asked for, a fix, one that grows old, and off again', async () => {
  const clock = new VirtualClock()
  const [near, far] = virtualWires(clock, { path: '/dev/ttyUSB1', latencyMs: 0 })
  const commands: string[] = []
  const opened: string[] = []
  const ports = [{ name: '/dev/ttyUSB1', role: 'gps', owner: '' }]
  const context = {
    clock,
    logger: silentLogger,
    driver: { ...generic, gps: { on: ['AT+QGPS=1'], off: ['AT+QGPSEND'] } },
    snapshot: { id: 'x', ports } as unknown as ModemSnapshot,
    attempt: async (text: string) => {
      commands.push(text)
      return { isOk: true, lines: [], final: 'OK' }
    },
  } as unknown as FeatureContext
  const location = new NmeaLocation(context, async (path) => {
    opened.push(path)
    return near
  })
  const states: string[] = []
  location.onChange(({ isEnabled, hasFix }) => states.push(`${isEnabled} ${hasFix}`))
  const fails = (code: string) =>
    assert.throws(
      () => location.fix(),
      (error) => error instanceof ModemdError && error.code === code,
    )
  fails('WrongState')
  assert.deepEqual(opened, [])
  await location.setEnabled(true)
  await location.setEnabled(true)
  assert.deepEqual(opened, ['/dev/ttyUSB1'])
  assert.deepEqual(commands, ['AT+QGPS=1'])
  fails('Unknown')
  // In pieces, and with a damaged one between.
  far.write(latin1(`${sentence(RMC)}\r\n$GPGGA,damaged*00\r\n${sentence(GGA).slice(0, 20)}`))
  await clock.advance(10)
  far.write(latin1(`${sentence(GGA).slice(20)}\r\n`))
  await clock.advance(10)
  const fix = location.fix()
  assert.equal(fix.latitude, 48.1173)
  assert.equal(fix.altitude, 545.4)
  assert.equal(fix.course, 54.7)
  assert.equal(fix.utcUs, BigInt(Date.UTC(2026, 10, 19, 12, 35, 19)) * 1000n)
  await clock.advance(11_000)
  fails('Unknown')
  await location.setEnabled(false)
  await clock.advance(10)
  assert.ok(near.isClosed)
  assert.deepEqual(commands, ['AT+QGPS=1', 'AT+QGPSEND'])
  assert.deepEqual(states, ['true false', 'true true', 'true false', 'false false'])
})

test('a modem without a GPS port says so', async (t) => {
  const bench = new FleetBench()
  t.after(() => bench.dispose())
  bench.fleet
  bench.plug()
  await bench.until('it is there', () => bench.fleet.modems.length === 1)
  await assert.rejects(bench.modem.location!.setEnabled(true), /no port that tells its location/)
})

test("the network's time: its report, the zone alone, the modem's clock, and a clock that was never set", async (t) => {
  let clock = '80/01/06,00:00:00+00'
  const answer = (command: string) =>
    command === 'AT+CCLK?' ? `+CCLK: "${clock}"\nOK` : /^AT\+CTZ/.test(command) ? 'OK' : undefined
  const bench = new FleetBench()
  t.after(() => bench.dispose())
  bench.fleet
  const scripted = bench.plug({ answer })
  await bench.until('it is registered', () => bench.fleet.modems[0]?.snapshot.state === 'registered')
  await bench.clock.advance(20_000)
  const time = bench.modem.time!
  assert.equal(time.snapshot?.source, undefined, 'a clock of 1980 is no time')
  assert.ok(scripted.commands.includes('AT+CTZU=1'))
  const port = bench.ports.get('/dev/ttyUSB1')!
  port.report('+CTZV: +08')
  await bench.clock.advance(10)
  assert.equal(time.snapshot?.offsetMinutes, 120)
  assert.equal(time.snapshot?.networkUs, undefined)
  port.report('+CTZE: "+04",1,"2026/11/22,12:00:00"')
  await bench.clock.advance(10)
  assert.equal(time.snapshot?.networkUs, BigInt(Date.UTC(2026, 10, 22, 11)) * 1000n, 'its time is local')
  assert.equal(time.snapshot?.source, '+CTZE')
  assert.equal(time.snapshot?.daylightHours, 1)
  clock = '26/11/22,13:00:00+04'
  const second = new FleetBench()
  t.after(() => second.dispose())
  second.fleet
  second.plug({ answer })
  await second.until('it is registered', () => second.fleet.modems[0]?.snapshot.state === 'registered')
  await second.clock.advance(20_000)
  const { networkUs, offsetMinutes, source } = second.modem.time!.snapshot!
  assert.deepEqual([networkUs, offsetMinutes, source], [BigInt(Date.UTC(2026, 10, 22, 12)) * 1000n, 60, '+CCLK'])
})
