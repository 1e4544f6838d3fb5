/** Who may do what: real second users on a bus with the system bus's rules and our own policy file, and the rule itself. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createAuthoriser } from '../../src/bus/authorisation.ts'
import { variant } from '../../src/bus/signature.ts'
import { needs } from '../support/needs.ts'
import { LINK, MANAGER, MODEM, serve } from './fixture.ts'
import { type PrivateBus, type Ran, run } from './private-bus.ts'

const POLICY = fileURLToPath(new URL('../../dbus/org.modemd.conf', import.meta.url))
const MANAGER1 = 'org.modemd.Manager1'
const NOBODY = 65534
const GROUP = 54321

/** As Debian's system.conf: connect, call only what a policy opens, receive signals and replies. */
const SYSTEM_BUS = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
  <busconfig>
    <type>system</type>
    <listen>unix:tmpdir=/tmp</listen>
    <auth>EXTERNAL</auth>
    <policy context="default">
      <allow user="*"/>
      <deny own="*"/>
      <deny send_type="method_call"/>
      <allow send_type="signal"/>
      <allow send_requested_reply="true" send_type="method_return"/>
      <allow send_requested_reply="true" send_type="error"/>
      <allow receive_type="method_call"/>
      <allow receive_type="method_return"/>
      <allow receive_type="error"/>
      <allow receive_type="signal"/>
      <allow send_destination="org.freedesktop.DBus"/>
    </policy>
    <include>${POLICY}</include>
  </busconfig>`

function secondUser(): { skip?: string } {
  const missing = needs('dbus-daemon', 'busctl', 'unshare')
  if (missing.skip) return missing
  const taken = spawnSync('setpriv', ['--reuid', `${NOBODY}`, '--regid', `${NOBODY}`, '--clear-groups', 'true'])
  return taken.status === 0 ? {} : { skip: 'a second user needs root (run the tests as root)' }
}

function etcWithGroup(context: TestContext, group: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'modemd-etc-'))
  context.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'group'), `root:x:0:\n${group}\n`)
  writeFileSync(
    join(folder, 'passwd'),
    `root:x:0:0::/:/bin/sh\nkim:x:1000:1000::/:/bin/sh\nlee:x:1001:${GROUP}::/:/bin/sh\n`,
  )
  return folder
}

/** busctl as nobody, with more groups if wanted. */
function asNobody(bus: PrivateBus, groups: string, ...args: readonly string[]): Promise<Ran> {
  const user = ['--reuid', `${NOBODY}`, '--regid', `${NOBODY}`, groups]
  return run('setpriv', [...user, 'busctl', `--address=${bus.address}`, ...args])
}

test('a stranger may look, and nothing else', secondUser(), async (context) => {
  const etcDirectory = etcWithGroup(context, `modemd:x:${GROUP}:`)
  const { bus, api } = await serve(context, { etcDirectory }, SYSTEM_BUS)
  const nobody = (...args: readonly string[]) => asNobody(bus, '--clear-groups', ...args)
  const call = (path: string, ...rest: readonly string[]) => nobody('call', 'org.modemd', path, ...rest)
  const state = await nobody('get-property', 'org.modemd', MODEM, 'org.modemd.Modem1', 'State')
  assert.equal(state.stdout, 's "registered"\n', state.stderr)
  assert.equal((await nobody('introspect', 'org.modemd', LINK)).status, 0)
  assert.equal((await call(MANAGER, MANAGER1, 'Rescan')).status, 0)
  assert.equal((await call(MANAGER, MANAGER1, 'Diagnose')).status, 0)
  assert.equal((await call(MODEM, 'org.modemd.Signal1', 'History')).status, 0)
  assert.deepEqual(api.log.splice(0), ['rescan()', 'diagnose()'])

  const refused: readonly (readonly string[])[] = [
    [MANAGER, MANAGER1, 'Connect', 'sa{sv}', 'demo', '0'],
    [MANAGER, MANAGER1, 'Disconnect', 'o', '/'],
    [MANAGER, MANAGER1, 'Inhibit', 's', '/dev/ttyUSB2'],
    [MANAGER, MANAGER1, 'Release', 'u', '1'],
    [MANAGER, MANAGER1, 'ListProfiles'],
    [MANAGER, MANAGER1, 'SaveProfile', 'a{sv}', '1', 'name', 's', 'x'],
    [MANAGER, MANAGER1, 'RemoveProfile', 's', 'demo'],
    [MODEM, 'org.modemd.Modem1', 'Enable'],
    [MODEM, 'org.modemd.Modem1', 'Disable'],
    [MODEM, 'org.modemd.Modem1', 'Connect', 'a{sv}', '0'],
    [MODEM, 'org.modemd.Modem1', 'Disconnect'],
    [MODEM, 'org.modemd.Modem1', 'Scan'],
    [MODEM, 'org.modemd.Modem1', 'Register', 's', ''],
    [MODEM, 'org.modemd.Sim1', 'GetImsi'],
    [MODEM, 'org.modemd.Sim1', 'SendPin', 's', '1234'],
    [MODEM, 'org.modemd.Sim1', 'SendPuk', 'ss', '12345678', '1234'],
    [MODEM, 'org.modemd.Sim1', 'ChangePin', 'ss', '1234', '1235'],
    [MODEM, 'org.modemd.Sim1', 'EnablePin', 'sb', '1234', 'false'],
    [MODEM, 'org.modemd.Signal1', 'SetPoll', 'u', '1'],
    [MODEM, 'org.modemd.Ussd1', 'Initiate', 's', '*100#'],
    [MODEM, 'org.modemd.Ussd1', 'Respond', 's', '1'],
    [MODEM, 'org.modemd.Ussd1', 'Cancel'],
    [MODEM, 'org.modemd.Ussd1', 'LastText'],
    [MODEM, 'org.modemd.Location1', 'SetEnabled', 'b', 'true'],
    [MODEM, 'org.modemd.Location1', 'GetFix'],
    [LINK, 'org.modemd.Link1', 'Up'],
    [LINK, 'org.modemd.Link1', 'Down'],
  ]
  for (const [path, ...rest] of refused) {
    assert.match((await call(path!, ...rest)).stderr, /root and members of the group modemd/, rest.join(' '))
  }
  assert.match((await call(MODEM, 'org.modemd.Modem1', 'Reset', 'b', 'true')).stderr, /Only root/)
  assert.match((await call(MANAGER, MANAGER1, 'ReloadConfig')).stderr, /Only root/)
  assert.match(
    (await nobody('set-property', 'org.modemd', MANAGER, MANAGER1, 'Version', 's', 'x')).stderr,
    /cannot be written/,
  )
  assert.deepEqual(api.log, [])
})

test('a member of the group controls, root administers', secondUser(), async (context) => {
  const etcDirectory = etcWithGroup(context, `modemd:x:${GROUP}:`)
  const { bus, api } = await serve(context, { etcDirectory }, SYSTEM_BUS)
  api.administratorProfiles = ['scripted']
  api.profileList = [{ name: 'demo' }, { name: 'scripted' }]
  api.addLink({ id: 'scripted', profile: 'scripted' })
  const member = (path: string, ...rest: readonly string[]) =>
    asNobody(bus, `--groups=${GROUP}`, 'call', 'org.modemd', path, ...rest)
  const connected = await member(MANAGER, MANAGER1, 'Connect', 'sa{sv}', 'demo', '0')
  assert.equal(connected.stdout, `o "${LINK}"\n`, connected.stderr)
  assert.equal((await member(MODEM, 'org.modemd.Sim1', 'GetImsi')).status, 0)
  assert.equal((await member(MANAGER, MANAGER1, 'SaveProfile', 'a{sv}', '1', 'name', 's', 'x')).status, 0)
  api.log.length = 0
  const refused: readonly (readonly string[])[] = [
    [MANAGER, MANAGER1, 'Connect', 'sa{sv}', 'scripted', '0'],
    [MANAGER, MANAGER1, 'RemoveProfile', 's', 'scripted'],
    [MANAGER, MANAGER1, 'SaveProfile', 'a{sv}', '1', 'name', 's', 'scripted'],
    [MANAGER, MANAGER1, 'SaveProfile', 'a{sv}', '2', 'name', 's', 'x', 'options', 's', 'plugin x'],
    [MANAGER, MANAGER1, 'SaveProfile', 'a{sv}', '2', 'name', 's', 'x', 'chat-script', 's', '/x'],
    ['/org/modemd/link/scripted', 'org.modemd.Link1', 'Up'],
    [MODEM, 'org.modemd.Modem1', 'Reset', 'b', 'false'],
    [MANAGER, MANAGER1, 'ReloadConfig'],
  ]
  for (const [path, ...rest] of refused)
    assert.match((await member(path!, ...rest)).stderr, /Only root/, rest.join(' '))
  assert.deepEqual(api.log, [])
  assert.equal(
    (await bus.busctl('call', 'org.modemd', '/org/modemd/link/scripted', 'org.modemd.Link1', 'Up')).status,
    0,
  )
  assert.deepEqual(api.log, ['up(scripted)'])
})

test('a stranger cannot be org.modemd', secondUser(), async (context) => {
  const { bus } = await serve(context, {}, SYSTEM_BUS)
  const claim = ['call', 'org.freedesktop.DBus', '/', 'org.freedesktop.DBus', 'RequestName', 'su', 'org.modemd', '7']
  assert.match((await asNobody(bus, '--clear-groups', ...claim)).stderr, /Access denied/)
})

test('the rule', async (context) => {
  const etcDirectory = etcWithGroup(context, `modemd:x:${GROUP}:kim,other`)
  const allows = async (
    access: 'control' | 'administrator',
    uid: unknown,
    groupIds?: readonly number[],
    etc = etcDirectory,
  ) => {
    const credentials = {
      ...(uid === undefined ? {} : { UnixUserID: variant('u', uid) }),
      ...(groupIds ? { UnixGroupIDs: variant('au', groupIds) } : {}),
    }
    const authorise = createAuthoriser({ credentialsOf: async () => credentials, ownUid: 700, etcDirectory: etc })
    return authorise(':1.5', access).then(
      () => true,
      (error) => {
        assert.equal(error.code, 'NotAuthorized')
        return false
      },
    )
  }
  assert.equal(await allows('administrator', 0), true)
  assert.equal(await allows('administrator', 700), true)
  assert.equal(await allows('administrator', 1000, [GROUP]), false)
  assert.equal(await allows('control', 1000, [5, GROUP]), true)
  // The bus's word on the groups goes before the files'.
  assert.equal(await allows('control', 1000, [1000]), false)
  // A bus that does not tell groups: a member by name, by primary group, and neither.
  assert.equal(await allows('control', 1000), true)
  assert.equal(await allows('control', 1001), true)
  assert.equal(await allows('control', 1002), false)
  assert.equal(await allows('control', 1000, [GROUP], '/nonexistent'), false)
  assert.equal(await allows('control', undefined), false)
  assert.equal(await allows('control', '0'), false)
  const failing = createAuthoriser({
    credentialsOf: () => Promise.reject(new Error('gone')),
    ownUid: 700,
    etcDirectory,
  })
  await assert.rejects(failing(':1.5', 'control'), { code: 'NotAuthorized' })
})

test('a flood of calls asks the bus once', async () => {
  let questions = 0
  let answer = () => {}
  const authorise = createAuthoriser({
    credentialsOf: () => {
      questions++
      return new Promise((resolve) => {
        answer = () => resolve({ UnixUserID: variant('u', 0) })
      })
    },
    ownUid: 0,
    etcDirectory: '/nowhere',
  })
  const flood = Array.from({ length: 1000 }, () => authorise(':1.7', 'control'))
  answer()
  await Promise.all(flood)
  assert.equal(questions, 1)
  const later = authorise(':1.7', 'control')
  answer()
  await later
  assert.equal(questions, 2, 'asked anew for a later call')
})
