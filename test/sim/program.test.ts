/** The program as a whole on real ptys: Debian's chat as the judge of its AT side, its tree, its control socket, its end. */

import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  constants,
  existsSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  writeFileSync,
} from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { needs } from '../support/needs.ts'
import { until } from '../system/until.ts'
import { RunningSim } from './running-sim.ts'

const PROGRAM = fileURLToPath(new URL('../../src/sim/command.ts', import.meta.url))
/** Of the first card. */
const ICCID = '8900101000000079203'

async function started(t: TestContext, ...args: string[]): Promise<RunningSim> {
  const sim = new RunningSim(t, args)
  await sim.ready()
  return sim
}

interface ChatRun {
  readonly code: number | null
  readonly log: string
}

/** Debian's chat on a tty, which it holds open for as long as it runs. */
async function chat(tty: string, ...script: string[]): Promise<ChatRun> {
  const fd = openSync(tty, constants.O_RDWR | constants.O_NOCTTY)
  const child = spawn('/usr/sbin/chat', ['-s', '-v', '-t', '5', ...script], { stdio: [fd, fd, 'pipe'] })
  closeSync(fd)
  let log = ''
  child.stderr?.on('data', (bytes) => {
    log += bytes
  })
  const [code] = await once(child, 'close')
  return { code, log }
}

function hasOpen(pid: number | undefined, prefix: string): boolean {
  const folder = `/proc/${pid}/fd`
  return readdirSync(folder).some((fd) => readlinkSync(join(folder, fd)).startsWith(prefix))
}

const DIAL = ['ABORT', 'ERROR', 'ABORT', 'BUSY', 'ABORT', 'NO CARRIER', '', 'AT', 'OK']

test("Debian's chat goes from PIN to CONNECT", needs('chat'), async (t) => {
  const sim = await started(
    t,
    '--link',
    'FOLDER/modem',
    '--pin',
    '1234',
    '--register-after',
    '200ms',
    '--apn',
    'internet',
  )
  const { code, log } = await chat(
    join(sim.folder, 'modem'),
    ...['REPORT', 'CONNECT', ...DIAL, 'AT+CPIN?', 'SIM PIN', 'AT+CPIN="1234"', 'OK', 'ATE0+CREG=1', 'OK'],
    ...['\\c', '+CREG: 1', 'AT+CGDCONT=1,"IP","internet"', 'OK', 'ATD*99#', 'CONNECT', '\\c'],
  )
  assert.equal(code, 0, log)
  assert.match(log, /chat: .* CONNECT 150000000\n/)
  const stats = await sim.stats()
  assert.deepEqual(stats.sim, { state: 'ready', iccid: ICCID, pinTries: 3, pukTries: 10, spent: 1, refused: 0 })
  assert.equal(stats.calls, 1)
  assert.equal((await sim.stats()).call, 'none', 'the closed tty ended the call')
})

test('the dial fault busy is 5 for chat, and a wrong PIN spends one try', needs('chat'), async (t) => {
  const sim = await started(t, '--link', 'FOLDER/modem', '--latency', '0', '--fault', 'busy', '--register-after', '0')
  assert.equal((await chat(join(sim.folder, 'modem'), ...DIAL, 'ATD*99#', 'CONNECT')).code, 5)
  assert.equal((await chat(join(sim.folder, 'modem'), ...DIAL, 'ATD*99#', 'CONNECT')).code, 0)
  const locked = await started(t, '--link', 'FOLDER/modem', '--latency', '0', '--pin', '1234')
  assert.equal((await chat(join(locked.folder, 'modem'), ...DIAL, 'AT+CPIN="9999"', 'OK')).code, 4)
  assert.deepEqual((await locked.stats()).sim, {
    iccid: ICCID,
    state: 'pin',
    pinTries: 2,
    pukTries: 10,
    spent: 1,
    refused: 1,
  })
})

