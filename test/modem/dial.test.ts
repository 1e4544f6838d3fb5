import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromLatin1, latin1 } from '../../src/base/bytes.ts'
import type { Cause } from '../../src/base/cause.ts'
import { ModemdError } from '../../src/base/errors.ts'
import { chooseContext, numberFor } from '../../src/modem/context.ts'
import { ABORT_STRINGS } from '../../src/modem/dial-result.ts'
import { type Call, DialError, type DialRequest, type ModemHandle } from '../../src/modem/snapshot.ts'
import type { FakeInterface } from './support/fake-sysfs.ts'
import { FleetBench } from './support/fleet-bench.ts'
import type { ScriptedModem, ScriptedModemOptions, ScriptedPort } from './support/scripted-modem.ts'

const ONE_PORT: readonly FakeInterface[] = [{ number: 0, driver: 'option', tty: 'ttyUSB0' }]

interface Dialled {
  readonly bench: FleetBench
  readonly modem: ModemHandle
  readonly scripted: ScriptedModem
  readonly port: ScriptedPort
}

async function registered(
  t: { after(fn: () => Promise<void>): void },
  options: ScriptedModemOptions = {},
  interfaces?: readonly FakeInterface[],
): Promise<Dialled> {
  const bench = new FleetBench()
  t.after(() => bench.dispose())
  bench.fleet
  const scripted = bench.plug(options, interfaces ? { interfaces } : {})
  await bench.until('it is registered', () => bench.fleet.modems[0]?.snapshot.ownNumbers.length === 1)
  return { bench, modem: bench.modem, scripted, port: bench.ports.get('/dev/ttyUSB0')! }
}

function request(changes: Partial<DialRequest> = {}): DialRequest {
  const signal = new AbortController().signal
  return { apn: 'internet', number: '*99#', ipType: '4', cid: 'auto', timeoutMs: 60_000, signal, ...changes }
}

/** What comes over the call's wire. */
function hear(call: Call): { text: string; closed: string | undefined } {
  const heard = { text: '', closed: undefined as string | undefined }
  call.wire.listen({
    data: (bytes) => {
      heard.text += fromLatin1(bytes)
    },
    drain() {},
    closed: (reason) => {
      heard.closed = reason
    },
  })
  return heard
}

function failureOf(dialled: Dialled, changes: Partial<DialRequest> = {}): Promise<DialError['failure']> {
  return dialled.bench.settled(failing(dialled, changes), 200_000)
}

/** For a test that moves time itself. */
async function failing({ modem }: Dialled, changes: Partial<DialRequest> = {}): Promise<DialError['failure']> {
  try {
    await modem.dial(request(changes))
  } catch (error) {
    assert.ok(error instanceof DialError, String(error))
    return error.failure
  }
  throw new Error('the dial succeeded')
}

test('a dial: context, CONNECT, speed, hand-over of what came behind it, state', async (t) => {
  const dialled = await registered(t)
  const { bench, modem, scripted, port } = dialled
  scripted.answer = (command) => (command.startsWith('ATD') ? 'CONNECT 150000000\n~PPP' : undefined)
  scripted.commands.length = 0
  const states: string[] = []
  modem.onChange((next, previous) => next.state !== previous.state && states.push(next.state))
  const call = await bench.settled(modem.dial(request()))
  const heard = hear(call)
  await bench.clock.advance(1)
  assert.deepEqual(scripted.commands, ['AT+CGDCONT?', 'AT+CGDCONT=2,"IP","internet"', 'ATD*99***2#'])
  assert.equal(call.report, 'CONNECT 150000000')
  assert.equal(call.connectSpeed, 150_000_000)
  assert.equal(call.chatExit, 0)
  assert.match(heard.text, /^[\r\n]*~PPP\r\n$/)
  call.wire.write(latin1('~frame~'))
  port.say('~answer~')
  await bench.clock.advance(1)
  assert.equal(port.data, '~frame~')
  assert.match(heard.text, /~answer~$/)
  assert.deepEqual(modem.snapshot.ports[0], { name: '/dev/ttyUSB0', role: 'data', owner: 'modemd (ppp)' })
  call.established()
  await assert.rejects(modem.dial(request()), (error) => error instanceof ModemdError && error.code === 'Busy')
  port.hangUp()
  const startMs = bench.clock.nowMs()
  await bench.settled(call.hangUp({ cause: 'hung-up', detail: 'NO CARRIER' }))
  assert.ok(bench.clock.nowMs() - startMs <= 50, 'a modem that said NO CARRIER is not waited for')
  assert.equal(modem.snapshot.failure?.cause, 'hung-up')
  assert.deepEqual(states, ['connecting', 'connected', 'disconnecting', 'registered'])
  const again = await bench.settled(modem.dial(request()))
  assert.equal(scripted.commands.at(-1), 'ATD*99***2#')
  assert.ok(!scripted.commands.slice(-3).some((each) => each.startsWith('AT+CGDCONT=')), 'the context is there already')
  await bench.settled(again.hangUp())
})

