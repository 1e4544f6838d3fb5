/** `mmctl sim` and `mmctl profile` against the real D-Bus service: what they say, and where secrets go. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ModemdError } from '../../src/base/errors.ts'
import { MODEM_SNAPSHOT } from '../support/fake-supervisor.ts'
import { needs } from '../support/needs.ts'
import { Keyboard } from './support/mmctl.ts'
import { scene, secretFile } from './support/scene.ts'

const has = { ...needs('dbus-daemon'), timeout: 60_000 }

test('sim status', has, async (context) => {
  const { run, json } = await scene(context)
  assert.equal(
    (await run('sim', 'status')).stdout,
    'modem           imei_356938035643809\nstatus          ready\nICCID           8901260862291477113\n' +
      'operator        Testnet\nPIN tries left  3\nPUK tries left  10\n',
  )
  assert.deepEqual((await json('sim', 'status')).document, {
    modem: MODEM_SNAPSHOT.id,
    status: 'ready',
    iccid: '8901260862291477113',
    operatorName: 'Testnet',
    pinTries: 3,
    pukTries: 10,
  })
})

test('sim unlock asks for the PIN without echo, and sends it only when it can be one', has, async (context) => {
  const { api, start } = await scene(context)
  const ask = async (keys: readonly string[]) => {
    const stdin = new Keyboard()
    const running = start(['sim', 'unlock'], { stdin })
    await running.until(/PIN for the SIM in imei_356938035643809 \(3 tries left\): /)
    assert.ok(stdin.isRaw)
    for (const key of keys) stdin.type(key)
    const ended = await running.ended
    assert.ok(!stdin.isRaw)
    assert.ok(!/12/.test(ended.stdout + ended.stderr), 'the PIN is not shown')
    return ended
  }
  assert.equal(
    (await start(['sim', 'unlock']).ended).stdout,
    'The SIM in imei_356938035643809 needs no PIN now: it is unlocked already.\n',
  )
  assert.deepEqual(api.log, [])

  api.modems[0]!.change({ state: 'locked', sim: { status: 'pin', pinTries: 3 } })
  assert.equal((await ask(['12', '9\x7f34', '\r'])).exitCode, 0)
  assert.deepEqual(api.log, ['sendPin(1234, person)'])
  assert.equal((await ask(['12345678', '9', '\r'])).exitCode, 2)
  const cancelled = await ask(['12', '\x03'])
  assert.equal(cancelled.exitCode, 130)
  assert.equal(api.log.length, 1)
  const refused = await ask(['4444\r'])
  assert.equal(refused.exitCode, 7)
  assert.match(refused.stderr, /\nmmctl: The SIM refused the PIN; 2 tries are left\.\n$/)
})

test('sim unlock from a file; where no PIN helps none is asked for', has, async (context) => {
  const { api, run } = await scene(context)
  assert.equal((await run('sim', 'unlock', '--pin-file', '/nonexistent')).exitCode, 2)
  assert.equal((await run('sim', 'unlock', '--pin-file', secretFile(context, '1234\n'))).exitCode, 0)
  assert.deepEqual(api.log, [])
  api.modems[0]!.change({ state: 'locked', sim: { status: 'pin', pinTries: 3 } })
  assert.equal((await run('sim', 'unlock', '--pin-file', secretFile(context, '1234\n'))).exitCode, 0)
  const open = await run('sim', 'unlock', '--pin-file', secretFile(context, '1234\n', 0o644))
  assert.equal(open.exitCode, 0)
  assert.match(open.stderr, /^mmctl: others can read the PIN in .*:\srun\s`chmod 600 .*`\n$/)
  assert.equal((await run('sim', 'unlock', '--pin-file', secretFile(context, '12\n'))).exitCode, 2)
  assert.equal((await run('sim', 'unlock', '--pin-file', secretFile(context, ''))).exitCode, 2)
  assert.match(
    (await run('sim', 'unlock', '--pin-file', '/nonexistent')).stderr,
    /^mmctl: there is no file \/nonexistent: give a file/,
  )
  const blind = await run('sim', 'unlock')
  assert.equal(blind.exitCode, 2)
  assert.match(blind.stderr, /no terminal to ask on: use --pin-file FILE/)
  assert.equal(api.log.length, 2)

  api.modems[0]!.change({ sim: { status: 'puk', pinTries: 0, pukTries: 10 } })
  assert.equal((await run('sim', 'unlock')).exitCode, 7)
  api.modems[0]!.change({ state: 'absent-sim', sim: { status: 'absent' } })
  assert.equal((await run('sim', 'unlock')).exitCode, 7)
  assert.equal(api.log.length, 2)
})

test('profile list, show, add, remove', has, async (context) => {
  const { api, run, json } = await scene(context)
  assert.equal(
    (await run('profile', 'list')).stdout,
    '#  NAME  APN       MODEM  AUTOCONNECT  LINK\n0  demo  internet  -      yes          idle\n',
  )
  const shown = 'name         demo\napn          internet\nautoconnect  yes\npriority     0\n'
  assert.equal((await run('profile', 'show')).stdout, shown)
  assert.deepEqual((await json('profile', 'list')).document, api.profileList)
  assert.deepEqual((await json('profile', 'show', 'dem')).document, api.profileList[0])
  assert.equal((await run('profile', 'show', 'nope')).exitCode, 4)

  const password = secretFile(context, 'p ä\nrest')
  const pin = secretFile(context, '1234')
  const added = await run(
    ...['profile', 'add', 'office', '--apn', 'office.example', '--user', 'me', '--password-file', password],
    ...['--pin-file', pin, '--no-autoconnect', '--roaming', '--set', 'mtu=1400', '--set', 'dns=none'],
  )
  assert.equal(added.stdout, 'Profile office is saved: `mmctl connect office` uses it.\n')
  assert.deepEqual(JSON.parse(/^saveProfile\((.*)\)$/.exec(api.log[0]!)![1]!), {
    name: 'office',
    apn: 'office.example',
    username: 'me',
    password: 'p ä',
    pin: '1234',
    mtu: '1400',
    dns: 'none',
    autoconnect: false,
    roaming: true,
  })
  assert.match(
    (await run('profile', 'add', 'demo')).stderr.replaceAll('\n', ' '),
    /there is a profile "demo" already: change it with `mmctl profile edit demo`/,
  )
  assert.match((await run('profile', 'add', 'x', '--set', 'pin=1234')).stderr, /must not be an argument.*--pin-file/)
  assert.equal((await run('profile', 'add', 'x', '--set', 'mtu')).exitCode, 2)
  assert.equal((await run('profile', 'remove', 'demo')).stdout, 'Profile demo is removed.\n')
  assert.deepEqual(api.log.slice(1), ['removeProfile(demo)'])

  api.profileList = [{ name: 'x', sim: '', 'dial-timeout': '1m', 'lcp-restart': '5s', 'redial.no-carrier': 'stop' }]
  assert.equal((await run('profile', 'show')).stdout, 'name          x\ndial-timeout  1m\nlcp-restart   5s\n')
  assert.match((await run('profile', 'show', '--all')).stdout, /\nredial\.no-carrier {2}stop\n/)
  const x = { name: 'x', dialTimeout: '1m', lcpRestart: '5s', redial: { noCarrier: 'stop' } }
  assert.deepEqual((await json('profile', 'show')).document, x)
  assert.deepEqual((await json('profile', 'list')).document, [x])
  api.profileList = []
  assert.match((await run('profile', 'list')).stdout, /^There is no profile; `mmctl connect` works without one\./)
  assert.equal((await run('profile', 'show')).exitCode, 4)
})

test('profile add: a key of [redial] without that before it is told its name', has, async (context) => {
  const { api, run } = await scene(context)
  api.saveProfile = async (fields) => {
    const wrong = ['busy', 'nonsense'].find((key) => key in fields)
    if (wrong) throw new ModemdError('InvalidArgs', `a profile has no key "${wrong}": see modemd.conf(5)`)
  }
  const busy = await run('profile', 'add', 'x', '--set', 'busy=7s')
  assert.deepEqual(
    [busy.exitCode, busy.stderr],
    [2, 'mmctl: busy is a key of [redial]: write --set redial.busy=VALUE\n'],
  )
  assert.match((await run('profile', 'add', 'x', '--set', 'nonsense=7s')).stderr, /has no key "nonsense": see/)
  assert.equal((await run('profile', 'add', 'x', '--set', 'redial.busy=7s')).exitCode, 0)
  assert.match((await run('profile', 'add', '--help')).stdout, /redial\.busy/)
  assert.match((await run('profile', 'show', 'nope')).stderr.replaceAll('\n', ' '), /`systemctl reload modemd`/)
})

test(
  'sim puk, change-pin, enable-pin, disable-pin: from files, and only what the SIM asks for',
  has,
  async (context) => {
    const { api, run, json } = await scene(context)
    const modem = api.modems[0]!
    const file = (text: string) => secretFile(context, `${text}\n`)
    const changed = await run('sim', 'change-pin', '--pin-file', file('1234'), '--new-pin-file', file('4321'))
    assert.deepEqual([changed.exitCode, changed.stdout], [0, `The SIM in ${MODEM_SNAPSHOT.id} has the new PIN.\n`])
    await run('sim', 'enable-pin', '--pin-file', file('1234'))
    await run('sim', 'disable-pin', '--pin-file', file('1234'), '--last-try')
    await run('sim', 'change-pin', '--pin-file', file('1234'), '--new-pin-file', file('4321'), '--last-try')
    assert.deepEqual(api.log, [
      'changePin(1234, 4321, person)',
      'enablePin(1234, true, person)',
      'enablePin(1234, false, person-last-try)',
      'changePin(1234, 4321, person-last-try)',
    ])
    assert.equal((await run('sim', 'puk', '--puk-file', file('12345678'))).exitCode, 1, 'it does not ask for it')
    assert.equal((await run('sim', 'change-pin', '--pin-file', '-', '--new-pin-file', '-')).exitCode, 2)
    assert.equal((await run('sim', 'change-pin', '--pin-file', file('1234'), '--new-pin-file', file('12'))).exitCode, 2)
    assert.equal(api.log.length, 4)

    modem.change({ state: 'locked', sim: { status: 'puk', pinTries: 0, pukTries: 9 } })
    const blocked = await run('sim', 'unlock', '--pin-file', file('1234'))
    assert.equal(blocked.exitCode, 7)
    assert.match(blocked.stderr.replace(/\s+/g, ' '), /asks for its PUK: run `mmctl sim puk`/)
    assert.equal((await run('sim', 'change-pin', '--pin-file', file('1234'))).exitCode, 7)
    assert.equal((await run('sim', 'puk', '--puk-file', file('1234567'), '--new-pin-file', file('1111'))).exitCode, 2)
    assert.equal((await run('sim', 'puk', '--puk-file', file('12345678'), '--new-pin-file', file('1111'))).exitCode, 0)
    assert.deepEqual(api.log.slice(4), ['sendPuk(12345678, 1111)'])
    const { document } = await json('sim', 'puk', '--puk-file', file('12345678'), '--new-pin-file', file('1111'))
    assert.equal((document as { status: string }).status, 'puk', 'as the modem tells it afterwards')

    modem.change({ state: 'locked', sim: { status: 'pin', pinTries: 1 } })
    assert.equal((await run('sim', 'disable-pin', '--pin-file', file('1234'))).exitCode, 7)
    assert.equal((await run('sim', 'unlock', '--pin-file', file('1234'), '--last-try')).exitCode, 0)
    assert.deepEqual(api.log.slice(6), ['sendPin(1234, person-last-try)'])
  },
)

test('a new PIN is asked for twice, without echo', has, async (context) => {
  const { api, start } = await scene(context)
  const type = async (again: string) => {
    const stdin = new Keyboard()
    const running = start(['sim', 'change-pin'], { stdin })
    await running.until(/PIN for the SIM in .* \(3 tries left\): /)
    stdin.type('1234\r')
    await running.until(/New PIN: /)
    stdin.type('8765\r')
    await running.until(/New PIN again: /)
    stdin.type(`${again}\r`)
    const ended = await running.ended
    assert.doesNotMatch(ended.stdout + ended.stderr, /1234|8765|8766/)
    return ended
  }
  const mistyped = await type('8766')
  assert.equal(mistyped.exitCode, 2)
  assert.match(mistyped.stderr, /they are not the same: nothing was sent to the SIM/)
  assert.deepEqual(api.log, [])
  assert.equal((await type('8765')).exitCode, 0)
  assert.deepEqual(api.log, ['changePin(1234, 8765, person)'])
})
