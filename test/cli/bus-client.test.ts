import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, connect as dial, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { busAddress, socketPaths } from '../../src/cli/bus-address.ts'
import { BUS_NAME, BusClient, BusError, type Signal } from '../../src/cli/bus-client.ts'
import { clock } from '../../src/cli/clock.ts'
import { CliError } from '../../src/cli/errors.ts'
import { PrivateBus } from '../bus/private-bus.ts'
import { needs } from '../support/needs.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const BUS = { destination: BUS_NAME, path: '/org/freedesktop/DBus', interface: BUS_NAME } as const

interface Client {
  readonly bus: BusClient
  readonly signals: Signal[]
  readonly gone: Promise<BusError>
}

async function open(context: TestContext, address: string, time = clock): Promise<Client> {
  const signals: Signal[] = []
  let onGone: (error: BusError) => void = () => {}
  const gone = new Promise<BusError>((resolve) => {
    onGone = resolve
  })
  const bus = await BusClient.open(address, time, { onSignal: (signal) => signals.push(signal), onGone })
  context.after(() => bus.close())
  return { bus, signals, gone }
}

/** A socket that speaks as a test wants. */
async function listen(context: TestContext, onConnection: (socket: Socket) => void): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'mmctl-socket-'))
  const server = createServer(onConnection)
  const path = join(folder, 'bus')
  await new Promise<void>((resolve) => server.listen(path, resolve))
  context.after(() => {
    server.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return path
}

async function startBus(context: TestContext): Promise<PrivateBus> {
  const bus = await PrivateBus.start()
  context.after(() => bus.close())
  return bus
}

test('a real bus takes our authentication, calls and match rules', needs('dbus-daemon'), async (context) => {
  const { address } = await startBus(context)
  const { bus, signals } = await open(context, address)
  const [names] = await bus.call({ ...BUS, member: 'ListNames' })
  assert.ok((names as string[]).includes(BUS_NAME))
  await bus.addMatch("type='signal',member='NameOwnerChanged'")
  await bus.call({ ...BUS, member: 'RequestName', signature: 'su', body: ['org.example.Test', 0] })
  await bus.call({ ...BUS, member: 'GetId' })
  assert.ok(signals.some(({ member, body }) => member === 'NameOwnerChanged' && body[0] === 'org.example.Test'))
})

test('an error comes with its name and text', needs('dbus-daemon'), async (context) => {
  const { address } = await startBus(context)
  const { bus } = await open(context, address)
  const call = bus.call({ destination: 'org.absent', path: '/', interface: 'org.absent', member: 'Do' })
  await assert.rejects(call, { name: 'org.freedesktop.DBus.Error.ServiceUnknown', message: /org\.absent/ })
})

test('a bus that dies refuses all that waits, and all that comes after', needs('dbus-daemon'), async (context) => {
  const real = await startBus(context)
  const { bus, gone } = await open(context, real.address)
  const silent = await open(context, real.address)
  await silent.bus.call({ ...BUS, member: 'RequestName', signature: 'su', body: ['org.example.Silent', 0] })
  const call = { destination: 'org.example.Silent', path: '/', interface: 'org.example', member: 'Wait' }
  const waiting = bus.call({ ...call, timeoutMs: Number.POSITIVE_INFINITY })
  const refused = assert.rejects(waiting, { name: 'org.freedesktop.DBus.Error.Disconnected' })
  await bus.call({ ...BUS, member: 'GetId' })
  await real.stop()
  await refused
  assert.equal((await gone).name, 'org.freedesktop.DBus.Error.Disconnected')
  await assert.rejects(bus.call({ ...BUS, member: 'GetId' }), BusError)
})

test('messages cut at every byte are read', needs('dbus-daemon'), async (context) => {
  const real = await startBus(context)
  const path = await listen(context, (socket) => {
    const behind = dial(real.socket)
    socket.pipe(behind)
    behind.on('data', (bytes) => {
      for (const byte of bytes) socket.write(Uint8Array.of(byte))
    })
    socket.on('close', () => behind.destroy())
    socket.setNoDelay(true)
  })
  const { bus } = await open(context, `unix:path=${path}`)
  const [id] = await bus.call({ ...BUS, member: 'GetId' })
  assert.match(String(id), /^[0-9a-f]{32}$/)
})

test('no answer in time is a time-out, and a late answer does no harm', async (context) => {
  const path = await listen(context, (socket) => {
    socket.resume()
  })
  const time = new VirtualClock()
  const { bus } = await open(context, `unix:path=${path}`, time)
  const call = bus.call({ ...BUS, member: 'GetId', timeoutMs: 1000 })
  const refused = assert.rejects(call, { name: 'org.freedesktop.DBus.Error.Timeout', message: /GetId within 1 s/ })
  await time.advance(1000)
  await refused
})

test('a refused authentication and a bus that talks nonsense are told apart', async (context) => {
  const refusing = await listen(context, (socket) => socket.once('data', () => socket.write('REJECTED EXTERNAL\r\n')))
  const first = await open(context, `unix:path=${refusing}`)
  await assert.rejects(first.bus.call({ ...BUS, member: 'GetId' }), { name: 'org.freedesktop.DBus.Error.AuthFailed' })

  const raving = await listen(context, (socket) =>
    socket.once('data', () => socket.write(Buffer.concat([Buffer.from('OK 00\r\n'), Buffer.alloc(64, 0xff)]))),
  )
  const second = await open(context, `unix:path=${raving}`)
  await assert.rejects(second.bus.call({ ...BUS, member: 'GetId' }), /not D-Bus/)
})

test(
  'where no bus listens, the error names the socket; a later address of the list is tried',
  needs('dbus-daemon'),
  async (context) => {
    await assert.rejects(open(context, 'unix:path=/nonexistent/bus'), {
      name: 'org.freedesktop.DBus.Error.NoServer',
      message: /\/nonexistent\/bus: there is no such socket/,
    })
    const { address } = await startBus(context)
    const { bus } = await open(context, `unix:path=/nonexistent/bus;${address}`)
    await bus.call({ ...BUS, member: 'GetId' })
  },
)

test('addresses', () => {
  const env = { DBUS_SYSTEM_BUS_ADDRESS: 'unix:path=/tmp/s', XDG_RUNTIME_DIR: '/run/user/7' }
  assert.equal(busAddress(undefined, {}), 'unix:path=/run/dbus/system_bus_socket')
  assert.equal(busAddress(undefined, env), 'unix:path=/tmp/s')
  assert.equal(busAddress('session', env), 'unix:path=/run/user/7/bus')
  assert.equal(busAddress('session', { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/b' }), 'unix:path=/b')
  assert.equal(busAddress('unix:path=/c', env), 'unix:path=/c')
  assert.throws(() => busAddress('session', {}), CliError)
  assert.deepEqual(socketPaths('unix:guid=00,path=/a%20b%2c;tcp:host=x;unix:path=/c,guid=1'), ['/a b,', '/c'])
  assert.throws(() => socketPaths('unix:abstract=/tmp/x'), /abstract socket.*unix:path=/)
  assert.throws(() => socketPaths('unix:path=/%zz'), /%-escape/)
  for (const address of ['', 'nonsense', 'tcp:host=localhost,port=1'])
    assert.throws(() => socketPaths(address), CliError, address)
})
