/** USSD over a fleet of scripted modems on virtual time: forms of the string, sessions, what the network begins, errors, time-outs. */

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ModemdError } from '../../src/base/errors.ts'
import { encodeUssd } from '../../src/modem/features/ussd/codes.ts'
import type { Ussd } from '../../src/modem/features/ussd/snapshot.ts'
import { FleetBench } from './support/fleet-bench.ts'
import type { Answer, ScriptedModem, ScriptedPort } from './support/scripted-modem.ts'

interface Scene {
  readonly bench: FleetBench
  readonly scripted: ScriptedModem
  readonly ussd: Ussd
  readonly port: ScriptedPort
  /** +CUSD as the modem saw it, and the states. */
  sent(): readonly string[]
  readonly states: string[]
  report(line: string): Promise<void>
}

const ONE_PORT = [{ number: 0, driver: 'option', tty: 'ttyUSB0' }] as const

/** `id` 1bc7:… is a Telit: generic USSD; 12d1:… a Huawei. */
async function scene(t: TestContext, answer: Answer = () => undefined, id = '1bc7:1201', ports?: typeof ONE_PORT) {
  const bench = new FleetBench()
  t.after(() => bench.dispose())
  bench.fleet
  const scripted = bench.plug(
    { answer: (command, port) => answer(command, port) ?? (/^AT\+CUSD/.test(command) ? 'OK' : undefined) },
    ports ? { id, interfaces: ports } : { id },
  )
  await bench.until('it is registered', () => bench.fleet.modems[0]?.snapshot.state === 'registered')
  await bench.clock.advance(20_000)
  const ussd = bench.modem.ussd!
  const states: string[] = []
  ussd.onChange((state) => states.push(state))
  const port = bench.ports.get(ports ? '/dev/ttyUSB0' : '/dev/ttyUSB1')!
  scripted.commands.length = 0
  const made: Scene = {
    bench,
    scripted,
    ussd,
    port,
    states,
    sent: () => scripted.commands.filter((command) => command.startsWith('AT+CUSD')),
    report: async (line) => {
      port.report(line)
      await bench.clock.advance(10)
    },
  }
  return made
}

/** The answer comes `afterMs` behind the code. */
async function answered(scene: Scene, pending: Promise<string>, line: string, afterMs = 500): Promise<string> {
  pending.catch(() => {})
  await scene.bench.clock.advance(afterMs)
  await scene.report(line)
  return pending
}

function rejectsWith(promise: Promise<unknown>, code: string): Promise<void> {
  return assert.rejects(promise, (error) => error instanceof ModemdError && error.code === code)
}

test('a code and its answer; the state tells that the network is asked', async (t) => {
  const it = await scene(t)
  const text = await answered(it, it.ussd.initiate('*100#'), '+CUSD: 0,"Your balance is 5 EUR",15')
  assert.equal(text, 'Your balance is 5 EUR')
  assert.deepEqual(it.sent(), ['AT+CUSD=1,"*100#",15'])
  assert.deepEqual(it.states, ['active', 'idle'])
  assert.equal(it.ussd.lastText, text)
})

test('an answer without the OK is an answer all the same, and the next command gets its own', async (t) => {
  const line = '+CUSD: 0,"Your balance is\r\n0 EUR",15'
  const it = await scene(t, (command) => (/^AT\+CUSD=1,/.test(command) ? line : undefined), '1410:1400', ONE_PORT)
  const startedMs = it.bench.clock.nowMs()
  assert.equal(await it.bench.settled(it.ussd.initiate('*100#')), 'Your balance is\n0 EUR')
  assert.ok(it.bench.clock.nowMs() - startedMs < 3000)
  assert.match(await it.bench.settled(it.bench.modem.imsi()), /^\d{15}$/)
})

test('reports are switched on once the modem is registered', async (t) => {
  const bench = new FleetBench()
  t.after(() => bench.dispose())
  bench.fleet
  const scripted = bench.plug()
  await bench.until('it is registered', () => bench.fleet.modems[0]?.snapshot.state === 'registered')
  await bench.clock.advance(20_000)
  assert.ok(scripted.commands.includes('AT+CUSD=1'))
})