test('the tree is laid out as the kernel does, and all of its links resolve inside it', async (t) => {
  const sim = await started(t, '--root', 'FOLDER', '--personality', 'huawei-e173', '--modems', '2')
  const at = (path: string) => join(sim.folder, path)
  const device = 'sys/devices/pci0000:00/0000:00:14.0/usb1/1-1'
  const read = (path: string) => readFileSync(at(path), 'utf8')
  for (const tty of ['ttyUSB0', 'ttyUSB1', 'ttyUSB2', 'ttyUSB3', 'ttyUSB4', 'ttyUSB5']) {
    assert.match(readlinkSync(at(`dev/${tty}`)), /^\/dev\/pts\/\d+$/)
    assert.ok(lstatSync(realpathSync(at(`dev/${tty}`))).isCharacterDevice())
  }
  assert.equal(read(`${device}/idVendor`), '12d1\n')
  assert.equal(read(`${device}/bNumInterfaces`), ' 7\n')
  assert.equal(realpathSync(at('sys/class/tty/ttyUSB2')), at(`${device}/1-1:1.4/ttyUSB2/tty/ttyUSB2`))
  assert.equal(realpathSync(at('sys/class/tty/ttyUSB2/device')), at(`${device}/1-1:1.4/ttyUSB2`))
  assert.equal(realpathSync(at('sys/class/tty/ttyUSB2/device/driver')), at('sys/bus/usb-serial/drivers/option1'))
  assert.equal(join(realpathSync(at('sys/class/tty/ttyUSB2/device')), '..'), at(`${device}/1-1:1.4`))
  assert.equal(realpathSync(at(`${device}/1-1:1.4/driver`)), at('sys/bus/usb/drivers/option'))
  assert.equal(realpathSync(at('sys/bus/usb/devices/1-2')), at(device.replace('1-1', '1-2')))
  assert.equal(read('sys/class/tty/ttyUSB2/dev'), '188:2\n')
  assert.equal(read('sys/class/tty/ttyUSB2/uevent'), 'MAJOR=188\nMINOR=2\nDEVNAME=ttyUSB2\n')
  assert.equal(read(`${device}/1-1:1.4/bInterfaceNumber`), '04\n')
  for (const path of sim.leftovers().filter((each) => lstatSync(at(each)).isSymbolicLink())) {
    if (path.startsWith('dev/')) continue
    assert.ok(!readlinkSync(at(path)).startsWith('/'), `${path} is relative`)
    assert.ok(realpathSync(at(path)).startsWith(sim.folder), `${path} resolves`)
  }
  const stats = (await sim.ctl('stats')).modems
  assert.equal(new Set(stats.map((modem: { imei: string }) => modem.imei)).size, 2)
})

test('unplugging hangs up who has the tty open and removes its part of the tree; plugging brings it back', async (t) => {
  const sim = await started(t, '--root', 'FOLDER', '--latency', '0')
  const at = (path: string) => join(sim.folder, path)
  const reader = spawn('cat', [at('dev/ttyUSB0')], { stdio: ['ignore', 'ignore', 'ignore'] })
  t.after(() => reader.kill())
  const hungUp = once(reader, 'close')
  await until('cat has the tty open', () => hasOpen(reader.pid, '/dev/pts/'))
  assert.deepEqual(await sim.ctl('unplug'), { ok: true })
  await hungUp
  for (const path of ['dev/ttyUSB0', 'sys/class/tty/ttyUSB0', 'sys/bus/usb/devices/1-1'])
    assert.equal(lstatSync(at(path), { throwIfNoEntry: false }), undefined, path)
  assert.ok(!existsSync(at('sys/devices/pci0000:00/0000:00:14.0/usb1/1-1')))
  assert.deepEqual((await sim.ctl('plug')).ttys, ['/dev/ttyUSB0', '/dev/ttyUSB1'])
  assert.ok(existsSync(at('sys/class/tty/ttyUSB0/dev')))
  await sim.ctl('fault', 'port-moves', '0')
  await until('the ports have moved', () => existsSync(at('dev/ttyUSB3')))
  assert.ok(!existsSync(at('dev/ttyUSB0')))
})

test('a device that is not authorised stays without interfaces and ttys; authorised again it starts anew', async (t) => {
  const sim = await started(t, '--root', 'FOLDER', '--latency', '0', '--modems', '2')
  const at = (path: string) => join(sim.folder, path)
  const authorized = at('sys/bus/usb/devices/1-1/authorized')
  assert.equal(readFileSync(authorized, 'utf8'), '1\n')
  writeFileSync(authorized, '0')
  await until('its ttys are gone', () => !existsSync(at('dev/ttyUSB0')))
  await until('its interfaces are gone', () => !existsSync(at('sys/bus/usb/devices/1-1:1.0')))
  assert.ok(existsSync(at('sys/bus/usb/devices/1-1/idVendor')))
  assert.ok(existsSync(at('sys/class/tty/ttyUSB2/dev')), 'the other modem stays')
  writeFileSync(authorized, '1')
  await until('its ttys are back', () => existsSync(at('sys/class/tty/ttyUSB0/dev')))
  assert.deepEqual(
    (await sim.ctl('stats')).modems.map(({ plugs }: { plugs: number }) => plugs),
    [2, 1],
  )
  writeFileSync(authorized, '0')
  await until('its ttys are gone again', () => !existsSync(at('dev/ttyUSB0')))
  await sim.ctl('unplug')
  assert.ok(!existsSync(authorized))
  assert.deepEqual((await sim.end('SIGTERM')).code, 0)
  assert.deepEqual(sim.leftovers(), [])
})

