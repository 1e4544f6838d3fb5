/** What a feature adds to a modem on the bus: an interface, signals, and objects that come and go with it. */

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { silentLogger } from '../../src/base/ports.ts'
import { bind, type InterfaceDefinition, type InterfaceShape } from '../../src/bus/definition.ts'
import { Exporter } from '../../src/bus/exporter.ts'
import type { ModemExports, ModemExtension } from '../../src/bus/modem-objects.ts'
import { ObjectTree } from '../../src/bus/object-tree.ts'
import { Publisher } from '../../src/bus/publisher.ts'
import type { ModemHandle } from '../../src/modem/snapshot.ts'
import { systemClock } from '../../src/system/clock.ts'
import { FakeSupervisor } from '../support/fake-supervisor.ts'
import { MODEM } from './fixture.ts'

const NOTE = '/org/modemd/note/1'

interface Note {
  text: string
}

const note1: InterfaceDefinition<Note> = {
  name: 'org.modemd.Note1',
  properties: [{ name: 'Text', signature: 's', get: ({ text }) => text }],
  methods: [],
  signals: [{ name: 'Written', args: [['text', 's']] }],
}
const shape = note1 as unknown as InterfaceShape

/** Says of each signal: path, member and what it carries. */
function rig(context: TestContext, extension: ModemExtension) {
  const said: string[] = []
  const tree = new ObjectTree()
  const publisher = new Publisher(
    tree,
    ({ path, interface: name, member, body }) =>
      said.push(
        `${path} ${name}.${member} ${JSON.stringify(body, (_key, value) => (typeof value === 'bigint' ? String(value) : value))}`,
      ),
    systemClock,
  )
  const api = new FakeSupervisor()
  const manager = { api, inhibitions: undefined as never, rescan: () => {}, diagnose: () => api.diagnose() }
  const isConsoleOn = () => false
  const exporter = new Exporter({ manager, publisher, logger: silentLogger, isConsoleOn, extensions: [extension] })
  context.after(() => exporter.close())
  return { said, tree, publisher, api, names: (path: string) => tree.get(path)?.interfaces.map(({ name }) => name) }
}

test('an interface, a signal and an object of the modem’s own', (context) => {
  const modemNote = { text: 'a' }
  let exports: ModemExports | undefined
  let isFollowing = false
  const { said, tree, publisher, api, names } = rig(context, {
    interfaceOf: () => bind(note1, modemNote),
    follow: (_modem, given) => {
      exports = given
      isFollowing = true
      return () => {
        isFollowing = false
      }
    },
  })
  assert.ok(names(MODEM)?.includes('org.modemd.Note1'))
  assert.equal(exports!.path, MODEM)

  modemNote.text = 'b'
  exports!.changed()
  exports!.signal(shape, 'Written', ['b'])
  const own = { text: 'one' }
  assert.equal(exports!.add(NOTE, [bind(note1, own)]), true)
  assert.equal(exports!.add(NOTE, [bind(note1, own)]), false, 'the path is taken')
  own.text = 'two'
  exports!.objectChanged(NOTE)
  publisher.flush()
  const signals = said.join('\n')
  assert.match(signals, /imei_5f356938035643809 org\.modemd\.Note1\.Written \["b"\]/)
  assert.match(signals, /InterfacesAdded \["\/org\/modemd\/note\/1",/)
  assert.match(
    signals,
    /imei_5f356938035643809 org\.freedesktop\.DBus\.Properties\.PropertiesChanged \["org\.modemd\.Note1",/,
  )
  assert.match(signals, /\/note\/1 org\.freedesktop\.DBus\.Properties\.PropertiesChanged \["org\.modemd\.Note1",.*two/)

  exports!.remove(NOTE)
  assert.equal(tree.get(NOTE), undefined)
  assert.match(said.at(-1)!, /InterfacesRemoved \["\/org\/modemd\/note\/1",\["org\.modemd\.Note1"\]\]/)

  exports!.add(NOTE, [bind(note1, own)])
  api.removeModem(api.modems[0]!)
  assert.equal(isFollowing, false)
  assert.equal(tree.get(NOTE), undefined, 'it goes with its modem')
  const removed = said.filter((line) => line.includes('InterfacesRemoved')).slice(-2)
  assert.match(removed[0]!, /note\/1/, 'before the modem itself')
  assert.match(removed[1]!, /imei_5f356938035643809/)
})

test('a modem without the feature has neither interface nor follower', (context) => {
  const isOf = ({ snapshot }: ModemHandle) => snapshot.id === 'other'
  const followed: string[] = []
  const { api, names } = rig(context, {
    interfaceOf: (modem) => (isOf(modem) ? bind(note1, { text: '' }) : undefined),
    follow: ({ snapshot }) => {
      followed.push(snapshot.id)
      return () => {}
    },
  })
  assert.ok(!names(MODEM)?.includes('org.modemd.Note1'))
  api.addModem({ id: 'other' })
  assert.ok(names('/org/modemd/modem/other')?.includes('org.modemd.Note1'))
  assert.deepEqual(followed, ['other'])
})