test('an answer before OK, in several lines, in UCS2, or with the end of the session', async (t) => {
  const it = await scene(t, (command) => (command === 'AT+CUSD=1,"*1#",15' ? '+CUSD: 0,"before OK",15\nOK' : undefined))
  const before = it.ussd.initiate('*1#')
  await it.bench.clock.advance(100)
  assert.equal(await before, 'before OK')
  assert.equal(await answered(it, it.ussd.initiate('*2#'), '+CUSD: 0,"one\r\ntwo\r\nthree",15'), 'one\ntwo\nthree')
  assert.equal(await answered(it, it.ussd.initiate('*3#'), '+CUSD: 0,"04110430043B0430043D0441",72'), 'Баланс')
  assert.equal(await answered(it, it.ussd.initiate('*4#'), '+CUSD: 2,"Bye",15'), 'Bye')
})

test('a Huawei gets and gives packed septets', async (t) => {
  const it = await scene(t, undefined, '12d1:1001')
  assert.equal(
    await answered(it, it.ussd.initiate('*100#'), '+CUSD: 0,"D972180D4A8140",15').catch(String),
    it.ussd.lastText,
  )
  assert.deepEqual(it.sent(), ['AT+CUSD=1,"AA180C3602",15'])
  assert.deepEqual(encodeUssd('1234567', 'packed').string, '31D98C56B3DD1A', 'seven septets are filled with CR')
})

test('a modem whose strings are UCS2, and one that refuses plain codes', async (t) => {
  const ucs2 = await scene(t, (command) => (command === 'AT+CSCS?' ? '+CSCS: "UCS2"\nOK' : undefined))
  await answered(ucs2, ucs2.ussd.initiate('*1#'), '+CUSD: 0,"00410042",15')
  assert.deepEqual(ucs2.sent(), ['AT+CUSD=1,"002A00310023",15'])
  const picky = await scene(t, (command) => (command === 'AT+CUSD=1,"*100#",15' ? '+CME ERROR: 100' : undefined))
  await answered(picky, picky.ussd.initiate('*100#'), '+CUSD: 0,"yes",15')
  assert.deepEqual(picky.sent(), ['AT+CUSD=1,"*100#",15', 'AT+CUSD=1,"AA180C3602",15'])
  await answered(picky, picky.ussd.initiate('*100#'), '+CUSD: 0,"yes",15')
  assert.equal(picky.sent().length, 3, 'the form that it took is remembered')
})

test('a session: the network asks, we answer, it ends', async (t) => {
  const it = await scene(t)
  assert.equal(await answered(it, it.ussd.initiate('*101#'), '+CUSD: 1,"1 Balance",15'), '1 Balance')
  assert.equal(it.ussd.state, 'user-response')
  await rejectsWith(it.ussd.initiate('*100#'), 'WrongState')
  assert.equal(await answered(it, it.ussd.respond('1'), '+CUSD: 0,"5 EUR",15'), '5 EUR')
  assert.deepEqual(it.states, ['active', 'user-response', 'active', 'idle'])
  assert.deepEqual(it.sent(), ['AT+CUSD=1,"*101#",15', 'AT+CUSD=1,"1",15'])
  await rejectsWith(it.ussd.respond('1'), 'WrongState')
})

test('cancelled: while the network is asked, and in a session; an idle one sends nothing', async (t) => {
  const it = await scene(t)
  await it.ussd.cancel()
  assert.deepEqual(it.sent(), [])
  const pending = it.ussd.initiate('*100#')
  pending.catch(() => {})
  await it.bench.clock.advance(100)
  await rejectsWith(it.ussd.initiate('*100#'), 'Busy')
  await it.bench.settled(it.ussd.cancel())
  await rejectsWith(pending, 'WrongState')
  await answered(it, it.ussd.initiate('*101#'), '+CUSD: 1,"?",15')
  await it.bench.settled(it.ussd.cancel())
  assert.equal(it.ussd.state, 'idle')
  assert.equal(it.sent().filter((command) => command === 'AT+CUSD=2').length, 2)
})

