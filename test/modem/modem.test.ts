import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ModemdError } from '../../src/base/errors.ts'
import type { ModemState } from '../../src/modem/snapshot.ts'
import { FleetBench, type FleetBenchOptions } from './support/fleet-bench.ts'
import type { ScriptedModem, ScriptedModemOptions } from './support/scripted-modem.ts'

interface Plugged {
  readonly bench: FleetBench
  readonly scripted: ScriptedModem
  readonly states: ModemState[]
}

/** Exported, and no further. */
async function plugged(
  t: { after(fn: () => Promise<void>): void },
  options: ScriptedModemOptions = {},
  benchOptions: FleetBenchOptions = {},
): Promise<Plugged> {
  const bench = new FleetBench(benchOptions)
  t.after(() => bench.dispose())
  const states: ModemState[] = []
  bench.fleet.onAdded((modem) => {
    states.push(modem.snapshot.state)
    modem.onChange((next, previous) => next.state !== previous.state && states.push(next.state))
  })
  const scripted = bench.plug(options)
  await bench.until('it is there', () => bench.added.length === 1)
  return { bench, scripted, states }
}

function is(bench: FleetBench, state: ModemState): Promise<void> {
  return bench.until(`it is ${state}`, () => bench.modem.snapshot.state === state)
}

function rejectsWith(promise: Promise<unknown>, code: string, cause?: string): Promise<void> {
  return assert.rejects(
    promise,
    (error) => error instanceof ModemdError && error.code === code && error.failureCause === cause,
  )
}

test('from plug to registered: enabling, searching, registered', async (t) => {
  const { bench, scripted, states } = await plugged(t, {}, { latencyMs: 5 })
  scripted.registration = 2
  await is(bench, 'searching')
  await bench.clock.advance(5000)
  scripted.registration = 1
  await is(bench, 'registered')
  assert.deepEqual(states, ['enabling', 'searching', 'registered'])
})

test('a report of the network is followed without being asked for', async (t) => {
  const { bench, scripted } = await plugged(t)
  scripted.registration = 2
  await is(bench, 'searching')
  await bench.clock.advance(120_000)
  scripted.commands.length = 0
  scripted.registration = 5
  bench.ports.get('/dev/ttyUSB1')!.report('+CEREG: 5,"1F4A","00C0A301",7')
  const startMs = bench.clock.nowMs()
  await is(bench, 'registered')
  assert.ok(bench.clock.nowMs() - startMs < 50)
  assert.equal(bench.modem.snapshot.registration, 'roaming')
  assert.ok(!scripted.commands.some((each) => /REG\?/.test(each)))
  scripted.registration = 3
  bench.ports.get('/dev/ttyUSB1')!.report('+CEREG: 3')
  await bench.until('it is denied', () => bench.modem.snapshot.registration === 'denied')
  assert.equal(bench.modem.snapshot.state, 'searching')
  assert.equal(bench.modem.snapshot.operatorName, undefined)
  assert.deepEqual(bench.modem.snapshot.accessTechnologies, [])
})

test('a modem that knows no registration report is asked slowly', async (t) => {
  const answer = (command: string) => (/REG=/.test(command) ? 'ERROR' : undefined)
  const { bench, scripted } = await plugged(t, { answer })
  await is(bench, 'registered')
  scripted.commands.length = 0
  await bench.clock.advance(61_000)
  assert.equal(scripted.commands.filter((each) => each === 'AT+CEREG?').length, 2)
})

test('the init commands of a driver may all fail', async (t) => {
  const answer = (command: string) =>
    /^AT(E0|\+CMEE|\+CFUN|\+CNUM|\+COPS|\+CG[MS]|\+G[MS]|\+CCID|\+ICCID|\+CRSM|\+C?G?E?REG=)/.test(command)
      ? 'ERROR'
      : undefined
  const { bench } = await plugged(t, { answer })
  await is(bench, 'registered')
  assert.equal(bench.modem.snapshot.id, 'usb_1_2')
  assert.equal(bench.modem.snapshot.model, undefined)
  assert.equal(bench.modem.snapshot.sim.iccid, undefined)
})

