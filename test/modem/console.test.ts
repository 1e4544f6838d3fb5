/** The AT console: what is refused and with which advice, that no PIN passes, and its place between the daemon's own commands. */

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import type { LogFields } from '../../src/base/ports.ts'
import { splitLine } from '../../src/modem/features/console/command-line.ts'
import { AtConsole } from '../../src/modem/features/console/console.ts'
import { refusalOf } from '../../src/modem/features/console/refusals.ts'
import type { FeatureContext } from '../../src/modem/features/feature.ts'
import type { ModemHandle } from '../../src/modem/snapshot.ts'
import { FleetBench } from './support/fleet-bench.ts'
import type { ScriptedModem, ScriptedModemOptions } from './support/scripted-modem.ts'

test('a line is taken apart into its commands (V.250 §5.2 to 5.4)', () => {
  const names = (line: string) => splitLine(line).map(({ name, rest }) => `${name}|${rest}`)
  assert.deepEqual(names('AT'), [])
  assert.deepEqual(names('ate0'), ['E|0'])
  assert.deepEqual(names('AT E1 Q0 V1 &C1 &D2 S0=0 +CSQ'), ['E|1', 'Q|0', 'V|1', '&C|1', '&D|2', 'S0|=0', '+CSQ|'])
  assert.deepEqual(names('AT+CSQ;+COPS?;D*99#'), ['+CSQ|', '+COPS|?', 'D|*99#'])
  assert.deepEqual(names('AT+CGDCONT=1,"IP","a;b";Z'), ['+CGDCONT|=1,"IP","a;b"', 'Z|'])
  assert.deepEqual(names('AT;;+cfun=1,1'), ['+CFUN|=1,1'])
  assert.deepEqual(names('AT^SYSINFO;$QCPWRDN'), ['^SYSINFO|', '$QCPWRDN|'])
  assert.deepEqual(names('AT&FZ'), ['&F|', 'Z|'])
  assert.deepEqual(names('AT"()'), ['"|', '(|', ')|'])
})

const REFUSED: Readonly<Record<string, RegExp>> = {
  ATZ: /mmctl reset/,
  'at z0': /mmctl reset/,
  'AT&F': /mmctl reset/,
  'AT+CSQ;Z': /ATZ is not sent.*mmctl reset/,
  ATE1: /modemd reads every answer/,
  'ATI;E1': /ATE1/,
  'AT+CFUN=0': /mmctl disable/,
  'AT+CFUN = 1,1': /mmctl reset/,
  'AT+CMUX=0': /not sent/,
  'ATD*99#': /mmctl connect/,
  'AT+CSQ;D*99#': /mmctl connect/,
  'ATDT?': /mmctl connect/,
  ATA: /takes no calls/,
  ATO: /mmctl connect/,
  ATO0: /mmctl connect/,
  ATH: /mmctl disconnect/,
  '+++': /mmctl disconnect/,
  'A/': /repeats a line/,
  'a/': /repeats a line/,
  'AT+IPR=9600': /baud/,
  'AT+CMEE=2': /not sent/,
  'AT+CGDCONT=1,"IP","x"': /apn/,
  'AT+CGACT=1,1': /mmctl connect/,
  'AT+COPS=0': /mmctl register/,
  'AT+COPS=1,2,"26201"': /mmctl register/,
  'AT+CREG=0': /mmctl status/,
  'AT+CNMI=0': /mmctl sms/,
  'AT+CMGF=1': /mmctl sms/,
  'AT+CMGS=12': /mmctl sms/,
  'AT+CUSD=1,"*100#",15': /mmctl ussd/,
  'AT^SETPORT="FF;10"': /mmctl inhibit/,
  'ATS3=10': /not sent/,
  'ATS0=1': /takes no calls/,
  'AT+QPOWD=1': /mmctl disable/,
}

test('what breaks the daemon’s work is refused, with what to use instead, in any place of the line', () => {
  for (const [line, advice] of Object.entries(REFUSED))
    assert.match(refusalOf(line) ?? 'it is let through', advice, line)
  for (const line of Object.keys(REFUSED)) {
    if (!/^AT/i.test(line)) continue
    assert.ok(refusalOf(`AT+CSQ;${line.slice(2)}`), `behind another: ${line}`)
    assert.ok(refusalOf(line.toLowerCase()), `in small letters: ${line}`)
  }
})

