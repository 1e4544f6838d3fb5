import assert from 'node:assert/strict'
import { test } from 'node:test'
import { latin1 } from '../../src/base/bytes.ts'
import { ModemdError } from '../../src/base/errors.ts'
import { AtSession } from '../../src/modem/at/session.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { type VirtualWire, virtualWires } from '../support/virtual-wire.ts'

interface Bench {
  readonly clock: VirtualClock
  readonly session: AtSession
  readonly far: VirtualWire
  readonly sent: string[]
  readonly reports: string[]
  say(text: string): void
}

function bench(): Bench {
  const clock = new VirtualClock()
  const [near, far] = virtualWires(clock, { path: '/dev/ttyUSB0' })
  const sent: string[] = []
  const reports: string[] = []
  far.listen({
    data: (bytes) => sent.push(Buffer.from(bytes).toString('latin1')),
    drain() {},
    closed() {},
  })
  const session = new AtSession(near, { clock, onReport: (line) => reports.push(line) })
  return { clock, session, far, sent, reports, say: (text) => void far.write(latin1(text)) }
}

function rejects(promise: Promise<unknown>, code: string, cause: string | undefined, text: RegExp): Promise<void> {
  return assert.rejects(
    promise,
    (error) =>
      error instanceof ModemdError && error.code === code && error.failureCause === cause && text.test(error.message),
  )
}

test('commands go one after another, each with its own reply', async () => {
  const { clock, session, sent, say } = bench()
  const first = session.command('AT+CGMM')
  const second = session.command('AT+CSQ')
  await clock.advance(1)
  assert.deepEqual(sent, ['AT+CGMM\r'])
  say('\r\nE173\r\n\r\nOK\r\n')
  await clock.advance(1)
  assert.deepEqual(sent, ['AT+CGMM\r', 'AT+CSQ\r'])
  say('\r\n+CSQ: 20,99\r\n\r\nOK\r\n')
  await clock.advance(1)
  assert.deepEqual((await first).lines, ['E173'])
  assert.deepEqual((await second).lines, ['+CSQ: 20,99'])
})

test('an error result rejects with what the modem said and what it means', async () => {
  const { clock, session, say } = bench()
  const asked = session.command('AT+CPIN?')
  const refused = rejects(asked, 'SimAbsent', 'sim-absent', /\+CME ERROR: 10 to AT\+CPIN\?: SIM not inserted/)
  await clock.advance(1)
  say('\r\n+CME ERROR: 10\r\n')
  await clock.advance(1)
  await refused
})

test('a final result that comes after the time-out does not answer the next command', async () => {
  const { clock, session, sent, say } = bench()
  const slow = rejects(
    session.command('AT+CGMM', { timeoutMs: 1000 }),
    'Timeout',
    'modem-silent',
    /AT\+CGMM within 1 s/,
  )
  await clock.advance(1100)
  await slow
  const next = session.command('AT+CSQ')
  await clock.advance(10)
  assert.deepEqual(sent, ['AT+CGMM\r', 'AT\r'], 'a probe first')
  say('\r\nE173\r\n\r\nOK\r\n')
  await clock.advance(5)
  assert.deepEqual(sent, ['AT+CGMM\r', 'AT\r'], 'one of the two open results is missing')
  say('\r\nOK\r\n')
  await clock.advance(5)
  assert.deepEqual(sent, ['AT+CGMM\r', 'AT\r', 'AT+CSQ\r'])
  say('\r\n+CSQ: 20,99\r\n\r\nOK\r\n')
  await clock.advance(5)
  assert.deepEqual((await next).lines, ['+CSQ: 20,99'])
})

test('a result that was lost for good is waited for only a moment', async () => {
  const { clock, session, sent, say } = bench()
  const lost = rejects(session.command('AT+CGMM', { timeoutMs: 1000 }), 'Timeout', 'modem-silent', /AT\+CGMM/)
  await clock.advance(1001)
  await lost
  const next = session.command('AT+CSQ')
  say('\r\nOK\r\n')
  await clock.advance(60)
  assert.deepEqual(sent.at(-1), 'AT+CSQ\r')
  say('\r\n+CSQ: 20,99\r\n\r\nOK\r\n')
  await clock.advance(5)
  assert.equal((await next).final, 'OK')
})

