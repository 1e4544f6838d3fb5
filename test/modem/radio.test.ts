/** The radio on and off, and a registration that is asked for: no passing refusal leaves a modem without a network for good. */

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { FleetBench } from './support/fleet-bench.ts'

const DAY_MS = 24 * 3_600_000

/** A modem that knows its own +CFUN, is in the network while that is 1, and may be too busy to be told so. */
async function withRadio(t: TestContext) {
  const bench = new FleetBench()
  t.after(() => bench.dispose())
  bench.fleet
  const radio = { cfun: 1, busyUntilMs: 0, isStuck: false }
  const scripted = bench.plug({
    answer: (command) => {
      if (command === 'AT+CFUN?') return `+CFUN: ${radio.cfun}\nOK`
      const wanted = /^AT\+CFUN=(\d)/.exec(command)?.[1]
      if (wanted === '1' && (radio.isStuck || bench.clock.nowMs() < radio.busyUntilMs)) return '+CME ERROR: 14'
      if (wanted === undefined) return undefined
      radio.cfun = Number(wanted)
      scripted.registration = radio.cfun === 1 ? 1 : 0
      return 'OK'
    },
  })
  const is = (state: string) => bench.until(`it is ${state}`, () => bench.fleet.modems[0]?.snapshot.state === state)
  await is('registered')
  /** As by another program, or a switch on the computer. */
  const fallsOff = () => {
    radio.cfun = 4
    scripted.registration = 0
    for (const head of ['+CREG', '+CGREG', '+CEREG']) bench.ports.get('/dev/ttyUSB1')!.report(`${head}: 0`)
  }
  return { bench, modem: bench.modem, radio, scripted, is, fallsOff }
}

for (const busyMs of [3000, 100_000])
  test(`a modem that is busy for ${busyMs / 1000} s when its radio is to be switched on again`, async (t) => {
    const { bench, modem, radio, is } = await withRadio(t)
    await bench.settled(modem.disable())
    radio.busyUntilMs = bench.clock.nowMs() + busyMs
    await assert.rejects(bench.settled(modem.enable()), /AT\+CFUN=1/)
    await is('searching')
    assert.match(modem.snapshot.stateReason, /^The radio is off/)
    await bench.clock.advance(radio.busyUntilMs - bench.clock.nowMs())
    await is('registered')
    // At most one pause of the search until it is on, and one until that is seen.
    assert.ok(bench.clock.nowMs() - radio.busyUntilMs < 61_000)
    assert.deepEqual([modem.snapshot.powerState, modem.snapshot.stateReason], ['on', ''])
  })

test('a radio that somebody else switched off is switched on by who finds no network, and by enable at once', async (t) => {
  const { bench, modem, radio, is, fallsOff } = await withRadio(t)
  fallsOff()
  await is('searching')
  await is('registered')
  assert.equal(radio.cfun, 1)
  fallsOff()
  await is('searching')
  await bench.settled(modem.enable())
  assert.equal(radio.cfun, 1)
  await is('registered')
})

test('enable does not say that it is done where the modem refuses', async (t) => {
  const { bench, modem, radio, is, fallsOff } = await withRadio(t)
  radio.isStuck = true
  fallsOff()
  await is('searching')
  await assert.rejects(bench.settled(modem.enable()), { name: 'ModemdError', failureCause: 'radio-off' })
})

test('a radio that is on is not switched on, nor asked for again and again', async (t) => {
  const { bench, modem, scripted } = await withRadio(t)
  scripted.commands.length = 0
  await bench.settled(modem.enable())
  scripted.registration = 2
  bench.ports.get('/dev/ttyUSB1')!.report('+CEREG: 2')
  await bench.clock.advance(DAY_MS)
  const asked = scripted.commands.filter((command) => command.startsWith('AT+CFUN'))
  assert.deepEqual(new Set(asked), new Set(['AT+CFUN?']))
  assert.ok(asked.length < 24 * 6 + 2, `${asked.length} times a day`)
})

test('a SIM that is put in while the radio is off: still off, and there when it is on', async (t) => {
  const { bench, modem, scripted, is } = await withRadio(t)
  let isIn = false
  const { answer } = scripted
  scripted.answer = (command, port) => (command === 'AT+CPIN?' && !isIn ? '+CME ERROR: 10' : answer?.(command, port))
  bench.ports.get('/dev/ttyUSB1')!.report('+CPIN: NOT INSERTED')
  await is('absent-sim')
  await bench.settled(modem.disable())
  assert.equal(modem.snapshot.state, 'disabled')
  isIn = true
  await bench.settled(modem.enable())
  await is('registered')
})

