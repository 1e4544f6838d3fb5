/** `mmctl connect` against the real D-Bus service: its progress, its end in every way, and what it asks for. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ModemdError } from '../../src/base/errors.ts'
import { serve } from '../bus/fixture.ts'
import { type FakeLink, LINK_UP } from '../support/fake-supervisor.ts'
import { needs } from '../support/needs.ts'
import { Running } from './support/mmctl.ts'
import { at, SECOND, scene, secretFile } from './support/scene.ts'

const has = { ...needs('dbus-daemon'), timeout: 60_000 }
const { phaseMs: ALL_PHASES = {} } = LINK_UP

/** Until the service has told of a change: one more turn than the publisher's. */
const published = () => new Promise((resolve) => setTimeout(resolve, 20))

async function comeUp(link: FakeLink): Promise<void> {
  link.change({ state: 'dialling', phaseMs: { modem: 1, sim: 2, network: 350 } })
  await published()
  link.change({ state: 'connecting', report: 'CONNECT 150000000', phaseMs: { ...link.snapshot.phaseMs, dial: 120 } })
  await published()
  link.change(LINK_UP)
}

test('without a terminal: a line a phase, then interface, address and name servers', has, async (context) => {
  const { api, address } = await scene(context)
  const running = new Running(['connect', 'demo'], { address })
  await dialled(api.log)
  await comeUp(api.links[0]!)
  const { exitCode, stdout, stderr } = await running.ended
  assert.deepEqual([exitCode, stderr], [0, ''])
  assert.equal(
    stdout.replace(/ in \d+\.\d\d s/, ' in 0.12 s'),
    `  modem    E173 (imei_356938035643809)                         0.00 s
  SIM      ready                                               0.00 s
  network  Testnet, home, LTE                                  0.35 s
  dial     CONNECT 150000000                                   0.12 s
  LCP      engine builtin                                      0.03 s
  auth     accepted                                            0.02 s
  address  10.64.0.2                                           0.01 s
demo is up on ppp0 in 0.12 s.
  address  10.64.0.2/32, peer 10.64.64.64
  DNS      10.11.12.13, 10.11.12.14
  speed    150 Mbit/s
`,
  )
})