test('a deaf modem fails what waits, and the next command tries again', async () => {
  const { clock, session, sent, say } = bench()
  const both = [
    rejects(session.command('AT+CGMM', { timeoutMs: 1000 }), 'Timeout', 'modem-silent', /AT\+CGMM/),
    rejects(session.command('AT+CSQ'), 'Timeout', 'modem-silent', /AT\+CSQ/),
  ]
  await clock.advance(5000)
  await Promise.all(both)
  assert.equal(clock.pending, 0, 'no timer while nothing is asked')
  sent.length = 0
  const later = session.command('AT+CSQ')
  await clock.advance(1)
  assert.deepEqual(sent, ['AT\r'])
  say('\r\nOK\r\n')
  await clock.advance(60)
  say('\r\n+CSQ: 20,99\r\n\r\nOK\r\n')
  await clock.advance(1)
  assert.equal((await later).final, 'OK')
})

test('probing: answers, does not answer, answers after a while', async () => {
  const { clock, session, sent, say } = bench()
  const quick = session.probe([0, 100, 1000])
  await clock.advance(1)
  say('\r\nOK\r\n')
  await clock.advance(1)
  assert.equal(await quick, true)
  const never = session.probe([0, 100, 1000])
  await clock.advance(1000)
  assert.equal(await never, false)
  assert.equal(sent.length, 3)
  const late = session.probe([0, 100, 1000])
  await clock.advance(150)
  say('\r\nOK\r\n')
  await clock.advance(110)
  assert.equal(await late, true)
  assert.equal(clock.pending, 0)
})

test('reports with and without a command', async () => {
  const { clock, session, reports, say } = bench()
  say('\r\n^RSSI:18\r\n')
  await clock.advance(1)
  const asked = session.command('AT+CSQ')
  await clock.advance(1)
  say('\r\n+CREG: 1\r\n\r\n+CSQ: 20,99\r\n\r\nOK\r\n\r\nNO CARRIER\r\n')
  await clock.advance(1)
  assert.deepEqual((await asked).lines, ['+CSQ: 20,99'])
  assert.deepEqual(reports, ['^RSSI:18', '+CREG: 1', 'NO CARRIER'])
})

test('when the line ends everything that waits rejects, and what comes after at once', async () => {
  const { clock, session, far } = bench()
  const gone = /\/dev\/ttyUSB0 is gone \(hung up\)/
  const pending = [
    rejects(session.command('AT+CGMM'), 'ModemGone', 'modem-gone', gone),
    rejects(session.command('AT+CSQ'), 'ModemGone', 'modem-gone', gone),
  ]
  const idle = session.idle()
  await clock.advance(1)
  await far.close()
  await clock.advance(1)
  await Promise.all(pending)
  await idle
  await rejects(session.command('AT'), 'ModemGone', 'modem-gone', gone)
  assert.equal(await session.probe([0, 100]), false)
})

test('what would be a second command, or a PIN, is refused before it is sent', async () => {
  const { clock, session, sent } = bench()
  for (const text of ['AT\rAT+CFUN=0', 'AT\n', 'AT+CMGS=1\x1a', 'AT+CUSD=1,"€"'])
    await rejects(session.attempt(text), 'InvalidArgs', undefined, /one line of plain ASCII/)
  for (const text of ['AT+CPIN="1234"', 'at+cpin=1234', 'AT+CSQ;+CPIN=1234', 'AT+CLCK="SC",1,"1234"', 'A/'])
    await rejects(session.attempt(text), 'PinGuard', undefined, /only through `mmctl sim`/)
  await clock.advance(1)
  assert.deepEqual(sent, [])
})

test('an error for a PIN line never shows the PIN', async () => {
  const { clock, session, say } = bench()
  const tried = session.command('AT+CPIN="1234"', { isPinTry: true })
  const refused = assert.rejects(
    tried,
    (error: Error) => /AT\+CPIN=…/.test(error.message) && !/1234/.test(error.message),
  )
  await clock.advance(1)
  say('\r\n+CME ERROR: 16\r\n')
  await clock.advance(1)
  await refused
})

test('a session that gave the port away rejects what waits and what comes', async () => {
  const { clock, session } = bench()
  const waiting = rejects(session.command('AT+CSQ'), 'Busy', 'port-busy', /carries a call/)
  await clock.advance(1)
  session.stop()
  await waiting
  await rejects(session.command('AT'), 'Busy', 'port-busy', /carries a call/)
})

