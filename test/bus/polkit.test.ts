/** polkit's part in who may do what: a stand-in for it on a bus of our own, and Debian's polkitd with our actions and rules. */

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ModemdError } from '../../src/base/errors.ts'
import { BusConnection, type IncomingCall } from '../../src/bus/connection.ts'
import { createPolkit } from '../../src/bus/polkit.ts'
import { systemClock } from '../../src/system/clock.ts'
import { needs } from '../support/needs.ts'
import { MANAGER, MemoryLogger, MODEM, serve } from './fixture.ts'
import { type PrivateBus, run, until } from './private-bus.ts'
import { asNobody, etcWithGroup, GROUP, GUARDED, MANAGER1, secondUser, systemBus } from './second-user.ts'

const POLKIT = 'org.freedesktop.PolicyKit1'
const POLKITD = '/usr/lib/polkit-1/polkitd'
const DBUS_FOLDER = fileURLToPath(new URL('../../dbus/', import.meta.url))
const WITH_POLKIT = systemBus(`<policy context="default">
    <allow own="${POLKIT}"/>
    <allow send_destination="${POLKIT}"/>
  </policy>`)

interface Question {
  readonly sender: string
  readonly action: string
  readonly flags: number
}

/** Answers as it is told, and remembers what it was asked. */
class StandIn {
  readonly asked: Question[] = []
  /** isAuthorized, isChallenge; `error`, or no answer at all. */
  verdict: readonly [boolean, boolean] | 'error' | 'silent' = [false, false]
  #connection: BusConnection | undefined

  static async start(context: TestContext, bus: PrivateBus): Promise<StandIn> {
    const standIn = new StandIn()
    standIn.#connection = await BusConnection.open(bus.address, systemClock, new MemoryLogger(), {
      onCall: (call) => standIn.#answer(call),
      onSignal: () => {},
      onLost: () => {},
    })
    context.after(() => standIn.leave())
    await standIn.#connection.callBus('RequestName', 'su', [POLKIT, 0])
    return standIn
  }

  async leave(): Promise<void> {
    await this.#connection?.close()
  }

  #answer(call: IncomingCall): void {
    assert.equal(call.member, 'CheckAuthorization')
    assert.equal(call.path, '/org/freedesktop/PolicyKit1/Authority')
    const [subject, action, , flags] = call.body as [[string, { name: { value: string } }], string, unknown, number]
    assert.equal(subject[0], 'system-bus-name')
    this.asked.push({ sender: subject[1].name.value, action, flags })
    if (this.verdict === 'silent') return
    if (this.verdict === 'error') call.fail('org.freedesktop.PolicyKit1.Error.Failed', 'Action is not registered')
    else call.reply('(bba{ss})', [[...this.verdict, {}]])
  }
}

async function scene(context: TestContext, group = `modemd:x:${GROUP}:`) {
  const etcDirectory = etcWithGroup(context, group)
  const fixture = await serve(context, { etcDirectory, isConsoleOn: () => true }, WITH_POLKIT)
  fixture.api.modems[0]!.messaging.receive({ number: 'Sender', text: 'secret' })
  const polkit = await StandIn.start(context, fixture.bus)
  const nobody = (...args: readonly string[]) =>
    asNobody(fixture.bus, '--clear-groups', '--allow-interactive-authorization=no', 'call', 'org.modemd', ...args)
  return { ...fixture, polkit, nobody }
}

test('each method asks for its action; a no is NotAuthorized', secondUser(), async (context) => {
  const { api, polkit, nobody } = await scene(context)
  api.log.length = 0
  for (const [name, calls] of Object.entries(GUARDED)) {
    for (const call of calls) {
      const { stderr } = await nobody(...call)
      const questions = polkit.asked.splice(0).map(({ action, flags }) => [action, flags])
      if (name === 'root') {
        assert.match(stderr, /Only root/, call.join(' '))
        assert.deepEqual(questions, [], call.join(' '))
      } else {
        assert.match(stderr, new RegExp(`polkit does not let you do this \\(org.modemd.${name}\\)`), call.join(' '))
        assert.deepEqual(questions, [[`org.modemd.${name}`, 0]], call.join(' '))
      }
    }
  }
  assert.deepEqual(api.log, [])
})

test('a yes lets the call through, for this action only', secondUser(), async (context) => {
  const { api, polkit, nobody } = await scene(context)
  polkit.verdict = [true, false]
  const connected = await nobody(MANAGER, MANAGER1, 'Connect', 'sa{sv}', 'demo', '0')
  assert.equal(connected.status, 0, connected.stderr)
  assert.equal((await nobody(MODEM, 'org.modemd.Ussd1', 'Cancel')).status, 0)
  assert.deepEqual(
    polkit.asked.map(({ action }) => action),
    ['org.modemd.connect', 'org.modemd.messaging'],
  )
  api.log.length = 0
  // What is root's alone is not polkit's to give.
  for (const call of GUARDED.root) assert.match((await nobody(...call)).stderr, /Only root/)
  assert.deepEqual(api.log, [])
})

