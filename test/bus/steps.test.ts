/** Which cause StateChanged tells: that of the step itself. With the links of the real supervisor, on virtual time. */

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Failure } from '../../src/base/cause.ts'
import { silentLogger } from '../../src/base/ports.ts'
import { Exporter } from '../../src/bus/exporter.ts'
import { ObjectTree } from '../../src/bus/object-tree.ts'
import { Publisher } from '../../src/bus/publisher.ts'
import { AUTO, hangUp, Rig } from '../link/rig.ts'
import { FakeModem } from '../support/fake-modem.ts'

/** Each StateChanged of one interface since the last look, as `old new cause`. */
function follow(context: TestContext, rig: Rig, name: string): () => readonly string[] {
  const steps: string[] = []
  const publisher = new Publisher(
    new ObjectTree(),
    ({ interface: from, member, body }) => {
      if (from === name && member === 'StateChanged') steps.push(body.join(' ').trimEnd())
    },
    rig.clock,
  )
  const inhibitions = undefined as never
  const manager = { api: rig.supervisor, inhibitions, rescan: () => {}, diagnose: async () => [] }
  const exporter = new Exporter({ manager, publisher, logger: silentLogger, isConsoleOn: () => false })
  context.after(() => exporter.close())
  return () => steps.splice(0)
}

const WAY_UP = [
  'waiting dialling',
  'dialling connecting',
  'connecting authenticating',
  'authenticating configuring',
  'configuring up',
]

test('a link that falls tells why once, and nothing of it on the way up again', async (context) => {
  const rig = new Rig({ demo: AUTO })
  const steps = follow(context, rig, 'org.modemd.Link1')
  const redial = () => rig.clock.advance(60_000)
  await rig.settle()
  await rig.answer()
  assert.deepEqual(steps(), ['idle waiting', ...WAY_UP])

  await hangUp(rig)
  assert.deepEqual(steps(), ['up going-down hung-up', 'going-down waiting hung-up'])
  await redial()
  await rig.answer()
  assert.deepEqual(steps(), WAY_UP)
  assert.equal(rig.link().snapshot.cause, 'hung-up', 'the property keeps it')

  await hangUp(rig)
  assert.deepEqual(steps(), ['up going-down hung-up', 'going-down waiting hung-up'], 'the same once more')
  await redial()
  await rig.answer()
  steps()

  await rig.supervisor.disconnect('demo')
  assert.deepEqual(steps(), ['up going-down', 'going-down idle user-request'], 'not what it fell by before')
  await rig.bringUp()
  assert.deepEqual(steps(), ['idle waiting', ...WAY_UP])
})

test('a link that was blocked begins anew without the cause of that', async (context) => {
  const modem = new FakeModem({ state: 'absent-sim', sim: { status: 'absent' } })
  const rig = new Rig({ demo: AUTO }, { modems: [modem] })
  const steps = follow(context, rig, 'org.modemd.Link1')
  await rig.settle()
  assert.deepEqual(steps(), ['idle waiting', 'waiting failed sim-absent'])
  modem.set({ state: 'registered', sim: { status: 'ready' } })
  await rig.clock.advance(60_000)
  assert.deepEqual(steps(), ['failed waiting', 'waiting dialling'])
})

test('a modem tells what is wrong with the states that it explains', (context) => {
  const rig = new Rig({ demo: '' })
  const steps = follow(context, rig, 'org.modemd.Modem1')
  const failure = (cause: Failure['cause']) => ({ failure: { cause, detail: '' } })
  rig.modem.set({ state: 'searching', ...failure('registration-denied') })
  rig.modem.set({ state: 'registered' })
  rig.modem.set({ state: 'connecting', ...failure('busy') })
  rig.modem.set({ state: 'registered' })
  rig.modem.set({ state: 'searching' })
  rig.modem.set({ state: 'absent-sim', ...failure('sim-absent') })
  rig.modem.set({ state: 'locked' })
  rig.modem.set({ state: 'disabled', ...failure('sim-pin-refused') })
  rig.modem.set({ state: 'locked' })
  rig.modem.set({ state: 'searching' })
  rig.modem.set({ state: 'failed', ...failure('modem-silent') })
  assert.deepEqual(steps(), [
    'registered searching registration-denied',
    'searching registered',
    'registered connecting',
    'connecting registered',
    'registered searching',
    'searching absent-sim sim-absent',
    'absent-sim locked',
    'locked disabled',
    'disabled locked sim-pin-refused',
    'locked searching',
    'searching failed modem-silent',
  ])
})
