/** Callers and modems that mean ill, or are broken: an error each, never a crash, and nothing changed. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import test from 'node:test'
import { variant } from '../../src/bus/signature.ts'
import { needs } from '../support/needs.ts'
import { Client, LINK, MANAGER, MODEM, plain, serve } from './fixture.ts'
import { until } from './private-bus.ts'

const MANAGER1 = 'org.modemd.Manager1'
const MODEM1 = 'org.modemd.Modem1'
const PROPERTIES = 'org.freedesktop.DBus.Properties'
const SPECIFICATION = 'org.freedesktop.DBus.Error'
const OURS = 'org.modemd.Error'

test('unknown paths, interfaces, members and properties', needs('dbus-daemon'), async (context) => {
  const { bus, api } = await serve(context)
  const client = await Client.connect(context, bus)
  const get = (path: string, ...names: readonly string[]) => client.call(path, PROPERTIES, 'Get', 'ss', ...names)
  const introspect = (path: string) => client.call(path, 'org.freedesktop.DBus.Introspectable', 'Introspect')
  const cases: readonly [Promise<unknown>, string][] = [
    [client.call('/org/modemd/modem/none', MODEM1, 'Enable'), 'UnknownObject'],
    [client.call('/org/modemd/modem', MODEM1, 'Enable'), 'UnknownInterface'],
    [client.call(MANAGER, MODEM1, 'Enable'), 'UnknownInterface'],
    [client.call(MODEM, MODEM1, 'enable'), 'UnknownMethod'],
    [client.call(MODEM, MODEM1, 'constructor'), 'UnknownMethod'],
    [client.call(MODEM, MODEM1, 'StateChanged'), 'UnknownMethod'],
    [get(MODEM, MODEM1, 'state'), 'UnknownProperty'],
    [get(MODEM, MODEM1, '__proto__'), 'UnknownProperty'],
    [get(MODEM, 'org.modemd.Link1', 'State'), 'UnknownInterface'],
    [get('/', MODEM1, 'State'), 'UnknownInterface'],
    [client.call(MODEM, PROPERTIES, 'GetAll', 's', 'org.example.X'), 'UnknownInterface'],
    [client.call(LINK, 'org.freedesktop.DBus.ObjectManager', 'GetManagedObjects'), 'UnknownInterface'],
    [introspect('/org/modem'), 'UnknownObject'],
    [introspect(`${MODEM}/x`), 'UnknownObject'],
  ]
  const areRejected = cases.map(([call, name]) => assert.rejects(call, { errorName: `${SPECIFICATION}.${name}` }))
  await Promise.all(areRejected)
  await client.call('/anything', 'org.freedesktop.DBus.Peer', 'Ping')
  assert.deepEqual(await client.call(MODEM, PROPERTIES, 'GetAll', 's', PROPERTIES), [{}])
  assert.deepEqual(plain((await get(MODEM, '', 'State')) as unknown), { 0: 'registered' })
  assert.deepEqual(api.log, [])
})

test('wrong types', needs('dbus-daemon', 'busctl'), async (context) => {
  const { bus, api } = await serve(context)
  const client = await Client.connect(context, bus)
  const ours: readonly Promise<unknown>[] = [
    client.call(MANAGER, MANAGER1, 'Connect', 's', 'demo'),
    client.call(MANAGER, MANAGER1, 'Connect', 'sa{ss}', 'demo', {}),
    client.call(MANAGER, MANAGER1, 'Connect', 'sa{sv}s', 'demo', {}, ''),
    client.call(MANAGER, MANAGER1, 'Rescan', 's', ''),
    client.call(MANAGER, MANAGER1, 'Connect', 'sa{sv}', 'demo', { wait: variant('y', 1) }),
    client.call(MANAGER, MANAGER1, 'Connect', 'sa{sv}', 'demo', { apn: variant('v', variant('s', 'x')) }),
    client.call(MANAGER, MANAGER1, 'Connect', 'sa{sv}', 'demo', { nothing: variant('s', '') }),
    client.call(MODEM, 'org.modemd.Sim1', 'EnablePin', 'ss', '1234', 'yes'),
  ]
  await Promise.all(ours.map((call) => assert.rejects(call, { errorName: `${OURS}.InvalidArgs` })))
  const get = client.call(MODEM, PROPERTIES, 'Get', 's', MODEM1)
  await assert.rejects(get, { errorName: `${SPECIFICATION}.InvalidArgs` })
  const { stderr } = await bus.busctl('call', 'org.modemd', MANAGER, MANAGER1, 'Disconnect', 's', '/')
  assert.match(stderr, /Disconnect takes the types "o", not "s"/)
  assert.deepEqual(api.log, [])
})

test('Set changes nothing', needs('dbus-daemon', 'busctl'), async (context) => {
  const { bus } = await serve(context)
  const client = await Client.connect(context, bus)
  const set = (path: string, ...names: readonly string[]) =>
    client.call(path, PROPERTIES, 'Set', 'ssv', ...names, variant('s', 'changed'))
  await assert.rejects(set(MODEM, MODEM1, 'State'), { errorName: `${SPECIFICATION}.PropertyReadOnly` })
  await assert.rejects(set(MODEM, MODEM1, 'Nothing'), { errorName: `${SPECIFICATION}.UnknownProperty` })
  await assert.rejects(set(MODEM, 'org.example.X', 'State'), { errorName: `${SPECIFICATION}.UnknownInterface` })
  const { status } = await bus.busctl('set-property', 'org.modemd', MANAGER, MANAGER1, 'Version', 's', 'changed')
  assert.equal(status, 1)
  assert.equal(await bus.property(MODEM, MODEM1, 'State'), 's "registered"')
  assert.equal(await bus.property(MANAGER, MANAGER1, 'Version'), 's "0.1.0"')
})

test('strings of a mebibyte', needs('dbus-daemon'), async (context) => {
  const { bus, api } = await serve(context)
  const client = await Client.connect(context, bus)
  const huge = 'x'.repeat(1024 * 1024)
  const invalid = { errorName: `${OURS}.InvalidArgs` }
  await assert.rejects(client.call(MANAGER, MANAGER1, 'Connect', 'sa{sv}', huge, {}), invalid)
  const option = (value: string) => ({ apn: variant('s', value) })
  await assert.rejects(client.call(MANAGER, MANAGER1, 'Connect', 'sa{sv}', '', option(huge)), invalid)
  await assert.rejects(client.call(MANAGER, MANAGER1, 'Connect', 'sa{sv}', '', { [huge]: variant('s', '') }), invalid)
  await assert.rejects(client.call(MANAGER, MANAGER1, 'SaveProfile', 'a{sv}', option(huge)), invalid)
  const get = client.call(MODEM, PROPERTIES, 'Get', 'ss', MODEM1, huge)
  await assert.rejects(get, { errorName: `${SPECIFICATION}.InvalidArgs` })
  await client.sync()
  assert.deepEqual(api.log, [])
})

test('two thousand calls at once are all answered', needs('dbus-daemon'), async (context) => {
  const { bus, api } = await serve(context)
  const client = await Client.connect(context, bus)
  const kinds = [
    () => client.call(MODEM, PROPERTIES, 'GetAll', 's', MODEM1),
    () => client.call(MODEM, PROPERTIES, 'Get', 'ss', MODEM1, 'State'),
    () => client.call(MANAGER, MANAGER1, 'Rescan'),
    () => client.call(MANAGER, MANAGER1, 'Nothing').catch(() => undefined),
    () => client.call(LINK, 'org.modemd.Link1', 'Down'),
  ]
  const answers = await Promise.all(Array.from({ length: 2000 }, (_, index) => kinds[index % kinds.length]!()))
  assert.equal(answers.length, 2000)
  assert.equal(api.log.filter((line) => line === 'down(demo)').length, 400)
})

test('what a modem says cannot break the bus', needs('dbus-daemon', 'busctl'), async (context) => {
  const { bus, api, logger } = await serve(context)
  const client = await Client.connect(context, bus)
  const [modem] = api.modems
  modem!.change({
    manufacturer: 'a\0b\x1b[2J',
    model: '\ud800broken\udfff',
    revision: 'é'.repeat(2000),
    operatorName: '\0',
    ownNumbers: ['\0\n'],
    ports: [{ name: '/dev/tty\0', role: 'at', owner: '\x07' }],
    signalQuality: 1e9,
    signalDbm: Number.POSITIVE_INFINITY,
    sim: { pinTries: -1, pukTries: 2.5 },
    signal: { rssi: Number.NaN, atUs: -1n, source: '' },
  })
  api.links[0]!.change({
    connectSpeed: 2 ** 40,
    report: 'CONNECT\0',
    rxBytes: -1n,
    attempts: Number.NaN,
    chatExit: 1e10,
  })
  const known = plain((await client.call(MODEM, PROPERTIES, 'GetAll', 's', MODEM1))[0])
  assert.equal(known.Manufacturer, 'a\\x00b\\x1b[2J')
  assert.equal(known.Model, '\ufffdbroken\ufffd')
  assert.equal((known.Revision as string).length, 501)
  assert.equal(known.OperatorName, '\\x00')
  assert.deepEqual(known.Ports, [['/dev/tty\\x00', 'at', '\\x07']])
  assert.ok(!('SignalQuality' in known || 'SignalDbm' in known))
  for (const name of ['Sim1', 'Signal1']) {
    assert.deepEqual(plain((await client.call(MODEM, PROPERTIES, 'GetAll', 's', `org.modemd.${name}`))[0]), {})
  }
  assert.equal(await bus.property(LINK, 'org.modemd.Link1', 'Report'), 's "CONNECT\\\\x00"')
  const changes = client.propertyChanges('org.modemd.Link1')
  assert.deepEqual(changes.at(-1)?.body[2], ['RxBytes', 'Attempts'])
  assert.deepEqual(logger.errors, [])
})

test('an error inside never shows its stack', needs('dbus-daemon'), async (context) => {
  const { bus, api, logger } = await serve(context)
  const client = await Client.connect(context, bus)
  api.reloadConfig = async () => {
    throw new TypeError('secret detail\n    at somewhere')
  }
  api.profiles = () => {
    throw new RangeError('at once')
  }
  const failure = await client.call(MANAGER, MANAGER1, 'ReloadConfig').catch((error) => error)
  assert.equal(failure.errorName, `${OURS}.Internal`)
  assert.equal(failure.message, 'modemd failed inside: its log says more.')
  await assert.rejects(client.call(MANAGER, MANAGER1, 'ListProfiles'), { errorName: `${OURS}.Internal` })
  assert.match(logger.errors.join('\n'), /ReloadConfig failed: secret detail/)
  assert.match(logger.errors.join('\n'), /ListProfiles failed: at once/)
})

test(
  'a message that cannot be taken apart is left out, and the next is answered',
  needs('dbus-daemon'),
  async (context) => {
    const { bus, logger } = await serve(context)
    const raw = await RawClient.connect(bus.socket)
    context.after(() => raw.close())
    // A file descriptor's index without a file descriptor: the bus lets it pass.
    raw.call(MANAGER, MANAGER1, 'Rescan', { signature: 'h', body: Buffer.alloc(4) })
    raw.call(MANAGER, MANAGER1, 'Rescan', { signature: 'h', body: Buffer.alloc(4) })
    // No interface, which D-Bus allows.
    const serial = raw.call(MANAGER, undefined, 'Rescan')
    await until(() => raw.repliedSerials.includes(serial), 'the answer')
    assert.equal(logger.lines.filter((line) => line.includes('could not be read')).length, 2)
  },
)

test('no answer where none is wanted', needs('dbus-daemon', 'busctl'), async (context) => {
  const { bus, api } = await serve(context)
  const raw = await RawClient.connect(bus.socket)
  context.after(() => raw.close())
  const quiet = raw.call(MANAGER, MANAGER1, 'ReloadConfig', { flags: 1 })
  const wrong = raw.call(MANAGER, MANAGER1, 'Nothing', { flags: 1 })
  const loud = raw.call(MANAGER, MANAGER1, 'ReloadConfig')
  await until(() => raw.repliedSerials.includes(loud), 'the answer')
  assert.deepEqual(api.log, ['reloadConfig()', 'reloadConfig()'])
  assert.ok(!raw.repliedSerials.includes(quiet) && !raw.repliedSerials.includes(wrong))
})

/** Bytes on the bus's socket, for what no library would send. */
class RawClient {
  readonly #socket: Socket
  #received = Buffer.alloc(0)
  #lastSerial = 0