test(
  'root is not asked about, and polkit may talk to the person only where the caller said so',
  secondUser(),
  async (context) => {
    const { bus, polkit } = await scene(context)
    assert.equal((await bus.busctl('call', 'org.modemd', MODEM, 'org.modemd.Modem1', 'Enable')).status, 0)
    assert.equal(polkit.asked.length, 0)
    polkit.verdict = [false, true]
    for (const [word, flags] of [
      ['no', 0],
      ['yes', 1],
    ] as const) {
      const call = ['call', 'org.modemd', MODEM, 'org.modemd.Modem1', 'Enable']
      const { stderr } = await asNobody(bus, '--clear-groups', `--allow-interactive-authorization=${word}`, ...call)
      assert.match(stderr, /polkit wants an administrator's password for org.modemd.control/)
      const questions = polkit.asked.splice(0).map((question) => [question.flags, question.sender[0]])
      assert.deepEqual(questions, [[flags, ':']])
    }
  },
)

test('one that is silent lets nobody, whatever their group', async () => {
  const askPolkit = createPolkit({
    callBus: async () => [':1.1'],
    call: () => Promise.reject(new ModemdError('Timeout', 'no answer')),
    logger: new MemoryLogger(),
  })
  assert.equal(await askPolkit(':1.5', 'org.modemd.control', false), 'no')
  assert.equal(await askPolkit(':1.5', 'org.modemd.control', true), 'challenge')
})

test('where polkit fails or leaves in the middle the group decides', secondUser(), async (context) => {
  const { bus, api, logger, polkit, nobody } = await scene(context)
  const member = (...args: readonly string[]) => asNobody(bus, `--groups=${GROUP}`, 'call', 'org.modemd', ...args)
  // Its word counts while it gives one, for members too.
  assert.match((await member(MODEM, 'org.modemd.Modem1', 'Enable')).stderr, /polkit does not let you/)
  polkit.verdict = 'error'
  assert.match((await nobody(MODEM, 'org.modemd.Modem1', 'Enable')).stderr, /members of the group modemd/)
  assert.equal((await member(MODEM, 'org.modemd.Modem1', 'Enable')).status, 0)
  assert.match((await member(MODEM, 'org.modemd.Modem1', 'Command', 'su', 'AT', '1000')).stderr, /Only root/)
  assert.match(logger.lines.join('\n'), /warn: polkit did not say/)
  polkit.verdict = 'silent'
  polkit.asked.length = 0
  const waiting = nobody(MODEM, 'org.modemd.Modem1', 'Disable')
  await until(() => polkit.asked.length === 1, 'polkit to be asked')
  await polkit.leave()
  assert.match((await waiting).stderr, /members of the group modemd/)
  assert.equal((await member(MODEM, 'org.modemd.Modem1', 'Disable')).status, 0, 'without polkit')
  assert.equal(api.log.filter((line) => line.startsWith('disable')).length <= 1, true)
})

/** Debian's polkitd with our actions and rule, and a group modemd, in a mount namespace of its own; on the bus's own address. */
async function startPolkitd(context: TestContext, bus: PrivateBus): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'modemd-polkit-'))
  context.after(() => rmSync(folder, { recursive: true }))
  spawnSync('chmod', ['755', folder])
  for (const each of ['actions', 'rules']) mkdirSync(join(folder, each))
  copyFileSync(`${DBUS_FOLDER}org.modemd.policy`, join(folder, 'actions/org.modemd.policy'))
  writeFileSync(join(folder, 'actions/resolve1.policy'), RESOLVED_ACTIONS)
  copyFileSync(`${DBUS_FOLDER}org.modemd.rules`, join(folder, 'rules/org.modemd.rules'))
  const accounts = spawnSync('getent', ['passwd'], { encoding: 'utf8' }).stdout
  writeFileSync(join(folder, 'passwd'), accounts.replace(new RegExp(`^[^:]+(:[^:]*:${DAEMON}:)`, 'm'), 'modemd$1'))
  const group = spawnSync('getent', ['group'], { encoding: 'utf8' }).stdout.replace(/^modemd:.*\n/m, '')
  writeFileSync(join(folder, 'group'), `${group}modemd:x:${GROUP}:${MEMBER_NAME}\n`)
  const mounts = [
    ['actions', '/usr/share/polkit-1/actions'],
    ['rules', '/usr/share/polkit-1/rules.d'],
    ['passwd', '/etc/passwd'],
    ['group', '/etc/group'],
  ].map(([from, to]) => `mount --bind ${folder}/${from} ${to}`)
  const script = [...mounts, `exec ${POLKITD} --no-debug`].join(' && ')
  const child = spawn('unshare', ['-m', 'sh', '-c', script], {
    env: { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: bus.address },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  context.after(async () => {
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill()
    await ended
  })
  await until(async () => (await bus.busctl('status', POLKIT)).status === 0, 'polkitd to be on the bus')
}

/** As systemd-resolved's, in short. */
const RESOLVED_ACTIONS = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE policyconfig PUBLIC "-//freedesktop//DTD PolicyKit Policy Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/PolicyKit/1/policyconfig.dtd">
<policyconfig>${['set-dns-servers', 'set-llmnr']
  .map(
    (name) => `<action id="org.freedesktop.resolve1.${name}"><description>x</description><message>x</message>
      <defaults><allow_any>auth_admin</allow_any></defaults></action>`,
  )
  .join('')}</policyconfig>`

/** Of an account that is everywhere: the bus takes nobody whom it cannot look up. */
const MEMBER_NAME = 'daemon'
const MEMBER = 1
/** Likewise; polkitd takes it for the user modemd. */
const DAEMON = 2

function realPolkit(): { skip?: string } {
  const missing = secondUser()
  return missing.skip ? missing : needs('polkitd', 'pkaction')
}

test("Debian's polkitd reads our actions and rule", realPolkit(), async (context) => {
  const etcDirectory = etcWithGroup(context, `modemd:x:${GROUP}:`)
  const { bus, api, logger } = await serve(context, { etcDirectory, isConsoleOn: () => true }, WITH_POLKIT)
  await startPolkitd(context, bus)
  const as = (uid: number, ...call: readonly string[]) =>
    run('setpriv', [
      ...['--reuid', `${uid}`, '--regid', `${uid}`, '--clear-groups', 'busctl', `--address=${bus.address}`],
      ...['--allow-interactive-authorization=no', 'call', 'org.modemd', ...call],
    ])
  const nobody = (...call: readonly string[]) => as(65_534, ...call)
  const actions = await run('env', [`DBUS_SYSTEM_BUS_ADDRESS=${bus.address}`, 'pkaction', '--verbose'])
  const active = [...actions.stdout.matchAll(/^(org\.modemd\.\S+):[\s\S]*?implicit active:\s+(\S+)/gm)]
  assert.deepEqual(
    active.map(([, action, word]) => `${action} ${word}`).sort(),
    [
      'org.modemd.at-console auth_admin_keep',
      'org.modemd.connect yes',
      'org.modemd.control auth_admin_keep',
      'org.modemd.messaging yes',
    ],
    actions.stderr,
  )
  // The daemon as its own user may ask about others, another service may not.
  const names = (await bus.busctl('status', 'org.modemd')).stdout
  const service = /^UniqueName=(\S+)/m.exec(names)?.[1] ?? ''
  const ask = (uid: number, action: string, subject: string) => {
    const question = `exec pkcheck --action-id ${action} ${subject}`
    const user = ['--reuid', `${uid}`, '--regid', `${uid}`, '--clear-groups']
    return run('setpriv', [...user, 'env', `DBUS_SYSTEM_BUS_ADDRESS=${bus.address}`, 'sh', '-c', question])
  }
  const another = `--system-bus-name ${service}`
  assert.equal((await ask(DAEMON, 'org.modemd.connect', another)).status, 0)
  assert.match((await ask(MEMBER, 'org.modemd.connect', another)).stderr, /Only trusted callers/)
  // It tells systemd-resolved of name servers, and no more.
  assert.equal((await ask(DAEMON, 'org.freedesktop.resolve1.set-dns-servers', '--process $$')).status, 0)
  assert.notEqual((await ask(DAEMON, 'org.freedesktop.resolve1.set-llmnr', '--process $$')).status, 0)
  assert.notEqual((await ask(MEMBER, 'org.freedesktop.resolve1.set-dns-servers', '--process $$')).status, 0)
  // Not at the console, not in the group: nobody may without a password.
  for (const name of ['connect', 'messaging', 'control', 'at-console'] as const) {
    const { stderr } = await nobody(...GUARDED[name][0]!)
    assert.match(stderr, new RegExp(`administrator's password for org.modemd.${name}`))
  }
  assert.deepEqual(api.log, [])
  const enabled = await as(MEMBER, MODEM, 'org.modemd.Modem1', 'Enable')
  assert.equal(enabled.status, 0, enabled.stderr)
  assert.equal((await as(MEMBER, MODEM, 'org.modemd.Ussd1', 'Cancel')).status, 0)
  assert.match((await as(MEMBER, ...GUARDED['at-console'][0]!)).stderr, /org.modemd.at-console/)
  assert.match((await as(MEMBER, ...GUARDED.root[0]!)).stderr, /Only root/)
  assert.doesNotMatch(logger.lines.join('\n'), /polkit did not say/)
})
