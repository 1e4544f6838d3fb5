/** org.modemd on a real bus, judged by unmodified busctl, gdbus and dbus-send. */

import assert from 'node:assert/strict'
import test from 'node:test'
import { mustBeAlone } from '../../src/bus/service.ts'
import { systemClock } from '../../src/system/clock.ts'
import { LINK_UP } from '../support/fake-supervisor.ts'
import { needs } from '../support/needs.ts'
import { Client, LINK, MANAGER, MemoryLogger, MODEM, plain, serve } from './fixture.ts'
import { run, until } from './private-bus.ts'

const MANAGER1 = 'org.modemd.Manager1'
const MODEM1 = 'org.modemd.Modem1'
const LINK1 = 'org.modemd.Link1'
const PROPERTIES = 'org.freedesktop.DBus.Properties'

test('busctl finds the objects and reads their properties', needs('dbus-daemon', 'busctl'), async (context) => {
  const { bus, api } = await serve(context)
  const tree = await bus.busctl('tree', '--list', 'org.modemd')
  const nodes = ['/', '/org', '/org/modemd', '/org/modemd/link', LINK, '/org/modemd/modem', MODEM]
  for (const path of nodes.slice(2)) assert.ok(tree.stdout.split('\n').includes(path), `${path} in ${tree.stdout}`)
  for (const path of nodes) assert.equal((await bus.busctl('introspect', 'org.modemd', path)).status, 0, path)

  assert.equal(await bus.property(MANAGER, MANAGER1, 'Modems'), `ao 1 "${MODEM}"`)
  assert.equal(await bus.property(MANAGER, MANAGER1, 'Links'), `ao 1 "${LINK}"`)
  assert.equal(await bus.property(MANAGER, MANAGER1, 'Engines'), 'as 1 "builtin"')
  assert.equal(await bus.property(MODEM, MODEM1, 'SignalQuality'), 'y 64')
  assert.equal(await bus.property(MODEM, MODEM1, 'SignalDbm'), 'd -71')
  const ports = 'a(sss) 2 "/dev/ttyUSB0" "data" "" "/dev/ttyUSB2" "at" "modemd (at)"'
  assert.equal(await bus.property(MODEM, MODEM1, 'Ports'), ports)
  assert.equal(await bus.property(MODEM, 'org.modemd.Sim1', 'PinTries'), 'u 3')
  assert.equal(await bus.property(MODEM, 'org.modemd.Signal1', 'At'), 't 1700000000000000')

  api.links[0]!.change({ ...LINK_UP, ip4: { ...LINK_UP.ip4!, gateway: '10.64.64.64' }, pppExit: -1 })
  assert.equal(await bus.property(LINK, LINK1, 'State'), 's "up"')
  assert.equal(await bus.property(LINK, LINK1, 'Modem'), `o "${MODEM}"`)
  assert.equal(await bus.property(LINK, LINK1, 'ConnectSpeed'), 'u 150000000')
  assert.equal(await bus.property(LINK, LINK1, 'TxBytes'), 't 9223372036854775808')
  assert.equal(await bus.property(LINK, LINK1, 'PppExit'), 'i -1')
  const phases = '"modem" 1 "sim" 2 "network" 350 "dial" 120 "lcp" 30 "auth" 20 "address" 11'
  assert.equal(await bus.property(LINK, LINK1, 'PhaseMs'), `a{su} 7 ${phases}`)
  const ip4 = '"address" s "10.64.0.2" "prefix" u 32 "peer" s "10.64.64.64" "gateway" s "10.64.64.64"'
  const dns = '"dns" as 2 "10.11.12.13" "10.11.12.14"'
  assert.equal(await bus.property(LINK, LINK1, 'Ip4'), `a{sv} 6 ${ip4} ${dns} "mtu" u 1500`)
  assert.equal(await bus.property(MODEM, MODEM1, 'Links'), `ao 1 "${LINK}"`)
})

test('what is not known is left out, and Get says so', needs('dbus-daemon', 'busctl'), async (context) => {
  const { bus, api } = await serve(context)
  const client = await Client.connect(context, bus)
  const [modem] = api.modems
  modem!.change({ signalQuality: 101, signalDbm: Number.NaN, model: '', powerState: 'unknown', signal: undefined })
  modem!.change({ ownNumbers: [] })
  const [all] = await client.call(MODEM, PROPERTIES, 'GetAll', 's', MODEM1)
  for (const name of ['SignalQuality', 'SignalDbm', 'Model', 'PowerState', 'FailedCause', 'OwnNumbers']) {
    assert.ok(!(name in plain(all)), name)
    const get = client.call(MODEM, PROPERTIES, 'Get', 'ss', MODEM1, name)
    await assert.rejects(get, { errorName: 'org.modemd.Error.Unknown' }, name)
  }
  assert.deepEqual(plain((await client.call(MODEM, PROPERTIES, 'GetAll', 's', 'org.modemd.Signal1'))[0]), {})
  assert.match(await bus.property(LINK, LINK1, 'ConnectSpeed'), /not known/)
  const get = client.call(LINK, PROPERTIES, 'Get', 'ss', LINK1, 'UpSince')
  await assert.rejects(get, { errorName: 'org.modemd.Error.Unknown' })
})

