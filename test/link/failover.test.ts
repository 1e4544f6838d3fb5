/** Several profiles and modems: who gets a modem, when it goes to the next, when a link goes to another modem. On virtual time. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Cause } from '../../src/base/cause.ts'
import { FakeModem } from '../support/fake-modem.ts'
import { AUTO, Rig, second } from './rig.ts'

const FIRST = `${AUTO}priority = 1\n`
const NEXT = `${AUTO}priority = 2\n`

/** Each dial under way fails so, `count` times in all, whatever time it takes. */
async function failDials(rig: Rig, count: number, modem = rig.modem, cause: Cause = 'no-carrier'): Promise<void> {
  await rig.settle()
  for (let left = count; left > 0; left--) {
    while (modem.dials.at(-1)?.isOver() !== false) assert.ok(await rig.clock.step(), 'there is a next dial')
    modem.dials.at(-1)!.fail({ cause, detail: 'NO CARRIER' })
    await rig.settle()
  }
}

const apnOf = (modem: FakeModem) => modem.dials.at(-1)!.request.apn
const states = (rig: Rig, ...names: string[]) => names.map((name) => rig.state(name))

test('of two profiles the lower number has the modem; after three failures the next one gets it', async () => {
  const rig = new Rig({ a: `${FIRST}apn = a`, b: `${NEXT}apn = b` })
  await failDials(rig, 2)
  assert.equal(apnOf(rig.modem), 'a')
  assert.equal(rig.state('b'), 'waiting')
  assert.equal(rig.link('b').snapshot.nextAttemptReason, 'the link a has the modem')
  await failDials(rig, 1)
  assert.deepEqual([rig.modem.dials.length, apnOf(rig.modem)], [4, 'b'], 'at once')
  assert.equal(rig.link('a').snapshot.modem, undefined)
  await rig.answer()
  assert.deepEqual(states(rig, 'a', 'b'), ['waiting', 'up'])
  await rig.clock.advance(3_600_000)
  assert.deepEqual(states(rig, 'a', 'b'), ['waiting', 'up'], 'a link that works is left alone')
  assert.equal(rig.link('a').snapshot.nextAttemptReason, 'the link b has the modem')

  rig.session.down({ cause: 'hung-up', detail: 'NO CARRIER' }, 16)
  await rig.settle()
  assert.deepEqual(
    [apnOf(rig.modem), rig.state('a')],
    ['a', 'dialling'],
    'the first is tried again when the second falls',
  )
  await failDials(rig, 1)
  await rig.clock.advance(2000)
  assert.deepEqual([apnOf(rig.modem), rig.state('b')], ['b', 'dialling'], 'once')
})

test('a permanent failure of the first gives the modem to the next at once', async () => {
  const rig = new Rig({ a: `${FIRST}apn = a`, b: `${NEXT}apn = b` })
  await rig.settle()
  rig.dial.fail({ cause: 'apn-refused', detail: '+CME ERROR: 33' })
  await rig.settle()
  assert.deepEqual([states(rig, 'a', 'b'), apnOf(rig.modem)], [['failed', 'dialling'], 'b'])
  await rig.answer()
  rig.session.down({ cause: 'hung-up', detail: 'NO CARRIER' }, 16)
  await rig.clock.advance(1000)
  assert.equal(apnOf(rig.modem), 'b', 'what is permanent is not tried again by itself')
  await rig.answer()

  rig.profiles.texts.a = `${FIRST}apn = mended`
  await rig.supervisor.reloadConfig()
  await rig.settle()
  assert.deepEqual(states(rig, 'a', 'b'), ['waiting', 'up'])
  rig.session.down({ cause: 'hung-up', detail: 'NO CARRIER' }, 16)
  await rig.settle()
  assert.equal(apnOf(rig.modem), 'mended')
})