test('a SIM that is busy for its first seconds is waited for', async (t) => {
  const { bench } = await plugged(t, { simBusyAnswers: 6 })
  await is(bench, 'registered')
})

test('a SIM that stays busy is failed', async (t) => {
  const { bench } = await plugged(t, { simBusyAnswers: 1000 })
  await is(bench, 'failed')
  assert.equal(bench.modem.snapshot.failure?.cause, 'sim-failed')
})

test('no SIM; one that is found after a while', async (t) => {
  let isIn = false
  const answer = (command: string) => (command === 'AT+CPIN?' && !isIn ? '+CME ERROR: 10' : undefined)
  const { bench } = await plugged(t, { answer })
  await is(bench, 'absent-sim')
  assert.equal(bench.modem.snapshot.failure?.cause, 'sim-absent')
  await bench.clock.advance(60_000)
  assert.equal(bench.clock.pending, 0, 'not asked for ever')
  isIn = true
  bench.ports.get('/dev/ttyUSB1')!.report('+CPIN: READY')
  await is(bench, 'registered')
  assert.equal(bench.modem.snapshot.failure, undefined)
})

test("the profile's PIN opens the SIM by itself", async (t) => {
  const { bench, scripted, states } = await plugged(t, { pin: '1234' }, { pinFor: () => '1234' })
  await is(bench, 'registered')
  assert.deepEqual(scripted.pinsSeen, ['1234'])
  assert.deepEqual(states.slice(0, 2), ['enabling', 'locked'])
  assert.equal(bench.modem.snapshot.sim.status, 'ready')
})

test('with two tries left nothing happens by itself, a person may, and the last one only when told', async (t) => {
  const { bench, scripted } = await plugged(t, { pin: '1234', triesLeft: 2 }, { pinFor: () => '1234' })
  await is(bench, 'locked')
  await bench.clock.advance(10_000)
  assert.deepEqual(scripted.pinsSeen, [])
  assert.match(bench.modem.snapshot.failure!.detail, /Only 2 PIN tries are left/)
  await rejectsWith(bench.settled(bench.modem.sendPin('12', 'person')), 'InvalidArgs')
  await rejectsWith(bench.settled(bench.modem.sendPin('4321', 'person')), 'SimPin', 'sim-pin-refused')
  await assert.rejects(
    bench.settled(bench.modem.sendPin('4321', 'person')),
    /with `mmctl sim unlock`; .* remove \/state\/pin-ledger\.json before\.$/,
  )
  await rejectsWith(bench.settled(bench.modem.sendPin('1234', 'person')), 'PinGuard')
  await bench.settled(bench.modem.sendPin('1234', 'person-last-try'))
  await is(bench, 'registered')
  assert.deepEqual(scripted.pinsSeen, ['4321', '1234'])
  await rejectsWith(bench.settled(bench.modem.sendPin('1234', 'person')), 'WrongState')
})

test('a SIM that asks for its PUK gets none by itself', async (t) => {
  const { bench, scripted } = await plugged(t, { pin: '1234', triesLeft: 0 }, { pinFor: () => '1234' })
  await is(bench, 'locked')
  await bench.clock.advance(60_000)
  assert.equal(bench.modem.snapshot.sim.status, 'puk')
  assert.equal(bench.modem.snapshot.failure?.cause, 'sim-puk')
  assert.deepEqual(scripted.pinsSeen, [])
  await rejectsWith(bench.settled(bench.modem.sendPin('1234', 'person')), 'SimPuk', 'sim-puk')
})

