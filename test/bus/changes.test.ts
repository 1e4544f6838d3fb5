/** What the bus is told when something changes: one PropertiesChanged per interface and turn, objects that come and go. */

import assert from 'node:assert/strict'
import test from 'node:test'
import { variant } from '../../src/bus/signature.ts'
import { MODEM_SNAPSHOT } from '../support/fake-supervisor.ts'
import { needs } from '../support/needs.ts'
import { Client, LINK, MANAGER, MODEM, plain, serve } from './fixture.ts'
import { until } from './private-bus.ts'

const MANAGER1 = 'org.modemd.Manager1'
const MODEM1 = 'org.modemd.Modem1'
const LINK1 = 'org.modemd.Link1'

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

test('many changes in one turn are one PropertiesChanged per interface', needs('dbus-daemon'), async (context) => {
  const { bus, api } = await serve(context)
  const client = await Client.connect(context, bus)
  const [modem] = api.modems
  modem!.change({ state: 'searching', signalQuality: 10 })
  modem!.change({ signalQuality: 20, operatorName: undefined })
  modem!.change({ state: 'registered', sim: { ...MODEM_SNAPSHOT.sim, pinTries: 2 } })
  modem!.change({ state: 'connecting', accessTechnologies: ['lte'] })
  await nextTurn()
  await client.sync()
  const [change, ...more] = client.propertyChanges(MODEM1)
  assert.deepEqual(more, [])
  assert.equal(change?.path, MODEM)
  assert.deepEqual(plain(change?.body[1]), { State: 'connecting', SignalQuality: 20 })
  assert.deepEqual(change?.body[2], ['OperatorName'])
  assert.deepEqual(
    client.propertyChanges('org.modemd.Sim1').map(({ body }) => plain(body[1])),
    [{ PinTries: 2 }],
  )
  assert.deepEqual(client.propertyChanges('org.modemd.Signal1'), [])
  assert.deepEqual(client.propertyChanges(MANAGER1), [])
  const steps = client.signals.filter(({ member }) => member === 'StateChanged').map(({ body }) => body)
  assert.deepEqual(steps, [
    ['registered', 'searching', ''],
    ['searching', 'registered', ''],
    ['registered', 'connecting', ''],
  ])

  client.signals.length = 0
  modem!.change({ operatorName: 'Other' })
  await nextTurn()
  modem!.change({ signalQuality: 30 })
  modem!.change({ signalQuality: 20 })
  await nextTurn()
  await client.sync()
  // What is as it was said last is not said again.
  assert.deepEqual(
    client.signals.map(({ body }) => plain(body[1])),
    [{ OperatorName: 'Other' }],
  )
})

test(
  'a modem that flaps without end does not flood the bus, and its last state is told',
  needs('dbus-daemon'),
  async (context) => {
    const { bus, api } = await serve(context)
    const client = await Client.connect(context, bus)
    const [modem] = api.modems
    for (let turn = 0; turn < 400; turn++) {
      for (const state of ['searching', 'registered'] as const) modem!.change({ state })
      await nextTurn()
    }
    modem!.change({ state: 'searching', signalQuality: 5 })
    const lastState = () => client.propertyChanges(MODEM1).findLast(({ body }) => 'State' in plain(body[1]))
    await until(() => plain(lastState()?.body[1] ?? {}).State === 'searching', 'the last state')
    assert.ok(client.signals.length <= 250, `${client.signals.length} signals`)
    const steps = client.signals.filter(({ member }) => member === 'StateChanged').map(({ body }) => body)
    for (const [index, [from]] of steps.slice(1).entries())
      assert.equal(from, steps[index]![1], 'a chain without a gap')
    assert.equal(steps.at(-1)?.[1], 'searching')
  },
)