test('what blocks only the first (roaming) gives the modem to the next, and back when that falls', async () => {
  const roaming = new FakeModem({ registration: 'roaming' })
  const rig = new Rig({ a: `${FIRST}apn = a`, b: `${NEXT}apn = b\nroaming = yes` }, { modems: [roaming] })
  await rig.settle()
  assert.deepEqual([states(rig, 'a', 'b'), apnOf(rig.modem)], [['failed', 'dialling'], 'b'])
  await rig.answer()
  roaming.set({ registration: 'home' })
  await rig.settle()
  assert.equal(rig.state('b'), 'up')
  rig.session.down({ cause: 'hung-up', detail: 'NO CARRIER' }, 16)
  await rig.settle()
  assert.deepEqual([states(rig, 'a', 'b'), apnOf(rig.modem)], [['dialling', 'waiting'], 'a'])
})

test('a link whose wish, or whose SIM, is another now keeps its modem from nobody', async () => {
  const [first, next] = [`${AUTO}priority = 0\n`, `${AUTO}priority = 1\n`]
  const rig = new Rig({ a: first })
  rig.modem.set({ state: 'searching', registration: 'searching' })
  await rig.settle()
  rig.profiles.texts = { a: `${first}sim = 8931440400000000025\n`, b: next }
  await rig.supervisor.reloadConfig()
  rig.modem.set({ state: 'registered', registration: 'home' })
  await rig.settle()
  assert.deepEqual([rig.link('a').snapshot.modem, rig.state('b')], [undefined, 'dialling'])

  const other = new Rig({ a: `${first}sim = 8931440400000000017\n`, b: next })
  await other.settle()
  other.dial.fail({ cause: 'no-carrier', detail: 'seen' })
  other.modem.set({ sim: { status: 'ready', iccid: '8931440400000000025' } })
  await other.clock.advance(60_000)
  assert.equal(other.state('b'), 'dialling')
})

test('a short fall keeps the modem against links that come later', async () => {
  const rig = new Rig({ a: `${FIRST}apn = a`, b: `${NEXT}apn = b` })
  await rig.settle()
  for (let falls = 0; falls < 5; falls++) {
    await rig.answer()
    await rig.clock.advance(61_000)
    rig.session.down({ cause: 'hung-up', detail: 'NO CARRIER' }, 16)
    await rig.clock.advance(1000)
    assert.equal(apnOf(rig.modem), 'a')
  }
})

test('with any modem, three failures on one lead to another that is ready', async () => {
  const [one, two] = [new FakeModem(), second()]
  const three = second({ id: 'usb_1_4', device: '/sys/devices/usb1/1-4' })
  const rig = new Rig({ demo: AUTO }, { modems: [one, two, three] })
  for (const modem of [one, two, three, one, two, three]) await failDials(rig, 3, modem)
  assert.deepEqual([one.dials.length, two.dials.length, three.dials.length], [6, 6, 6])
  const named = new Rig({ demo: `${AUTO}modem = usb:1-2` }, { modems: [new FakeModem(), second()] })
  await failDials(named, 4)
  assert.equal(named.fleet.modems[1]!.dials.length, 0)
})

test('what failed on a modem before it was re-plugged counts no more: again three failures lead to another', async () => {
  const [one, two] = [new FakeModem(), second()]
  const rig = new Rig({ demo: AUTO }, { modems: [one, two] })
  await failDials(rig, 2, one)
  rig.fleet.unplug(one)
  const again = rig.fleet.plug()
  await failDials(rig, 3, two)
  await failDials(rig, 3, again)
  await failDials(rig, 1, two)
  assert.deepEqual([two.dials.length, again.dials.length], [4, 3])
})

test('with any modem, one that vanishes is replaced at once', async () => {
  const rig = new Rig({ demo: AUTO }, { modems: [new FakeModem(), second()] })
  await rig.settle()
  await rig.answer()
  rig.fleet.unplug(rig.modem)
  await rig.clock.advance(60)
  assert.deepEqual([rig.state(), rig.link().snapshot.modem], ['dialling', 'usb_1_3'])
})