test('a radio that goes off while a network is searched for in vain is seen', async (t) => {
  const { bench, modem, radio, scripted, is } = await withRadio(t)
  scripted.registration = 2
  bench.ports.get('/dev/ttyUSB1')!.report('+CEREG: 2')
  await is('searching')
  await bench.clock.advance(60_000)
  radio.cfun = 4
  await bench.clock.advance(700_000)
  assert.deepEqual([radio.cfun, modem.snapshot.state], [1, 'registered'])
})

for (const [answer, state] of [
  ['+CME ERROR: 10', 'absent-sim'],
  ['+CME ERROR: 13', 'failed'],
] as const)
  test(`a modem that shows no SIM without its radio (${answer}), and refuses +CFUN=1 once`, async (t) => {
    const bench = new FleetBench()
    t.after(() => bench.dispose())
    bench.fleet
    let cfun = 0
    let refusals = 1
    bench.plug({
      answer: (command) => {
        if (command === 'AT+CFUN?') return `+CFUN: ${cfun}\nOK`
        if (command === 'AT+CFUN=1' && refusals-- > 0) return '+CME ERROR: 14'
        if (command === 'AT+CFUN=1') cfun = 1
        return command === 'AT+CPIN?' && cfun === 0 ? answer : undefined
      },
    })
    await bench.until('no SIM is seen', () => bench.fleet.modems[0]?.snapshot.state === state)
    await bench.clock.advance(60_000)
    assert.equal(bench.modem.snapshot.state, 'registered')
  })

test('a second disable that the modem refuses leaves the radio off', async (t) => {
  const { bench, modem, scripted, radio } = await withRadio(t)
  await bench.settled(modem.disable())
  const { answer } = scripted
  scripted.answer = (command, port) => (/^AT\+CFUN=[04]/.test(command) ? 'ERROR' : answer?.(command, port))
  await assert.rejects(bench.settled(modem.disable()), { code: 'Unsupported' })
  await bench.clock.advance(60_000)
  assert.deepEqual([radio.cfun, modem.snapshot.state], [4, 'disabled'])
})

for (const [sim, state] of [
  ['locked', 'locked'],
  ['absent', 'absent-sim'],
] as const)
  test(`a modem that was silent for a while answers again, and its SIM is ${sim}`, async (t) => {
    const bench = new FleetBench()
    t.after(() => bench.dispose())
    bench.fleet
    const answer = (command: string) => (command === 'AT+CPIN?' && sim === 'absent' ? '+CME ERROR: 10' : undefined)
    const scripted = bench.plug({ ...(sim === 'locked' && { pin: '1234' }), answer })
    const is = (wanted: string) =>
      bench.until(`it is ${wanted}`, () => bench.fleet.modems[0]?.snapshot.state === wanted)
    await is(state)
    scripted.isDeaf = true
    bench.fleet.wake()
    await is('failed')
    scripted.isDeaf = false
    await bench.clock.advance(120_000)
    assert.equal(bench.modem.snapshot.state, state)
  })

for (const areReportsOn of [true, false])
  test(`questions for the registration that a busy SIM refuses are asked again (reports ${areReportsOn ? 'on' : 'refused'})`, async (t) => {
    const bench = new FleetBench()
    t.after(() => bench.dispose())
    bench.fleet
    let refusals = 0
    const scripted = bench.plug({
      answer: (command) => {
        if (!areReportsOn && /^AT\+C[GE]?REG=/.test(command)) return 'ERROR'
        if (/^AT\+C[GE]?REG\?/.test(command) && refusals-- > 0) return '+CME ERROR: 14'
        return undefined
      },
    })
    scripted.registration = 2
    await bench.until('it searches', () => bench.fleet.modems[0]?.snapshot.state === 'searching')
    await bench.clock.advance(20_000)
    refusals = 3
    await bench.clock.advance(31_000)
    assert.ok(refusals <= 0)
    scripted.registration = 1
    await bench.clock.advance(120_000)
    assert.equal(bench.modem.snapshot.state, 'registered')
  })

test('a question that the modem never knows costs one command a minute', async (t) => {
  const bench = new FleetBench()
  t.after(() => bench.dispose())
  bench.fleet
  const scripted = bench.plug({ answer: (command) => (/^AT\+CEREG[=?]/.test(command) ? 'ERROR' : undefined) })
  scripted.registration = 2
  await bench.until('it searches', () => bench.fleet.modems[0]?.snapshot.state === 'searching')
  scripted.commands.length = 0
  await bench.clock.advance(3_600_000)
  const asked = scripted.commands.filter((command) => command === 'AT+CEREG?').length
  assert.ok(asked > 30 && asked <= 60, `${asked} times`)
})