test('a link that goes up and falls tells its cause, and its modem', needs('dbus-daemon'), async (context) => {
  const { bus, api } = await serve(context)
  const client = await Client.connect(context, bus)
  const [link] = api.links
  link!.change({ state: 'dialling', modem: MODEM_SNAPSHOT.id, phaseMs: { modem: 3 } })
  await nextTurn()
  link!.change({ phaseMs: { modem: 3 } })
  await nextTurn()
  link!.change({ state: 'failed', modem: undefined, cause: 'no-carrier', causeDetail: 'NO CARRIER', chatExit: 7 })
  await nextTurn()
  await client.sync()
  const changes = client.propertyChanges(LINK1, LINK)
  assert.deepEqual(
    changes.map(({ body }) => plain(body[1])),
    [
      { Modem: MODEM, State: 'dialling', PhaseMs: { modem: 3 } },
      { State: 'failed', Cause: 'no-carrier', CauseDetail: 'NO CARRIER', ChatExit: 7 },
    ],
  )
  assert.deepEqual(changes[1]?.body[2], ['Modem'])
  assert.deepEqual(
    client.propertyChanges(MODEM1, MODEM).map(({ body }) => plain(body[1])),
    [{ Links: [LINK] }, { Links: [] }],
  )
  const steps = client.signals.filter(({ member }) => member === 'StateChanged').map(({ body }) => body)
  assert.deepEqual(steps, [
    ['idle', 'dialling', ''],
    ['dialling', 'failed', 'no-carrier'],
  ])
})

test('modems and links that come and go', needs('dbus-daemon'), async (context) => {
  const { bus, api } = await serve(context)
  const client = await Client.connect(context, bus)
  const modem = api.addModem({ id: 'usb_1_3', signal: undefined, sim: {} })
  const path = '/org/modemd/modem/usb_5f1_5f3'
  await nextTurn()
  await client.sync()
  const [added, changed] = client.signals
  assert.deepEqual([added?.path, added?.member, added?.body[0]], [MANAGER, 'InterfacesAdded', path])
  const interfaces = added?.body[1] as Record<string, unknown>
  // Those of its features follow.
  assert.deepEqual(Object.keys(interfaces).slice(0, 3), [MODEM1, 'org.modemd.Sim1', 'org.modemd.Signal1'])
  assert.equal(plain(interfaces[MODEM1]).Id, 'usb_1_3')
  assert.deepEqual(plain(interfaces['org.modemd.Sim1']), {})
  assert.deepEqual(plain(changed?.body[1]), { Modems: [MODEM, path] })

  client.signals.length = 0
  modem.change({ stateReason: 'The modem was unplugged.' })
  api.removeModem(modem)
  modem.change({ model: 'ghost' })
  await nextTurn()
  await client.sync()
  const [last, removed, list, ...more] = client.signals
  assert.deepEqual(plain(last?.body[1]), { StateReason: 'The modem was unplugged.' })
  assert.equal(removed?.member, 'InterfacesRemoved')
  assert.deepEqual(removed?.body, [path, Object.keys(interfaces)])
  assert.deepEqual(plain(list?.body[1]), { Modems: [MODEM] })
  assert.deepEqual(more, [])
  await assert.rejects(client.call(path, MODEM1, 'Enable'), { errorName: 'org.freedesktop.DBus.Error.UnknownObject' })

  client.signals.length = 0
  const link = api.addLink({ id: 'second', profile: 'second', modem: MODEM_SNAPSHOT.id })
  api.removeLink(link)
  await nextTurn()
  await client.sync()
  assert.deepEqual(
    client.signals.map(({ member }) => member),
    ['InterfacesAdded', 'InterfacesRemoved'],
  )
})

test('a link stops naming a modem that is gone', needs('dbus-daemon'), async (context) => {
  const { bus, api } = await serve(context)
  const client = await Client.connect(context, bus)
  api.links[0]!.change({ modem: MODEM_SNAPSHOT.id })
  await nextTurn()
  api.removeModem(api.modems[0]!)
  await nextTurn()
  await client.sync()
  const [, lost] = client.propertyChanges(LINK1)
  assert.deepEqual(lost?.body[2], ['Modem'])
})