test('one that only searches gives way to one that is ready, whatever came first', async () => {
  const searching = new FakeModem({ state: 'searching', registration: 'searching' })
  const rig = new Rig({ demo: AUTO }, { modems: [searching] })
  await rig.settle()
  assert.equal(rig.link().snapshot.modem, searching.snapshot.id)
  const other = rig.fleet.plug(second({ state: 'enabling' }))
  await rig.settle()
  assert.equal(rig.link().snapshot.modem, searching.snapshot.id)
  other.set({ state: 'registered' })
  await rig.settle()
  assert.deepEqual([rig.state(), rig.link().snapshot.modem], ['dialling', 'usb_1_3'])
  assert.equal(searching.dials.length, 0)
})

test('two links, two modems: each has its route, the better one the lower metric; a third waits for either', async () => {
  const [one, two] = [new FakeModem(), second()]
  const rig = new Rig(
    { a: FIRST, b: `${AUTO}priority = 20`, c: `${AUTO}priority = 30\napn = c` },
    { modems: [one, two] },
  )
  await rig.settle()
  for (const modem of [one, two]) modem.dials[0]!.connect('CONNECT')
  await rig.settle()
  for (const session of rig.engine.sessions) session.up()
  await rig.settle()
  assert.deepEqual(states(rig, 'a', 'b', 'c'), ['up', 'up', 'waiting'])
  assert.deepEqual(
    rig.engine.sessions.map(({ options }) => options.defaultRouteMetric),
    [701, 720],
  )
  rig.engine.sessions[1]!.down({ cause: 'auth-refused', detail: 'CHAP Failure' }, 19)
  await rig.settle()
  assert.deepEqual([states(rig, 'a', 'b', 'c'), apnOf(two)], [['up', 'failed', 'dialling'], 'c'])
})

test('the better of two that wait gets the modem that is let go, whoever waited first', async () => {
  const rig = new Rig({ z: AUTO })
  await rig.settle()
  await rig.answer()
  for (const [name, priority] of [
    ['late', 9],
    ['soon', 3],
  ] as const) {
    rig.profiles.texts[name] = `${AUTO}priority = ${priority}\napn = ${name}`
    await rig.supervisor.reloadConfig()
    await rig.settle()
  }
  await rig.supervisor.disconnect('z')
  await rig.settle()
  assert.deepEqual([states(rig, 'late', 'soon'), apnOf(rig.modem)], [['waiting', 'dialling'], 'soon'])
})

test('a modem that is being restarted for one link is not given to another before that is done', async () => {
  const rig = new Rig({ b: `${NEXT}apn = b\n[redial]\nreset-after = 1` })
  await rig.settle()
  rig.profiles.texts.a = `${FIRST}apn = a`
  await rig.supervisor.reloadConfig()
  let restarted = () => {}
  rig.modem.onRestart = () =>
    new Promise((resolve) => {
      restarted = resolve
    })
  await failDials(rig, 1)
  await rig.clock.advance(60_000)
  assert.deepEqual([rig.modem.dials.length, states(rig, 'a', 'b')], [1, ['waiting', 'waiting']])
  restarted()
  await rig.clock.advance(1000)
  assert.deepEqual([rig.modem.dials.length, apnOf(rig.modem)], [2, 'a'])
})

test('an hour without an operator: two links on one modem do not hammer it', async () => {
  const rig = new Rig({ a: FIRST, b: NEXT })
  rig.modem.onDial = (dial) => queueMicrotask(() => dial.fail({ cause: 'no-carrier', detail: 'NO CARRIER' }))
  await rig.clock.advance(3_600_000)
  assert.ok(rig.modem.dials.length <= 60, `${rig.modem.dials.length} dials`)
})

test('name servers come in the order of the routes; those of a link that is no default route are asked last', async () => {
  for (const [route, metric] of [
    ['route-metric = 500', 507],
    ['route-metric = 500\ndefault-route = no', 0xffffffff],
  ] as const) {
    const rig = new Rig({ demo: `[profile]\npriority = 7\n[ppp]\n${route}\n` })
    await rig.bringUp()
    assert.deepEqual(rig.resolver.metrics, [metric])
  }
})
