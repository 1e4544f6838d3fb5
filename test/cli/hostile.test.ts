/** A modemd that says what it should not, or nothing: over dbus-next, since the real service would clean it. */

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { PrivateBus } from '../bus/private-bus.ts'
import { needs } from '../support/needs.ts'
import { FakeModemd, Refusal, type Values, Variant } from './support/fake-modemd.ts'
import { mmctl, Running } from './support/mmctl.ts'

const has = { ...needs('dbus-daemon'), timeout: 60_000 }
const MODEM = '/org/modemd/modem/usb_5f1_5f2'
const LINK = '/org/modemd/link/demo'

async function scene(context: TestContext) {
  const bus = await PrivateBus.start()
  context.after(() => bus.close())
  const fake = await FakeModemd.start(bus.address)
  context.after(() => fake.close())
  const run = (...argv: readonly string[]) => mmctl(argv, { address: bus.address, columns: 80, env: { NO_COLOR: '1' } })
  return { bus, fake, run }
}

const s = (text: string) => new Variant('s', text)

/** Clears the screen, sets the title, turns the text round. */
const EVIL = '\x1b[2J\x1b]0;owned\x07\u202egnp.exe\x9b31m'

test('what drives terminals never reaches one, in text or JSON', has, async (context) => {
  const { fake, run } = await scene(context)
  const texts = ['Id', 'Manufacturer', 'Model', 'Revision', 'Device', 'OperatorName', 'OperatorCode', 'StateReason']
  const evil: Values = Object.fromEntries(texts.map((name) => [name, s(EVIL)]))
  fake.objects[MODEM] = {
    'org.modemd.Modem1': {
      ...evil,
      State: s('failed'),
      FailedCause: s(EVIL),
      Registration: s(EVIL),
      AccessTechnologies: new Variant('as', [EVIL]),
      OwnNumbers: new Variant('as', [EVIL]),
      Ports: new Variant('a(sss)', [[EVIL, EVIL, EVIL]]),
    },
    'org.modemd.Sim1': { Status: s(EVIL), Iccid: s(EVIL), OperatorName: s(EVIL) },
    'org.modemd.Signal1': { Technology: s(EVIL), Source: s(EVIL) },
  }
  const link = ['Interface', 'Engine', 'Report', 'Cause', 'CauseDetail', 'Advice', 'NextAttemptReason', 'State']
  fake.objects[LINK] = {
    'org.modemd.Link1': {
      ...Object.fromEntries(link.map((name) => [name, s(EVIL)])),
      NextAttemptAt: new Variant('t', 1n),
      Ip4: new Variant('a{sv}', { address: s(EVIL), peer: s(EVIL), dns: new Variant('as', [EVIL]) }),
    },
  }
  fake.manager.Version = s(EVIL)
  fake.answers.ListProfiles = () => ['aa{sv}', [[{ name: s(EVIL), apn: s(EVIL), [EVIL]: s(EVIL) }]]]
  fake.answers.SendPin = () => {
    throw new Refusal('org.modemd.Error.SimPin', EVIL)
  }
  fake.answers.Enable = fake.answers.SendPin
  const commands = [
    'list',
    'status',
    'status 0',
    'signal',
    'why',
    'sim status',
    'profile list',
    'profile show',
    'enable',
  ]
  for (const command of commands) {
    for (const json of [[], ['--json']]) {
      const { stdout, stderr, exitCode } = await run(...command.split(' '), ...json)
      assert.equal(exitCode, command === 'enable' ? 7 : 0, command + stderr)
      assert.doesNotMatch(stdout + stderr, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/, command)
      assert.match(stdout + stderr, /gnp\.exe/i, command)
    }
  }
})

test('properties of a wrong type are not known, whatever they are', has, async (context) => {
  const { fake, run } = await scene(context)
  const wrong = new Variant('a{sv}', { x: new Variant('ay', Buffer.from([1])) })
  const names = ['Id', 'Model', 'State', 'SignalQuality', 'SignalDbm', 'Ports', 'AccessTechnologies', 'Links']
  fake.objects[MODEM] = { 'org.modemd.Modem1': Object.fromEntries(names.map((name) => [name, wrong])) }
  const link = ['State', 'Ip4', 'RxBytes', 'ConnectSpeed', 'NextAttemptAt', 'UpSince', 'Modem', 'PhaseMs']
  fake.objects[LINK] = { 'org.modemd.Link1': Object.fromEntries(link.map((name) => [name, s('wrong')])) }
  for (const argv of [
    ['list'],
    ['status'],
    ['signal'],
    ['why'],
    ['sim', 'status'],
    ['status', '--json'],
    ['list', '--json'],
  ]) {
    const { exitCode, stderr } = await run(...argv)
    assert.deepEqual([exitCode, stderr], [0, ''], argv.join(' '))
  }
})