test('SIGTERM and SIGINT leave no file behind, and exit 0', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const sim = await started(t, '--root', 'FOLDER/deep/root', '--modems', '2')
    assert.ok(sim.leftovers().length > 50)
    const { code, stderr } = await sim.end(signal)
    assert.deepEqual([code, stderr, sim.leftovers()], [0, '', []])
  }
})

test('what a killed simulator left is removed by the next one', async (t) => {
  const sim = await started(t, '--root', 'FOLDER', '--modems', '2')
  await sim.end('SIGKILL')
  assert.ok(existsSync(join(sim.folder, 'sys/class/tty/ttyUSB3')))
  const next = await started(t, '--root', sim.folder)
  assert.equal(lstatSync(join(sim.folder, 'dev/ttyUSB2'), { throwIfNoEntry: false }), undefined)
  assert.ok(existsSync(join(sim.folder, 'dev/ttyUSB1')))
  await next.end()
  assert.deepEqual(sim.leftovers(), [])
})

test('a link of ours is replaced, a file that is not is kept', async (t) => {
  const first = await started(t, '--link', 'FOLDER/modem')
  await first.end('SIGKILL')
  const second = await started(t, '--link', join(first.folder, 'modem'))
  await second.end()
  assert.equal(lstatSync(join(first.folder, 'modem'), { throwIfNoEntry: false }), undefined)
  const precious = join(first.folder, 'precious')
  writeFileSync(precious, 'mine')
  const refused = new RunningSim(t, ['--link', precious])
  const { code, stderr } = await refused.ended()
  assert.equal(code, 1)
  assert.match(stderr, /^modem-sim: .*in the way/)
  assert.equal(readFileSync(precious, 'utf8'), 'mine')
})

test('wrong use is exit 2 with a sentence', async (t) => {
  for (const [args, sentence] of [
    [[], /--root DIR .* --link PATH .*--tty PATH/],
    [['--link', 'FOLDER/a', '--root', 'FOLDER'], /--root DIR/],
    [['--link', 'FOLDER/a', '--frobnicate'], /unknown option '--frobnicate': see modem-sim --help/],
    [['--link', 'FOLDER/a', '--signal', 'loud'], /dBm/],
    [['--link', 'FOLDER/a', '--auth', 'pap'], /NAME:USER:PASSWORD/],
    [['--link', 'FOLDER/a', '--auth', 'magic'], /none, pap, chap/],
    [['--link', 'FOLDER/a', '--pool', '10.64.0.1/16'], /10\.64\.0\.0\/16/],
    [['--link', 'FOLDER/a', '--fault', 'nonsense'], /garbage, split, late/],
    [['--link', 'FOLDER/a', '--fault', 'busy 7'], /busy takes no value/],
    [['--root', 'FOLDER', '--fault', 'bogus'], /garbage, split, late/],
    [['--link', 'FOLDER/a', '--personality', 'nope'], /there is no personality "nope": take one of generic, /],
    [['--link', 'FOLDER/a', '--personality', 'FOLDER/nope.json'], /there is no such file/],
  ] as const) {
    const sim = new RunningSim(t, args)
    const { code, stderr } = await sim.ended()
    assert.equal(code, 2, stderr)
    assert.match(stderr, sentence)
    assert.match(stderr, /^modem-sim: [^\n]*\n$/)
    assert.deepEqual(sim.leftovers(), [])
  }
})

test('a control socket in a folder that is not there: said, with what to do', async (t) => {
  const { code, stdout, stderr } = await new RunningSim(t, ['--link', 'FOLDER/a'], '/nope/deep/ctl').ended()
  const sentence = 'modem-sim: --control /nope/deep/ctl: there is no folder /nope/deep: make it, or take another\n'
  assert.deepEqual([code, stdout, stderr], [2, '', sentence])
})