test('CONNECT without LF, cut into bytes, with PPP glued to it', async (t) => {
  const { bench, modem, scripted, port } = await registered(t)
  scripted.answer = (command) => (command.startsWith('ATD') ? '' : undefined)
  const dialling = modem.dial(request())
  await bench.clock.advance(10)
  for (const char of '\r\nCONNECT 7200000\r\n~\x00\xff}~') port.say(char)
  const call = await bench.settled(dialling)
  const heard = hear(call)
  await bench.clock.advance(1)
  assert.equal(call.report, 'CONNECT 7200000')
  assert.equal(heard.text.replace(/^\n/, ''), '~\x00\xff}~')
})

test('what stands behind the line of CONNECT stays in the tty, for who takes it from there', async (t) => {
  const { bench, modem, scripted, port } = await registered(t)
  scripted.answer = (command) => (command.startsWith('ATD') ? '' : undefined)
  const dialling = modem.dial(request())
  await bench.clock.advance(10)
  port.say('\r\nCONNECT 7200000\r\n~early frame~')
  const call = await bench.settled(dialling)
  assert.equal(call.report, 'CONNECT 7200000')
  port.say('~next~')
  await bench.clock.advance(10)
  const reads: string[] = []
  const tty = bench.wires.get('/dev/ttyUSB0')!
  tty.listen({ data: (bytes) => reads.push(fromLatin1(bytes)), drain() {}, closed() {} })
  await bench.clock.advance(1)
  assert.equal(reads.join('').replace(/^\n/, ''), '~early frame~~next~')
  assert.ok(reads.length <= 2, 'read in whole pieces again')
})

test('a failed dial reads in whole pieces again', async (t) => {
  const dialled = await registered(t)
  const { bench, scripted } = dialled
  scripted.answer = (command) => (command.startsWith('ATD') ? 'BUSY' : undefined)
  await failureOf(dialled)
  const sizes: number[] = []
  const tty = bench.wires.get('/dev/ttyUSB0')!
  tty.listen({ data: (bytes) => sizes.push(bytes.length), drain() {}, closed() {} })
  dialled.port.say('1234567890')
  await bench.clock.advance(1)
  assert.deepEqual(sizes, [10])
})

test('a call that still stands is ended by +++ and ATH when nothing else helps', async (t) => {
  const { bench, modem, scripted, port } = await registered(t)
  const call = await bench.settled(modem.dial(request()))
  call.established()
  await bench.clock.advance(5000)
  scripted.commands.length = 0
  await bench.settled(call.hangUp())
  assert.equal(port.mode, 'command')
  assert.ok(scripted.commands.includes('ATH'))
  assert.equal(modem.snapshot.state, 'registered')
  assert.ok((bench.wires.get('/dev/ttyUSB0') as unknown as { done: string[] }).done.includes('lines {"dtr":false}'))
  await bench.settled(modem.imsi())
})

