/** Ussd1, Time1 and Location1 on a real bus: what is personal comes by methods alone. */

import assert from 'node:assert/strict'
import test from 'node:test'
import { needs } from '../support/needs.ts'
import { Client, MANAGER, MODEM, plain, serve } from './fixture.ts'

const USSD1 = 'org.modemd.Ussd1'
const TIME1 = 'org.modemd.Time1'
const LOCATION1 = 'org.modemd.Location1'
const PROPERTIES = 'org.freedesktop.DBus.Properties'

test('a session: its answers are the methods’, its state is the property’s', needs('dbus-daemon'), async (context) => {
  const { bus, api } = await serve(context)
  const client = await Client.connect(context, bus)
  const call = (member: string, ...args: string[]) => client.call(MODEM, USSD1, member, args.length ? 's' : '', ...args)
  const state = async () => plain((await client.call(MODEM, PROPERTIES, 'GetAll', 's', USSD1))[0]).State
  await assert.rejects(call('LastText'), { errorName: 'org.modemd.Error.Unknown' })
  assert.equal(await state(), 'idle')
  assert.deepEqual(await call('Initiate', '*101#'), ['1 Balance\n2 \\x1b[2JEnd'], 'line ends stay, ESC does not')
  assert.equal(await state(), 'user-response')
  assert.deepEqual(await call('Respond', '1'), ['You said 1'])
  assert.deepEqual(await call('LastText'), ['You said 1'])
  await call('Cancel')
  await client.sync()
  const changes = client.propertyChanges(USSD1).map(({ body }) => plain(body[1]).State)
  assert.deepEqual(changes, ['user-response', 'idle'])
  assert.deepEqual(api.log, ['ussd(*101#)', 'respond(1)', 'cancel()'])
})

test('what is no code is refused at the edge, and an error is one', needs('dbus-daemon'), async (context) => {
  const { bus, api } = await serve(context)
  const client = await Client.connect(context, bus)
  for (const code of ['', '*100#\r', 'AT+CUSD', '*1#";+CFUN=0', '٣'])
    await assert.rejects(client.call(MODEM, USSD1, 'Initiate', 's', code), {
      errorName: 'org.modemd.Error.InvalidArgs',
    })
  for (const text of ['', 'a\nb', 'a\x1a', 'é'])
    await assert.rejects(client.call(MODEM, USSD1, 'Respond', 's', text), {
      errorName: 'org.modemd.Error.InvalidArgs',
    })
  assert.deepEqual(api.log, [])
  await assert.rejects(client.call(MODEM, USSD1, 'Initiate', 's', '*4#'), {
    errorName: 'org.modemd.Error.Unsupported',
  })
})

test('what the network begins is told without its words', needs('dbus-daemon'), async (context) => {
  const { bus, api } = await serve(context)
  const client = await Client.connect(context, bus)
  await client.sync()
  const { ussd } = api.modems[0]!
  ussd.begin('notification', 'Your code is 4711')
  ussd.begin('request', 'Yes or no?')
  await client.sync()
  const heard = client.signals.filter(({ interface: name }) => name === USSD1)
  assert.deepEqual(
    heard.map(({ member, path, body }) => [member, path, body]),
    [
      ['NetworkNotification', MODEM, []],
      ['NetworkRequest', MODEM, []],
    ],
  )
  assert.doesNotMatch(
    JSON.stringify(
      client.signals.map(({ body }) => body),
      bigint,
    ),
    /4711|Yes or no/,
  )
  assert.deepEqual(await client.call(MODEM, USSD1, 'LastText'), ['Yes or no?'])
})