test('questions and what disturbs nothing pass', () => {
  const free = [
    ...['AT', 'ATI', 'ATI9', 'AT+CSQ', 'AT+CFUN?', 'AT+CFUN=?', 'AT+COPS?', 'AT+COPS=?', 'AT+COPS=3,0', 'AT+CGDCONT?'],
    ...['AT+CMEE?', 'AT&V', 'AT+CREG?', 'AT^SYSINFO', 'AT+QENG="servingcell"', 'AT!GSTATUS?', 'AT#RFSTS', 'AT+CCLK?'],
    ...['AT+CMUX=?', 'AT+CGMI;+CGMM;+CGMR', 'AT+CSCS?', 'AT^SETPORT?', 'ATS12?', 'AT+CLAC', 'AT+CGPADDR=1'],
  ]
  for (const line of free) assert.equal(refusalOf(line), undefined, line)
})

test('however a refused command is written, it does not pass', () => {
  const blanks = fc.array(fc.constantFrom('', ' ', '  '), { minLength: 12, maxLength: 12 })
  const before = fc.constantFrom('', '+CSQ;', 'I;', '+CGDCONT?;', '+COPS=3,0;', 'S6=2', '^X="a;Z";', 'E0')
  const core = fc.constantFrom(
    'Z',
    '&F',
    '+CFUN=1,1',
    '+CMUX=0',
    'D*99#',
    'E1',
    'O0',
    '+IPR=9600',
    '+CGDCONT=1,"IP","x"',
  )
  const cases = fc.constantFrom(
    (text: string) => text,
    (text: string) => text.toLowerCase(),
  )
  fc.assert(
    fc.property(before, core, blanks, cases, (head, tail, gaps, write) => {
      const text = [...`AT${head}${tail}`].map((char, index) => `${char}${gaps[index % gaps.length]}`).join('')
      assert.ok(refusalOf(write(text)), text)
    }),
  )
})

interface Rig {
  readonly bench: FleetBench
  readonly scripted: ScriptedModem
  readonly modem: ModemHandle
}

async function registered(context: TestContext, options: ScriptedModemOptions = {}): Promise<Rig> {
  const bench = new FleetBench({ latencyMs: 5 })
  context.after(() => bench.dispose())
  void bench.fleet
  const scripted = bench.plug(options)
  await bench.until('it is registered', () => bench.fleet.modems[0]?.snapshot.state === 'registered')
  await bench.until('nothing more is asked by itself', () => scripted.commands.includes('AT+CGEREP=1'))
  await bench.clock.advance(1000)
  return { bench, scripted, modem: bench.modem }
}

function ask({ bench, modem }: Rig, line: string, { isForced = false, timeoutMs = 0 } = {}): Promise<string> {
  return bench.settled(modem.console!.command({ line, timeoutMs, isForced }))
}

test('the answer comes whole, an error of the modem’s too', async (context) => {
  const rig = await registered(context, {
    answer: (command) => (command === 'AT+CLAC' ? '+CSQ\n+CREG\nOK' : undefined),
  })
  assert.equal(await ask(rig, 'AT+CSQ'), '+CSQ: 21,99\nOK')
  assert.equal(await ask(rig, ' AT+CLAC '), '+CSQ\n+CREG\nOK')
  assert.equal(await ask(rig, 'AT+NONSENSE'), 'ERROR')
})

test('console and daemon take turns, each with its own answer', async (context) => {
  const rig = await registered(context)
  const { bench, scripted, modem } = rig
  scripted.commands.length = 0
  const answers = [1, 2, 3].map(() => modem.console!.command({ line: 'AT+CGMM', timeoutMs: 0, isForced: false }))
  const imsi = modem.imsi()
  const last = modem.console!.command({ line: 'AT+CSQ', timeoutMs: 0, isForced: false })
  assert.deepEqual(await bench.settled(Promise.all(answers)), ['V1\nOK', 'V1\nOK', 'V1\nOK'])
  assert.equal(await bench.settled(imsi), '214011234567890')
  assert.equal(await bench.settled(last), '+CSQ: 21,99\nOK')
})

test('refused is refused before the modem; forced goes', async (context) => {
  const rig = await registered(context)
  rig.scripted.commands.length = 0
  await assert.rejects(ask(rig, 'AT+CSQ;H'), { code: 'WrongState', message: /mmctl disconnect.*--force/ })
  assert.deepEqual(rig.scripted.commands, [])
  assert.equal(await ask(rig, 'ATH', { isForced: true }), 'OK')
  assert.deepEqual(rig.scripted.commands, ['ATH'])
})

