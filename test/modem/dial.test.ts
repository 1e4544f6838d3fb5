import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromLatin1, latin1 } from '../../src/base/bytes.ts'
import type { Cause } from '../../src/base/cause.ts'
import { ModemdError } from '../../src/base/errors.ts'
import { numberFor, planContext } from '../../src/modem/context.ts'
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
  assert.equal(modem.snapshot.failure, undefined, 'it is the call that failed')
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
  const questions = two.scripted.commands.filter((command) => command === 'AT+CSQ')
  assert.equal(questions.length, 3)
  assert.equal(two.port.data, '')

  const one = await registered(t, {}, ONE_PORT)
  const only = await one.bench.settled(one.modem.dial(request()))
  only.established()
  one.scripted.commands.length = 0
  await one.bench.clock.advance(20_000)
  assert.equal(one.modem.snapshot.signalDbm, -71)
  await one.bench.clock.advance(60_000)
  assert.deepEqual(one.scripted.commands, [])
  assert.equal(one.port.data, '')
  // What is shown is never older than half a minute and a look.
  assert.equal(one.modem.snapshot.signal, undefined)
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
    // What is the call's fault is not the modem's.
    if (cause === 'modem-error') assert.equal(dialled.modem.snapshot.failure?.cause, cause)
    if (cause === 'busy' || cause === 'apn-refused') assert.notEqual(dialled.modem.snapshot.failure?.cause, cause)
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

test('an answer that is lost before the dial: a question is asked again, what changes the modem is not', async (t) => {
  const dialled = await registered(t)
  const { bench, modem, scripted } = dialled
  const loseFirst = (lost: RegExp) => {
    let isLost = false
    scripted.commands.length = 0
    scripted.answer = (command) => {
      if (isLost || !lost.test(command)) return undefined
      isLost = true
      return ''
    }
  }
  loseFirst(/^AT\+CGDCONT\?/)
  const call = await bench.settled(modem.dial(request()))
  const contexts = scripted.commands.filter((each) => each.startsWith('AT+CGDCONT'))
  assert.deepEqual(contexts, ['AT+CGDCONT?', 'AT+CGDCONT?', 'AT+CGDCONT=2,"IP","internet"'])
  await bench.settled(call.hangUp())

  loseFirst(/^AT\+CGDCONT=/)
  assert.equal((await failureOf(dialled, { apn: 'other' })).cause, 'modem-silent')
  assert.equal(scripted.commands.filter((each) => each.startsWith('AT+CGDCONT=')).length, 1)
})

test('commands that take all of the time before the dial: dial-timeout, and no fault of the script', async (t) => {
  const dialled = await registered(t)
  let asked = 0
  dialled.scripted.answer = (command) => (command === 'AT+CGDCONT?' && asked++ === 0 ? '' : undefined)
  const { cause, detail } = await failureOf(dialled, { timeoutMs: 3000 })
  assert.deepEqual(
    { cause, detail },
    { cause: 'dial-timeout', detail: 'the commands before the dial took longer than 3 s' },
  )
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
  const plan = (contexts: Parameters<typeof planContext>[0], changes: Partial<DialRequest>, isLte: boolean) => {
    const { choices } = planContext(contexts, request(changes), isLte)
    return choices.map(({ cid, define }) => (define ? `${cid} ${define}` : `${cid}`))
  }
  const choose = (...args: Parameters<typeof plan>) => plan(...args)[0]
  assert.equal(choose(lte, {}, true), '3 AT+CGDCONT=3,"IP","internet"', 'CID 1 stays on LTE')
  assert.equal(choose(lte, {}, false), '1 AT+CGDCONT=1,"IP","internet"')
  assert.equal(choose([{ cid: 4, type: 'IP', apn: 'Internet' }, ...lte], {}, true), '4', 'one that has the APN')
  assert.equal(choose([], {}, true), '2 AT+CGDCONT=2,"IP","internet"', 'CID 1 is kept for the attach')
  assert.equal(choose(undefined, {}, true), '2 AT+CGDCONT=2,"IP","internet"', 'nobody knows what CID 1 is')
  assert.equal(choose(undefined, {}, false), '1 AT+CGDCONT=1,"IP","internet"')
  assert.equal(choose([], { apn: '' }, true), '1 AT+CGDCONT=1,"IP",""')
  const full = Array.from({ length: 16 }, (_, index) => ({ cid: index + 1, type: 'IP', apn: index === 8 ? '' : 'x' }))
  assert.equal(choose(full, {}, true), '9 AT+CGDCONT=9,"IP","internet"', 'one that nobody has named')
  const taken = full.map(({ cid, type }) => ({ cid, type, apn: cid > 14 ? 'ims' : `own${cid}` }))
  assert.equal(choose(taken, {}, true), '14 AT+CGDCONT=14,"IP","internet"', 'the highest that is not the operator’s')
  assert.deepEqual(
    plan(lte, {}, true),
    ['3 AT+CGDCONT=3,"IP","internet"', '2 AT+CGDCONT=2,"IP","internet"'],
    'where the modem knows no third',
  )
})