test('what the network begins: news, a question, and its end', async (t) => {
  const it = await scene(t)
  const heard: string[] = []
  it.ussd.onMessage((kind) => heard.push(`${kind} ${it.ussd.lastText}`))
  await it.report('+CUSD: 0,"Top up now",15')
  await it.report('+CUSD: 1,"Yes or no?",15')
  assert.equal(it.ussd.state, 'user-response')
  await it.report('+CUSD: 2')
  assert.equal(it.ussd.state, 'idle')
  await it.report('+CUSD: 2')
  assert.deepEqual(heard, ['notification Top up now', 'request Yes or no?', 'notification Yes or no?'])
})

test('every refusal has its error', async (t) => {
  const it = await scene(t)
  const rows = [
    ['+CUSD: 2', 'NoNetwork'],
    ['+CUSD: 3', 'Busy'],
    ['+CUSD: 4', 'Unsupported'],
    ['+CUSD: 5', 'Timeout'],
  ] as const
  for (const [line, code] of rows) {
    await rejectsWith(answered(it, it.ussd.initiate('*100#'), line), code)
    assert.equal(it.ussd.state, 'idle', line)
  }
})

test('a network that says nothing: given up after a minute, and the session ended', async (t) => {
  const it = await scene(t)
  const pending = it.ussd.initiate('*100#')
  pending.catch(() => {})
  await it.bench.clock.advance(59_000)
  assert.equal(it.ussd.state, 'active')
  await it.bench.clock.advance(2000)
  await rejectsWith(pending, 'Timeout')
  assert.equal(it.sent().at(-1), 'AT+CUSD=2')
  assert.equal(it.ussd.state, 'idle')
  await answered(it, it.ussd.initiate('*101#'), '+CUSD: 1,"?",15')
  await it.bench.clock.advance(290_000)
  assert.equal(it.ussd.state, 'user-response')
  await it.bench.clock.advance(11_000)
  assert.equal(it.ussd.state, 'idle', 'a question that nobody answers is not open for ever')
})

test('codes and answers are checked before anything is sent', async (t) => {
  const it = await scene(t)
  for (const code of ['', '*100#;', '*100#\r', 'ATD', '"', '*100#"', '1'.repeat(183)])
    await rejectsWith(it.ussd.initiate(code), 'InvalidArgs')
  for (const code of ['**04*1234*4321*4321#', '**05*12345678*1234*1234#', '**042*1234*4321*4321#'])
    await rejectsWith(it.ussd.initiate(code), 'PinGuard')
  await answered(it, it.ussd.initiate('*101#'), '+CUSD: 1,"?",15')
  for (const text of ['', 'a"b', 'a\nb', 'a\x1a', '@', 'ß']) await rejectsWith(it.ussd.respond(text), 'InvalidArgs')
  assert.deepEqual(it.sent(), ['AT+CUSD=1,"*101#",15'])
})

test('not registered, and in a call on the only port: nothing is sent, and it says why', async (t) => {
  const it = await scene(t, undefined, '12d1:1001', ONE_PORT)
  const signal = new AbortController().signal
  const call = await it.bench.settled(
    it.bench.modem.dial({ apn: 'x', number: '*99#', ipType: '4', cid: 'auto', timeoutMs: 5000, signal }),
  )
  call.established()
  await rejectsWith(it.ussd.initiate('*100#'), 'Busy')
  assert.equal(it.ussd.state, 'idle')
  it.port.hangUp()
  await it.bench.settled(call.hangUp())
  it.scripted.registration = 2
  await it.report('+CEREG: 2')
  await rejectsWith(it.ussd.initiate('*100#'), 'NoNetwork')
  assert.deepEqual(it.sent(), [])
})

test('unplugged while the network is asked', async (t) => {
  const it = await scene(t)
  const pending = it.ussd.initiate('*100#')
  pending.catch(() => {})
  await it.bench.clock.advance(100)
  it.bench.unplug('1-2', 'ttyUSB0', 'ttyUSB1')
  await it.bench.clock.advance(100)
  await rejectsWith(pending, 'ModemGone')
})