test('a modem that falls silent is failed, and back when it answers', async (t) => {
  const { bench, scripted } = await plugged(t)
  await is(bench, 'registered')
  scripted.isDeaf = true
  await is(bench, 'failed')
  assert.equal(bench.modem.snapshot.failure?.cause, 'modem-silent')
  await bench.clock.advance(300_000)
  scripted.isDeaf = false
  await is(bench, 'registered')
  assert.equal(bench.modem.snapshot.failure, undefined)
})

test('one lost answer is no failure', async (t) => {
  const { bench, scripted, states } = await plugged(t)
  await is(bench, 'registered')
  await bench.clock.advance(5000)
  scripted.isDeaf = true
  await bench.until('it was asked in vain', () => bench.clock.nowMs() > 12_500)
  scripted.isDeaf = false
  await bench.clock.advance(60_000)
  assert.deepEqual(states, ['enabling', 'searching', 'registered'])
})

test('radio off and on', async (t) => {
  const { bench, scripted } = await plugged(t)
  await is(bench, 'registered')
  scripted.registration = 0
  await bench.settled(bench.modem.disable())
  assert.equal(bench.modem.snapshot.state, 'disabled')
  assert.equal(scripted.commands.at(-1), 'AT+CFUN=4')
  await bench.clock.advance(60_000)
  assert.equal(scripted.commands.at(-1), 'AT+CFUN=4', 'nothing is asked while it is off')
  scripted.registration = 1
  await bench.settled(bench.modem.enable())
  await is(bench, 'registered')
  assert.ok(scripted.commands.includes('AT+CFUN=1'))
})

test('a modem that is found with its radio off is switched on', async (t) => {
  const answer = (command: string) => (command === 'AT+CFUN?' ? '+CFUN: 4\nOK' : undefined)
  const { bench, scripted } = await plugged(t, { answer })
  await is(bench, 'registered')
  assert.ok(scripted.commands.includes('AT+CFUN=1'))
  assert.equal(bench.modem.snapshot.powerState, 'on')
})

test('a soft reset of a modem that stays on its port', async (t) => {
  const answer = (command: string) => (command === 'AT+CFUN=1,1' ? 'OK' : undefined)
  const { bench, scripted, states } = await plugged(t, { answer })
  await is(bench, 'registered')
  await bench.settled(bench.modem.reset(false))
  scripted.isDeaf = true
  assert.equal(bench.modem.snapshot.state, 'resetting')
  await bench.clock.advance(8000)
  scripted.isDeaf = false
  await is(bench, 'registered')
  assert.deepEqual(states.slice(-5), ['registered', 'resetting', 'enabling', 'searching', 'registered'])
  await rejectsWith(bench.modem.reset(true), 'Unsupported')
})

test('what is measured is known only while the radio is on and answers', async (t) => {
  const { bench, scripted } = await plugged(t)
  await is(bench, 'registered')
  const measured = () => {
    const { signal, signalQuality, signalDbm } = bench.modem.snapshot
    return [signal?.rssi, signalQuality, signalDbm]
  }
  const unknown = [undefined, undefined, undefined]
  const known = [-71, 67, -71]
  await bench.until('it is measured', () => bench.modem.snapshot.signal !== undefined)
  assert.deepEqual(measured(), known)
  scripted.registration = 0
  await bench.settled(bench.modem.disable())
  assert.deepEqual(measured(), unknown)
  const { length } = bench.modem.signalHistory()
  bench.ports.get('/dev/ttyUSB1')!.report('^RSSI:18')
  await bench.clock.advance(100)
  assert.deepEqual(measured(), unknown, 'a report that was under way')
  assert.equal(bench.modem.signalHistory().length, length)
  scripted.registration = 1
  await bench.settled(bench.modem.enable())
  await bench.until('it is measured', () => bench.modem.snapshot.signal !== undefined)
  assert.deepEqual(measured(), known)
  bench.ports.get('/dev/ttyUSB1')!.report('^RSSI:99')
  await bench.until('it says that it does not know', () => bench.modem.snapshot.signal === undefined)
  assert.deepEqual(measured(), unknown)
  await bench.clock.advance(10_000)
  assert.deepEqual(measured(), known)
  scripted.isDeaf = true
  await is(bench, 'failed')
  assert.deepEqual(measured(), unknown)
})