test('on a terminal the running phase is redrawn in its line, within the width', has, async (context) => {
  const { api, address } = await scene(context)
  const running = new Running(['connect'], { address, columns: 60 })
  await dialled(api.log)
  await running.until(/\r\x1b\[K\x1b\[2m {2}modem .*0\.\d\d s/)
  api.links[0]!.change({ phaseMs: { modem: 1, sim: 2, network: 350 } })
  await running.until(/\r\x1b\[K\x1b\[2m {2}dial /)
  api.links[0]!.change(LINK_UP)
  const { stdout, exitCode } = await running.ended
  assert.equal(exitCode, 0)
  const shown = screen(stdout)
  assert.deepEqual(
    shown.slice(0, 8).map((line) => line.trim().split(/\s/)[0]),
    ['modem', 'SIM', 'network', 'dial', 'LCP', 'auth', 'address', 'demo'],
  )
  assert.ok(
    shown.every((line) => line.length < 60),
    shown.join('\n'),
  )
})

test('phases of an earlier attempt are not shown, a passed phase gets no line', has, async (context) => {
  const { api, address } = await scene(context)
  const [link] = api.links
  link!.change({ state: 'waiting', phaseMs: ALL_PHASES, nextAttemptAtUs: 1n })
  api.connect = async () => {
    link!.change({ attempts: 0 })
    await published()
    link!.change({ state: 'waiting', phaseMs: {}, nextAttemptAtUs: 0n, attempts: 1 })
    return link!
  }
  const running = new Running(['connect', 'demo'], { address })
  await new Promise<void>((resolve) => link!.onChange((next) => next.attempts === 1 && resolve()))
  await published()
  link!.change({ ...LINK_UP, phaseMs: { modem: 1, sim: 2, network: 3, dial: 4, lcp: 5, address: 6 } })
  const { stdout } = await running.ended
  assert.deepEqual(
    stdout
      .split('\n')
      .slice(0, 6)
      .map((line) => line.trim().split(/\s/)[0]),
    ['modem', 'SIM', 'network', 'dial', 'LCP', 'address'],
  )
})

test('a link that is up is told, not dialled again', has, async (context) => {
  const { api, run, json } = await scene(context)
  api.links[0]!.change(LINK_UP)
  const { stdout, exitCode } = await run('connect')
  assert.deepEqual([exitCode, stdout.split('\n')[0]], [0, 'demo is up already on ppp0.'])
  assert.equal(at((await json('connect', 'demo')).document, 'ip4.address'), '10.64.0.2')
  assert.deepEqual(api.log, [])

  const other = await run('connect', 'demo', '--apn', 'other', '--ip', '4')
  assert.equal(other.exitCode, 1)
  assert.equal(
    other.stderr.replaceAll('\n', ' '),
    'mmctl: demo is up already on ppp0, and --apn, --ip were not used: run `mmctl disconnect demo` first ',
  )
  assert.equal((await run('connect', 'demo', '--apn', 'o"o')).exitCode, 2)
  assert.equal((await run('connect', 'demo', '--no-wait', '--user', 'me')).exitCode, 1)
  assert.deepEqual(api.log, [])
})

test(
  'the phase that failed is that of the cause, also where an attempt ends as the last one did',
  has,
  async (context) => {
    const { api, address } = await scene(context)
    const [link] = api.links
    const failed = { state: 'failed', modem: undefined, phaseMs: { modem: 1, sim: 2 } } as const
    const failures = [
      ['registration-denied', /^ {2}modem {4}E173 \(.*\n {2}SIM .*\n {2}network {2}failed /],
      ['roaming-forbidden', /^ {2}modem .*\n {2}SIM .*\n {2}network {2}failed /],
      ['no-carrier', /^ {2}modem .*\n {2}SIM .*\n {2}dial {5}failed /],
      ['engine-missing', /^ {2}modem .*\n {2}SIM .*ready .*\n$/],
    ] as const
    for (const [cause, expected] of failures) {
      link!.change({ ...failed, cause, causeDetail: 'seen' })
      await published()
      link!.settled = async () => {
        throw new ModemdError('NoNetwork', `seen (${cause}): Do something.`, cause)
      }
      api.connect = async () => {
        link!.change({ state: 'waiting', phaseMs: {} })
        link!.change({ phaseMs: { modem: 1 }, modem: api.modems[0]!.snapshot.id })
        link!.change({ ...failed, cause, causeDetail: 'seen' })
        return link!
      }
      const { stdout, stderr } = await new Running(['connect', 'demo'], { address }).ended
      assert.match(stdout, expected, cause)
      assert.match(stderr, cause === 'engine-missing' ? /demo was not started: seen/ : /demo did not connect: seen/)
    }
  },
)

test('--json says one document at the end', has, async (context) => {
  const { api, json } = await scene(context)
  const running = json('connect', 'demo')
  await dialled(api.log)
  await comeUp(api.links[0]!)
  const { document } = await running
  assert.deepEqual(
    ['id', 'state', 'interface', 'phaseMs.dial', 'report'].map((path) => at(document, path)),
    ['demo', 'up', 'ppp0', 120, 'CONNECT 150000000'],
  )
})

test(
  'a failure says what was seen, what it means and what to do; its exit code is of the cause',
  has,
  async (context) => {
    const { api, address, json } = await scene(context)
    const [link] = api.links
    link!.settled = async () => {
      throw new ModemdError('AuthFailed', 'Authentication-Nak "no" (auth-refused): Correct `password`.', 'auth-refused')
    }
    api.connect = async () => {
      link!.change({ state: 'dialling', phaseMs: { modem: 1 } })
      await published()
      link!.change({ state: 'authenticating' })
      await published()
      link!.change({ state: 'failed', cause: 'auth-refused', causeDetail: 'Authentication-Nak "no"' })
      return link!
    }
    const { exitCode, stdout, stderr } = await new Running(['connect', 'demo'], { address }).ended
    assert.equal(exitCode, 10)
    assert.match(stdout, /^ {2}modem .*\n {2}auth {5}failed +0\.\d\d s\n$/)
    assert.equal(
      stderr,
      'mmctl: demo did not connect: Authentication-Nak "no" (auth-refused): Correct `password`.\n' +
        '  It means: The other side refused the user name or the password.\n',
    )
    const { document } = await json('connect', 'demo')
    assert.deepEqual(document, {
      error: {
        name: 'org.modemd.Error.AuthFailed',
        message: 'demo did not connect: Authentication-Nak "no" (auth-refused): Correct `password`.',
        cause: 'auth-refused',
      },
    })
  },
)

test('a refusal before anything moved is not blamed on an old cause', has, async (context) => {
  const { api, run } = await scene(context)
  api.links[0]!.change({ state: 'failed', cause: 'busy' })
  api.connect = async () => {
    throw new ModemdError('Busy', 'The modem is used by the link office: end that first.')
  }
  const { exitCode, stdout, stderr } = await run('connect')
  assert.deepEqual([exitCode, stderr], [1, 'mmctl: The modem is used by the link office: end that first.\n'])
  assert.doesNotMatch(stdout, /failed/)
})

test('interrupted, it stops what it started', has, async (context) => {
  const { api, start } = await scene(context)
  const running = start(['connect', 'demo'])
  await dialled(api.log)
  await running.until(/modem/)
  running.interrupt()
  const { exitCode, stderr } = await running.ended
  assert.deepEqual([exitCode, stderr], [130, 'mmctl: interrupted: demo was stopped\n'])
  assert.deepEqual(api.log.slice(-2), ['disconnect(demo)', 'down(demo)'])
  assert.ok(running.stdout.endsWith('\r\x1b[K'), 'the line of the running phase is cleared')
})

test(
  'interrupted, it leaves alone what was on its way before; a second interrupt does not wait',
  has,
  async (context) => {
    const { api, start } = await scene(context)
    const [link] = api.links
    link!.change({ state: 'dialling' })
    const first = start(['connect', 'demo'])
    await dialled(api.log)
    first.interrupt()
    assert.deepEqual(
      [(await first.ended).exitCode, (await first.ended).stderr],
      [130, 'mmctl: interrupted: demo goes on, as it did before\n'],
    )
    assert.ok(!api.log.includes('disconnect(demo)'))

    link!.change({ state: 'idle' })
    const asked = new Promise<void>((resolve) => {
      api.disconnect = () => {
        resolve()
        return new Promise(() => {})
      }
    })
    const second = start(['connect', 'demo'])
    await dialled(api.log, 2)
    second.interrupt()
    await asked
    second.interrupt()
    assert.equal((await second.ended).exitCode, 130)
  },
)

test('--timeout gives up, stops the link and ends with 6', has, async (context) => {
  const { api, run, json } = await scene(context)
  const { exitCode, stderr } = await run('connect', 'demo', '--timeout', '0.05')
  assert.equal(exitCode, 6)
  assert.equal(
    stderr,
    'mmctl: demo is not up after 0.05 s (dialling): it was stopped;\n`mmctl connect --timeout` gives it more time\n',
  )
  assert.ok(api.log.includes('down(demo)'))
  const { document } = await json('connect', 'demo', '--timeout', '0.05')
  assert.equal(at(document, 'error.name'), 'org.modemd.Error.Timeout')

  api.connect = async () => {
    api.links[0]!.change({ state: 'waiting' })
    return api.links[0]!
  }
  api.modems[0]!.change({ state: 'locked', sim: { status: 'pin' } })
  const locked = await json('connect', 'demo', '--timeout', '0.05')
  assert.match(String(at(locked.document, 'error.message')), /not up after 0\.05 s \(the modem is locked\)/)
  assert.equal(at(locked.document, 'error.cause'), 'sim-pin')
  api.removeModem(api.modems[0]!)
  const alone = await run('connect', 'demo', '--timeout', '0.05')
  assert.match(alone.stdout, /^Waiting for a modem: plug one in\.\n/)
  assert.match(alone.stderr, /not up after 0\.05 s \(no modem is there\)/)
})

test('--timeout: what fails by modemd’s own limit is late, too, and keeps its cause', has, async (context) => {
  const { api, run, json } = await scene(context)
  const [link] = api.links
  const failsAfter = (ms: number, state: 'failed' | 'waiting' = 'failed') => {
    api.connect = async () => {
      link!.change({ state: 'waiting', phaseMs: { modem: 1, sim: 2 } })
      return link!
    }
    link!.settled = async () => {
      await new Promise((resolve) => setTimeout(resolve, ms))
      const nextAttemptAtUs = state === 'waiting' ? BigInt(Date.now() + 60_000) * 1000n : 0n
      link!.change({ state, cause: 'no-network', causeDetail: 'no network', attempts: 1, nextAttemptAtUs })
      throw new ModemdError('NoNetwork', 'no network (no-network): Check the antenna.', 'no-network')
    }
  }
  failsAfter(1100)
  const late = await run('connect', 'demo', '--timeout', '1')
  assert.equal(late.exitCode, 6)
  assert.match(screen(late.stdout).at(-1)!, /^ {2}network {2}failed +1\.\d\d s$/)
  assert.equal(
    late.stderr.replaceAll('\n', ' '),
    'mmctl: demo is not up after 1 s (no-network: no network): `mmctl connect --timeout` gives it more time ',
  )
  assert.ok(!api.log.includes('disconnect(demo)'), 'it has ended by itself, and `why` can tell')
  const { document, exitCode } = await json('connect', 'demo', '--timeout', '1')
  assert.deepEqual(
    [exitCode, at(document, 'error.name'), at(document, 'error.cause')],
    [6, 'org.modemd.Error.Timeout', 'no-network'],
  )
  failsAfter(1100, 'waiting')
  link!.change({ state: 'idle', nextAttemptAtUs: 0n })
  const stopped = await run('connect', 'demo', '--timeout', '1')
  assert.match(stopped.stderr, /it was stopped;\s`mmctl connect --timeout`/)
  assert.ok(api.log.includes('disconnect(demo)'), 'what would be dialled again does not go on')
  failsAfter(100)
  link!.change({ state: 'idle' })
  assert.equal((await run('connect', 'demo', '--timeout', '1')).exitCode, 8, 'before its time it failed')
})

test('a port that another program has is told instead of a missing modem', has, async (context) => {
  const { api, run, json } = await scene(context)
  api.removeModem(api.modems[0]!)
  api.connect = async () => {
    api.links[0]!.change({ state: 'waiting' })
    return api.links[0]!
  }
  const connect = () => run('connect', 'demo', '--timeout', '0.05')
  const [arduino, port] = api.ports
  const held = { ...port!, modem: undefined, role: 'ignored', owner: 'sleep (process 812)' } as const
  const free = { ...held, owner: '' }
  const says = async (ports: typeof api.ports, what: RegExp) => {
    api.ports = [arduino!, ...ports]
    const { stdout, stderr } = await connect()
    assert.match(stdout, new RegExp(`^Waiting for a modem: ${what.source}\\.\n`))
    return stderr.replaceAll('\n', ' ')
  }
  assert.match(
    await says([free, held], /sleep \(process 812\) has \/dev\/ttyUSB2/),
    /0\.05 s \(sleep \(process 812\) has \/dev\/ttyUSB2\)/,
  )
  assert.equal(at((await json('connect', 'demo', '--timeout', '0.05')).document, 'error.cause'), 'port-busy')
  const inhibited = 'let go of because another program asked for it (`mmctl inhibit`)'
  await says(
    [{ ...free, isTaken: false, reason: inhibited }],
    /\/dev\/ttyUSB2 is let go of for another program \(`mmctl inhibit`\)/,
  )
  const managed = 'port-busy (ModemManager): ModemManager runs and takes every modem: stop it'
  await says([{ ...free, owner: 'ModemManager', isTaken: false, reason: managed }], /ModemManager has \/dev\/ttyUSB2/)
  for (const ports of [[free], [{ ...held, owner: 'modemd (probe)' }], [{ ...held, role: 'diag' as const }]])
    assert.match(await says(ports, /plug one in/), /\(no modem is there\)/)
})

test('modemd dies: the phase that was running failed, no earlier one', has, async (context) => {
  const { api, bus, service } = await serve(context)
  const running = new Running(['connect', 'demo'], { address: bus.address })
  await dialled(api.log)
  api.links[0]!.change({ phaseMs: { modem: 1, sim: 2 } })
  await running.until(/SIM/)
  await service.close()
  const { stdout, exitCode } = await running.ended
  assert.equal(exitCode, 3)
  assert.doesNotMatch(stdout, /modem +failed/)
  assert.match(stdout, /\n {2}(network|dial) +failed +\d/)
})

test('--no-wait returns at once', has, async (context) => {
  const { api, run, json } = await scene(context)
  assert.match((await run('connect', '--no-wait')).stdout, /^demo is being connected: /)
  assert.equal(at((await json('connect', 'demo', '--no-wait')).document, 'state'), 'dialling')
  assert.deepEqual(api.log, ['connect(demo, {})', 'connect(demo, {})'])
})

test('options go to modemd, secrets by file', has, async (context) => {
  const { api, run } = await scene(context)
  const [password, pin] = [secretFile(context, 'geheim\n'), secretFile(context, '1234\n')]
  const options = ['--apn', 'a.b', '--user', 'u', '--password-file', password, '--pin-file', pin, '--number', '*99#']
  await run('connect', 'demo', '--no-wait', ...options, '--ip', '4', '--engine', 'builtin', '--timeout', '30')
  const expected = {
    apn: 'a.b',
    user: 'u',
    number: '*99#',
    ip: '4',
    engine: 'builtin',
    password: 'geheim',
    pin: '1234',
  }
  const [, profile, said] = /^connect\((\w*), (.*)\)$/.exec(api.log[0]!)!
  assert.equal(profile, 'demo')
  assert.deepEqual(JSON.parse(said!), { ...expected, timeout: 30_000 })
  assert.equal((await run('connect', '--pin-file', secretFile(context, 'x'))).exitCode, 2)
  assert.equal((await run('connect', '--apn', 'a"b', '--no-wait')).exitCode, 2)
})

test('without a profile the link is `manual`, through the modem that is named', has, async (context) => {
  const { api, run, start } = await scene(context)
  assert.match((await run('connect', '--modem', '0', '--no-wait')).stdout, /^manual is being connected/)
  assert.match(api.log[0]!, /^connect\(, \{"modem":"imei_356938035643809"\}\)$/)
  const unread = await run('connect', 'nope')
  assert.equal(unread.exitCode, 4)
  assert.match(unread.stderr.replaceAll('\n', ' '), /a new file is read with `systemctl reload modemd`, `mmctl doctor`/)
  assert.equal((await run('connect', '--modem', 'nope')).exitCode, 4)

  api.addLink({ id: 'office', profile: 'office' })
  assert.match((await run('connect')).stderr, /several profiles: name one of demo, office/)
  for (const link of [...api.links]) api.removeLink(link)
  const running = start(['connect'])
  await dialled(api.log, 2)
  await running.until(/modem/)
  api.links[0]!.change(LINK_UP)
  assert.match((await running.ended).stdout, /manual is up on ppp0/)
})

test('a profile and --modem: connected where modemd can take no other modem, else told', has, async (context) => {
  const { api, run } = await scene(context)
  const connect = (...more: string[]) => run('connect', 'demo', '--modem', '0', '--no-wait', ...more)
  assert.match((await connect()).stdout, /^demo is being connected/)
  assert.deepEqual(api.log, ['connect(demo, {})'])
  api.links[0]!.change(LINK_UP)
  assert.equal((await connect()).stdout.split('\n')[0], 'demo is up already on ppp0.')
  api.links[0]!.change({ state: 'idle', modem: undefined })
  api.log.length = 0

  const { id } = api.modems[0]!.snapshot
  const second = api.addModem({ ...SECOND, sim: { ...SECOND.sim } })
  const profile = { name: 'demo', apn: 'internet', sim: '' }
  for (const modem of [id, 'imei:356938035643809', 'usb:1-2', 'tty:ttyUSB2', 'tty:/dev/ttyUSB0']) {
    api.profileList = [{ ...profile, modem }]
    assert.equal((await connect()).exitCode, 0, modem)
    api.links[0]!.change({ state: 'idle' })
  }
  api.profileList = [{ ...profile, modem: 'any', sim: `${api.modems[0]!.snapshot.sim.iccid}F` }]
  assert.equal((await connect()).exitCode, 2, 'the SIM of the other one is not read yet')
  second.change({ sim: { ...SECOND.sim, iccid: '8949000000000000000' } })
  await published()
  assert.equal((await connect()).exitCode, 0)
  api.links[0]!.change({ state: 'idle' })
  api.log.length = 0

  api.profileList = [{ ...profile, modem: 'usb:1-3' }]
  const other = await connect()
  assert.equal(other.exitCode, 2)
  assert.equal(
    other.stderr.replaceAll('\n', ' '),
    `mmctl: the profile demo takes usb:1-3, which ${id} is not: set \`modem = ${id}\` in it (\`mmctl profile edit demo\`), or leave --modem or PROFILE out `,
  )
  api.profileList = [{ ...profile, modem: 'any' }]
  const either = await connect()
  assert.equal(either.exitCode, 2)
  assert.match(either.stderr.replaceAll('\n', ' '), /may take imei_356938035643809 or usb_1_3, and modemd chooses: set/)
  assert.deepEqual(api.log, [])
})

/** Connect has come `times` times. */
async function dialled(log: readonly string[], times = 1): Promise<void> {
  while (log.filter((call) => call.startsWith('connect(')).length < times) await published()
}

/** What a terminal shows in the end: lines redrawn in place are their last version. */
function screen(output: string): string[] {
  return output
    .split('\n')
    .map((line) =>
      line
        .split('\r\x1b[K')
        .at(-1)!
        .replace(/\x1b\[[0-9;]*m/g, ''),
    )
    .filter((line) => line !== '')
}