test('a doubled OK that comes a read later does not answer a question', async () => {
  const { clock, session, sent, say } = bench()
  const first = session.command('ATE0')
  const second = session.command('AT+CSQ')
  const third = session.command('AT+CGMM')
  await clock.advance(1)
  say('\r\nOK\r\n')
  await clock.advance(1)
  await first
  say('\r\nOK\r\n')
  await clock.advance(5)
  assert.equal(sent.at(-1), 'AT+CSQ\r')
  say('\r\n+CSQ: 20,99\r\n\r\nOK\r\n')
  await clock.advance(1)
  assert.deepEqual((await second).lines, ['+CSQ: 20,99'])
  assert.equal(sent.at(-1), 'AT+CSQ\r', 'a modem that doubles is let finish')
  await clock.advance(30)
  assert.equal(sent.at(-1), 'AT+CGMM\r')
  say('\r\nE173\r\n\r\nOK\r\n')
  await clock.advance(1)
  assert.deepEqual((await third).lines, ['E173'])
})

test('a modem that answers a question with OK alone is believed after a moment, however often it says so', async () => {
  const { clock, session, say } = bench()
  const once = session.command('AT+COPS?')
  await clock.advance(1)
  say('\r\nOK\r\n')
  await clock.advance(1001)
  assert.deepEqual(await once, { isOk: true, lines: [], final: 'OK' })
  const thrice = session.command('AT+COPS?')
  await clock.advance(1)
  for (let round = 0; round < 3; round++) {
    say('\r\nOK\r\n')
    await clock.advance(1)
  }
  say('\r\n+COPS: 0,0,"vodafone",2\r\n\r\nOK\r\n')
  await clock.advance(1)
  assert.deepEqual((await thrice).lines, ['+COPS: 0,0,"vodafone",2'])
})

test('an answer whose result never comes is an answer, and what comes late answers nothing else', async () => {
  const { clock, session, sent, say } = bench()
  const asked = session.command('AT+CSQ')
  await clock.advance(1)
  say('\r\n+CSQ: 20,99\r\n')
  await clock.advance(1600)
  assert.deepEqual(await asked, { isOk: true, lines: ['+CSQ: 20,99'], final: '' })
  const next = session.command('AT+CFUN=1')
  await clock.advance(1)
  assert.equal(sent.at(-1), 'AT\r', 'a probe first')
  say('\r\nOK\r\n')
  await clock.advance(5)
  assert.equal(sent.at(-1), 'AT\r', 'that was the late one, perhaps')
  say('\r\nOK\r\n')
  await clock.advance(1)
  assert.equal(sent.at(-1), 'AT+CFUN=1\r')
  const refused = rejects(next, 'Internal', 'modem-error', /operation not allowed/)
  say('\r\n+CME ERROR: 3\r\n')
  await clock.advance(1)
  await refused
})

test('a modem that says every result twice never answers a command with the one before', async () => {
  const { clock, session, far, say } = bench()
  const heard: string[] = []
  far.listen({
    data: (bytes) => {
      const text = Buffer.from(bytes).toString('latin1').trim()
      heard.push(text)
      const answer = text === 'AT+CFUN=4' ? '\r\nERROR\r\n' : '\r\nOK\r\n'
      clock.at(clock.nowMs() + 10, () => say(text === 'AT+CSQ' ? `\r\n+CSQ: 20,99\r\n${answer}` : answer))
      clock.at(clock.nowMs() + 14, () => say(answer))
    },
    drain() {},
    closed() {},
  })
  const learnt = session.attempt('ATE0')
  await clock.advance(100)
  assert.equal((await learnt).isOk, true)
  const finals: string[] = []
  for (const text of ['AT+CREG=2', 'AT+CFUN=4', 'AT+CGREG=2', 'AT+CSQ', 'AT+CFUN=4', 'AT+CNMI=2,1'])
    void session.attempt(text).then(({ final }) => finals.push(final))
  await clock.advance(1000)
  assert.deepEqual(finals, ['OK', 'ERROR', 'OK', 'OK', 'ERROR', 'OK'])
  assert.equal(heard.length, 7, 'nothing was asked again')
})