test('a word too many for a command is refused, and nothing is done', async (t) => {
  const sim = await started(t, '--link', 'FOLDER/modem')
  for (const [command, ...words] of [
    ['unplug'],
    ['plug'],
    ['hangup'],
    ['ready'],
    ['stats'],
    ['silence', '1'],
    ['signal', '-70'],
    ['network', 'denied', '13'],
    ['ussd', 'hello', 'ask'],
  ] as const)
    assert.deepEqual(await sim.ctl(command, ...words, 'extra'), {
      ok: false,
      error: `${command} does not take "extra"`,
    })
  assert.ok(existsSync(join(sim.folder, 'modem')))
})

test('a wrong command names all that there are, and ctl --help explains each', async (t) => {
  const sim = await started(t, '--link', 'FOLDER/modem')
  const { error } = await sim.ctl('toString')
  const names = /^there is no command "toString": take one of (.*)$/.exec(error)?.[1]?.split(', ') ?? []
  assert.deepEqual(
    names.toSorted(),
    [
      'plug',
      'unplug',
      'hangup',
      'signal',
      'network',
      'ussd',
      'sms',
      'sim',
      'silence',
      'fault',
      'stats',
      'ready',
    ].sort(),
  )
  const help = execFileSync(process.execPath, ['--import', 'tsx', PROGRAM, 'ctl', '--help'], { encoding: 'utf8' })
  for (const name of names) assert.match(help, new RegExp(`^  (\\w+, )?${name}\\b`, 'm'))
})

test('a SIM that failed is told as such, until a card is put in', async (t) => {
  const sim = await started(t, '--link', 'FOLDER/modem', '--latency', '0')
  await sim.ctl('fault', 'sim-failed')
  assert.equal((await sim.stats()).sim.state, 'failed')
  assert.deepEqual(await sim.ctl('sim', 'insert'), { ok: true, sim: 'ready' })
  assert.equal((await sim.stats()).sim.state, 'ready')
})

test('how hotplug is announced is not made up before the first plug', async (t) => {
  const sim = await started(t, '--root', 'FOLDER', '--unplugged')
  assert.notEqual((await sim.ctl('ready')).hotplug, 'none')
  await sim.ctl('plug')
  assert.match((await sim.ctl('ready')).hotplug, /^(uevents|directory)$/)
  const bare = await started(t, '--link', 'FOLDER/modem', '--unplugged')
  assert.equal((await bare.ctl('ready')).hotplug, 'none')
})

test('the control socket answers a line for a line, whatever comes', async (t) => {
  const sim = await started(t, '--link', 'FOLDER/modem')
  assert.equal((await sim.ctl('ready')).personality, 'generic')
  assert.deepEqual(await sim.ctl('signal', '-91'), { ok: true, csq: 11 })
  assert.deepEqual(await sim.ctl('network', 'roaming'), { ok: true, network: 'roaming' })
  for (const [command, ...args] of [
    ['signal', 'loud'],
    ['network', 'mars'],
    ['silence', 'long'],
    ['silence', ''],
    ['fault', 'busy', 'after='],
    ['fault', 'nonsense'],
    ['sms', '+1'],
    ['hangup'],
    ['dance'],
  ]) {
    const answer = await sim.ctl(command!, ...args)
    assert.equal(answer.ok, false)
    assert.ok(answer.error.length > 10)
  }
  const socket = createConnection(sim.control)
  socket.write('{"command":"ready"}\nnot json\n[]\n{"command":"ready","modem":7}\n\n{"command":"ready"}\n')
  let text = ''
  for await (const chunk of socket) {
    text += chunk
    if (text.split('\n').length > 5) break
  }
  const answers = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual(
    answers.map(({ ok }) => ok),
    [true, false, false, false, true],
  )
  assert.equal(answers[1].error, 'this is no JSON: a request is a line like {"command":"signal","args":["-90"]}')
  const flood = createConnection(sim.control)
  const closed = new Promise((resolve) => flood.on('error', () => {}).on('close', resolve))
  flood.write('x'.repeat(200_000))
  await closed
  assert.equal((await sim.ctl('ready')).ok, true)
})

test('two simulators do not share a control socket', async (t) => {
  const first = await started(t, '--link', 'FOLDER/modem')
  const second = new RunningSim(t, ['--link', 'FOLDER/modem'], first.control)
  const { code, stderr } = await second.ended()
  assert.equal(code, 1)
  assert.match(stderr, /another modem-sim listens/)
  assert.deepEqual(second.leftovers(), [])
  assert.equal((await first.ctl('ready')).ok, true)
})