test(
  'without modemd, or without a bus, the exit code is 3 and the message says what to start',
  has,
  async (context) => {
    const bus = await PrivateBus.start()
    context.after(() => bus.close())
    for (const argv of [['list'], ['status'], ['connect'], ['monitor'], ['sim', 'unlock'], ['profile', 'list']]) {
      const { exitCode, stdout, stderr } = await mmctl(argv, { address: bus.address })
      assert.deepEqual([exitCode, stdout], [3, ''], argv.join(' '))
      assert.match(stderr, /^mmctl: modemd is not running: start it \(`systemctl start modemd`\), or name the bus/)
    }
    const json = await mmctl(['list', '--json'], { address: bus.address })
    assert.deepEqual(
      [json.exitCode, JSON.parse(json.stdout).error.name],
      [3, 'org.freedesktop.DBus.Error.ServiceUnknown'],
    )

    const busless = await mmctl(['status'], { address: 'unix:path=/nonexistent/bus' })
    assert.equal(busless.exitCode, 3)
    assert.match(
      busless.stderr,
      /^mmctl: no message bus answers \(\/nonexistent\/bus: there is no such socket\): start the bus/,
    )
    const abstract = await mmctl(['status', '--bus', 'unix:abstract=/x'], { address: '' })
    assert.equal(abstract.exitCode, 2)
  },
)

test('a modemd that ends under a call is told so at once', has, async (context) => {
  const { fake, run } = await scene(context)
  fake.answers.GetManagedObjects = () => undefined
  fake.answers.GetAll = () => {
    setImmediate(() => fake.close())
    return undefined
  }
  const { exitCode, stderr } = await run('list')
  assert.equal(exitCode, 3)
  assert.match(stderr, /modemd (ended before it answered|is not running)/)
})

test('an older modemd that lacks a method is told from a broken one', has, async (context) => {
  const { fake, run } = await scene(context)
  fake.objects[MODEM] = { 'org.modemd.Modem1': { Id: s('usb_1_2') } }
  const { exitCode, stderr } = await run('enable')
  assert.equal(exitCode, 1)
  assert.match(stderr, /this modemd does not know that .*: use a mmctl of the same\sversion/)
})

test('a bus that dies ends what would go on for ever', has, async (context) => {
  const { bus, fake } = await scene(context)
  fake.objects[LINK] = { 'org.modemd.Link1': { State: s('idle') } }
  const running = new Running(['monitor'], { address: bus.address })
  while (!/dialling/.test(running.stdout)) {
    const change = ['org.modemd.Link1', { State: s('dialling') }, []]
    fake.signal(LINK, 'org.freedesktop.DBus.Properties', 'PropertiesChanged', 'sa{sv}as', change)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  await bus.stop()
  const { exitCode, stderr } = await running.ended
  assert.equal(exitCode, 3)
  assert.match(stderr, /the message bus .*: start the bus again/)
})

test("nobody else's signals count, and monitor follows a modemd that restarts", has, async (context) => {
  const { bus, fake } = await scene(context)
  fake.objects[LINK] = { 'org.modemd.Link1': { State: s('idle') } }
  const running = new Running(['monitor'], { address: bus.address })
  const change = (state: string) => ['org.modemd.Link1', { State: s(state) }, []]
  const tell = (from: FakeModemd, state: string) =>
    from.signal(LINK, 'org.freedesktop.DBus.Properties', 'PropertiesChanged', 'sa{sv}as', change(state))
  while (!/dialling/.test(running.stdout)) {
    tell(fake, 'dialling')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  const stranger = await FakeModemd.start(bus.address, 'org.example.Stranger')
  context.after(() => stranger.close())
  const lie = [LINK, 'org.freedesktop.DBus.Properties', 'PropertiesChanged', 'sa{sv}as'] as const
  await stranger.signalEach(...lie, change('lied'))
  fake.close()
  await running.until(/modemd has left the bus/)
  assert.doesNotMatch(running.stdout, /lied/)
  const successor = await FakeModemd.start(bus.address)
  context.after(() => successor.close())
  await running.until(/modemd is here/)
  successor.objects[LINK] = { 'org.modemd.Link1': { State: s('idle') } }
  successor.signal('/org/modemd', 'org.freedesktop.DBus.ObjectManager', 'InterfacesAdded', 'oa{sa{sv}}', [
    LINK,
    successor.objects[LINK],
  ])
  tell(successor, 'up')
  await running.until(/link demo {2}State: idle → up/)
  running.interrupt()
  const { exitCode, stdout } = await running.ended
  assert.equal(exitCode, 0)
  assert.match(stdout, /link demo {2}added/)
})
