/** Links over time: redial with backoff, auto-connect, what blocks them, and a person who asks. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Cause } from '../../src/base/cause.ts'
import { ModemdError } from '../../src/base/errors.ts'
import { CAUSE_TABLE } from '../../src/link/causes.ts'
import { FakeModem } from '../support/fake-modem.ts'
import { AUTO, assertAtRest, hangUp, isError, Rig, second } from './rig.ts'

test('a link that was up is redialled after the delay of its cause, and tells when and why', async () => {
  const rig = new Rig()
  await rig.bringUp()
  assertAtRest(rig)
  await rig.clock.advance(5000)
  await hangUp(rig)
  const { state, cause, causeDetail, nextAttemptAtUs, nextAttemptReason, attempts, pppExit, modem, ...rest } =
    rig.link().snapshot
  assert.deepEqual([state, cause, causeDetail, pppExit, attempts], ['waiting', 'hung-up', 'NO CARRIER', 16, 0])
  assert.equal(nextAttemptReason, 'hung-up, 1st failure in a row')
  const inMs = Number(nextAttemptAtUs - rig.clock.wallUs()) / 1000
  assert.ok(inMs >= 800 && inMs <= 1000, `${inMs}`)
  assert.equal(modem, rig.modem.snapshot.id, 'it keeps its modem')
  assert.equal(rest.interface, undefined)
  assert.equal(rest.ip4, undefined)
  assert.deepEqual(rig.resolver.log.at(-1), 'ppp0: restored')

  await rig.clock.advance(1000)
  assert.equal(rig.state(), 'dialling')
  assert.equal(rig.link().snapshot.nextAttemptAtUs, 0n)
  await rig.answer()
  assert.equal(rig.state(), 'up')
  assert.equal(rig.link().snapshot.cause, 'hung-up', 'what happened can still be read')
  assert.equal(rig.link().snapshot.attempts, 1)
  assertAtRest(rig)
})

test('a peer that negotiates anew: the link comes up again with what it gives then', async () => {
  const rig = new Rig()
  await rig.bringUp()
  const { phaseMs, upSinceUs } = rig.link().snapshot
  await rig.clock.advance(5000)
  rig.session.phase('establish')
  rig.session.phase('authenticate')
  assert.equal(rig.state(), 'authenticating')
  rig.session.up(['198.51.100.54'], '10.64.0.3')
  await rig.settle()
  const { state, ip4, ...rest } = rig.link().snapshot
  assert.equal(state, 'up')
  assert.deepEqual([ip4?.address, ip4?.dns], ['10.64.0.3', ['198.51.100.54']])
  assert.deepEqual([rest.phaseMs, rest.upSinceUs, rest.attempts], [phaseMs, upSinceUs, 1])
  assert.deepEqual(rig.resolver.log, ['ppp0: 198.51.100.53', 'ppp0: restored', 'ppp0: 198.51.100.54'])
  await rig.supervisor.disconnect('demo')
  assert.deepEqual(rig.resolver.log.at(-1), 'ppp0: restored')
})

test('a call that the modem knows to be over ends at once, without a goodbye, and is redialled', async () => {
  const rig = new Rig()
  await rig.supervisor.connect('demo', {})
  await rig.settle()
  const call = await rig.answer()
  assert.equal(rig.state(), 'up')
  call.lose({ cause: 'hung-up', detail: '+CGACT: 1,0' })
  await rig.settle()
  const { state, cause, causeDetail } = rig.link().snapshot
  assert.deepEqual([state, cause, causeDetail], ['waiting', 'hung-up', '+CGACT: 1,0'])
  assert.deepEqual(rig.session.terminations, [])
  await rig.clock.advance(1000)
  assert.equal(rig.state(), 'dialling')
})

test('a radio that is switched off ends the link for just that, and the link comes back with it', async () => {
  const rig = new Rig({ demo: AUTO })
  await rig.settle()
  const call = await rig.answer()
  const steps: string[] = []
  rig.link().onChange(({ state, cause }, previous) => state !== previous.state && steps.push(`${state} ${cause}`))
  call.reason = { cause: 'radio-off', detail: 'the radio was switched off' }
  call.lose(call.reason, 'works')
  assert.deepEqual(rig.session.terminations, [call.reason], 'the operator is told, for that is quicker')
  rig.modem.set({ state: 'disabled' })
  await rig.clock.advance(120_000)
  assert.deepEqual(steps, ['going-down radio-off', 'failed radio-off'])
  assert.equal(rig.modem.dials.length, 1)
  rig.modem.set({ state: 'registered' })
  await rig.settle()
  assert.equal(rig.state(), 'dialling')
})

test('an engine that never says that it has ended does not hold the link', async () => {
  for (const isAskedDown of [false, true]) {
    const rig = new Rig({ demo: AUTO })
    await rig.settle()
    const call = await rig.answer()
    rig.session.isDeaf = true
    rig.session.lost = () => {}
    call.lose({ cause: 'hung-up', detail: '+CGACT: 1,0' })
    const down = isAskedDown ? rig.watch(rig.link().down()) : undefined
    await rig.clock.advance(600_000)
    assert.deepEqual([rig.state(), down?.end], isAskedDown ? ['idle', 'done'] : ['dialling', undefined])
  }
})

test('each of two that connect in the same moment is answered', async () => {
  for (let turns = 0; turns < 40; turns++) {
    const rig = new Rig({ demo: '' })
    rig.modem.set({ state: 'absent-sim', registration: 'unknown', sim: { status: 'absent' } })
    await rig.settle()
    const connect = () => rig.watch(rig.supervisor.connect('demo', {}).then((link) => link.settled()))
    const first = connect()
    for (let turn = 0; turn < turns; turn++) await undefined
    const second = connect()
    await rig.clock.advance(600_000)
    for (const { end } of [first, second]) assert.ok(end, `${turns} turns later`)
  }
})

test('a SIM or a radio that goes in the moment of the dial: the link waits for it', async () => {
  for (const [cause, gone, back] of [
    [
      'sim-absent',
      { state: 'absent-sim', sim: { status: 'absent' } },
      { state: 'registered', sim: { status: 'ready' } },
    ],
    ['sim-pin', { state: 'locked', sim: { status: 'pin' } }, { state: 'registered', sim: { status: 'ready' } }],
    ['radio-off', { state: 'disabled' }, { state: 'registered' }],
  ] as const) {
    const rig = new Rig({ demo: AUTO })
    await rig.settle()
    rig.modem.set(gone)
    rig.dial.fail({ cause, detail: 'seen' })
    await rig.clock.advance(3_600_000)
    assert.deepEqual([rig.state(), rig.link().snapshot.cause, rig.modem.dials.length], ['failed', cause, 1])
    rig.modem.set(back)
    await rig.settle()
    assert.equal(rig.state(), 'dialling', cause)
  }
})

test('a link that begins anew in the moment of coming up is up only afterwards', async () => {
  const rig = new Rig()
  await rig.supervisor.connect('demo', {})
  await rig.settle()
  rig.dial.connect()
  await rig.settle()
  rig.session.up()
  rig.session.phase('establish')
  await rig.settle()
  assert.notEqual(rig.state(), 'up')
  rig.session.up()
  await rig.settle()
  assert.equal(rig.state(), 'up')
})

test('failed redials back off, and a minute of success begins anew', async () => {
  const rig = new Rig({ demo: '[redial]\nno-carrier = 5s*2..30s\nreset-after = 100' })
  await rig.bringUp()
  await rig.clock.advance(60_000)
  await hangUp(rig)
  await rig.clock.advance(1000)
  const limits = [10, 20, 30, 30]
  for (const [index, limit] of limits.entries()) {
    rig.dial.fail({ cause: 'no-carrier', detail: 'NO CARRIER', chatExit: 5 })
    await rig.settle()
    const { nextAttemptAtUs, attempts, state } = rig.link().snapshot
    const inS = Number(nextAttemptAtUs - rig.clock.wallUs()) / 1e6
    assert.ok(inS >= limit * 0.8 && inS <= limit, `${inS} of ${limit}`)
    assert.equal(attempts, index + 1)
    assert.equal(state, 'waiting')
    await rig.clock.advance(inS * 1000)
    assert.equal(rig.state(), 'dialling')
  }
  await rig.answer()
  await rig.clock.advance(59_999)
  await hangUp(rig)
  assert.equal(
    rig.link().snapshot.nextAttemptReason,
    'hung-up, 6th failure in a row',
    'a short success changes nothing',
  )
  await rig.clock.advance(120_000)
  await rig.answer()
  await rig.clock.advance(60_000)
  await hangUp(rig)
  assert.equal(rig.link().snapshot.nextAttemptReason, 'hung-up, 1st failure in a row')
})

test('an operator that is away for an hour sees at most 60 dials', async () => {
  const rig = new Rig({ demo: `${AUTO}[redial]\nno-carrier = 1s` })
  await rig.settle()
  while (rig.clock.nowMs() < 3_600_000) {
    if (rig.state() === 'dialling') rig.dial.fail({ cause: 'no-carrier', detail: 'NO CARRIER' })
    await rig.clock.step()
  }
  assert.ok(rig.modem.dials.length <= 60, `${rig.modem.dials.length}`)
})

for (const cause of ['auth-refused', 'apn-refused', 'script-error', 'peer-auth-refused'] as const) {
  test(`a permanent cause stops an automatic link too: ${cause}`, async () => {
    const rig = new Rig({ demo: AUTO })
    await rig.settle()
    rig.dial.fail({ cause, detail: 'seen' })
    await rig.settle()
    const { state, nextAttemptAtUs, modem } = rig.link().snapshot
    assert.deepEqual([state, nextAttemptAtUs, modem, rig.link().snapshot.cause], ['failed', 0n, undefined, cause])
    assert.equal(rig.clock.pending, 0)
    await rig.clock.advance(86_400_000)
    assert.equal(rig.modem.dials.length, 1)
  })
}

test('the profile decides what stops', async () => {
  const rig = new Rig({ demo: `${AUTO}[redial]\nauth-refused = 1m\nbusy = stop` })
  await rig.settle()
  rig.dial.fail({ cause: 'auth-refused', detail: 'seen' })
  await rig.settle()
  assert.equal(rig.state(), 'waiting')
  await rig.clock.advance(60_000)
  rig.dial.fail({ cause: 'busy', detail: 'BUSY' })
  await rig.settle()
  assert.equal(rig.state(), 'failed')
})

test('an automatic link starts with the daemon, waits without a timer for a modem, and dials when the modem is ready', async () => {
  const rig = new Rig({ demo: AUTO, other: '' }, { modems: [] })
  await rig.settle()
  assert.equal(rig.state(), 'waiting')
  assert.equal(rig.state('other'), 'idle')
  await rig.clock.advance(86_400_000)
  assert.equal(rig.clock.pending, 0)
  const modem = rig.fleet.plug(new FakeModem({ state: 'searching', registration: 'searching' }))
  await rig.clock.advance(170_000)
  assert.equal(rig.link().snapshot.modem, modem.snapshot.id)
  modem.set({ state: 'registered', registration: 'home' })
  await rig.settle()
  await rig.answer()
  assert.equal(rig.state(), 'up')
  assert.equal(rig.link().snapshot.attempts, 1)
})

test('a disconnected automatic link stays down until it is asked for or a modem comes', async () => {
  const rig = new Rig({ demo: AUTO })
  await rig.settle()
  await rig.answer()
  await rig.supervisor.disconnect('demo')
  assert.equal(rig.state(), 'idle')
  rig.profiles.texts.demo = `${AUTO}apn = other`
  await rig.supervisor.reloadConfig()
  await rig.clock.advance(3_600_000)
  assert.equal(rig.state(), 'idle')

  const { modem } = rig
  rig.fleet.unplug(modem)
  rig.fleet.plug(new FakeModem())
  await rig.settle()
  assert.equal(rig.state(), 'dialling')
  await rig.supervisor.disconnect(undefined)
  await rig.supervisor.connect('demo', {})
  await rig.settle()
  assert.equal(rig.state(), 'dialling')
  rig.dial.fail({ cause: 'no-carrier', detail: 'seen' })
  await rig.settle()
  assert.equal(rig.state(), 'waiting', 'automatic again')
})

test('a modem that is pulled out while up: the link waits for it and comes back', async () => {
  const rig = new Rig()
  await rig.bringUp()
  rig.fleet.unplug(rig.modem)
  await rig.settle()
  assert.deepEqual(
    [rig.state(), rig.link().snapshot.cause, rig.link().snapshot.modem],
    ['waiting', 'modem-gone', undefined],
  )
  await rig.clock.advance(3_600_000)
  assert.equal(rig.state(), 'waiting')
  assert.equal(rig.clock.pending, 0)
  rig.fleet.plug(new FakeModem())
  await rig.settle()
  await rig.answer()
  assert.equal(rig.state(), 'up')
})

test('an automatic link that a SIM or a policy blocks says so, and goes on when that changes', async () => {
  type Case = readonly [ConstructorParameters<typeof FakeModem>[0], Cause, 'failed' | 'waiting', once: string]
  const takes = 'the network takes the SIM'
  const changes: readonly Case[] = [
    [{ state: 'locked', sim: { status: 'pin' } }, 'sim-pin', 'failed', 'the SIM is unlocked'],
    [{ state: 'absent-sim', sim: { status: 'absent' } }, 'sim-absent', 'failed', 'a SIM is in'],
    [{ registration: 'roaming' }, 'roaming-forbidden', 'failed', 'the modem is in its home network'],
    [{ state: 'disabled' }, 'radio-off', 'failed', "the modem's radio is on"],
    [{ state: 'failed' }, 'internal', 'waiting', 'a modem is ready for it'],
    [{ state: 'searching', registration: 'denied' }, 'registration-denied', 'waiting', takes],
    [{ state: 'searching', registration: 'denied', isDenialFinal: true }, 'registration-denied', 'failed', takes],
  ]
  for (const [change, cause, state, once] of changes) {
    const rig = new Rig({ demo: AUTO }, { modems: [new FakeModem(change)] })
    await rig.settle()
    const { snapshot } = rig.link()
    assert.deepEqual([snapshot.state, snapshot.cause, snapshot.advice], [state, cause, CAUSE_TABLE[cause].advice])
    assert.equal(snapshot.modem, undefined)
    assert.deepEqual([snapshot.nextAttemptReason, snapshot.nextAttemptAtUs], [`by itself, once ${once}`, 0n])
    assert.equal(rig.clock.pending, 0)
    assert.equal(rig.modem.enabled, 0)
    rig.modem.set({ signalQuality: 50 })
    await rig.settle()
    assert.equal(snapshot.attempts, 1)
    rig.modem.set({ state: 'registered', registration: 'home', sim: { status: 'ready' } })
    await rig.settle()
    assert.equal(rig.link().snapshot.nextAttemptReason, '')
    assert.equal(rig.state(), 'dialling', cause)
  }
})

test('a person who connects an automatic link gets an answer in time, and the link goes on', async () => {
  const rig = new Rig(
    { demo: `${AUTO}dial-timeout = 20s` },
    { modems: [new FakeModem({ state: 'searching', registration: 'searching' })] },
  )
  await rig.settle()
  const link = await rig.supervisor.connect('demo', { apn: 'asked' })
  const answer = rig.watch(link.settled())
  await rig.clock.advance(20_000)
  assert.equal((answer.end as ModemdError).code, 'NoNetwork')
  assert.equal(rig.state(), 'waiting')
  assert.equal(link.snapshot.attempts, 1)
  rig.modem.set({ state: 'registered', registration: 'home' })
  await rig.clock.advance(10_000)
  assert.equal(rig.dial.request.apn, 'asked')
})

test('connect while the next attempt is waited for tries at once; while up or dialling it changes nothing', async () => {
  const rig = new Rig({ demo: AUTO })
  await rig.settle()
  rig.dial.fail({ cause: 'no-dialtone', detail: 'seen' })
  await rig.settle()
  await rig.supervisor.connect('demo', {})
  await rig.settle()
  assert.equal(rig.state(), 'dialling')
  await rig.supervisor.connect('demo', { apn: 'late' })
  await rig.settle()
  assert.equal(rig.modem.dials.length, 2)
  await rig.answer()
  const link = await rig.supervisor.connect('demo', { apn: 'late', modem: 'usb_9_9' })
  await link.settled()
  assert.equal(rig.modem.dials.length, 2)
  assert.equal(link.snapshot.state, 'up')
})

test('settled, where nothing is under way', async () => {
  const rig = new Rig()
  await assert.rejects(rig.link().settled(), isError('WrongState', /demo is not connected/))
  await rig.link().up()
  await rig.settle()
  rig.dial.fail({ cause: 'busy', detail: 'BUSY' })
  await rig.settle()
  await assert.rejects(rig.link().settled(), isError('DialFailed', /^BUSY \(busy\): /))
})

test('a modem that comes while another is found to be blocked is taken at once', async () => {
  const rig = new Rig(
    { demo: `${AUTO}pin = 1234` },
    { modems: [new FakeModem({ state: 'locked', sim: { status: 'pin' } })] },
  )
  rig.modem.onPin = async () => {
    rig.fleet.plug(second())
    throw new ModemdError('SimPin', 'The SIM refused it.', 'sim-pin-refused')
  }
  rig.modem.set({ failure: { cause: 'sim-pin', detail: 'asks for its PIN' } })
  await rig.settle()
  assert.deepEqual([rig.state(), rig.link().snapshot.modem], ['dialling', 'usb_1_3'])
})

test('an attempt that fails before anybody asks how it went is told all the same', async () => {
  const rig = new Rig({ demo: AUTO }, { modems: [new FakeModem({ state: 'locked', sim: { status: 'pin' } })] })
  await rig.settle()
  const link = await rig.supervisor.connect('demo', {})
  await rig.settle()
  await assert.rejects(link.settled(), isError('SimPin', /asks for its PIN/))
  assert.equal(link.snapshot.attempts, 1)
  rig.modem.set({ state: 'registered', sim: { status: 'ready' } })
  await rig.settle()
  const answer = rig.watch(link.settled())
  await rig.answer()
  assert.equal(answer.end, 'done')
})

test('a modem that is re-plugged ends the wait for it: the link dials as soon as it is registered', async () => {
  const rig = new Rig({ demo: `${AUTO}[redial]\nmodem-gone = 60s` })
  await rig.settle()
  await rig.answer()
  for (const [failures, shortestMs] of [50, 100, 200].entries()) {
    rig.fleet.unplug(rig.modem)
    await rig.settle()
    assert.equal(rig.link().snapshot.nextAttemptReason.split(' ')[1], `${failures + 1}${['st', 'nd', 'rd'][failures]}`)
    const modem = rig.fleet.plug(new FakeModem({ state: 'enabling', sim: {} }))
    await rig.clock.advance(shortestMs - 1)
    assert.equal(rig.link().snapshot.modem, undefined, 'not before the shortest delay')
    await rig.clock.advance(1)
    assert.equal(rig.link().snapshot.modem, modem.snapshot.id)
    modem.set({ state: 'registered', sim: { status: 'ready' } })
    await rig.settle()
    assert.equal(rig.state(), 'dialling')
    await rig.answer()
    assert.equal(rig.state(), 'up')
  }
})

test('another modem than the profile wants ends no wait', async () => {
  const rig = new Rig({ demo: `${AUTO}modem = usb:1-2\n[redial]\nmodem-gone = 60s` })
  await rig.settle()
  rig.fleet.unplug(rig.modem)
  await rig.settle()
  rig.fleet.plug(second())
  await rig.clock.advance(30_000)
  assert.equal(rig.link().snapshot.modem, undefined)
  assert.ok(rig.link().snapshot.nextAttemptAtUs > 0n)
  rig.fleet.plug(new FakeModem())
  await rig.clock.advance(0)
  assert.equal(rig.state(), 'dialling')
})

test('a modem that is back before the call is cleared away, or another that fits, is not waited for', async () => {
  const rig = new Rig({ demo: `${AUTO}[redial]\nmodem-gone = 60s` }, { modems: [new FakeModem(), second()] })
  await rig.settle()
  await rig.answer()
  rig.fleet.unplug(rig.modem)
  await rig.settle()
  assert.equal(rig.link().snapshot.nextAttemptAtUs - rig.clock.wallUs(), 50_000n)
  await rig.clock.advance(50)
  assert.deepEqual([rig.state(), rig.link().snapshot.modem], ['dialling', 'usb_1_3'])
})
