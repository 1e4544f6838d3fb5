/** Commands that read and switch, against the real D-Bus service: their text at 80 columns, --json, exit codes. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ModemdError } from '../../src/base/errors.ts'
import { LINK_UP, MODEM_SNAPSHOT } from '../support/fake-supervisor.ts'
import { needs } from '../support/needs.ts'
import { mmctl, Running } from './support/mmctl.ts'
import { at, list, SECOND, scene, secretFile } from './support/scene.ts'

const has = { ...needs('dbus-daemon'), timeout: 60_000 }

test('list', has, async (context) => {
  const { api, run, json } = await scene(context)
  assert.deepEqual(await run('list'), {
    exitCode: 0,
    stdout:
      '#  ID                    MODEL  STATE       OPERATOR  TECH  SIGNAL  LINK\n' +
      '0  imei_356938035643809  E173   registered  Testnet   LTE   64%     -\n',
    stderr: '',
  })

  api.addModem({ ...SECOND })
  api.links[0]!.change(LINK_UP)
  const { stdout } = await run('list')
  assert.equal(
    stdout,
    '#  ID                    MODEL          STATE       OPERATOR  TECH  SIGNAL  LINK\n' +
      '0  imei_356938035643809  E173           registered  Testnet   LTE   64%     demo\n' +
      '1  usb_1_3               MC7455 with …  locked      -         -     -       -\n',
  )
  assert.ok(stdout.split('\n').every((line) => line.length <= 80))

  const { document } = await json('list')
  assert.equal(list(document).length, 2)
  const paths = ['0.id', '0.signalQuality', '0.signalDbm', '0.accessTechnologies', '0.links', '0.ports.1']
  assert.deepEqual(
    paths.map((path) => at(document, path)),
    [MODEM_SNAPSHOT.id, 64, -71, ['lte'], ['demo'], { name: '/dev/ttyUSB2', role: 'at', owner: 'modemd (at)' }],
  )
  assert.equal(at(document, '1.signalQuality'), undefined)
})

const NO_MODEM = 'No modem is here: `mmctl doctor` looks for what is in the way.\n'

test('list without a modem', has, async (context) => {
  const { api, run, json } = await scene(context)
  api.removeModem(api.modems[0]!)
  assert.deepEqual(await run('list'), { exitCode: 0, stdout: NO_MODEM, stderr: '' })
  assert.deepEqual((await json('list')).document, [])
  assert.match(
    (await run('scan')).stderr.replaceAll('\n', ' '),
    /plug one in, or wait some seconds for one that restarts/,
  )
})

test('status', has, async (context) => {
  const { api, run, json } = await scene(context)
  api.links[0]!.change({ ...LINK_UP, upSinceUs: BigInt(Date.now() - 90_000) * 1000n })
  const { stdout, exitCode } = await run('status')
  assert.equal(exitCode, 0)
  assert.equal(
    stdout.replace(/up for {7}.*/, 'up for       1 min 30 s'),
    `modemd   0.1.0
engines  builtin: usable
         kernel: there is no /dev/ppp

Modem 0: huawei E173 (imei_356938035643809)
  state        registered
  IMEI         356938035643809
  revision     11.126.15.00.24
  own numbers  +491701234567
  device       /sys/devices/pci0000:00/0000:00:14.0/usb1/1-2
  driver       option
  power        on
  ports        /dev/ttyUSB0  data
               /dev/ttyUSB2  at    modemd (at)
  SIM
    status          ready
    ICCID           8901260862291477113
    operator        Testnet
    PIN tries left  3
    PUK tries left  10
  Network
    registration  home
    operator      Testnet (26201)
    technology    LTE
  Signal
    level       -71 dBm
    quality     64 %
    technology  LTE
    RSSI        -71 dBm
    RSRP        -99.5 dBm
    source      +CSQ

Link demo
  state         up
  up for       1 min 30 s
  modem         imei_356938035643809
  interface     ppp0
  engine        builtin
  address       10.64.0.2/32, peer 10.64.64.64
  DNS           10.11.12.13, 10.11.12.14
  MTU           1500
  connected by  CONNECT 150000000
  speed         150 Mbit/s
  received      5 GB
  sent          9223372 TB
  used          7.3 GB of 10 GB in 2026-11
`,
  )

  const all = await json('status')
  assert.deepEqual(Object.keys(all.document as object), ['modems', 'links'])
  const keys = ['id', 'profile', 'modem', 'connectSpeed', 'ip4.dns', 'rxBytes', 'txBytes']
  assert.deepEqual(
    keys.map((key) => at(all.document, `links.0.${key}`)),
    ['demo', 'demo', MODEM_SNAPSHOT.id, 150_000_000, ['10.11.12.13', '10.11.12.14'], 5e9, '9223372036854775808'],
  )
  const { document } = await json('status', '0')
  assert.deepEqual(
    ['id', 'sim.pinTries', 'signal.rsrp'].map((key) => at(document, key)),
    [MODEM_SNAPSHOT.id, 3, -99.5],
  )
})