test('no PIN passes, forced or not', async (context) => {
  const rig = await registered(context)
  rig.scripted.commands.length = 0
  const lines = [
    'AT+CPIN="1234"',
    'AT+CSQ;+CPIN=1234',
    'AT+CLCK="SC",0,"1234"',
    'AT+CPWD="SC","1","2"',
    'ATD**04*1*2*2#',
  ]
  for (const line of [...lines, 'ATS3=10', 'A/', 'AT^CPIN="1234"'])
    await assert.rejects(ask(rig, line, { isForced: true }), { code: 'PinGuard' }, line)
  assert.deepEqual(rig.scripted.commands, [])
})

test('one line of plain ASCII that begins with AT, and no more', async (context) => {
  const rig = await registered(context)
  rig.scripted.commands.length = 0
  const lines = [
    '',
    '   ',
    'HELLO',
    'AT+CSQ\rATZ',
    'AT+CSQ\nATZ',
    'AT\x1a',
    'AT+CSQ\x00',
    'ATé',
    `AT+X=${'1'.repeat(1024)}`,
  ]
  for (const line of lines) await assert.rejects(ask(rig, line, { isForced: true }), { code: 'InvalidArgs' }, line)
  await assert.rejects(ask(rig, 'AT', { timeoutMs: 300_001 }), { code: 'InvalidArgs' })
  assert.deepEqual(rig.scripted.commands, [])
})

test('a prompt is left, and the port goes on', async (context) => {
  const rig = await registered(context, {
    answer: (command, port) => {
      if (command !== 'AT+CMGS=12') return undefined
      port.say('\r\n> ')
      return ''
    },
  })
  const { bench, scripted } = rig
  const port = bench.ports.get('/dev/ttyUSB1')!
  // ESC, as a modem takes it: the text is given up and the command ends.
  const bytes: string[] = []
  port.onText = (text) => {
    bytes.push(text)
    if (text.includes('\x1b')) port.say('\r\nOK\r\n')
  }
  const fromMs = bench.clock.nowMs()
  assert.equal(await ask(rig, 'AT+CMGS=12', { isForced: true }), 'OK')
  assert.ok(bench.clock.nowMs() - fromMs < 100, 'without a time-out')
  assert.ok(!bytes.join('').includes('\x1a'), 'nothing was sent to anybody')
  port.onText = undefined
  scripted.commands.length = 0
  assert.equal(await ask(rig, 'AT+CGMM'), 'V1\nOK')
})

test('a modem that does not answer one command answers the next', async (context) => {
  const rig = await registered(context, { answer: (command) => (command === 'AT+SLOW' ? '' : undefined) })
  await assert.rejects(ask(rig, 'AT+SLOW', { timeoutMs: 500 }), { code: 'Timeout', failureCause: 'modem-silent' })
  assert.equal(await ask(rig, 'AT+CGMM'), 'V1\nOK')
})

test('a modem that goes takes its console with it', async (context) => {
  const rig = await registered(context, { answer: (command) => (command === 'AT+SLOW' ? '' : undefined) })
  const pending = rig.modem.console!.command({ line: 'AT+SLOW', timeoutMs: 0, isForced: false })
  rig.bench.unplug('1-2', 'ttyUSB0', 'ttyUSB1')
  await assert.rejects(rig.bench.settled(pending), { code: 'ModemGone' })
})

test('commands are logged, their passwords are not', async () => {
  const logged: string[] = []
  const log = (text: string, _fields?: LogFields) => logged.push(text)
  const context = {
    logger: { error: log, warn: log, info: log, debug: log },
    snapshot: { id: 'modem' },
    attempt: async () => ({ isOk: true, lines: ['secret answer'], final: 'OK' }),
  } as unknown as FeatureContext
  const console = new AtConsole(context)
  const send = (line: string) => console.command({ line, timeoutMs: 0, isForced: true })
  await send('AT+CSQ')
  await send('AT+CGAUTH=1,1,"sesame","user"')
  await send('AT+CSQ;+QICSGP=1,1,"apn","user","sesame",1')
  await send('AT+CPWD="SC","sesame"').catch(() => {})
  assert.ok(logged.some((line) => line.includes('AT+CSQ')))
  assert.ok(logged.some((line) => line.includes('CGAUTH=…')))
  assert.ok(!/sesame|secret/.test(logged.join('\n')), logged.join('\n'))
})