test(
  'a modem whose radio is off is registered nowhere; of others it is not known',
  needs('dbus-daemon'),
  async (context) => {
    const { bus, api } = await serve(context)
    const client = await Client.connect(context, bus)
    const [modem] = api.modems
    const registration = async () =>
      plain((await client.call(MODEM, PROPERTIES, 'GetAll', 's', MODEM1))[0]).Registration
    modem!.change({ state: 'disabled', registration: 'unknown' })
    assert.equal(await registration(), 'idle')
    modem!.change({ state: 'enabling' })
    assert.equal(await registration(), 'unknown')
  },
)

test('busctl connects and disconnects', needs('dbus-daemon', 'busctl'), async (context) => {
  const { bus, api } = await serve(context)
  const call = (...args: readonly string[]) => bus.busctl('call', 'org.modemd', MANAGER, MANAGER1, ...args)
  const connected = await call('Connect', 'sa{sv}', 'demo', '2', 'apn', 's', 'internet', 'timeout', 'u', '5000')
  assert.equal(connected.stdout, `o "${LINK}"\n`)
  assert.equal(await bus.property(LINK, LINK1, 'State'), 's "dialling"')
  assert.equal((await call('Disconnect', 'o', LINK)).status, 0)
  assert.equal(await bus.property(LINK, LINK1, 'State'), 's "idle"')
  assert.equal((await call('Disconnect', 'o', '/')).status, 0)

  const missing = await call('Disconnect', 'o', '/org/modemd/link/other')
  assert.equal(missing.status, 1)
  assert.match(missing.stderr, /no such link/)
  assert.match((await call('Connect', 'sa{sv}', 'other', '0')).stderr, /no profile "other"/)
  assert.match((await call('Connect', 'sa{sv}', '../other', '0')).stderr, /no profile "\.\.\/other"/)
  assert.deepEqual(api.log, [
    'connect(demo, {"apn":"internet","timeout":5000})',
    'disconnect(demo)',
    'down(demo)',
    'disconnect(undefined)',
    'down(demo)',
    'connect(other, {})',
  ])
})

test('Connect without a profile makes the link manual', needs('dbus-daemon'), async (context) => {
  const { bus, api } = await serve(context)
  const client = await Client.connect(context, bus)
  assert.deepEqual(await client.call(MANAGER, MANAGER1, 'Connect', 'sa{sv}', '', {}), ['/org/modemd/link/manual'])
  assert.deepEqual(await client.call(MODEM, MODEM1, 'Connect', 'a{sv}', {}), ['/org/modemd/link/manual'])
  await client.call(MODEM, MODEM1, 'Disconnect')
  const modem = api.modems[0]!.snapshot.id
  assert.deepEqual(api.log.slice(0, 3), ['connect(, {})', `connect(, {"modem":"${modem}"})`, 'disconnect(manual)'])
  // The object was announced before the answer that names it came.
  const names = client.signals.map(({ member }) => member)
  assert.ok(names.includes('InterfacesAdded'))
})

test(
  'wait=true answers when the link is up, or with why it failed',
  needs('dbus-daemon', 'busctl'),
  async (context) => {
    const { bus, api } = await serve(context)
    const [link] = api.links
    const wait = () =>
      bus.busctl('call', 'org.modemd', MANAGER, MANAGER1, 'Connect', 'sa{sv}', 'demo', '1', 'wait', 'b', 'true')
    let isAnswered = false
    const first = wait()
    first.then(() => {
      isAnswered = true
    })
    await until(() => link!.snapshot.state === 'dialling', 'the dial')
    assert.equal(await bus.property(LINK, LINK1, 'State'), 's "dialling"')
    assert.equal(isAnswered, false)
    link!.change({ state: 'up' })
    assert.equal((await first).stdout, `o "${LINK}"\n`)

    link!.change({ state: 'idle' })
    const second = wait()
    await until(() => link!.snapshot.state === 'dialling', 'the second dial')
    link!.change({ state: 'failed', cause: 'busy', causeDetail: 'BUSY' })
    assert.match((await second).stderr, /The dial failed: BUSY\./)
    assert.equal(await bus.property(LINK, LINK1, 'Cause'), 's "busy"')
  },
)