test('a modem is named by id, index, IMEI, tty or a part', has, async (context) => {
  const { api, run, json } = await scene(context)
  api.addModem({ ...SECOND, sim: { ...SECOND.sim } })
  const idFor = async (name: string) => at((await json('status', name)).document, 'id')
  for (const name of ['0', MODEM_SNAPSHOT.id, '356938035643809', '/dev/ttyUSB2', 'ttyUSB0', '56938', 'e173'])
    assert.equal(await idFor(name), MODEM_SNAPSHOT.id, name)
  for (const name of ['1', 'usb_1_3', 'ttyUSB4', 'MC7455']) assert.equal(await idFor(name), 'usb_1_3', name)

  const unknown = await run('status', 'nope')
  assert.deepEqual([unknown.exitCode, unknown.stdout], [4, ''])
  assert.equal(unknown.stderr, 'mmctl: there is no modem "nope": `mmctl list` shows those that are here\n')
  assert.match((await run('status', 'demo')).stderr, /^mmctl: there is no modem "demo", that is a link: /)
  // A number that is off by one is no part of an IMEI.
  for (const name of ['7', '17']) assert.equal((await run('signal', name)).exitCode, 4, name)
  assert.equal(await idFor('3569'), MODEM_SNAPSHOT.id)
  assert.equal(await idFor('us'), 'usb_1_3')
  assert.equal((await run('signal', 'i')).exitCode, 2)
  api.addModem({ ...SECOND, id: 'usb_1_4', sim: { ...SECOND.sim } })
  const ambiguous = await run('status', 'usb_1')
  assert.equal(ambiguous.exitCode, 2)
  assert.match(ambiguous.stderr, /^mmctl: "usb_1" may be usb_1_3 or usb_1_4: /)
  api.removeModem(api.modems[2]!)
  const left = await run('signal')
  assert.equal(left.exitCode, 2)
  assert.match(left.stderr, /several modems: name one of imei_356938035643809, usb_1_3/)

  const { exitCode, document } = await json('status', '7777')
  assert.equal(exitCode, 4)
  assert.deepEqual(document, {
    error: {
      name: 'org.modemd.Error.NotFound',
      message: 'there is no modem "7777": `mmctl list` shows those that are here',
    },
  })
})

test('signal', has, async (context) => {
  const { api, run, json } = await scene(context)
  assert.equal(
    (await run('signal')).stdout,
    'level       -71 dBm\nquality     64 %\ntechnology  LTE\nRSSI        -71 dBm\nRSRP        -99.5 dBm\nsource      +CSQ\n',
  )
  assert.deepEqual((await json('signal')).document, {
    id: MODEM_SNAPSHOT.id,
    signalQuality: 64,
    signalDbm: -71,
    accessTechnologies: ['lte'],
    technology: 'lte',
    rssi: -71,
    rsrp: -99.5,
    at: 1_700_000_000_000_000,
    source: '+CSQ',
  })
  api.modems[0]!.change({ ...SECOND, id: MODEM_SNAPSHOT.id })
  assert.equal((await run('signal')).stdout, 'The signal of imei_356938035643809 is not known (locked).\n')
})

test('signal --watch draws a chart, asks for quick polls and takes them back', has, async (context) => {
  const { api, start } = await scene(context)
  const watching = start(['signal', '--watch'])
  await watching.until(/-71 dBm {2}64 % {2}LTE/)
  assert.match(watching.stdout, /E173 imei_356938035643809\n/)
  assert.match(watching.stdout, / -51 ┤/)
  api.modems[0]!.change({ signalDbm: -51, signalQuality: 100 })
  await watching.until(/-51 dBm {2}100 %/)
  // It draws over what it drew before.
  assert.ok(watching.stdout.includes('\x1b[13A'))
  watching.interrupt()
  assert.equal((await watching.ended).exitCode, 0)
  assert.deepEqual(api.log, ['setSignalPoll(1)', 'setSignalPoll(0)'])
})