test('an echo that comes late, and one with the answer in its line', async () => {
  const { clock, session, reports, say } = bench()
  const first = session.command('AT+CREG=2')
  const second = session.command('AT+CGMM')
  const third = session.command('AT+CSQ')
  await clock.advance(1)
  say('\r\nOK\r\n')
  await clock.advance(1)
  await first
  say('AT+CREG=2\r\r\nE173\r\n\r\nOK\r\n')
  await clock.advance(1)
  assert.deepEqual((await second).lines, ['E173'])
  say('AT+CSQ+CSQ: 20,99\r\nOK\r\n')
  await clock.advance(1)
  assert.deepEqual((await third).lines, ['+CSQ: 20,99'])
  assert.deepEqual(reports, [])
})

test('what a call left on the line is neither answer nor report', async () => {
  const { clock, session, reports, say } = bench()
  say('~\xff}#\xc0!}!}!} }4}"}&} } } } }%}&\x8e\x94~\r\n')
  const asked = session.command('AT+CGMM')
  await clock.advance(1)
  say('\x86\x9e\x98\x06\xe6\x1e\r\n\r\nE173\r\n\r\nOK\r\n')
  await clock.advance(1)
  assert.deepEqual((await asked).lines, ['E173'])
  assert.deepEqual(reports, [])
})

test('a report of several lines is one, and is told without its rest when that does not come', async () => {
  const { clock, session, reports, say } = bench()
  say('\r\n+CUSD: 1,"1. Balance\r\n2. Top up\r\n')
  await clock.advance(1)
  const asked = session.command('AT+CSQ')
  say('3. Help",15\r\n')
  await clock.advance(1)
  say('\r\n+CSQ: 20,99\r\n\r\nOK\r\n')
  await clock.advance(1)
  await asked
  say('\r\n+CMT: ,23\r\n')
  await clock.advance(900)
  assert.deepEqual(reports, ['+CUSD: 1,"1. Balance\n2. Top up\n3. Help",15'])
  await clock.advance(200)
  assert.equal(reports.at(-1), '+CMT: ,23')
  assert.equal(clock.pending, 0)
})

test('a modem that was deaf does not answer the next command with what it owes', async () => {
  const { clock, session, sent, say } = bench()
  const lost = rejects(session.command('AT^FIRST?', { timeoutMs: 1000 }), 'Timeout', 'modem-silent', /AT\^FIRST/)
  await clock.advance(5000)
  await lost
  const later = session.command('AT^SECOND?')
  await clock.advance(1)
  say('\r\n^FIRST: 1\r\n\r\nOK\r\n')
  await clock.advance(5)
  assert.equal(sent.at(-1), 'AT\r')
  for (let round = 0; round < 4; round++) {
    say('\r\nOK\r\n')
    await clock.advance(5)
  }
  await clock.advance(500)
  assert.equal(sent.at(-1), 'AT^SECOND?\r')
  say('\r\n^SECOND: 2\r\n\r\nOK\r\n')
  await clock.advance(1)
  assert.deepEqual((await later).lines, ['^SECOND: 2'])
})

test('a modem that answers in numbers is told to use words', async () => {
  const { clock, session, sent, say } = bench()
  const answers = session.probe([0, 500, 1500])
  await clock.advance(1)
  say('AT\r0\r')
  await clock.advance(1)
  assert.deepEqual(sent, ['AT\r', 'ATV1\r'])
  say('ATV1\r\r\nOK\r\n')
  await clock.advance(1)
  assert.equal(await answers, true)
})

test('a modem that was told ATV0 after all: its digits are results, and it is told to use words again', async () => {
  const { clock, session, sent, say: write } = bench()
  const say = async (text: string) => {
    write(text)
    await clock.advance(1)
  }
  const csq = session.attempt('AT+CSQ')
  const next = session.attempt('AT+CMEE=1')
  await clock.advance(1)
  await say('+CSQ: 20,99\r\n0\r')
  assert.deepEqual(await csq, { isOk: true, lines: ['+CSQ: 20,99'], final: 'OK' })
  await say('0\r')
  await say('\r\nOK\r\n')
  await clock.advance(600)
  await say('\r\nOK\r\n')
  assert.deepEqual(sent.slice(0, 4), ['AT+CSQ\r', 'AT\r', 'ATV1\r', 'AT+CMEE=1\r'])
  assert.equal((await next).isOk, true)
})