test('a registration that is lost: the signal is asked for at once, and forgotten where there is none', async (t) => {
  let strength = '21'
  const answer = (command: string) => (command === 'AT+CSQ' ? `+CSQ: ${strength},99\nOK` : undefined)
  const { bench, scripted } = await plugged(t, { answer })
  await is(bench, 'registered')
  await bench.clock.advance(100)
  bench.modem.setSignalPoll(86_400)
  await bench.clock.advance(60_000)
  assert.equal(bench.modem.snapshot.signalQuality, 67)
  scripted.registration = 2
  strength = '99'
  bench.ports.get('/dev/ttyUSB1')!.report('+CEREG: 2')
  const startMs = bench.clock.nowMs()
  await bench.until('it is forgotten', () => bench.modem.snapshot.signalQuality === undefined)
  assert.ok(bench.clock.nowMs() - startMs < 50)
  assert.equal(bench.modem.snapshot.signal, undefined)
})

test('after the machine slept: one that lost power on its port is told everything anew, and its PIN, before it is registered', async (t) => {
  const { bench, scripted, states } = await plugged(t, { pin: '1234' }, { pinFor: () => '1234' })
  await is(bench, 'registered')
  states.length = 0
  scripted.commands.length = 0
  scripted.isLocked = true
  bench.fleet.wake()
  assert.equal(bench.modem.snapshot.state, 'enabling')
  await is(bench, 'registered')
  assert.deepEqual(states, ['enabling', 'locked', 'enabling', 'searching', 'registered'])
  assert.deepEqual(scripted.pinsSeen, ['1234', '1234'])
  assert.ok(scripted.commands.some((command) => command.startsWith('AT+CREG=')))
})

test('after the machine slept: one whose radio is off stays so, and one that fell silent is asked at once', async (t) => {
  const { bench, scripted } = await plugged(t)
  await is(bench, 'registered')
  await bench.settled(bench.modem.disable())
  bench.fleet.wake()
  await bench.clock.advance(60_000)
  assert.equal(bench.modem.snapshot.state, 'disabled')
  await bench.settled(bench.modem.enable())
  scripted.isDeaf = true
  await is(bench, 'failed')
  await bench.clock.advance(300_000)
  scripted.isDeaf = false
  const wokeMs = bench.clock.nowMs()
  bench.fleet.wake()
  await is(bench, 'registered')
  assert.ok(bench.clock.nowMs() - wokeMs < 1000)
})

test('a reset by which the ports vanish is done; the modem comes back as a new one', async (t) => {
  const answer = (command: string) => {
    if (command !== 'AT+CFUN=1,1') return undefined
    bench.unplug('1-2', 'ttyUSB0', 'ttyUSB1')
    return ''
  }
  const { bench, states } = await plugged(t, { answer })
  await is(bench, 'registered')
  const { modem } = bench
  await bench.settled(modem.reset(false))
  await bench.until('it is gone', () => bench.removed.length === 1)
  assert.deepEqual(states.slice(-2), ['resetting', 'failed'])
  assert.equal(modem.snapshot.signal, undefined)
  await rejectsWith(modem.reset(false), 'ModemGone', 'modem-gone')
  bench.plug()
  await bench.until('it is back', () => bench.fleet.modems[0]?.snapshot.state === 'registered')
})

