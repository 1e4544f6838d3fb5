/** Disconnect and a vanishing modem at every point of the way. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ModemdError } from '../../src/base/errors.ts'
import { assertAtRest, assertFailed, connect, Rig } from './rig.ts'

const POINTS: readonly (readonly [string, (rig: Rig) => Promise<void>])[] = [
  ['waiting for a modem', async (rig) => rig.fleet.unplug(rig.modem)],
  ['waiting for the network', async (rig) => rig.modem.set({ state: 'searching', registration: 'searching' })],
  ['dialling', async () => {}],
  ['connecting', async (rig) => void rig.dial.connect()],
  [
    'authenticating',
    async (rig) => {
      rig.dial.connect()
      await rig.settle()
      rig.session.phase('authenticate')
    },
  ],
  ['up', async (rig) => void (await rig.answer())],
]

for (const [index, [point, lead]] of POINTS.entries()) {
  const arrive = async () => {
    const rig = new Rig()
    if (index < 2) await lead(rig)
    const connection = await connect(rig)
    if (index >= 2) await lead(rig)
    await rig.settle()
    return { rig, ...connection }
  }

  test(`disconnect while ${point}`, async () => {
    const { rig, link, answer } = await arrive()
    await Promise.all([link.down(), link.down()])
    assert.equal(link.snapshot.state, 'idle')
    assert.equal(link.snapshot.cause, 'user-request')
    if (point !== 'up') assert.equal((answer.end as ModemdError).code, 'WrongState')
    assertAtRest(rig)
    await rig.supervisor.connect('demo', {})
    await rig.settle()
    assert.equal(link.snapshot.attempts, 1)
    assert.notEqual(link.snapshot.state, 'idle')
  })

  if (index === 0) continue
  test(`the modem vanishes while ${point}`, async () => {
    const { rig, link, answer } = await arrive()
    rig.fleet.unplug(rig.modem)
    await rig.settle()
    assert.equal(link.snapshot.cause, 'modem-gone')
    if (point === 'up') {
      assert.equal(link.snapshot.state, 'waiting')
      await link.down()
      assertAtRest(rig)
    } else {
      assertFailed(rig, answer, 'modem-gone', /is no longer there/)
    }
  })
}

test('disconnect in the moment in which name servers are being set', async () => {
  const rig = new Rig()
  await connect(rig)
  rig.dial.connect()
  await rig.settle()
  let release: () => void = () => {}
  rig.resolver.apply = async () => {
    await new Promise<void>((resolve) => {
      release = () => resolve(undefined)
    })
    return async () => void rig.resolver.log.push('restored')
  }
  rig.session.up()
  await rig.settle()
  const down = rig.link().down()
  release()
  await down
  assert.deepEqual(rig.resolver.log, ['restored'])
  assert.equal(rig.state(), 'idle')
})

test('a dial that was answered in the moment of disconnect is hung up', async () => {
  const rig = new Rig()
  await connect(rig)
  const call = rig.dial.connect()
  await rig.link().down()
  assert.equal(call.endedBy?.cause, 'user-request')
  assert.equal(rig.engine.sessions.length, 0)
})

/** A rig in which everything comes up by itself, at a given turn of the promises after Connect. */
async function turnsAfterConnect(turns: number): Promise<Rig> {
  const rig = new Rig()
  rig.modem.onDial = (dial) => dial.connect('CONNECT')
  rig.engine.onOpen = (session) => queueMicrotask(() => session.up())
  rig.watch(rig.supervisor.connect('demo', {}))
  for (let turn = 0; turn < turns; turn++) await Promise.resolve()
  return rig
}

test('disconnect at every turn of the promises on the way up leaves nothing behind', async () => {
  for (let turns = 0; turns < 40; turns++) {
    const rig = await turnsAfterConnect(turns)
    const dials = rig.modem.dials.length
    const down = rig.watch(rig.link().down())
    await rig.settle()
    assert.equal(down.end, 'done', `after ${turns} turns`)
    assert.equal(rig.modem.dials.length, dials, 'no dial after disconnect')
    assert.equal(rig.state(), 'idle')
    assert.ok(rig.engine.sessions.every(({ isDown }) => isDown))
    assert.equal(rig.resolver.log.length % 2, 0)
    assertAtRest(rig)
  }
})

test('the modem vanishes at every turn of the promises on the way up', async () => {
  for (let turns = 0; turns < 40; turns++) {
    const rig = await turnsAfterConnect(turns)
    const wasUp = rig.state() === 'up'
    rig.fleet.unplug(rig.modem)
    await rig.settle()
    assert.deepEqual([rig.state(), rig.link().snapshot.cause], [wasUp ? 'waiting' : 'failed', 'modem-gone'], `${turns}`)
    assert.ok(rig.engine.sessions.every(({ isDown }) => isDown))
    assert.equal(rig.resolver.log.length % 2, 0)
    await rig.link().down()
    assertAtRest(rig)
  }
})

test('a line that ends before the kernel says that the device is gone: the cause is the device', async () => {
  const rig = new Rig()
  await connect(rig)
  const call = rig.dial.connect('CONNECT')
  await rig.settle()
  rig.session.up()
  await rig.settle()
  let release: () => void = () => {}
  call.hangUp = () =>
    new Promise((resolve) => {
      release = () => resolve(undefined)
    })
  rig.modem.unplug()
  await rig.settle()
  assert.deepEqual([rig.state(), rig.link().snapshot.cause], ['going-down', 'hung-up'])
  rig.fleet.unplug(rig.modem)
  release()
  await rig.settle()
  assert.deepEqual([rig.state(), rig.link().snapshot.cause], ['waiting', 'modem-gone'])
})

test('disconnect, connect, disconnect while the first of them goes on: the last word counts', async () => {
  const rig = new Rig()
  await rig.bringUp()
  rig.session.isDeaf = true
  const answers = [
    rig.supervisor.disconnect('demo'),
    rig.supervisor.connect('demo', {}),
    rig.supervisor.disconnect('demo'),
  ]
  await rig.settle()
  rig.session.down({ cause: 'user-request', detail: '' }, 5)
  await Promise.all(answers)
  await rig.settle()
  assert.equal(rig.state(), 'idle')
  assertAtRest(rig)
})