test('busctl monitor sees the signals as they are sent', needs('dbus-daemon', 'busctl'), async (context) => {
  const { bus, api } = await serve(context)
  const monitor = await bus.follow(
    'busctl',
    [`--address=${bus.address}`, 'monitor', '--json=short', 'org.modemd'],
    /Monitoring bus message stream/,
  )
  api.links[0]!.change({ state: 'dialling' })
  api.links[0]!.change({ state: 'failed', cause: 'busy', advice: 'Try later.' })
  await until(() => monitor.text().includes('PropertiesChanged'), 'PropertiesChanged')
  await bus.property(LINK, LINK1, 'State')
  const messages = monitor
    .text()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
    .filter(({ type }) => type === 'signal')
  assert.deepEqual(
    messages.map(({ member, payload }) => [member, payload.type, payload.data]),
    [
      ['StateChanged', 'sss', ['idle', 'dialling', '']],
      ['StateChanged', 'sss', ['dialling', 'failed', 'busy']],
      [
        'PropertiesChanged',
        'sa{sv}as',
        [
          LINK1,
          {
            State: { type: 's', data: 'failed' },
            Cause: { type: 's', data: 'busy' },
            Advice: { type: 's', data: 'Try later.' },
          },
          [],
        ],
      ],
    ],
  )
})

test('the answer to a method comes after what it changed', needs('dbus-daemon', 'busctl'), async (context) => {
  const { bus, api } = await serve(context)
  const client = await Client.connect(context, bus)
  const [link] = api.links
  const monitor = await bus.follow(
    'busctl',
    [`--address=${bus.address}`, 'monitor', '--json=short'],
    /Monitoring bus message stream/,
  )
  const connect = (profile: string) =>
    client.call(MANAGER, MANAGER1, 'Connect', 'sa{sv}', profile, { wait: variant('b', true) })
  const answered = connect('demo')
  await until(() => link!.snapshot.state === 'dialling', 'the dial')
  await nextTurn()
  link!.change({ state: 'up' })
  await answered
  const refused = assert.rejects(connect('demo'), /BUSY/)
  await until(() => link!.snapshot.state === 'dialling', 'the second dial')
  await nextTurn()
  link!.change({ state: 'failed', cause: 'busy', causeDetail: 'BUSY' })
  await refused
  await client.call(LINK, LINK1, 'Up')
  const messages = () =>
    monitor
      .text()
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line))
  const replies = () => messages().filter((each) => /^(method_return|error)$/.test(each.type) && isOurs(each))
  const isOurs = ({ sender }: { readonly sender: string }) =>
    messages().some((each) => each.member === 'PropertiesChanged' && each.sender === sender)
  await until(() => replies().length === 3, 'three replies')
  // By the serials that modemd gave them, in the order in which it sent them.
  const states = messages()
    .filter(({ member, payload }) => member === 'PropertiesChanged' && payload.data[0] === LINK1)
    .flatMap(({ cookie, payload }) => (payload.data[1].State ? [[cookie, payload.data[1].State.data] as const] : []))
  const known = replies().map(({ cookie }) => states.filter(([serial]) => serial < cookie).at(-1)?.[1])
  assert.deepEqual(known, ['up', 'failed', 'up'])
})

test('gdbus monitor sees them too', needs('dbus-daemon', 'gdbus'), async (context) => {
  const { bus, api } = await serve(context)
  const args = ['monitor', '--address', bus.address, '--dest', 'org.modemd']
  const monitor = await bus.follow('gdbus', args, /is owned by/)
  // It subscribes only after it has told the owner, and does not say when: changes come until one is heard.
  let signalQuality = 0
  await until(() => {
    signalQuality = (signalQuality + 1) % 100
    api.modems[0]!.change({ signalQuality })
    return /\{'SignalQuality': <byte 0x[0-9a-f]{2}>\}/.test(monitor.text())
  }, 'a change')
})
