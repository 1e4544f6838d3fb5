import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ModemdError } from '../../src/base/errors.ts'
import { silentLogger } from '../../src/base/ports.ts'
import { BusConnection } from '../../src/bus/connection.ts'
import { ModemManagerClient } from '../../src/bus/modemmanager-client.ts'
import { Neighbours } from '../../src/bus/neighbours.ts'
import { systemClock } from '../../src/system/clock.ts'
import { needs } from '../support/needs.ts'
import { until } from '../system/until.ts'
import { PrivateBus } from './private-bus.ts'

const NAME = 'org.freedesktop.ModemManager1'
const DEVICE = '/sys/devices/pci0000:00/0000:00:14.0/usb1/1-2'

/** As much of ModemManager as is asked: its name and InhibitDevice. */
class FakeManager {
  readonly inhibitions: (readonly [device: string, on: boolean])[] = []
  readonly known = new Set([DEVICE])
  #connection: BusConnection | undefined

  async start(bus: PrivateBus): Promise<void> {
    const connection = await BusConnection.open(bus.address, systemClock, silentLogger, {
      onCall: (call) => {
        const [device, on] = call.body as [string, boolean]
        assert.deepEqual(
          [call.path, call.interface, call.member, call.signature],
          ['/org/freedesktop/ModemManager1', NAME, 'InhibitDevice', 'sb'],
        )
        if (!this.known.has(device)) return call.fail(`${NAME}.Error.Core.NotFound`, 'No device found')
        this.inhibitions.push([device, on])
        call.reply('', [])
      },
      onSignal: () => {},
      onLost: () => {},
    })
    this.#connection = connection
    await connection.callBus('RequestName', 'su', [NAME, 0])
  }

  shows(): void {
    const path = '/org/freedesktop/ModemManager1'
    const iface = 'org.freedesktop.DBus.ObjectManager'
    const body = [`${path}/Modem/0`, {}]
    this.#connection?.sendSignal({ path, interface: iface, member: 'InterfacesAdded', signature: 'oa{sa{sv}}', body })
  }

  async stop(): Promise<void> {
    await this.#connection?.close()
  }
}

async function setUp(context: TestContext): Promise<{ bus: PrivateBus; manager: FakeManager }> {
  const bus = await PrivateBus.start()
  const manager = new FakeManager()
  context.after(async () => {
    await manager.stop()
    await bus.close()
  })
  return { bus, manager }
}

/** The tests' process is the manager's, too: the client is told that it is another. */
async function clientOf(context: TestContext, bus: PrivateBus, processId = 1): Promise<ModemManagerClient> {
  const neighbours = await Neighbours.start({ address: bus.address, clock: systemClock, logger: silentLogger })
  context.after(() => neighbours.close())
  return await ModemManagerClient.start({ neighbours, processId, logger: silentLogger })
}

test('who runs is known at once, and when it comes and goes', needs('dbus-daemon'), async (context) => {
  const { bus, manager } = await setUp(context)
  await manager.start(bus)
  const client = await clientOf(context, bus)
  assert.equal(client.holder, 'ModemManager')
  const seen: (string | undefined)[] = []
  client.onChange(() => seen.push(client.holder))
  await manager.stop()
  await until('it is gone', () => seen.length === 1)
  assert.equal(client.holder, undefined)
  await manager.start(bus)
  await until('it is back', () => seen.length === 2)
  assert.deepEqual(seen, [undefined, 'ModemManager'])
})

test(
  'a device is let go of and given back; one that it does not know is NotFound',
  needs('dbus-daemon'),
  async (context) => {
    const { bus, manager } = await setUp(context)
    await manager.start(bus)
    const client = await clientOf(context, bus)
    const release = await client.inhibit(DEVICE)
    assert.deepEqual(manager.inhibitions, [[DEVICE, true]])
    await assert.rejects(
      client.inhibit('/sys/devices/other'),
      (error) => error instanceof ModemdError && error.code === 'NotFound',
    )
    release()
    release()
    await until('it is given back', () => manager.inhibitions.length === 2)
    assert.deepEqual(manager.inhibitions[1], [DEVICE, false])
  },
)

test('our own ModemManager facade is nobody else', needs('dbus-daemon'), async (context) => {
  const { bus, manager } = await setUp(context)
  await manager.start(bus)
  const client = await clientOf(context, bus, process.pid)
  assert.equal(client.holder, undefined)
})

test('after the bus died what it let go of is asked for again', needs('dbus-daemon'), async (context) => {
  const { bus, manager } = await setUp(context)
  await manager.start(bus)
  const client = await clientOf(context, bus)
  await client.inhibit(DEVICE)
  await bus.restart()
  await manager.stop()
  await manager.start(bus)
  await until('it is asked again', () => manager.inhibitions.length === 2)
  assert.deepEqual(manager.inhibitions[1], [DEVICE, true])
  assert.equal(client.holder, 'ModemManager')
})

test('a modem that it has probed is told, by it alone', needs('dbus-daemon'), async (context) => {
  const { bus, manager } = await setUp(context)
  await manager.start(bus)
  const client = await clientOf(context, bus)
  let told = 0
  client.onDevice(() => {
    told += 1
  })
  manager.shows()
  await until('it is told', () => told === 1)
  const ours = await clientOf(context, bus, process.pid)
  let isOursTold = false
  ours.onDevice(() => {
    isOursTold = true
  })
  manager.shows()
  await until('it is told again', () => told === 2)
  // Its answer comes behind the signal.
  await ours.inhibit(DEVICE)
  assert.equal(isOursTold, false, 'our own facade is nobody else')
})