test('a reset that the modem refuses changes nothing; one that it does not survive is given up', async (t) => {
  let reply = 'ERROR'
  const answer = (command: string) => (command === 'AT+CFUN=1,1' ? reply : undefined)
  const { bench, scripted, states } = await plugged(t, { answer })
  await is(bench, 'registered')
  await rejectsWith(bench.settled(bench.modem.reset(false)), 'Internal', 'modem-error')
  await is(bench, 'registered')
  await bench.settled(bench.modem.disable())
  await rejectsWith(bench.settled(bench.modem.reset(false)), 'Internal', 'modem-error')
  assert.equal(bench.modem.snapshot.state, 'disabled')
  await bench.settled(bench.modem.enable())
  await is(bench, 'registered')
  reply = 'OK'
  await bench.settled(bench.modem.reset(false))
  scripted.isDeaf = true
  const startMs = bench.clock.nowMs()
  await bench.until('it is given up', () => bench.modem.snapshot.state === 'failed', 120_000)
  assert.ok(bench.clock.nowMs() - startMs < 80_000)
  assert.equal(bench.modem.snapshot.failure?.cause, 'modem-silent')
  assert.ok(states.includes('resetting'))
})

test('`registered` is told with the name of the operator, found by asking or by a report', async (t) => {
  for (const registration of [1, 2]) {
    const { bench, scripted, states } = await plugged(t, {}, { latencyMs: 10 })
    scripted.registration = registration
    const names: (string | undefined)[] = []
    bench.modem.onChange((next) => next.state === 'registered' && names.push(next.operatorName))
    if (registration === 2) {
      await is(bench, 'searching')
      await bench.clock.advance(10_000)
      scripted.registration = 1
      bench.ports.get('/dev/ttyUSB1')!.report('+CEREG: 1,"1F4A","00C0A301",7')
    }
    await is(bench, 'registered')
    assert.equal(names[0], 'Virtual Net')
    await bench.until('the number is known too', () => bench.modem.snapshot.operatorCode === '21401')
    assert.equal(states.filter((state) => state === 'registered').length, 1)
  }
})

test('an operator who stays unnamed does not keep the modem from being registered', async (t) => {
  let isMute = true
  const answer = (command: string) => {
    if (command !== 'AT+COPS?' || !isMute) return undefined
    isMute = false
    return ''
  }
  const { bench } = await plugged(t, { answer })
  await is(bench, 'registered')
  assert.ok(bench.clock.nowMs() < 2000)
  await bench.until('the second question is answered', () => bench.modem.snapshot.operatorName !== undefined)
})

test('a network that is lost and found before anybody looked is followed', async (t) => {
  const { bench } = await plugged(t, {}, { latencyMs: 5 })
  await is(bench, 'registered')
  await bench.until('all is asked', () => bench.modem.snapshot.ownNumbers.length > 0)
  const port = bench.ports.get('/dev/ttyUSB1')!
  port.say('\r\n+CEREG: 2\r\n\r\n+CEREG: 1,"1F4A","00C0A301",7\r\n')
  await bench.until('it was seen', () => bench.modem.snapshot.state !== 'registered', 1000)
  await is(bench, 'registered')
  assert.equal(bench.modem.snapshot.operatorName, 'Virtual Net')
})

test('at most 30 commands from the plug to the dial, over all ports, also where the SIM wants its PIN', async (t) => {
  const bench = new FleetBench({ pinFor: () => '1234' })
  t.after(() => bench.dispose())
  void bench.fleet
  const scripted = bench.plug({ pin: '1234' }, { id: '1410:1400' })
  await bench.until('it is registered', () => bench.fleet.modems[0]?.snapshot.state === 'registered')
  await bench.until('all is asked', () => bench.modem.snapshot.ownNumbers.length > 0)
  const signal = new AbortController().signal
  const request = { apn: 'a', number: '*99#', ipType: '4', cid: 'auto', timeoutMs: 5000, signal } as const
  await bench.settled(bench.modem.dial(request))
  const before = scripted.commands.slice(
    0,
    scripted.commands.findIndex((each) => each.startsWith('ATD')),
  )
  assert.ok(before.length <= 30, `${before.length}: ${before.join(' ')}`)
})

