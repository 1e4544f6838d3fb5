/** mmctl's picture of modemd: what was read and what signals change in it, in whatever order they come. */

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { clock } from '../../src/cli/clock.ts'
import { type Change, Daemon } from '../../src/cli/daemon.ts'
import { PrivateBus } from '../bus/private-bus.ts'
import { needs } from '../support/needs.ts'
import { FakeModemd, type Interfaces, Variant } from './support/fake-modemd.ts'

const has = { ...needs('dbus-daemon'), timeout: 60_000 }
const LINK = '/org/modemd/link/demo'
const PROPERTIES = 'org.freedesktop.DBus.Properties'
const OBJECT_MANAGER = 'org.freedesktop.DBus.ObjectManager'

async function scene(context: TestContext) {
  const bus = await PrivateBus.start()
  context.after(() => bus.close())
  const fake = await FakeModemd.start(bus.address)
  context.after(() => fake.close())
  fake.objects[LINK] = link('idle')
  const daemon = await Daemon.open(bus.address, clock)
  context.after(() => daemon.close())
  const changes: Change[] = []
  daemon.onChange((change) => changes.push(change))
  /** What was signalled before this call has come when it resolves. */
  const settle = () => daemon.manage('GetAll')
  const stateOf = () => daemon.links[0]?.properties.text('State')
  return { fake, daemon, changes, settle, stateOf }
}

function link(state: string): Interfaces {
  return { 'org.modemd.Link1': { State: new Variant('s', state), Report: new Variant('s', 'CONNECT') } }
}

function change(fake: FakeModemd, state: string, lost: readonly string[] = []): void {
  const values = { State: new Variant('s', state) }
  fake.signal(LINK, PROPERTIES, 'PropertiesChanged', 'sa{sv}as', ['org.modemd.Link1', values, [...lost]])
}

test('a signal right behind what was read is not lost', has, async (context) => {
  const { fake, daemon, settle, stateOf } = await scene(context)
  fake.answers.GetManagedObjects = () => {
    setImmediate(() => change(fake, 'never'))
    // Behind the reply, in the same bytes.
    queueMicrotask(() => change(fake, 'up'))
    return ['a{oa{sa{sv}}}', [fake.objects]]
  }
  let isFirst = true
  daemon.onChange(() => {
    if (isFirst) assert.equal(stateOf(), 'up')
    isFirst = false
  })
  await daemon.follow()
  await settle()
  assert.equal(stateOf(), 'never')
  assert.equal(isFirst, false)
})

test('what changes, is lost, comes and goes', has, async (context) => {
  const { fake, daemon, changes, settle, stateOf } = await scene(context)
  await daemon.follow()
  assert.equal(stateOf(), 'idle')
  change(fake, 'failed', ['Report'])
  await settle()
  assert.deepEqual([stateOf(), daemon.links[0]!.properties.text('Report')], ['failed', undefined])
  const last = changes.at(-1)!
  assert.ok(last.type === 'changed' && last.path === LINK && last.interface === 'Link1')
  assert.deepEqual(last.values, { State: 'failed', Report: undefined })
  assert.deepEqual({ ...last.previous }, { State: 'idle', Report: 'CONNECT' })

  const other = '/org/modemd/link/other'
  fake.signal('/org/modemd', OBJECT_MANAGER, 'InterfacesAdded', 'oa{sa{sv}}', [other, link('up')])
  await settle()
  assert.deepEqual(
    daemon.links.map(({ id }) => id),
    ['demo', 'other'],
  )
  fake.signal('/org/modemd', OBJECT_MANAGER, 'InterfacesRemoved', 'oas', [LINK, ['org.modemd.Link1']])
  await settle()
  assert.deepEqual(
    daemon.links.map(({ id }) => id),
    ['other'],
  )
  const [added, removed] = changes.slice(-2)
  assert.deepEqual(
    [added, removed],
    [
      { type: 'added', path: other },
      { type: 'removed', path: LINK },
    ],
  )
})

test("modems and links come in modemd's order", has, async (context) => {
  const { fake, daemon } = await scene(context)
  fake.objects['/org/modemd/link/a'] = link('idle')
  fake.manager.Links = new Variant('ao', ['/org/modemd/link/a', LINK])
  await daemon.load()
  assert.deepEqual(
    daemon.links.map(({ id }) => id),
    ['a', 'demo'],
  )
})

test('signals about what is not known are dropped', has, async (context) => {
  const { fake, daemon, changes, settle } = await scene(context)
  await daemon.follow()
  fake.signal('/org/modemd/link/x', PROPERTIES, 'PropertiesChanged', 'sa{sv}as', ['org.modemd.Link1', {}, []])
  fake.signal(LINK, PROPERTIES, 'PropertiesChanged', 'sa{sv}as', ['org.example.Other', {}, []])
  fake.signal('/org/modemd', OBJECT_MANAGER, 'InterfacesRemoved', 'oas', ['/org/modemd/link/x', ['a.b']])
  await settle()
  assert.deepEqual(changes, [])
})