test('the SIM, the signal and the modem through their methods', needs('dbus-daemon', 'busctl'), async (context) => {
  const { bus, api } = await serve(context)
  const client = await Client.connect(context, bus)
  const sim = (member: string, signature: string, ...body: unknown[]) =>
    client.call(MODEM, 'org.modemd.Sim1', member, signature, ...body)
  assert.deepEqual(await sim('GetImsi', ''), ['262011234567890'])
  await sim('SendPin', 's', '1234')
  await assert.rejects(sim('SendPin', 's', '9999'), { errorName: 'org.modemd.Error.SimPin' })
  await assert.rejects(sim('SendPin', 's', '12'), { errorName: 'org.modemd.Error.InvalidArgs' })
  await sim('SendPuk', 'ss', '12345678', '1234')
  await assert.rejects(sim('SendPuk', 'ss', '1234', '1234'), { errorName: 'org.modemd.Error.InvalidArgs' })
  await sim('ChangePin', 'ss', '1234', '4321')
  await sim('EnablePin', 'sb', '1234', false)
  await sim('SendPinLastTry', 's', '1234')
  await sim('ChangePinLastTry', 'ss', '1234', '4321')
  await sim('EnablePinLastTry', 'sb', '1234', true)
  const history = await bus.busctl('call', 'org.modemd', MODEM, 'org.modemd.Signal1', 'History')
  assert.equal(history.stdout, 'a(td) 2 1700000000000000 -71 1700000010000000 -73.5\n')
  await client.call(MODEM, 'org.modemd.Signal1', 'SetPoll', 'u', 5)
  await client.call(MODEM, MODEM1, 'Enable')
  await client.call(MODEM, MODEM1, 'Disable')
  await client.call(MODEM, MODEM1, 'Reset', 'b', true)
  await client.call(MODEM, MODEM1, 'Register', 's', '26201')
  const [networks] = await client.call(MODEM, MODEM1, 'Scan')
  const wanted = [{ plmn: '26201', name: 'Testnet', status: 'current', technology: 'lte' }]
  assert.deepEqual((networks as unknown[]).map(plain), wanted)
  const command = client.call(MODEM, MODEM1, 'Command', 'su', 'AT+CPIN?', 1000)
  await assert.rejects(command, { errorName: 'org.modemd.Error.Unsupported' })
  assert.deepEqual(api.log, [
    'sendPin(1234, person)',
    'sendPin(9999, person)',
    'sendPuk(12345678, 1234)',
    'changePin(1234, 4321, person)',
    'enablePin(1234, false, person)',
    'sendPin(1234, person-last-try)',
    'changePin(1234, 4321, person-last-try)',
    'enablePin(1234, true, person-last-try)',
    'setSignalPoll(5)',
    'enable()',
    'disable()',
    'reset(true)',
    'register(26201)',
  ])
})

test('links, profiles and the daemon through their methods', needs('dbus-daemon'), async (context) => {
  const { bus, api } = await serve(context)
  const client = await Client.connect(context, bus)
  await client.call(LINK, LINK1, 'Up')
  await client.call(LINK, LINK1, 'Down')
  const [profiles] = await client.call(MANAGER, MANAGER1, 'ListProfiles')
  const wanted = [{ name: 'demo', apn: 'internet', autoconnect: true, priority: 0 }]
  assert.deepEqual((profiles as unknown[]).map(plain), wanted)
  await client.call(MANAGER, MANAGER1, 'RemoveProfile', 's', 'demo')
  await client.call(MANAGER, MANAGER1, 'ReloadConfig')
  const { diagnose } = api
  let finish = () => {}
  const isFinished = new Promise<void>((resolve) => {
    finish = resolve
  })
  api.diagnose = async () => {
    await isFinished
    return diagnose.call(api)
  }
  const asked = [1, 2, 3].map(() => client.call(MANAGER, MANAGER1, 'Diagnose'))
  await client.sync()
  finish()
  for (const [found] of await Promise.all(asked)) assert.equal(plain((found as unknown[])[0]).check, 'kernel-ppp')
  // Asked for by everybody all the time, these cost no more than once.
  await Promise.all(Array.from({ length: 20 }, () => client.call(MANAGER, MANAGER1, 'Rescan')))
  await until(() => api.log.filter((line) => line === 'rescan()').length === 2, 'the second search')
  assert.deepEqual(api.log, [
    'up(demo)',
    'down(demo)',
    'removeProfile(demo)',
    'reloadConfig()',
    'diagnose()',
    'rescan()',
    'rescan()',
  ])
})