test('the network’s time: nothing until it is told', needs('dbus-daemon'), async (context) => {
  const { bus, api } = await serve(context)
  const client = await Client.connect(context, bus)
  const all = async () => plain((await client.call(MODEM, PROPERTIES, 'GetAll', 's', TIME1))[0])
  await assert.rejects(all, { errorName: 'org.freedesktop.DBus.Error.UnknownInterface' })
  api.modems[0]!.time.tell({ networkUs: 1_790_000_000_000_000n, offsetMinutes: -210, atUs: 5n, source: '+CTZE' })
  assert.deepEqual(await all(), { NetworkTime: 1_790_000_000_000_000n, Offset: -210, At: 5n, Source: '+CTZE' })
  api.modems[0]!.time.tell({ offsetMinutes: 60, atUs: 6n, source: '+CTZV' })
  await client.sync()
  const told = client.signals.map(({ path, member, body }) => [path, member, body[1], body[2]])
  assert.deepEqual(
    told.map(([path, member]) => [path, member]),
    [
      [MANAGER, 'InterfacesAdded'],
      [MODEM, 'PropertiesChanged'],
    ],
  )
  const added = told[0]![2] as Record<string, unknown>
  assert.deepEqual(Object.keys(added), [TIME1], 'nothing of what was there')
  assert.equal(plain(added[TIME1]).Offset, -210)
  assert.deepEqual(plain(told[1]![2]), { Offset: 60, At: 6n, Source: '+CTZV' })
  assert.deepEqual(told[1]![3], ['NetworkTime'])
  api.removeModem(api.modems[0]!)
  await client.sync()
  const removed = client.signals.find(({ member }) => member === 'InterfacesRemoved')
  assert.ok((removed!.body[1] as readonly string[]).includes(TIME1), 'it goes with its modem')
})

test('a place is the matter of modems with a port for it', needs('dbus-daemon', 'busctl'), async (context) => {
  const { bus, api } = await serve(context)
  const client = await Client.connect(context, bus)
  const [modem] = api.modems
  const hasPort = (port: string | undefined) => {
    modem!.location.snapshot = { isEnabled: false, hasFix: false, port }
    // Whichever of the modem's snapshots changes.
    modem!.change({ ports: [...modem!.snapshot.ports] })
  }
  const isThere = async () => (await bus.busctl('introspect', 'org.modemd', MODEM)).stdout.includes(LOCATION1)
  assert.ok(await isThere())
  hasPort(undefined)
  assert.ok(!(await isThere()))
  const objects = (await client.call(MANAGER, 'org.freedesktop.DBus.ObjectManager', 'GetManagedObjects'))[0]
  assert.ok(!(LOCATION1 in (objects as Record<string, object>)[MODEM]!))
  await assert.rejects(client.call(MODEM, LOCATION1, 'SetEnabled', 'b', true), {
    errorName: 'org.freedesktop.DBus.Error.UnknownInterface',
  })
  hasPort('/dev/ttyUSB3')
  assert.ok(await isThere())
  await client.sync()
  const [removed, added, ...more] = client.signals
  assert.deepEqual([removed?.member, removed?.body], ['InterfacesRemoved', [MODEM, [LOCATION1]]])
  assert.equal(added?.member, 'InterfacesAdded')
  assert.deepEqual(plain((added!.body[1] as Record<string, unknown>)[LOCATION1]), {
    Enabled: false,
    HasFix: false,
    Port: '/dev/ttyUSB3',
  })
  assert.deepEqual(more, [])
})

test('a place is given by GetFix alone, once it is switched on', needs('dbus-daemon'), async (context) => {
  const { bus } = await serve(context)
  const client = await Client.connect(context, bus)
  const all = async () => plain((await client.call(MODEM, PROPERTIES, 'GetAll', 's', LOCATION1))[0])
  assert.deepEqual(await all(), { Enabled: false, HasFix: false, Port: '/dev/ttyUSB1' })
  await assert.rejects(client.call(MODEM, LOCATION1, 'GetFix'), { errorName: 'org.modemd.Error.WrongState' })
  await client.call(MODEM, LOCATION1, 'SetEnabled', 'b', true)
  assert.deepEqual(await all(), { Enabled: true, HasFix: true, Port: '/dev/ttyUSB1' })
  const [fix] = await client.call(MODEM, LOCATION1, 'GetFix')
  assert.deepEqual(plain(fix), {
    latitude: 48.1173,
    longitude: -11.5,
    satellites: 8,
    at: 1_700_000_000_000_000n,
  })
})

function bigint(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}
