/** The virtual modem over time: reports, calls, `+++`, pacing, faults. Dialogues are in `dialogues.test.ts`. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { latin1 } from '../../src/base/bytes.ts'
import { ModemBench } from './modem-bench.ts'

const types = (bench: ModemBench) => bench.events.map((event) => event.type)
const faultsOf = (bench: ModemBench) =>
  bench.events.flatMap((event) => (event.type === 'fault' ? [event.fault.name] : []))
const uplinked = (bench: ModemBench) =>
  bench.events
    .flatMap((event) => (event.type === 'uplink' ? [...event.bytes] : []))
    .map((value) => String.fromCharCode(value))
    .join('')

function dialled(options: ConstructorParameters<typeof ModemBench>[0] = {}): ModemBench {
  const bench = new ModemBench(options)
  bench.say('ATE0')
  assert.match(bench.say('ATD*99#'), /CONNECT/)
  assert.deepEqual(types(bench), ['call'])
  return bench
}

test('the PIN, then the SIM is busy, then registration is reported at its time', () => {
  const bench = new ModemBench({ sim: { pin: '1234' }, timings: { simReadyMs: 300, registerMs: 1000 } })
  bench.say('ATE0+CMEE=1;+CREG=1;+CGREG=2')
  assert.equal(bench.say('AT+CPIN="1234"'), '\r\n+CREG: 2\r\n\r\n+CGREG: 2\r\n\r\nOK\r\n')
  assert.equal(bench.say('AT+CIMI'), '\r\n+CME ERROR: 14\r\n')
  bench.pass(300)
  assert.equal(bench.say('AT+CIMI'), '\r\n001010000007920\r\n\r\nOK\r\n')
  bench.pass(999)
  assert.equal(bench.heard(), '')
  bench.pass(1)
  assert.equal(bench.heard(), '\r\n+CREG: 1\r\n\r\n+CGREG: 1,"0001","0A1B2C3D",7\r\n')
})

test('a change on one port is reported on the others, which are woken', () => {
  const bench = new ModemBench()
  const other = bench.port(1)
  bench.say('ATE0+CREG=1', other)
  bench.say('ATE0')
  assert.equal(bench.say('AT+CFUN=4'), '\r\nOK\r\n')
  assert.deepEqual(types(bench), ['wake'])
  assert.equal(bench.heard(other), '\r\n+CREG: 0\r\n')
})

test('the E173 boots, reports on its second AT port only, and stops at ^CURC=0', () => {
  const bench = new ModemBench({ personality: 'huawei-e173', sim: { pin: '1234' }, timings: { bootMs: 800 } })
  const reports = bench.port(4)
  assert.equal(bench.say('AT'), '', 'still booting')
  bench.pass(2800)
  assert.equal(bench.heard(reports), '\r\n^BOOT:27710117,0,0,0,75\r\n')
  assert.equal(bench.heard(), '')
  bench.say('AT+CPIN="1234"', reports)
  bench.pass(0)
  const said = bench.heard(reports)
  assert.equal(said, '')
  bench.say('ATE0', reports)
  bench.pass(4000)
  assert.equal(bench.heard(reports), '', 'no ^BOOT after the PIN')
  bench.network.signal = -91
  bench.modem.state.signalChanged(bench.nowMs)
  assert.match(bench.say('AT', reports), /\^RSSI:11\r\n/)
  bench.say('AT^CURC=0', reports)
  bench.network.signal = -71
  bench.modem.state.signalChanged(bench.nowMs)
  assert.equal(bench.say('AT', reports), '\r\nOK\r\n')
})

test('an idle modem with a steady signal has nothing to wait for', () => {
  const bench = new ModemBench()
  bench.pass(10)
  assert.equal(bench.port().deadline(), undefined)
})

test('a drifting signal moves within bounds, and the same seed moves it the same way', () => {
  const values = () => {
    const bench = new ModemBench({ network: { signal: 'drift' } })
    return Array.from({ length: 60 }, (_, second) => bench.network.dbmAt(second * 1000)!)
  }
  assert.deepEqual(values(), values())
  assert.ok(Math.max(...values()) - Math.min(...values()) > 5)
  assert.ok(values().every((dbm) => dbm < -60 && dbm > -95))
})

test('data goes both ways as it is, and is counted', () => {
  const bench = dialled()
  assert.equal(bench.send('\x7e\xff\x03AT\r'), '')
  assert.equal(uplinked(bench), '\x7e\xff\x03AT\r')
  bench.port().downlink(latin1('\x7ehello\x7e'), bench.nowMs)
  bench.pass(0)
  assert.equal(bench.heard(), '\x7ehello\x7e')
  assert.equal(bench.statistics.txBytes, 6)
  assert.equal(bench.statistics.rxBytes, 7)
})

test('after the end of a call the last bytes come before NO CARRIER, and AT works again', () => {
  const bench = dialled({ speed: 8000 })
  bench.port().downlink(latin1('0123456789'), bench.nowMs)
  bench.port().finishCall(bench.nowMs)
  bench.pass(9)
  assert.equal(bench.heard(), '')
  bench.pass(1)
  assert.equal(bench.heard(), '0123456789\r\nNO CARRIER\r\n')
  assert.deepEqual(types(bench), ['call', 'call-over'])
  assert.equal(bench.say('AT'), '\r\nOK\r\n')
  assert.match(bench.say('ATD*99#'), /CONNECT/)
})

test('speed: 8000 bit/s are 1000 bytes a second in each direction, and a full queue asks to wait', () => {
  const bench = dialled({ speed: 8000 })
  assert.equal(bench.port().downlink(new Uint8Array(1000), bench.nowMs), true)
  assert.equal(bench.port().downlink(new Uint8Array(40_000), bench.nowMs), false)
  bench.send('x'.repeat(100))
  bench.pass(99)
  assert.equal(uplinked(bench), '')
  bench.pass(1)
  assert.equal(uplinked(bench).length, 100)
  bench.pass(900)
  assert.equal(bench.heard().length, 1000)
  bench.pass(40_000)
  assert.equal(bench.heard().length, 40_000)
  assert.equal(types(bench).at(-1), 'drained')
})

test('+++ with its guard times leads to commands; ATO back, ATH ends', () => {
  const bench = dialled()
  bench.pass(1000)
  bench.send('+')
  bench.send('++')
  bench.pass(999)
  assert.equal(bench.heard(), '')
  bench.pass(1)
  assert.equal(bench.heard(), '\r\nOK\r\n')
  assert.equal(uplinked(bench), '')
  assert.equal(bench.say('AT+CSQ'), '\r\n+CSQ: 21,99\r\n\r\nOK\r\n')
  assert.match(bench.say('ATO'), /CONNECT/)
  bench.send('data')
  assert.equal(uplinked(bench), 'data')
  bench.pass(1000)
  bench.send('+++')
  bench.pass(1000)
  bench.heard()
  assert.equal(bench.say('ATH'), '\r\nOK\r\n')
  assert.equal(types(bench).at(-1), 'call-over')
  assert.equal(bench.say('ATO'), '\r\nNO CARRIER\r\n')
})

test('+++ is data without silence before it, with more behind it, or as four', () => {
  for (const [before, text] of [
    [10, '+++'],
    [1000, '++++'],
    [1000, '+++a'],
  ] as const) {
    const bench = dialled()
    bench.pass(before)
    bench.send(text)
    bench.pass(2000)
    assert.equal(uplinked(bench), text)
    assert.equal(bench.heard(), '')
  }
  const bench = dialled()
  bench.pass(1000)
  bench.send('++')
  bench.pass(1500)
  assert.equal(uplinked(bench), '++', 'two are let go after the guard time')
})

test('the network lost, the radio off, ATH or a closed tty end a call', () => {
  const lost = dialled()
  lost.network.mode = 'none'
  lost.modem.state.networkChanged(lost.nowMs)
  lost.pass(0)
  assert.equal(lost.heard(), '\r\nNO CARRIER\r\n')
  const off = dialled()
  off.say('AT+CFUN=4', off.port(1))
  assert.equal(off.heard(), '\r\nNO CARRIER\r\n')
  const elsewhere = dialled()
  elsewhere.say('ATH', elsewhere.port(1))
  assert.equal(elsewhere.heard(), '\r\nNO CARRIER\r\n')
  const closed = dialled()
  closed.port().hostClosed(closed.nowMs)
  closed.pass(0)
  assert.equal(closed.heard(), '')
  assert.equal(types(closed).at(-1), 'call-over')
  assert.equal(closed.say('AT'), '\r\nOK\r\n')
})

test('AT&D0: a closed tty leaves the call alone', () => {
  const bench = new ModemBench()
  bench.say('ATE0&D0')
  bench.say('ATD*99#')
  bench.port().hostClosed(bench.nowMs)
  bench.pass(0)
  assert.deepEqual(types(bench), ['call'])
})

test('one call at a time, a character calls a dial off, and voice finds nobody', () => {
  const bench = dialled()
  assert.match(bench.say('ATE0D*99#', bench.port(1)), /NO CARRIER/)
  const dialling = new ModemBench({ timings: { replyMs: (key) => (key === 'D' ? 500 : 0) } })
  dialling.say('ATE0')
  assert.equal(dialling.send('ATD*99#\r\n'), '')
  assert.equal(dialling.send(' '), '\r\nNO CARRIER\r\n')
  dialling.pass(1000)
  assert.equal(dialling.heard(), '')
  assert.equal(dialling.say('ATD5551234;'), '')
  dialling.pass(500)
  assert.equal(dialling.heard(), '\r\nNO CARRIER\r\n')
})

test('dial faults end the dial in their words, once', () => {
  for (const [fault, word] of [
    ['busy', 'BUSY'],
    ['no-carrier', 'NO CARRIER'],
    ['no-dialtone', 'NO DIALTONE'],
    ['no-answer', 'NO ANSWER'],
  ] as const) {
    const bench = new ModemBench()
    bench.say('ATE0')
    bench.faults.arm([fault])
    assert.equal(bench.say('ATD*99#'), `\r\n${word}\r\n`)
    assert.match(bench.say('ATD*99#'), /CONNECT/)
  }
})

test('reply faults', () => {
  const faulty = (...words: string[]) => {
    const bench = new ModemBench()
    bench.say('ATE0')
    assert.equal(bench.faults.arm(words), undefined)
    return bench
  }
  assert.match(faulty('garbage', '8').say('AT'), /^.{8}\r\nOK\r\n$/s)
  assert.equal(faulty('silent').say('AT'), '')
  assert.equal(faulty('duplicated').say('AT'), '\r\nOK\r\n\r\nOK\r\n')
  assert.equal(faulty('final-lost').say('AT+CSQ'), '\r\n+CSQ: 21,99\r\n')
  assert.equal(faulty('unsolicited-inside').say('AT+CSQ'), '\r\n+CSQ: 21,99\r\n\r\n+CREG: 1\r\n\r\nOK\r\n')
  assert.equal(faulty('echo-flip').say('AT'), '\r\nOK\r\n')
  assert.ok('\r\n+CSQ: 21,99\r\n\r\nOK\r\n'.startsWith(faulty('truncated').say('AT+CSQ')))
  const errors = faulty('error-n-times', '2')
  assert.deepEqual(
    [errors.say('AT'), errors.say('AT'), errors.say('AT')],
    ['\r\nERROR\r\n', '\r\nERROR\r\n', '\r\nOK\r\n'],
  )
  const late = faulty('late', '3')
  assert.equal(late.say('AT'), '')
  late.pass(2999)
  assert.equal(late.heard(), '')
  late.pass(1)
  assert.equal(late.heard(), '\r\nOK\r\n')
  const split = faulty('split', '5')
  assert.equal(split.say('AT'), '\r')
  split.pass(5)
  assert.equal(split.heard(), '\n')
  split.pass(20)
  assert.equal(split.heard(), 'OK\r\n')
  const chosen = faulty('silent', 'on=AT+CSQ', 'times=2')
  assert.deepEqual([chosen.say('AT'), chosen.say('AT+CSQ'), chosen.say('AT+CSQ')], ['\r\nOK\r\n', '', ''])
  assert.match(chosen.say('AT+CSQ'), /OK/)
})

test('silence swallows everything for its time', () => {
  const bench = new ModemBench()
  bench.say('ATE0')
  bench.faults.silence(bench.nowMs + 1000)
  assert.equal(bench.say('AT'), '')
  bench.pass(1000)
  assert.equal(bench.say('AT'), '\r\nOK\r\n')
})

test('an unknown fault names those that exist', () => {
  const bench = new ModemBench()
  assert.throws(() => bench.faults.arm(['nonsense']), /garbage, split, late/)
  assert.throws(() => bench.faults.arm(['late', 'soon']), /number/)
  assert.throws(() => bench.faults.arm(['unplug-at', 'lunch']), /connect/)
  assert.throws(() => bench.faults.arm(['busy', 'when=now']), /on=COMMAND/)
  assert.throws(() => bench.faults.arm(['busy', 'times=none']), /times/)
})

test('a fault that cannot work is refused in words', () => {
  const { faults } = new ModemBench()
  for (const [words, sentence] of [
    ['bit-errors 2', /^bit-errors takes a number from 0 to 1 as P, not "2"$/],
    ['bit-errors 1e-3', /as P/],
    ['garbage 1.5', /^garbage takes a whole number from 0 to 65536 as BYTES, not "1.5"$/],
    ['late Infinity', /as S, not "Infinity"$/],
    ['error-n-times 0', /from 1 to/],
    ['busy 7', /^busy takes no value: leave "7" out$/],
    ['late 3 4', /^late takes one value, S: leave "4" out$/],
    ['busy on=foo', /^on= takes what a command begins with, like \+CSQ, D or E0: none begins with "FOO"$/],
    ['busy times=1.5', /^times= takes a whole number/],
    ['unplug at=dial times=2', /^unplug happens to the device once/],
    ['unplug-at dial at=command', /leave at= out/],
  ] as const)
    assert.throws(() => faults.arm(words.split(' ')), { message: sentence }, words)
  for (const words of ['bit-errors 0.5', 'bit-errors 1', 'late 0.5', 'busy', 'unplug-at', 'busy times=always'])
    assert.doesNotThrow(() => faults.arm(words.split(' ')), words)
  for (const on of ['+CSQ', 'at+cpin=', 'D*99', 'E0', '&F', 'S0=', 'S0?', 'I', '^SYSINFO', '$QCPDPP', ''])
    assert.doesNotThrow(() => faults.arm(['busy', `on=${on}`]), on)
})

test('a SIM that failed answers again once a card is put in', () => {
  const bench = new ModemBench()
  bench.say('ATE0+CMEE=1')
  bench.modem.state.failSim(bench.nowMs)
  assert.equal(bench.say('AT+CPIN?'), '\r\n+CME ERROR: 13\r\n')
  bench.modem.state.insertSim(bench.nowMs)
  assert.equal(bench.say('AT+CPIN?'), '\r\n+CPIN: READY\r\n\r\nOK\r\n')
})

test('unplug-at fires at its stage', () => {
  for (const [stage, act] of [
    ['command', 'AT'],
    ['pin', 'AT+CPIN="1234"'],
    ['dial', 'ATD*99#'],
  ] as const) {
    const bench = new ModemBench({ sim: { pin: '1234' } })
    bench.faults.arm(['unplug-at', stage])
    bench.say(act)
    assert.deepEqual(faultsOf(bench), ['unplug'], stage)
  }
})

test('a fault waits for its state, its command, or both', () => {
  const bench = new ModemBench({ sim: { pin: '1234' } })
  bench.say('ATE0')
  bench.faults.arm(['silent', 'at=pin'])
  bench.faults.arm(['sim-removed', 'on=+CSQ'])
  bench.faults.arm(['reboot', 'at=pin', 'on=+COPS'])
  bench.faults.arm(['busy', 'at=sim'])
  assert.match(bench.say('AT+COPS?'), /OK|ERROR/)
  assert.match(bench.say('AT'), /OK/, 'no PIN was accepted yet')
  assert.match(bench.say('AT+CPIN="1234"'), /OK/)
  assert.equal(bench.say('AT'), '', 'now one was')
  assert.deepEqual(faultsOf(bench), [])
  bench.say('AT+CSQ')
  assert.deepEqual(faultsOf(bench), ['sim-removed'])
  bench.say('AT+COPS?')
  assert.deepEqual(faultsOf(bench), ['sim-removed', 'reboot'])
  assert.match(bench.say('ATD*99#'), /BUSY/)
  assert.deepEqual(bench.faults.struck, { silent: 1, 'sim-removed': 1, reboot: 1, busy: 1 })
  assert.throws(() => bench.faults.arm(['busy', 'at=lunch']), /terminate/)
})

test('a hang-up in the middle of the dial: CONNECT and NO CARRIER, and no call for the operator', () => {
  const bench = new ModemBench()
  bench.say('ATE0')
  bench.faults.arm(['hangup-mid-dial'])
  assert.equal(bench.say('ATD*99#'), '\r\nCONNECT 150000000\r\n\r\nNO CARRIER\r\n')
  assert.ok(!types(bench).includes('call'))
})

test('statistics name commands without what was given to them', () => {
  const bench = new ModemBench({ sim: { pin: '1234' } })
  bench.say('AT+CPIN="1234"')
  bench.say('ATE0V1;+CSQ')
  const seen = JSON.stringify(bench.statistics.commands)
  assert.ok(!seen.includes('1234'))
  assert.deepEqual(bench.statistics.commands.last, ['AT+CPIN=', 'ATE', 'ATV', 'AT+CSQ'])
  assert.deepEqual(bench.sim.tries, { spent: 1, refused: 0 })
})

test('unread replies are bounded', () => {
  const bench = new ModemBench({ timings: { replyMs: () => 0 } })
  const port = bench.port()
  for (let round = 0; round < 5000; round++) port.handle({ type: 'data', bytes: latin1('ATI\r') }, bench.nowMs)
  let bytes = 0
  for (let output = port.poll(); output; output = port.poll()) if (output.type === 'send') bytes += output.bytes.length
  assert.ok(bytes < 70_000)
  assert.ok(bench.statistics.drops > 0)
})