test('scan, register, IMSI', async (t) => {
  const answer = (command: string) => {
    if (command === 'AT+COPS=?')
      return '+COPS: (2,"Virtual Net","VN","21401",7),(3,"Other","","21403",2),,(0-4),(0-2)\nOK'
    if (command === 'AT+COPS=1,2,"21403"') return '+CME ERROR: 32'
    return undefined
  }
  const { bench, scripted } = await plugged(t, { answer })
  await is(bench, 'registered')
  assert.deepEqual(await bench.settled(bench.modem.scan()), [
    { plmn: '21401', name: 'Virtual Net', status: 'current', technology: 'lte' },
    { plmn: '21403', name: 'Other', status: 'forbidden', technology: 'umts' },
  ])
  await rejectsWith(bench.settled(bench.modem.register('21403')), 'NoNetwork', 'registration-denied')
  await rejectsWith(bench.settled(bench.modem.register('2140";+CFUN=0')), 'InvalidArgs')
  await bench.settled(bench.modem.register(''))
  assert.ok(scripted.commands.includes('AT+COPS=0'))
  assert.equal(await bench.settled(bench.modem.imsi()), '214011234567890')
})

test("Huawei's reports of signal and mode", async (t) => {
  const answer = (command: string) => {
    if (command === 'AT^CPIN?') return '^CPIN: SIM PIN,3,10,3,10,3\nOK'
    if (/^AT\+C[G]?REG\?$/.test(command)) return `${command.slice(2, -1)}: 2,1,00C3,0A1B\nOK`
    if (command.startsWith('AT+CEREG')) return 'COMMAND NOT SUPPORT'
    if (command === 'AT+COPS?') return '+COPS: 0,0,"vodafone",2\nOK'
    return undefined
  }
  const { bench, scripted } = await plugged(t, { answer, pin: '1234' }, { pinFor: () => '1234' })
  await is(bench, 'registered')
  await bench.until('its operator is known', () => bench.modem.snapshot.accessTechnologies.length > 0)
  assert.ok(scripted.commands.includes('AT^CPIN?'))
  assert.ok(!scripted.commands.includes('AT+CPINR'))
  assert.ok(!scripted.commands.includes('AT+CEREG?'), 'it refused to report it')
  assert.deepEqual(bench.modem.snapshot.accessTechnologies, ['umts'])
  const port = bench.ports.get('/dev/ttyUSB1')!
  port.report('^MODE:5,7')
  port.report('^RSSI:18')
  port.report('^BOOT:27710117,0,0,0,75')
  port.report('^DSFLOWRPT:0000003C,0,0,0,0,0,0')
  await bench.until('it is told', () => bench.modem.snapshot.signal?.source === '^RSSI')
  assert.equal(bench.modem.snapshot.signalDbm, -77)
  assert.deepEqual(bench.modem.snapshot.accessTechnologies, ['hspa'])
})

test('whatever the moment a modem vanishes, it is removed and nothing is left', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: 1500 }), fc.boolean(), async (afterMs, dials) => {
      const bench = new FleetBench({ latencyMs: 7, pinFor: () => '1234' })
      try {
        bench.fleet
        bench.plug({ pin: '1234', simBusyAnswers: 1 })
        await bench.clock.advance(afterMs)
        const modem = bench.fleet.modems[0]
        const signal = new AbortController().signal
        const request = { apn: 'a', number: '*99#', ipType: '4', cid: 'auto', timeoutMs: 5000, signal } as const
        const dialling = dials && modem ? modem.dial(request).catch((error: unknown) => error) : undefined
        await bench.clock.advance(afterMs % 40)
        bench.unplug('1-2', 'ttyUSB0', 'ttyUSB1')
        await bench.clock.advance(20_000)
        assert.deepEqual(bench.fleet.modems, [])
        assert.equal(bench.added.length, bench.removed.length)
        assert.equal(bench.clock.pending, 0)
        await dialling
        if (modem) await rejectsWith(modem.imsi(), 'ModemGone', 'modem-gone')
      } finally {
        await bench.dispose()
      }
    }),
    { seed: 5, numRuns: 40 },
  )
})