  static async connect(path: string): Promise<RawClient> {
    const socket = createConnection(path)
    await once(socket, 'connect')
    const uid = Buffer.from(String(process.getuid!())).toString('hex')
    socket.write(`\0AUTH EXTERNAL ${uid}\r\n`)
    await once(socket, 'data')
    socket.write('BEGIN\r\n')
    const client = new RawClient(socket)
    const bus = 'org.freedesktop.DBus'
    const hello = client.#send('/org/freedesktop/DBus', bus, 'Hello', bus, {})
    await until(() => client.repliedSerials.includes(hello), 'Hello')
    return client
  }

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes])
    })
  }

  call(path: string, interfaceName: string | undefined, member: string, extra: RawExtra = {}): number {
    return this.#send(path, interfaceName, member, 'org.modemd', extra)
  }

  /** REPLY_SERIAL (5) fields in what came. */
  get repliedSerials(): readonly number[] {
    const serials: number[] = []
    const mark = Buffer.from([5, 1, 0x75, 0])
    for (let at = this.#received.indexOf(mark); at >= 0; at = this.#received.indexOf(mark, at + 1)) {
      serials.push(this.#received.readUInt32LE(at + 4))
    }
    return serials
  }

  close(): void {
    this.#socket.destroy()
  }

  #send(path: string, interfaceName: string | undefined, member: string, destination: string, extra: RawExtra): number {
    const { signature, body = Buffer.alloc(0), flags = 0 } = extra
    let fields = Buffer.alloc(0)
    const field = (code: number, type: string, text: string | undefined) => {
      if (text === undefined) return
      const aligned = Buffer.concat([fields, Buffer.alloc(-fields.length & 7)])
      const length = type === 'g' ? Buffer.from([text.length]) : Buffer.from(Uint32Array.of(text.length).buffer)
      fields = Buffer.concat([
        aligned,
        Buffer.from([code, 1]),
        Buffer.from(`${type}\0`),
        length,
        Buffer.from(`${text}\0`),
      ])
    }
    field(1, 'o', path)
    field(2, 's', interfaceName)
    field(3, 's', member)
    field(6, 's', destination)
    field(8, 'g', signature)
    const serial = ++this.#lastSerial
    const header = Buffer.alloc(16)
    header.set([0x6c, 1, flags, 1])
    header.writeUInt32LE(body.length, 4)
    header.writeUInt32LE(serial, 8)
    header.writeUInt32LE(fields.length, 12)
    this.#socket.write(Buffer.concat([header, fields, Buffer.alloc(-fields.length & 7), body]))
    return serial
  }
}

interface RawExtra {
  readonly signature?: string
  readonly body?: Buffer
  readonly flags?: number
}
