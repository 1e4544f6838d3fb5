/** Scans, networks chosen by hand, and why a network refuses: a fleet of scripted modems on virtual time. */

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ModemdError } from '../../src/base/errors.ts'
import { FleetBench, type Plug } from './support/fleet-bench.ts'
import type { Answer } from './support/scripted-modem.ts'

const ONE_PORT = [{ number: 0, driver: 'option', tty: 'ttyUSB0' }] as const

async function scene(t: TestContext, answer: Answer = () => undefined, plug: Partial<Plug> = {}, registration = 1) {
  const bench = new FleetBench()
  t.after(() => bench.dispose())
  bench.fleet
  const scripted = bench.plug({ answer }, plug)
  scripted.registration = registration
  await bench.until('it is there', () => bench.fleet.modems.length === 1)
  return { bench, scripted, modem: bench.modem }
}

async function registered(t: TestContext, answer?: Answer, plug?: Partial<Plug>) {
  const made = await scene(t, answer, plug)
  await made.bench.until('it is registered', () => made.modem.snapshot.state === 'registered')
  await made.bench.clock.advance(20_000)
  made.scripted.commands.length = 0
  return made
}

function rejects(promise: Promise<unknown>, code: string, message: RegExp, cause?: string): Promise<void> {
  return assert.rejects(promise, (error) => {
    assert.ok(error instanceof ModemdError)
    assert.equal(error.code, code)
    assert.match(error.message, message)
    if (cause) assert.equal(error.failureCause, cause)
    return true
  })
}

test('a scan: names in UCS2 too, a network without a name by its number; two who ask at once share one', async (t) => {
  const answer = (command: string) =>
    command === 'AT+COPS=?'
      ? '+COPS: (2,"Home","H","26201",7),(1,"041C0422","","25001",2),(3,"","","26202",0),,(0-4),(0-2)\nOK'
      : undefined
  const { bench, modem, scripted } = await registered(t, answer)
  const [first, second] = await bench.settled(Promise.all([modem.scan(), modem.scan()]))
  assert.deepEqual(first, [
    { plmn: '26201', name: 'Home', status: 'current', technology: 'lte' },
    { plmn: '25001', name: 'МТ', status: 'available', technology: 'umts' },
    { plmn: '26202', name: '', status: 'forbidden', technology: 'gsm' },
  ])
  assert.equal(second, first)
  assert.equal(scripted.commands.filter((command) => command === 'AT+COPS=?').length, 1)
})

test('a scan that never ends is given up after three minutes', async (t) => {
  const { bench, modem } = await registered(t, (command) => (command === 'AT+COPS=?' ? '' : undefined))
  const scanning = modem.scan()
  scanning.catch(() => {})
  await bench.clock.advance(179_000)
  await rejects(bench.settled(scanning, 5000), 'Timeout', /AT\+COPS=\?/)
})

test('in a call: one port cannot scan and says what to do, two can; neither takes another network', async (t) => {
  for (const interfaces of [ONE_PORT, undefined]) {
    const answer = (command: string) => (command === 'AT+COPS=?' ? '+COPS: (1,"A","A","26201",7)\nOK' : undefined)
    const { bench, modem } = await registered(t, answer, interfaces && { interfaces })
    const signal = new AbortController().signal
    const request = { apn: 'x', number: '*99#', ipType: '4', cid: 'auto', timeoutMs: 5000, signal } as const
    const call = await bench.settled(modem.dial(request))
    call.established()
    if (interfaces) await rejects(modem.scan(), 'Busy', /mmctl disconnect/, 'port-busy')
    else assert.equal((await bench.settled(modem.scan())).length, 1)
    await rejects(modem.register('26201'), 'Busy', /mmctl disconnect/)
  }
})

test('a network by its number: asked for, waited for, and its name read', async (t) => {
  let chosen = '21401'
  const answer: Answer = (command) => {
    const wanted = /^AT\+COPS=1,2,"(\d+)"$/.exec(command)?.[1]
    if (wanted) {
      chosen = wanted
      return 'OK'
    }
    return command === 'AT+COPS?' ? `+COPS: 1,2,"${chosen}",7\nOK` : undefined
  }
  const { bench, modem, scripted } = await registered(t, answer)
  const registering = modem.register('26203')
  scripted.registration = 2
  await bench.clock.advance(3000)
  scripted.registration = 5
  await bench.settled(registering)
  assert.equal(modem.snapshot.operatorCode, '26203')
  assert.equal(modem.snapshot.registration, 'roaming')
  await assert.rejects(modem.register('1'), /5 or 6 digits/)
})

test('a network that refuses: its reason in words, and the modem chooses by itself again', async (t) => {
  const answer: Answer = (command) => {
    if (command.startsWith('AT+COPS=1')) return '+CME ERROR: 32'
    if (command === 'AT+CEER') return '+CEER: "EMM cause","#11"\nOK'
    return command === 'AT+COPS=0' ? 'OK' : undefined
  }
  const { bench, modem, scripted } = await registered(t, answer)
  await rejects(bench.settled(modem.register('26203')), 'NoNetwork', /26203; it chooses a network by itself/)
  assert.ok(scripted.commands.includes('AT+COPS=0'))
})

test('the report of a denial names its cause; without one +CEER is asked, once', async (t) => {
  const answer: Answer = (command) => (command === 'AT+CEER' ? '+CEER: "Registration rejected","#13"\nOK' : undefined)
  const { bench, modem, scripted } = await scene(t, answer, {}, 3)
  await bench.until('it is denied', () => modem.snapshot.registration === 'denied')
  await bench.clock.advance(60_000)
  assert.equal(modem.snapshot.stateReason, 'The network refuses this SIM: roaming not allowed in this area (#13).')
  assert.equal(scripted.commands.filter((command) => command === 'AT+CEER').length, 1)
  scripted.registration = 1
  await bench.until('it is in', () => modem.snapshot.state === 'registered')
  assert.equal(modem.snapshot.denial, undefined)
  scripted.registration = 3
  bench.ports.get('/dev/ttyUSB1')!.report('+CEREG: 3,"FFFE","00000000",7,0,8')
  await bench.until('it is denied', () => modem.snapshot.registration === 'denied')
  assert.match(modem.snapshot.stateReason, /packet and other services not allowed \(#8\)/)
  assert.equal(modem.snapshot.isDenialFinal, true)
  bench.ports.get('/dev/ttyUSB1')!.report('+CEREG: 3,"FFFE","00000000",7,0,15')
  await bench.until('it may pass', () => modem.snapshot.isDenialFinal === false)
})

test('5G alone: registered by +C5GREG', async (t) => {
  const answer: Answer = (command) => {
    if (command === 'AT+CEREG?') return '+CEREG: 2,0\nOK'
    return command === 'AT+C5GREG?' ? '+C5GREG: 2,1,"00A1B2","000012345",11,2,"0101"\nOK' : undefined
  }
  const interfaces = [
    { number: 2, driver: 'option', tty: 'ttyUSB2' },
    { number: 3, driver: 'option', tty: 'ttyUSB3' },
  ]
  const { modem } = await registered(t, answer, { id: '2c7c:0800', interfaces })
  assert.equal(modem.snapshot.registration, 'home')
  assert.deepEqual(modem.snapshot.accessTechnologies, ['5gnr'])
})
