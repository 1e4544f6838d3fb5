/** Which cause StateChanged tells: that of the step itself. With the links of the real supervisor, on virtual time. */

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Cause, Failure } from '../../src/base/cause.ts'
import { silentLogger } from '../../src/base/ports.ts'
import { Exporter } from '../../src/bus/exporter.ts'
import { ObjectTree } from '../../src/bus/object-tree.ts'
import { Publisher } from '../../src/bus/publisher.ts'
import { CAUSE_TABLE } from '../../src/link/causes.ts'
import { AUTO, hangUp, Rig } from '../link/rig.ts'
import { type FakeCall, FakeModem } from '../support/fake-modem.ts'

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
  assert.deepEqual(
    steps(),
    ['up going-down user-request', 'going-down idle user-request'],
    'not what it fell by before',
  )
  await rig.bringUp()
  assert.deepEqual(steps(), ['idle waiting', ...WAY_UP])
})

test('whoever ends a link, the first step down says why, and the properties with it', async (context) => {
  const ends: readonly (readonly [Cause, (rig: Rig, call: FakeCall) => unknown, RegExp])[] = [
    ['modem-gone', (rig) => rig.fleet.unplug(rig.modem), /no longer there/],
    ['roaming-forbidden', (rig) => rig.modem.set({ registration: 'roaming' }), /foreign operator/],
    ['user-request', (rig) => void rig.supervisor.disconnect('demo'), /disconnect was asked for/],
    ['hung-up', (_, call) => call.lose({ cause: 'hung-up', detail: 'the network' }, 'works'), /^the network$/],
    ['hung-up', (rig) => rig.session.phase('terminate', { cause: 'hung-up', detail: 'the peer' }), /^the peer$/],
  ]
  for (const [cause, end, detail] of ends) {
    const rig = new Rig({ demo: '' })
    const steps = follow(context, rig, 'org.modemd.Link1')
    await rig.bringUp()
    await hangUp(rig, 'idle')
    await rig.supervisor.connect('demo', {})
    await rig.settle()
    const call = await rig.answer()
    rig.session.isDeaf = true
    steps()
    end(rig, call)
    await rig.settle()
    assert.equal(steps()[0], `up going-down ${cause}`)
    const { snapshot } = rig.link()
    assert.deepEqual([snapshot.cause, snapshot.advice], [cause, CAUSE_TABLE[cause].advice])
    assert.match(snapshot.causeDetail ?? '', detail)
  }
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