test('SaveProfile hands the checked fields on', needs('dbus-daemon', 'busctl'), async (context) => {
  const { bus, api } = await serve(context)
  const save = (...args: readonly string[]) =>
    bus.busctl('call', 'org.modemd', MANAGER, MANAGER1, 'SaveProfile', 'a{sv}', ...args)
  assert.equal((await save('2', 'name', 's', 'work', 'autoconnect', 'b', 'true')).status, 0)
  assert.match((await save('2', 'name', 's', 'work', 'service', 's', 'a\n[redial]')).stderr, /one line of text/)
  assert.deepEqual(api.log, ['saveProfile({"name":"work","autoconnect":true})'])
})

test('an inhibition is held by the caller’s presence', needs('dbus-daemon', 'busctl'), async (context) => {
  const { bus, api } = await serve(context)
  const first = await Client.connect(context, bus)
  const second = await Client.connect(context, bus)
  const [cookie] = await first.call(MANAGER, MANAGER1, 'Inhibit', 's', '/dev/ttyUSB2')
  const stranger = second.call(MANAGER, MANAGER1, 'Release', 'u', cookie)
  await assert.rejects(stranger, { errorName: 'org.modemd.Error.NotFound' })
  await first.call(MANAGER, MANAGER1, 'Inhibit', 's', 'other')
  await first.call(MANAGER, MANAGER1, 'Release', 'u', cookie)
  await second.call(MANAGER, MANAGER1, 'Inhibit', 's', 'third')
  assert.deepEqual(api.log.splice(0), [
    'inhibit(/dev/ttyUSB2)',
    'inhibit(other)',
    'take back(/dev/ttyUSB2)',
    'inhibit(third)',
  ])
  await first.connection.close()
  await until(() => api.log.length > 0, 'the release')
  // busctl leaves at once.
  await bus.busctl('call', 'org.modemd', MANAGER, MANAGER1, 'Inhibit', 's', 'short')
  await until(() => api.log.length === 3, 'the second release')
  assert.deepEqual(api.log, ['take back(other)', 'inhibit(short)', 'take back(short)'])
})

test('gdbus and dbus-send understand it too', needs('dbus-daemon', 'gdbus', 'dbus-send'), async (context) => {
  const { bus } = await serve(context)
  const gdbus = (...args: readonly string[]) => run('gdbus', args)
  const seen = await gdbus('introspect', '--address', bus.address, '--dest', 'org.modemd', '--object-path', MANAGER)
  assert.match(seen.stdout, /Connect\(in {2}s profile,\s+in {2}a\{sv\} options,\s+out o link\);/)
  assert.match(seen.stdout, /readonly ao Modems = \['\/org\/modemd\/modem\/imei_5f356938035643809'\];/)
  const sent = await run('dbus-send', [
    `--bus=${bus.address}`,
    '--print-reply',
    '--dest=org.modemd',
    MANAGER,
    'org.freedesktop.DBus.ObjectManager.GetManagedObjects',
  ])
  assert.equal(sent.status, 0, sent.stderr)
  assert.match(sent.stdout, /object path "\/org\/modemd\/link\/demo"/)
})

test('an id that needs escaping, and two with the same', needs('dbus-daemon', 'busctl'), async (context) => {
  const { bus, api, logger } = await serve(context)
  api.addLink({ id: 'a-b.c', profile: 'a-b.c' })
  assert.equal(await bus.property('/org/modemd/link/a_2db_2ec', LINK1, 'Profile'), 's "a-b.c"')
  const copy = api.addModem({ model: 'copy' })
  assert.match(logger.errors.join(), /same id/)
  assert.equal(await bus.property(MODEM, MODEM1, 'Model'), 's "E173"')
  api.removeModem(copy)
  assert.equal(await bus.property(MODEM, MODEM1, 'Model'), 's "E173"')
})

test('who asks before the start hears that another runs', needs('dbus-daemon'), async (context) => {
  const { bus, service } = await serve(context)
  const options = { address: bus.address, clock: systemClock, logger: new MemoryLogger() }
  await assert.rejects(mustBeAlone(options), { code: 'Busy', message: /stop the modemd that runs already/ })
  await service.close()
  await mustBeAlone(options)
  await assert.rejects(mustBeAlone({ ...options, address: 'unix:path=/nowhere' }), { code: 'NotFound' })
})