test('signal --watch without a terminal: a line, or a document, a change', has, async (context) => {
  const { api, address } = await scene(context)
  const lines = new Running(['signal', '--watch'], { address })
  const documents = new Running(['signal', '--watch', '--json'], { address })
  await Promise.all([lines.until(/-71 dBm/), documents.until(/-71/)])
  api.modems[0]!.change({ signalDbm: -73.5, signalQuality: 60 })
  await Promise.all([lines.until(/-73\.5 dBm/), documents.until(/-73\.5/)])
  api.removeModem(api.modems[0]!)
  const [text, json] = await Promise.all([lines.ended, documents.ended])
  assert.deepEqual([text.exitCode, json.exitCode], [4, 4])
  assert.match(text.stdout, /^\d\d:\d\d:\d\d {2}-71 dBm {2}64 % {2}LTE\n\d\d:\d\d:\d\d {2}-73\.5 dBm {2}60 % {2}LTE\n$/)
  assert.match(text.stderr, /^mmctl: imei_356938035643809 is gone: /)
  const [first, second, error] = json.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual([first.signalDbm, second.signalDbm], [-71, -73.5])
  assert.equal(error.error.cause, 'modem-gone')
})

test('disconnect', has, async (context) => {
  const { api, run, json } = await scene(context)
  assert.deepEqual(await run('disconnect'), { exitCode: 0, stdout: 'Nothing is connected.\n', stderr: '' })
  api.links[0]!.change(LINK_UP)
  assert.equal((await run('disconnect')).stdout, 'demo is disconnected.\n')
  assert.equal(api.links[0]!.snapshot.state, 'idle')

  api.links[0]!.change(LINK_UP)
  const office = api.addLink({ ...LINK_UP, id: 'office', profile: 'office', interface: 'ppp1' })
  assert.match((await run('disconnect')).stderr, /several links: name one of demo, office/)
  assert.equal((await run('disconnect', 'ppp1')).stdout, 'office is disconnected.\n')
  assert.equal((await run('disconnect', 'nope')).exitCode, 4)
  office.change(LINK_UP)
  const { document } = await json('disconnect', '--all')
  assert.deepEqual(
    list(at(document, 'links')).map((link) => [at(link, 'id'), at(link, 'state')]),
    [
      ['demo', 'idle'],
      ['office', 'idle'],
    ],
  )
  assert.equal(api.log.at(-3), 'disconnect(undefined)')
  assert.equal((await run('disconnect', 'demo', '--all')).exitCode, 2)
})

test('enable and disable', has, async (context) => {
  const { api, run, json } = await scene(context)
  assert.equal((await run('disable')).stdout, 'imei_356938035643809 is disabled.\n')
  assert.equal(at((await json('enable', '0')).document, 'id'), MODEM_SNAPSHOT.id)
  assert.deepEqual(api.log, ['disable()', 'enable()'])
})

test('errors of modemd become exit codes', has, async (context) => {
  const { api, run, json } = await scene(context)
  const codes = [
    ['NotAuthorized', 5],
    ['Timeout', 6],
    ['SimPin', 7, 'sim-pin'],
    ['SimPuk', 7, 'sim-puk'],
    ['SimAbsent', 7, 'sim-absent'],
    ['PinGuard', 7],
    ['NoNetwork', 8, 'no-network'],
    ['Roaming', 8, 'roaming-forbidden'],
    ['DialFailed', 9],
    ['PppFailed', 10],
    ['AuthFailed', 10],
    ['ModemGone', 4],
    ['Busy', 1],
    ['Internal', 1],
  ] as const
  for (const [code, exitCode, cause] of codes) {
    api.modems[0]!.enable = async () => {
      throw new ModemdError(code, 'It went wrong: mend it.')
    }
    assert.deepEqual(await run('enable'), { exitCode, stdout: '', stderr: 'mmctl: It went wrong: mend it.\n' }, code)
    const { document } = await json('enable')
    const error = { name: `org.modemd.Error.${code}`, message: 'It went wrong: mend it.' }
    assert.deepEqual(document, { error: cause === undefined ? error : { ...error, cause } })
  }
})

test('the cause in --json is the one that the modem names, where an error may have several', has, async (context) => {
  const { api, json } = await scene(context)
  const modem = api.modems[0]!
  const cause = async (...argv: string[]) => at((await json(...argv)).document, 'error.cause')
  const refused = (error: ModemdError) => async () => {
    throw error
  }
  modem.register = refused(new ModemdError('NoNetwork', 'The network refuses this SIM.'))
  modem.change({ state: 'searching', failure: { cause: 'registration-denied', detail: '#13' } })
  assert.equal(await cause('register'), 'registration-denied')
  modem.change({ failure: { cause: 'busy', detail: 'BUSY' } })
  assert.equal(await cause('register'), 'no-network', 'the other is about something else')
  modem.change({ failure: undefined })
  const pin = secretFile(context, '4321')
  const change = ['sim', 'change-pin', '--pin-file', pin, '--new-pin-file', pin]
  for (const [code, expected] of [
    ['SimPin', 'sim-pin-refused'],
    ['SimPuk', 'sim-puk'],
    ['PinGuard', 'sim-pin'],
  ] as const) {
    modem.changePin = refused(new ModemdError(code, 'Refused.'))
    assert.equal(await cause(...change), expected)
  }
})