test('signal goes on over the second port, and waits where there is none', async (t) => {
  const two = await registered(t)
  const call = await two.bench.settled(two.modem.dial(request()))
  call.established()
  two.scripted.commands.length = 0
  await two.bench.clock.advance(30_000)
  assert.deepEqual(two.scripted.commands, ['AT+CSQ', 'AT+CSQ', 'AT+CSQ'])
  assert.equal(two.port.data, '')

  const one = await registered(t, {}, ONE_PORT)
  const only = await one.bench.settled(one.modem.dial(request()))
  only.established()
  one.scripted.commands.length = 0
  await one.bench.clock.advance(30_000)
  assert.deepEqual(one.scripted.commands, [])
  assert.equal(one.port.data, '')
  assert.equal(one.modem.snapshot.signalDbm, -71)
  assert.equal(one.bench.clock.pending, 0, 'no timer during a call on the only port')
  await assert.rejects(one.modem.imsi(), (error) => error instanceof ModemdError && error.failureCause === 'port-busy')
  one.port.hangUp()
  await one.bench.settled(only.hangUp())
  await one.bench.clock.advance(30_000)
  assert.ok(one.scripted.commands.filter((each) => each === 'AT+CSQ').length >= 3)
})

test('every end of a dial has its cause and its exit code', async (t) => {
  const rows: [answer: string, cause: Cause, chatExit: number, evidence: RegExp][] = [
    ['BUSY', 'busy', 4, /^BUSY to ATD\*99\*\*\*2#$/],
    ['NO CARRIER', 'no-carrier', 5, /^NO CARRIER/],
    ['NO DIALTONE', 'no-dialtone', 6, /^NO DIALTONE/],
    ['NO ANSWER', 'no-answer', 7, /^NO ANSWER/],
    ['ERROR', 'modem-error', 8, /^ERROR/],
    ['NO DIAL TONE', 'no-dialtone', 9, /^NO DIAL TONE/],
    ['DELAYED', 'call-rejected', 10, /^DELAYED/],
    ['COMMAND NOT SUPPORT', 'modem-error', 11, /^COMMAND NOT SUPPORT/],
    ['+CME ERROR: 30', 'no-network', 8, /^\+CME ERROR: 30 to/],
    ['+CME ERROR: 31', 'no-network', 8, /^\+CME ERROR: 31 to/],
    ['+CME ERROR: 33', 'apn-refused', 8, /^\+CME ERROR: 33 to/],
    ['+CME ERROR: 132', 'apn-refused', 8, /^\+CME ERROR: 132 to/],
    ['+CME ERROR: 133', 'apn-refused', 8, /^\+CME ERROR: 133 to/],
    ['+CME ERROR: 148', 'modem-error', 8, /^\+CME ERROR: 148 to/],
    ['+CME ERROR: requested service option not subscribed', 'apn-refused', 8, /not subscribed to/],
  ]
  assert.equal(ABORT_STRINGS[0], 'BUSY')
  const dialled = await registered(t)
  for (const [answer, cause, chatExit, evidence] of rows) {
    dialled.scripted.answer = (command) => (command.startsWith('ATD') ? answer : undefined)
    const failure = await failureOf(dialled)
    assert.deepEqual([failure.cause, failure.chatExit], [cause, chatExit], answer)
    assert.match(failure.detail, evidence)
    assert.equal(dialled.modem.snapshot.state, 'registered')
    assert.equal(dialled.modem.snapshot.failure?.cause, cause)
  }
  dialled.scripted.answer = (command) => (command.startsWith('AT+CGDCONT=') ? '+CME ERROR: 133' : undefined)
  const refused = await failureOf(dialled, { apn: 'other' })
  assert.deepEqual(refused, { cause: 'apn-refused', detail: '+CME ERROR: 133 to AT+CGDCONT=3,"IP","other"' })
})

test('the number of an error that comes late still counts', async (t) => {
  const dialled = await registered(t)
  const { bench, scripted, port } = dialled
  scripted.answer = (command) => (command.startsWith('ATD') ? '' : undefined)
  const failed = failing(dialled)
  await bench.clock.advance(10)
  port.say('\r\n+CME ERR')
  await bench.clock.advance(10)
  port.say('OR')
  await bench.clock.advance(10)
  port.say(': 13')
  await bench.clock.advance(10)
  port.say('3\r\n')
  assert.equal((await bench.settled(failed)).cause, 'apn-refused')
})

test('silence ends in dial-timeout, and the modem is dialled again afterwards', async (t) => {
  const dialled = await registered(t)
  dialled.scripted.answer = (command) => (command.startsWith('ATD') ? '' : undefined)
  const startMs = dialled.bench.clock.nowMs()
  const failure = await failureOf(dialled, { timeoutMs: 10_000 })
  assert.equal(failure.cause, 'dial-timeout')
  assert.equal(failure.chatExit, 3)
  assert.ok(dialled.bench.clock.nowMs() - startMs < 15_000)
  dialled.scripted.answer = undefined
  const call = await dialled.bench.settled(dialled.modem.dial(request()))
  await dialled.bench.settled(call.hangUp())
})

test('a deaf modem fails the dial as modem-silent', async (t) => {
  const dialled = await registered(t)
  dialled.scripted.isDeaf = true
  assert.equal((await failureOf(dialled)).cause, 'modem-silent')
})

test('cancelling ends the dial; the modem is usable at once', async (t) => {
  const dialled = await registered(t)
  const { bench, scripted, modem } = dialled
  scripted.answer = (command) => (command.startsWith('ATD') ? '' : undefined)
  const controller = new AbortController()
  const failed = failing(dialled, { signal: controller.signal })
  await bench.clock.advance(500)
  controller.abort()
  assert.equal((await bench.settled(failed)).cause, 'user-request')
  scripted.answer = undefined
  const call = await bench.settled(modem.dial(request()))
  await bench.settled(call.hangUp())
  const early = new AbortController()
  early.abort()
  assert.equal((await failureOf(dialled, { signal: early.signal })).cause, 'user-request')
})

test('the wire ends during a dial and during a call', async (t) => {
  const dialling = await registered(t, {}, ONE_PORT)
  dialling.scripted.answer = (command) => (command.startsWith('ATD') ? '' : undefined)
  const failed = failing(dialling)
  await dialling.bench.clock.advance(100)
  dialling.port.close()
  const failure = await dialling.bench.settled(failed)
  assert.equal(failure.cause, 'modem-gone')
  await dialling.bench.until('it is removed', () => dialling.bench.removed.length === 1)

  const up = await registered(t, {}, ONE_PORT)
  const call = await up.bench.settled(up.modem.dial(request()))
  call.established()
  const heard = hear(call)
  up.port.close()
  await up.bench.until('PPP hears of it', () => heard.closed !== undefined)
  await up.bench.until('it is removed', () => up.bench.removed.length === 1)
  await up.bench.settled(call.hangUp())
  assert.equal(up.modem.snapshot.failure?.cause, 'modem-gone')
})

test('a script of the profile dials; one that would send a PIN does not', async (t) => {
  const dialled = await registered(t)
  const { bench, modem, scripted } = dialled
  const chatScript = "ABORT BUSY\nREPORT CONNECT\n'' AT\nOK 'ATD\\T'\nCONNECT ''\n"
  const call = await bench.settled(modem.dial(request({ chatScript })))
  assert.equal(call.report, 'CONNECT 150000000')
  assert.equal(scripted.commands.at(-1), 'ATD*99***2#')
  await bench.settled(call.hangUp())

  scripted.commands.length = 0
  const sneaky = await failureOf(dialled, { chatScript: "'' AT\nOK AT+CPIN=1234\nOK ATD*99#\nCONNECT\n" })
  assert.equal(sneaky.cause, 'script-error')
  assert.match(sneaky.detail, /PIN/)
  assert.ok(!scripted.commands.some((each) => /CPIN=/.test(each)))
  assert.deepEqual(scripted.pinsSeen, [])

  scripted.commands.length = 0
  const scriptVariables = { APN: 'internet' }
  const named = 'REPORT CONNECT\n"" AT+X="$APN$HOME$PIN"\nERROR ATD\\T\nCONNECT ""\n'
  const second = await bench.settled(modem.dial(request({ chatScript: named, scriptVariables })))
  assert.ok(scripted.commands.includes('AT+X="internet"'), scripted.commands.join(' '))
  await bench.settled(second.hangUp())

  const broken = await failureOf(dialled, { chatScript: "'' 'AT\n" })
  assert.equal(broken.cause, 'script-error')
  assert.match(broken.detail, /unterminated quote/)
  assert.equal(modem.snapshot.state, 'registered')
})

test('what keeps a dial from beginning', async (t) => {
  const bench = new FleetBench()
  t.after(() => bench.dispose())
  bench.fleet
  const scripted = bench.plug({ pin: '1234' })
  await bench.until('it is locked', () => bench.fleet.modems[0]?.snapshot.state === 'locked')
  await bench.clock.advance(100)
  const { modem } = bench
  const locked = await failureOf({ bench, modem, scripted, port: bench.ports.get('/dev/ttyUSB0')! })
  assert.equal(locked.cause, 'sim-pin')
})

test('the context of a dial', () => {
  const lte = [
    { cid: 1, type: 'IPV4V6', apn: 'operator' },
    { cid: 2, type: 'IPV4V6', apn: 'ims' },
  ]
  const choose = (contexts: Parameters<typeof chooseContext>[0], changes: Partial<DialRequest>, isLte: boolean) => {
    const { cid, define } = chooseContext(contexts, request(changes), isLte)
    return define ? `${cid} ${define}` : `${cid}`
  }
  assert.equal(choose(lte, {}, true), '3 AT+CGDCONT=3,"IP","internet"', 'CID 1 stays on LTE')
  assert.equal(choose(lte, {}, false), '1 AT+CGDCONT=1,"IP","internet"')
  assert.equal(choose([{ cid: 4, type: 'IP', apn: 'Internet' }, ...lte], {}, true), '4', 'one that has the APN')
  assert.equal(choose([], {}, true), '1 AT+CGDCONT=1,"IP","internet"', 'CID 1 is free')
  assert.equal(choose(undefined, {}, true), '2 AT+CGDCONT=2,"IP","internet"', 'nobody knows what CID 1 is')
  assert.equal(choose(undefined, {}, false), '1 AT+CGDCONT=1,"IP","internet"')
  assert.equal(choose(lte, { apn: '' }, true), '1', "the network's choice")
  assert.equal(choose([], { apn: '' }, true), '1 AT+CGDCONT=1,"IP",""')
  assert.equal(choose(lte, { cid: 1 }, true), '1 AT+CGDCONT=1,"IP","internet"', 'asked for by number')
  assert.equal(choose(lte, { cid: 1, apn: 'operator', ipType: '46' }, true), '1')
  const full = Array.from({ length: 16 }, (_, index) => ({ cid: index + 1, type: 'IP', apn: index === 8 ? '' : 'x' }))
  assert.equal(choose(full, {}, true), '9 AT+CGDCONT=9,"IP","internet"')
  assert.equal(choose(lte, { ipType: '6' }, true), '3 AT+CGDCONT=3,"IPV6","internet"')
  assert.equal(numberFor('*99#', 1), '*99#')
  assert.equal(numberFor('*99#', 3), '*99***3#')
  assert.equal(numberFor('*99***1#', 3), '*99***1#')
  assert.equal(numberFor('0891234', 3), '0891234')
})
