/** The XML under dbus/ is the documentation: the running service has the same members, signatures and argument names, and each is described. */

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { XMLParser } from 'fast-xml-parser'
import { needs } from '../support/needs.ts'
import { LINK, MANAGER, MODEM, serve } from './fixture.ts'

const FOLDER = fileURLToPath(new URL('../../dbus', import.meta.url))
/** What the path of message 1 is after sd_bus_path_encode(3). */
const MESSAGE = '/org/modemd/sms/_31'
const OBJECTS: Readonly<Record<string, string>> = {
  'org.modemd.Manager1': MANAGER,
  'org.modemd.Modem1': MODEM,
  'org.modemd.Sim1': MODEM,
  'org.modemd.Signal1': MODEM,
  'org.modemd.Messaging1': MODEM,
  'org.modemd.Sms1': MESSAGE,
  'org.modemd.Ussd1': MODEM,
  'org.modemd.Time1': MODEM,
  'org.modemd.Location1': MODEM,
  'org.modemd.Link1': LINK,
}

interface Element {
  readonly name: string
  readonly type?: string
  readonly direction?: string
  readonly access?: string
  readonly value?: string
  readonly arg?: readonly Element[]
  readonly annotation?: readonly Element[]
  readonly 'doc:doc'?: string
}

interface InterfaceElement extends Element {
  readonly method?: readonly Element[]
  readonly signal?: readonly Element[]
  readonly property?: readonly Element[]
}

function interfacesOf(xml: string): readonly InterfaceElement[] {
  const isArray = (name: string) =>
    ['interface', 'method', 'signal', 'property', 'arg', 'annotation', 'node'].includes(name)
  const parser = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: '', isArray })
  const [node] = parser.parse(xml, true).node
  return node.interface ?? []
}

/** One line a member: `method Connect(in s profile, in a{sv} options, out o link)`. */
function members({ method = [], signal = [], property = [] }: InterfaceElement): readonly string[] {
  const args = ({ arg = [] }: Element) =>
    arg.map(({ direction, type, name }) => [direction, type, name].filter(Boolean).join(' ')).join(', ')
  return [
    ...method.map((each) => `method ${each.name}(${args(each)})`),
    ...signal.map((each) => `signal ${each.name}(${args(each)})`),
    ...property.map(({ name, type, access, annotation = [] }) =>
      [`property ${name} ${type} ${access}`, ...annotation.map((each) => `${each.name}=${each.value}`)].join(' '),
    ),
  ].sort()
}

function documented(file: string): InterfaceElement {
  const [found, ...more] = interfacesOf(readFileSync(`${FOLDER}/${file}`, 'utf8'))
  assert.ok(found && more.length === 0, `${file} has one interface`)
  return found
}

test('one file for each interface, named after it', () => {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.xml'))
  assert.deepEqual(
    files.sort(),
    Object.keys(OBJECTS)
      .map((name) => `${name}.xml`)
      .sort(),
  )
  for (const file of files) assert.equal(`${documented(file).name}.xml`, file)
})

test('every member is described', () => {
  for (const name of Object.keys(OBJECTS)) {
    const { 'doc:doc': about, method = [], signal = [], property = [] } = documented(`${name}.xml`)
    assert.ok(about, name)
    for (const each of [...method, ...signal, ...property]) assert.ok(each['doc:doc'], `${name}.${each.name}`)
  }
})

test('the running service is what the files say', needs('dbus-daemon', 'busctl'), async (context) => {
  const { bus, api } = await serve(context)
  api.modems[0]!.messaging.receive({ number: '1', text: 'hello' })
  api.modems[0]!.time.tell({ offsetMinutes: 0, atUs: 5n, source: '+CTZV' })
  for (const [name, path] of Object.entries(OBJECTS)) {
    const { stdout } = await bus.busctl('introspect', '--xml-interface', 'org.modemd', path)
    const running = interfacesOf(stdout)
    const found = running.find((each) => each.name === name)
    assert.ok(found, `${name} at ${path}`)
    assert.deepEqual(members(found), members(documented(`${name}.xml`)), name)
    const own = running.filter((each) => each.name.startsWith('org.modemd.'))
    for (const each of own) assert.equal(OBJECTS[each.name], path, `${each.name} is documented`)
  }
})

test('what changes without a signal is no promise to clients', needs('dbus-daemon', 'busctl'), async (context) => {
  const { bus } = await serve(context)
  const silent: string[] = []
  for (const [name, path] of Object.entries(OBJECTS).filter(([, each]) => each !== MESSAGE)) {
    const { stdout } = await bus.busctl('introspect', 'org.modemd', path)
    // NAME TYPE SIGNATURE RESULT/VALUE FLAGS, an interface and then what it has.
    const lines = stdout.split('\n')
    const from = lines.findIndex((line) => line.startsWith(`${name} `)) + 1
    const to = lines.findIndex((line, index) => index >= from && !line.startsWith('.'))
    const own = from === 0 ? [] : lines.slice(from, to).filter((line) => / property /.test(line))
    silent.push(...own.filter((line) => !/ emits-change\b/.test(line)).map((line) => line.split(' ', 1)[0]!))
  }
  assert.deepEqual(silent.sort(), ['.DataLimit', '.DataMonth', '.DataUsed', '.RxBytes', '.TxBytes'])
})

test(
  'the standard interfaces are described as the specification has them',
  needs('dbus-daemon', 'busctl'),
  async (context) => {
    const { bus } = await serve(context)
    const { stdout } = await bus.busctl('introspect', '--xml-interface', 'org.modemd', MANAGER)
    const standard = interfacesOf(stdout).filter(({ name }) => name.startsWith('org.freedesktop.DBus.'))
    assert.deepEqual(Object.fromEntries(standard.map((each) => [each.name, members(each)])), {
      'org.freedesktop.DBus.Peer': ['method GetMachineId(out s machine_uuid)', 'method Ping()'],
      'org.freedesktop.DBus.Introspectable': ['method Introspect(out s xml_data)'],
      'org.freedesktop.DBus.Properties': [
        'method Get(in s interface_name, in s property_name, out v value)',
        'method GetAll(in s interface_name, out a{sv} properties)',
        'method Set(in s interface_name, in s property_name, in v value)',
        'signal PropertiesChanged(s interface_name, a{sv} changed_properties, as invalidated_properties)',
      ],
      'org.freedesktop.DBus.ObjectManager': [
        'method GetManagedObjects(out a{oa{sa{sv}}} object_paths_interfaces_and_properties)',
        'signal InterfacesAdded(o object_path, a{sa{sv}} interfaces_and_properties)',
        'signal InterfacesRemoved(o object_path, as interfaces)',
      ],
    })
  },
)