test('what takes longer than half a second says that it is at work', has, async (context) => {
  const { api, run } = await scene(context)
  const modem = api.modems[0]!
  const { id } = modem.snapshot
  const slowly = () => new Promise<void>((resolve) => setTimeout(resolve, 700))
  Object.assign(modem, { enable: slowly, disable: slowly, reset: slowly, changePin: slowly })
  const pin = secretFile(context, '4321')
  const answers = await Promise.all([
    run('enable'),
    run('disable'),
    run('reset'),
    run('sim', 'change-pin', '--pin-file', pin, '--new-pin-file', pin),
  ])
  assert.deepEqual(
    answers.map(({ stderr }) => stderr),
    [
      `${id} is being enabled …\n`,
      `${id} is being disabled …\n`,
      `${id} is being restarted …\n`,
      `waiting for the SIM in ${id} …\n`,
    ],
  )
})

test('wrong usage', has, async (context) => {
  const { run, json } = await scene(context)
  for (const argv of [
    ['teleport', '0'],
    ['list', 'x', 'y'],
    ['status', '--nope'],
    ['connect', '--ip', '5'],
    ['connect', '--timeout', 'soon'],
    [],
  ])
    assert.equal((await run(...argv)).exitCode, 2, argv.join(' '))
  assert.equal(
    (await run('statsu')).stderr,
    "mmctl: unknown command 'statsu' (Did you mean status?): see `mmctl --help`\n",
  )
  const ofCommand = {
    'sim bogus': "unknown command 'bogus': see `mmctl sim --help`",
    'connect --engine warp': 'see `mmctl connect --help`',
    'connect --ip 64': 'see `mmctl connect --help`',
    'profile add': "missing required argument 'name': see `mmctl profile add --help`",
    'disconnect a --all': 'see `mmctl disconnect --help`',
  }
  for (const [line, said] of Object.entries(ofCommand)) {
    const { exitCode, stderr } = await run(...line.split(' '))
    assert.equal(exitCode, 2, line)
    assert.ok(stderr.replaceAll('\n', ' ').includes(said), stderr)
  }
  for (const group of ['sim', 'profile']) {
    const { stdout } = await run(group, '--help')
    assert.match(stdout, /Example:\n {2}mmctl[\s\S]*Exit codes:\n/)
    assert.ok(stdout.split('\n').every((line) => line.length <= 80))
  }
  const { exitCode, document } = await json('teleport')
  assert.equal(exitCode, 2)
  assert.equal(at(document, 'error.name'), 'org.modemd.Error.InvalidArgs')

  const help = await run('--help')
  assert.equal(help.exitCode, 0)
  assert.match(help.stdout, /Exit codes:\n {2}0 {2}done/)
  assert.match(help.stdout, /Example:\n/)
  assert.ok(!/\b(record|import)\b/.test(help.stdout), 'what is not there is not promised')
  assert.ok(help.stdout.split('\n').every((line) => line.length <= 80))
  assert.match((await run('profile', 'add', '--help')).stdout, /Example:\n {2}mmctl profile add internet/)
  assert.match((await run('--version')).stdout, /^\d+\.\d+\.\d+\n$/)
})

test('no command, and help about none that there is, also as JSON', async () => {
  const run = (...argv: string[]) => mmctl(argv, { address: 'unix:path=/nonexistent', columns: 80 })
  const nothing = await run()
  assert.deepEqual([nothing.exitCode, nothing.stdout], [2, ''])
  assert.match(nothing.stderr, /^Usage: mmctl /)
  for (const [argv, message] of [
    [[], 'a command is missing: see `mmctl --help`'],
    [['sim'], 'a command is missing: see `mmctl sim --help`'],
    [['help', 'bogus'], "unknown command 'bogus': see `mmctl --help`"],
    [['help', 'sim', 'bogus'], "unknown command 'sim bogus': see `mmctl --help`"],
  ] as const) {
    const { exitCode, stdout, stderr } = await run(...argv, '--json')
    assert.deepEqual([exitCode, stderr], [2, ''])
    assert.deepEqual(JSON.parse(stdout), { error: { name: 'org.modemd.Error.InvalidArgs', message } })
  }
  assert.equal((await run('help', 'bogus')).stderr, "mmctl: unknown command 'bogus': see `mmctl --help`\n")
  assert.equal((await run('help', 'sim')).exitCode, 0)
  assert.deepEqual(await run('help', 'sim', 'unlock'), await run('sim', 'unlock', '--help'))
})