test('a context that has the APN already: by its name, whatever its spelling and its type', () => {
  const cid = (apn: string, ipType: DialRequest['ipType'], ...contexts: [number, string, string][]) => {
    const known = contexts.map(([each, type, name]) => ({ cid: each, type, apn: name }))
    const { choices } = planContext(known, request({ apn, ipType }), true)
    return choices.map(({ cid: each, define }) => define ?? `${each}`).join(' ')
  }
  assert.equal(cid('web', '4', [1, 'IP', 'WEB.mnc001.mcc262.gprs']), '1')
  assert.equal(cid('web', '4', [1, 'IPV4V6', 'web']), '1', 'IPv4 goes over both')
  assert.equal(cid('web', '6', [1, 'IPV4V6', 'web']), '1')
  assert.equal(cid('web', '4', [1, 'IPV4V6', 'web'], [3, 'IP', 'web']), '3', 'the exact type is better')
  assert.equal(
    cid('web', '46', [1, 'IP', 'web']),
    'AT+CGDCONT=2,"IPV4V6","web" AT+CGDCONT=2,"IP","web"',
    'CID 1 of LTE keeps its type',
  )
  assert.equal(
    cid('web', '46', [1, 'IP', 'own'], [4, 'IP', 'web']),
    'AT+CGDCONT=4,"IPV4V6","web" AT+CGDCONT=4,"IP","web"',
    'no second context of one APN',
  )
  assert.equal(cid('web', '4', [1, 'PPP', 'web']), 'AT+CGDCONT=2,"IP","web"')
})

test("the network's choice is what is there, unless that was just refused", () => {
  const first = (apn: string, refusedApns: readonly string[], isLte: boolean) => {
    const [choice] = planContext([{ cid: 1, type: 'IP', apn }], request({ apn: '', refusedApns }), isLte).choices
    return choice.define ?? `${choice.cid}`
  }
  assert.equal(first('operator', [], true), '1')
  assert.equal(first('branded', [], false), '1')
  assert.equal(first('tried', ['other', 'Tried'], false), 'AT+CGDCONT=1,"IP",""')
  assert.equal(first('tried', ['tried'], true), 'AT+CGDCONT=2,"IP",""')
})

test('a CID that the profile names is obeyed, with a warning where LTE attaches with it', () => {
  const lte = [{ cid: 1, type: 'IPV4V6', apn: 'operator' }]
  const named = (changes: Partial<DialRequest>, isLte = true) => {
    const { choices, warning } = planContext(lte, request(changes), isLte)
    return [choices[0].cid, choices[0].define, warning !== undefined]
  }
  assert.deepEqual(named({ cid: 1 }), [1, 'AT+CGDCONT=1,"IP","internet"', true])
  assert.deepEqual(named({ cid: 1 }, false), [1, 'AT+CGDCONT=1,"IP","internet"', false])
  assert.deepEqual(named({ cid: 1, apn: 'operator', ipType: '46' }), [1, undefined, false])
  assert.deepEqual(named({ cid: 5 }), [5, 'AT+CGDCONT=5,"IP","internet"', false])
})

test('whatever contexts an LTE modem has: auto never gives CID 1 an APN', () => {
  const apn = fc.constantFrom('', 'web', 'WEB', 'own', 'ims')
  const type = fc.constantFrom('IP', 'IPV6', 'IPV4V6', 'PPP')
  const contexts = fc.uniqueArray(fc.record({ cid: fc.integer({ min: 0, max: 20 }), type, apn }), {
    selector: ({ cid }) => cid,
    maxLength: 20,
  })
  const wanted = fc.constantFrom('', 'web', 'own')
  const refused = fc.subarray(['web', 'own', ''])
  fc.assert(
    fc.property(contexts, wanted, fc.constantFrom('4', '6', '46'), refused, (known, name, ipType, refusedApns) => {
      const { choices } = planContext(known, request({ apn: name, ipType, refusedApns }), true)
      assert.ok(choices.length >= 1 && choices.length <= 4)
      for (const { cid, define } of choices) {
        assert.ok(cid >= 1 && cid <= 20)
        if (define === undefined) assert.ok(known.some((each) => each.cid === cid))
        else {
          assert.ok(cid !== 1 || (name === '' && !known.some((each) => each.cid === 1)), define)
          assert.match(define, new RegExp(`^AT\\+CGDCONT=${cid},"IP(V6|V4V6)?","${name}"$`))
        }
      }
    }),
  )
})

test('the number names the context', () => {
  assert.equal(numberFor('*99#', 1), '*99#')
  assert.equal(numberFor('*99#', 3), '*99***3#')
  assert.equal(numberFor('*99***1#', 3), '*99***1#')
  assert.equal(numberFor('0891234', 3), '0891234')
})

