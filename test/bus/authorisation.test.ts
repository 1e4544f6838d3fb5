/** Who may do what: real second users on a bus with the system bus's rules and our own policy file, and the rule itself. */

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { createAuthoriser } from '../../src/bus/authorisation.ts'
import { variant } from '../../src/bus/signature.ts'
import { LINK, MANAGER, MODEM, serve } from './fixture.ts'
import { asNobody, etcWithGroup, GROUP, GUARDED, MANAGER1, OPEN, secondUser, systemBus } from './second-user.ts'

test('a stranger may look, and nothing else', secondUser(), async (context) => {
  const etcDirectory = etcWithGroup(context, `modemd:x:${GROUP}:`)
  const { bus, api } = await serve(context, { etcDirectory, isConsoleOn: () => true }, systemBus())
  api.modems[0]!.messaging.receive({ number: 'Sender', text: 'secret' })
  const nobody = (...args: readonly string[]) => asNobody(bus, '--clear-groups', ...args)
  const call = (path: string, ...rest: readonly string[]) => nobody('call', 'org.modemd', path, ...rest)
  const state = await nobody('get-property', 'org.modemd', MODEM, 'org.modemd.Modem1', 'State')
  assert.equal(state.stdout, 's "registered"\n', state.stderr)
  assert.equal((await nobody('introspect', 'org.modemd', LINK)).status, 0)
  assert.equal((await call(MANAGER, MANAGER1, 'Rescan')).status, 0)
  assert.equal((await call(MANAGER, MANAGER1, 'Diagnose')).status, 0)
  assert.equal((await call(MODEM, 'org.modemd.Signal1', 'History')).status, 0)
  assert.deepEqual(api.log.splice(0), ['rescan()', 'diagnose()'])

  for (const [path, ...rest] of [...GUARDED.connect, ...GUARDED.messaging, ...GUARDED.control])
    assert.match((await call(path, ...rest)).stderr, /root and members of the group modemd/, rest.join(' '))
  for (const [path, ...rest] of [...GUARDED['at-console'], ...GUARDED.root])
    assert.match((await call(path, ...rest)).stderr, /Only root/, rest.join(' '))
  assert.match(
    (await nobody('set-property', 'org.modemd', MANAGER, MANAGER1, 'Version', 's', 'x')).stderr,
    /cannot be written/,
  )
  assert.deepEqual(api.log, [])
})

test('a member of the group controls, root administers', secondUser(), async (context) => {
  const etcDirectory = etcWithGroup(context, `modemd:x:${GROUP}:`)
  const { bus, api } = await serve(context, { etcDirectory }, systemBus())
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

test('no method is missing in the list of those that ask who calls', () => {
  const folder = fileURLToPath(new URL('../../dbus/', import.meta.url))
  const all = readdirSync(folder)
    .filter((name) => name.endsWith('.xml'))
    .flatMap((name) => {
      const methods = readFileSync(`${folder}${name}`, 'utf8').matchAll(/<method name="(\w+)">/g)
      return [...methods].map(([, member]) => `${name.slice(0, -4)}.${member}`)
    })
  const guarded = new Set(
    Object.values(GUARDED).flatMap((calls) => calls.map(([, face, member]) => `${face}.${member}`)),
  )
  assert.deepEqual(all.filter((method) => !guarded.has(method)).sort(), OPEN)
})

test('a stranger cannot be org.modemd', secondUser(), async (context) => {
  const { bus } = await serve(context, {}, systemBus())
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
    ownUid = 700,
  ) => {
    const credentials = {
      ...(uid === undefined ? {} : { UnixUserID: variant('u', uid) }),
      ...(groupIds ? { UnixGroupIDs: variant('au', groupIds) } : {}),
    }
    const authorise = createAuthoriser({ credentialsOf: async () => credentials, ownUid, etcDirectory: etc })
    return authorise(':1.5', access).then(
      () => true,
      (error) => {
        assert.equal(error.code, 'NotAuthorized')
        return false
      },
    )
  }
  assert.equal(await allows('administrator', 0), true)
  // The account of a service, its own included, is no person's.
  assert.equal(await allows('administrator', 700), false)
  assert.equal(await allows('control', 700), false)
  assert.equal(await allows('administrator', 65_534, [], etcDirectory, 65_534), false)
  // A person's own daemon, on their session bus.
  assert.equal(await allows('administrator', 1000, [1000], etcDirectory, 1000), true)
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

test('a flood of calls asks polkit once for each action', async () => {
  const asked: string[] = []
  let answer = () => {}
  const authorise = createAuthoriser({
    credentialsOf: async () => ({ UnixUserID: variant('u', 1000) }),
    askPolkit: (sender, action, mayInteract) => {
      asked.push(`${sender} ${action} ${mayInteract}`)
      return new Promise((resolve) => {
        const before = answer
        answer = () => {
          before()
          resolve('yes')
        }
      })
    },
    ownUid: 0,
    etcDirectory: '/nowhere',
  })
  const flood = Array.from({ length: 1000 }, (_, index) => authorise(':1.7', index % 2 ? 'connect' : 'control', true))
  await new Promise(setImmediate)
  answer()
  await Promise.all(flood)
  assert.deepEqual(asked, [':1.7 org.modemd.control true', ':1.7 org.modemd.connect true'])
})
