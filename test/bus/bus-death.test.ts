/** The bus dies and comes back, is not there, or belongs to another. */

import assert from 'node:assert/strict'
import { chmodSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import test from 'node:test'
import { resolveBusAddress } from '../../src/bus/address.ts'
import { BusConnection } from '../../src/bus/connection.ts'
import { startBusService } from '../../src/bus/service.ts'
import { systemClock } from '../../src/system/clock.ts'
import { FakeSupervisor } from '../support/fake-supervisor.ts'
import { needs } from '../support/needs.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { Client, LINK, MANAGER, MemoryLogger, MODEM, serve } from './fixture.ts'
import { PrivateBus, until } from './private-bus.ts'

const MANAGER1 = 'org.modemd.Manager1'

test('after the bus died everything is exported again', needs('dbus-daemon', 'busctl'), async (context) => {
  const { bus, api, logger } = await serve(context)
  const client = await Client.connect(context, bus)
  await client.call(MANAGER, MANAGER1, 'Inhibit', 's', 'held')
  await bus.stop()
  await until(() => logger.lines.some((line) => line.startsWith('warn')), 'the loss to be noticed')
  assert.deepEqual(api.log, ['inhibit(held)', 'take back(held)'])
  // What happens meanwhile is there afterwards.
  api.addModem({ id: 'usb_1_3' })
  api.links[0]!.change({ state: 'up' })
  for (let round = 0; round < 2; round++) {
    await bus.restart()
    const isBack = async () => (await bus.property(MANAGER, MANAGER1, 'Version')) === 's "0.1.0"'
    await until(isBack, 'the service to be back')
    assert.equal(await bus.property(MANAGER, MANAGER1, 'Modems'), `ao 2 "${MODEM}" "/org/modemd/modem/usb_5f1_5f3"`)
    assert.equal(await bus.property(LINK, 'org.modemd.Link1', 'State'), 's "up"')
    const late = await Client.connect(context, bus)
    api.modems[0]!.change({ signalQuality: 50 + round })
    await until(() => late.signals.length > 0, 'a signal')
    assert.equal((await bus.busctl('call', 'org.modemd', MANAGER, MANAGER1, 'Inhibit', 's', 'x')).status, 0)
  }
  assert.deepEqual(logger.errors, [])
  assert.equal(logger.lines.filter((line) => line.startsWith('warn')).length, 2)
})

test('calls that the dying bus leaves behind are ended', needs('dbus-daemon'), async (context) => {
  const { bus, api } = await serve(context)
  const client = await Client.connect(context, bus)
  let isCalled = false
  api.connect = () => {
    isCalled = true
    return new Promise(() => undefined)
  }
  const never = client.call(MANAGER, MANAGER1, 'Connect', 'sa{sv}', 'demo', {})
  const ended = assert.rejects(never, { name: 'ModemdError', code: 'Internal' })
  await until(() => isCalled, 'the call')
  await bus.stop()
  await ended
  await assert.rejects(client.call(MANAGER, MANAGER1, 'Rescan'), /no connection/)
})

test('what is told to a bus that has just died is no error of its own', needs('dbus-daemon'), async (context) => {
  const bus = await PrivateBus.start()
  context.after(() => bus.close())
  const logger = new MemoryLogger()
  const lost: string[] = []
  const onLost = (reason: string) => void lost.push(reason)
  const connection = await BusConnection.open(bus.address, systemClock, logger, { ...handlers, onLost })
  bus.die()
  const news = { path: '/x', interface: 'org.modemd.X', member: 'X', signature: '', body: [] }
  // The first finds out.
  for (let time = 0; time < 3; time++) connection.sendSignal(news)
  const call = assert.rejects(connection.callBus('GetId', '', []), { code: 'Internal' })
  await until(() => lost.length > 0, 'the loss to be noticed')
  await call
  assert.deepEqual(logger.errors, [])
  assert.equal(lost.length, 1)
})

test('close tells the last change, leaves the bus, and another can come', needs('dbus-daemon'), async (context) => {
  const { bus, api, service } = await serve(context)
  const client = await Client.connect(context, bus)
  api.links[0]!.change({ state: 'going-down' })
  await service.close()
  await until(() => client.propertyChanges('org.modemd.Link1').length === 1, 'the last change')
  const [isOwned] = await client.connection.callBus('NameHasOwner', 's', ['org.modemd'])
  assert.equal(isOwned, false)
  api.links[0]!.change({ state: 'idle' })
  const next = await start(bus.address)
  await next.close()
})

test('the name belongs to another modemd', needs('dbus-daemon'), async (context) => {
  const { bus } = await serve(context)
  const second = start(bus.address)
  await assert.rejects(second, { name: 'ModemdError', code: 'Busy', message: /stop the modemd that runs already/ })
  const other = await Client.connect(context, bus)
  await other.sync()
})

test('no bus there, and something else in its place', needs('dbus-daemon'), async (context) => {
  const bus = await PrivateBus.start()
  context.after(() => bus.close())
  await assert.rejects(start(`unix:path=${bus.folder}/none`), { code: 'NotFound', message: /ENOENT/ })
  await assert.rejects(start('tcp:host=localhost'), { code: 'InvalidArgs' })
  await assert.rejects(start('nonsense'), { code: 'InvalidArgs' })

  const path = join(bus.folder, 'other')
  const refusing = createServer((socket) => socket.on('data', () => socket.write('REJECTED COOKIE\r\n')))
  await new Promise<void>((resolve) => refusing.listen(path, resolve))
  context.after(() => refusing.close())
  await assert.rejects(start(`unix:path=${path}`), { code: 'NotFound', message: /authentication/ })

  const hangingUp = createServer((socket) => socket.on('data', () => socket.destroy()))
  await new Promise<void>((resolve) => hangingUp.listen(`${path}2`, resolve))
  context.after(() => hangingUp.close())
  await assert.rejects(start(`unix:path=${path}2`), { code: 'NotFound' })
})

test('a bus that refuses Hello ends neither the call nor the process', needs('dbus-daemon'), async (context) => {
  const limit = '<limit name="max_connections_per_user">1</limit>'
  const bus = await PrivateBus.start(busConfiguration(limit))
  context.after(() => bus.close())
  const first = await open(bus.address)
  context.after(() => first.close())
  await assert.rejects(open(bus.address), { code: 'NotFound' })
})

test('a policy without the name says what to do', needs('dbus-daemon'), async (context) => {
  const bus = await PrivateBus.start(busConfiguration('<policy context="mandatory"><deny own="*"/></policy>'))
  context.after(() => bus.close())
  await assert.rejects(start(bus.address), { code: 'NotAuthorized', message: /org\.modemd\.conf/ })
})

test('a bus that accepts and says nothing is given up in time', async (context) => {
  const bus = new PrivateBus()
  context.after(() => bus.close())
  chmodSync(bus.folder, 0o700)
  const silent = createServer(() => undefined)
  await new Promise<void>((resolve) => silent.listen(bus.socket, resolve))
  context.after(() => silent.close())
  const clock = new VirtualClock()
  const opening = BusConnection.open(bus.address, clock, new MemoryLogger(), handlers)
  const ended = assert.rejects(opening, { code: 'Timeout' })
  await until(() => clock.pending > 0, 'the time-out to be set')
  await clock.advance(10_000)
  await ended
  assert.equal(clock.pending, 0)
})

test('addresses', () => {
  const at = (bus: string, environment: Record<string, string> = {}) => resolveBusAddress(bus, environment)
  assert.equal(at('system'), 'unix:path=/var/run/dbus/system_bus_socket')
  assert.equal(at('system', { DBUS_SYSTEM_BUS_ADDRESS: 'unix:path=/x' }), 'unix:path=/x')
  assert.equal(at('session', { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/x,guid=0a' }), 'unix:path=/x')
  assert.equal(at('session', { XDG_RUNTIME_DIR: '/run/user/1' }), 'unix:path=/run/user/1/bus')
  assert.equal(at('tcp:host=x;unix:abstract=/y;unix:guid=1,path=/a%20b'), 'unix:path=/a b')
  assert.equal(at('unix:path=/%zz;unix:path=/b%c3%a9'), 'unix:path=/bé')
  for (const bad of ['session', '', 'unix:', 'unix:path=relative', 'unix:path=/a%3ab', 'unix:abstract=/x']) {
    assert.throws(() => at(bad), { code: 'InvalidArgs' }, bad)
  }
})

const handlers = { onCall: () => undefined, onSignal: () => undefined, onLost: () => undefined }

function open(address: string): Promise<BusConnection> {
  return BusConnection.open(address, systemClock, new MemoryLogger(), handlers)
}

function start(address: string) {
  const api = new FakeSupervisor()
  return startBusService({
    address,
    api,
    diagnose: () => api.diagnose(),
    clock: systemClock,
    logger: new MemoryLogger(),
  })
}

function busConfiguration(more: string): string {
  return `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
    "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
    <busconfig>
      <listen>unix:tmpdir=/tmp</listen>
      <auth>EXTERNAL</auth>
      <policy context="default">
        <allow user="*"/>
        <allow own="*"/>
        <allow send_destination="*"/>
        <allow receive_sender="*"/>
      </policy>
      ${more}
    </busconfig>`
}