test('a modem that knows no IPV4V6 gets IP, once; one that refuses the APN is not asked again', async (t) => {
  const dialled = await registered(t)
  const { bench, modem, scripted } = dialled
  scripted.answer = (command) => (/^AT\+CGDCONT=.*"IPV4V6"/.test(command) ? '+CME ERROR: 50' : undefined)
  scripted.commands.length = 0
  const call = await bench.settled(modem.dial(request({ ipType: '46' })))
  const ofDial = () => scripted.commands.filter((command) => /^AT(D|\+CGDCONT)/.test(command))
  assert.deepEqual(ofDial(), [
    'AT+CGDCONT?',
    'AT+CGDCONT=2,"IPV4V6","internet"',
    'AT+CGDCONT=2,"IP","internet"',
    'ATD*99***2#',
  ])
  await bench.settled(call.hangUp())

  scripted.answer = (command) => (/^AT\+CGDCONT=/.test(command) ? '+CME ERROR: 133' : undefined)
  scripted.commands.length = 0
  const refused = await failureOf(dialled, { apn: 'other', ipType: '46' })
  assert.deepEqual(refused, { cause: 'apn-refused', detail: '+CME ERROR: 133 to AT+CGDCONT=3,"IPV4V6","other"' })
  assert.deepEqual(ofDial(), ['AT+CGDCONT?', 'AT+CGDCONT=3,"IPV4V6","other"'])

  scripted.answer = (command) => (/^AT\+CGDCONT=/.test(command) ? 'ERROR' : undefined)
  const none = await failureOf(dialled, { apn: 'other', ipType: '46' })
  assert.deepEqual(
    none,
    { cause: 'modem-error', detail: 'ERROR to AT+CGDCONT=3,"IPV4V6","other"' },
    'the first says most',
  )
})

test('what +CEER says of a dial that failed: into the detail, and the cause where the network is final', async (t) => {
  const dialled = await registered(t)
  const { scripted } = dialled
  const rows: [dial: string, ceer: string, cause: Cause, detail: RegExp][] = [
    [
      'NO CARRIER',
      '+CEER: "Requested service option not subscribed"\nOK',
      'apn-refused',
      /^NO CARRIER to ATD\S+; \+CEER: Requested.*\(#33, /,
    ],
    ['NO CARRIER', '+CEER: SM cause,27\nOK', 'apn-refused', /\(#27, missing or unknown APN\)$/],
    ['ERROR', '+CEER: Operator determined barring\nOK', 'apn-refused', /^ERROR to ATD\S+; .*#8/],
    ['NO CARRIER', '+CEER: PDP authentication failure, user authentication failed\nOK', 'auth-refused', /#29/],
    ['NO CARRIER', '+CEER: Insufficient resources\nOK', 'no-carrier', /; \+CEER: Insufficient resources \(#26/],
    ['NO CARRIER', '+CEER: No cause information available\nOK', 'no-carrier', /^NO CARRIER to ATD\S+$/],
    ['NO CARRIER', 'OK', 'no-carrier', /^NO CARRIER to ATD\S+$/],
    ['NO CARRIER', 'ERROR', 'no-carrier', /^NO CARRIER to ATD\S+$/],
    ['NO CARRIER', '', 'no-carrier', /^NO CARRIER to ATD\S+$/],
    ['NO CARRIER', '+CEER: \x1b[2Jevil\nOK', 'no-carrier', /; \+CEER: \\x1b\[2Jevil$/],
    ['BUSY', '+CEER: Missing or unknown APN\nOK', 'busy', /^BUSY to ATD\S+$/],
  ]
  for (const [dial, ceer, cause, detail] of rows) {
    scripted.answer = (command) => (command.startsWith('ATD') ? dial : command === 'AT+CEER' ? ceer : undefined)
    const failure = await failureOf(dialled)
    assert.equal(failure.cause, cause, ceer)
    assert.match(failure.detail, detail)
    assert.ok((failure.chatExit ?? 0) >= 4)
    assert.equal(dialled.modem.snapshot.failure, undefined, 'it is the call that failed')
    assert.equal(dialled.modem.snapshot.state, 'registered')
  }
})

test('a call that ended before it was up is asked for its reason; one that was up is not', async (t) => {
  const { bench, modem, scripted, port } = await registered(t)
  scripted.answer = (command) => (command === 'AT+CEER' ? '+CEER: Missing or unknown APN\nOK' : undefined)
  const call = await bench.settled(modem.dial(request()))
  port.hangUp()
  const reason = await bench.settled(call.hangUp({ cause: 'hung-up', detail: 'NO CARRIER' }))
  const told = {
    cause: 'apn-refused',
    detail: 'NO CARRIER; +CEER: Missing or unknown APN (#27, missing or unknown APN)',
  }
  assert.deepEqual(reason, told)
  assert.equal(await call.hangUp(), reason, 'the same for whoever asks again')

  for (const [failure, isUp] of [
    [{ cause: 'hung-up', detail: 'NO CARRIER' }, true],
    [{ cause: 'user-request', detail: 'disconnect' }, false],
    [{ cause: 'auth-refused', detail: 'refused' }, false],
  ] as const) {
    const other = await bench.settled(modem.dial(request()))
    if (isUp) other.established()
    scripted.commands.length = 0
    port.hangUp()
    assert.equal(await bench.settled(other.hangUp(failure)), undefined)
    assert.ok(!scripted.commands.includes('AT+CEER'), failure.cause)
  }
})
