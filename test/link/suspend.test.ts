/** The machine sleeps: links go down in order before it, nothing dials meanwhile, and all come back after it with fresh backoff. */

import assert from 'node:assert/strict'
import test from 'node:test'
import type { ModemdError } from '../../src/base/errors.ts'
import { FakeModem } from '../support/fake-modem.ts'
import { AUTO, connect, hangUp, Rig, second } from './rig.ts'

async function suspend(rig: Rig): Promise<void> {
  const done = rig.watch(rig.supervisor.suspend())
  await rig.settle()
  assert.equal(done.end, 'done')
}

test('a link that is up hangs up in order, waits, and is dialled at once after it', async () => {
  const rig = new Rig()
  await rig.bringUp()
  const session = rig.session
  session.isDeaf = true
  const done = rig.watch(rig.supervisor.suspend())
  await rig.settle()
  assert.equal(rig.state(), 'going-down')
  assert.equal(done.end, undefined, 'until PPP has said goodbye')
  session.down({ cause: 'user-request', detail: 'terminated' }, 5)
  await rig.settle()
  assert.equal(done.end, 'done')
  assert.equal(rig.state(), 'waiting')
  const { nextAttemptReason, modem, interface: interfaceName, causeDetail } = rig.link().snapshot
  assert.match(nextAttemptReason, /suspend/)
  assert.deepEqual([modem, interfaceName], [undefined, undefined])
  assert.equal(causeDetail, 'the machine goes to sleep')
  assert.deepEqual(rig.resolver.log.at(-1), 'ppp0: restored')
  assert.equal(rig.clock.pending, 0, 'nothing would wake the machine')

  rig.supervisor.resume()
  await rig.settle()
  assert.equal(rig.fleet.wakings, 1)
  assert.equal(rig.state(), 'dialling')
  await rig.answer()
  assert.equal(rig.state(), 'up')
})

test('a pause after failures ends with the sleep, and the backoff with it', async () => {
  const rig = new Rig({ demo: `${AUTO}[redial]\nno-carrier = 60s*10..10m\n` })
  await rig.settle()
  for (let failures = 0; failures < 3; failures++) {
    rig.dial.fail({ cause: 'no-carrier', detail: 'NO CARRIER' })
    await rig.settle()
    assert.equal(rig.state(), 'waiting')
    if (failures < 2) await rig.clock.advance(600_000)
  }
  await suspend(rig)
  assert.match(rig.link().snapshot.nextAttemptReason, /suspend/)
  const dials = rig.modem.dials.length
  await rig.clock.advance(3_600_000)
  assert.equal(rig.modem.dials.length, dials, 'no dial in its sleep')

  rig.supervisor.resume()
  await rig.settle()
  assert.equal(rig.modem.dials.length, dials + 1)
  rig.dial.fail({ cause: 'no-carrier', detail: 'NO CARRIER' })
  await rig.settle()
  assert.match(rig.link().snapshot.nextAttemptReason, /1st failure in a row/)
})

test('a dial is given up for the sleep, also one by hand, whose caller still gets its answer', async () => {
  const rig = new Rig()
  const link = await rig.supervisor.connect('demo', {})
  const answer = rig.watch(link.settled())
  await rig.settle()
  assert.equal(rig.state(), 'dialling')
  const done = rig.watch(rig.supervisor.suspend())
  await rig.settle()
  assert.equal(done.end, 'done')
  assert.equal(rig.state(), 'waiting')
  rig.supervisor.resume()
  await rig.settle()
  await rig.answer()
  assert.equal(answer.end, 'done')
})

test('disconnect and connect while it sleeps count after it; who was idle stays so', async () => {
  const rig = new Rig({ demo: AUTO, other: '', third: '' }, { modems: [new FakeModem(), second()] })
  await rig.settle()
  await rig.answer()
  await suspend(rig)
  const down = rig.watch(rig.supervisor.disconnect('demo'))
  await rig.supervisor.connect('other', {})
  await rig.settle()
  assert.equal(down.end, 'done')
  assert.deepEqual([rig.state('demo'), rig.state('other'), rig.state('third')], ['idle', 'waiting', 'idle'])
  rig.supervisor.resume()
  await rig.settle()
  assert.deepEqual([rig.state('demo'), rig.state('other'), rig.state('third')], ['idle', 'dialling', 'idle'])
})

test('a modem that is gone after the sleep is waited for, and dialled when it is back', async () => {
  const rig = new Rig({ demo: AUTO })
  await rig.settle()
  await rig.answer()
  await suspend(rig)
  rig.fleet.unplug(rig.modem)
  rig.supervisor.resume()
  await rig.settle()
  assert.equal(rig.state(), 'waiting')
  rig.fleet.plug()
  await rig.settle()
  assert.equal(rig.state(), 'dialling')
})

test('a hang-up between the word and the sleep, and two words in a row, change nothing', async () => {
  const rig = new Rig({ demo: AUTO })
  await rig.settle()
  await rig.answer()
  const first = rig.watch(rig.supervisor.suspend())
  await hangUp(rig)
  assert.equal(first.end, 'done')
  await suspend(rig)
  assert.equal(rig.state(), 'waiting')
  assert.equal(rig.clock.pending, 0)
  rig.supervisor.resume()
  rig.supervisor.resume()
  await rig.settle()
  assert.equal(rig.modem.dials.length, 2)
})

for (const end of ['the operator hangs up', 'it may not roam'] as const)
  test(`the word comes while a call is hung up, because ${end}: the machine waits for that, and not for the next dial`, async () => {
    const rig = new Rig({ demo: `${AUTO}[redial]\nhung-up = 10m\n` })
    await rig.settle()
    const call = rig.dial.connect()
    await rig.settle()
    rig.session.up()
    await rig.settle()
    const hangUp = call.hangUp.bind(call)
    let finish = () => {}
    call.hangUp = (failure) =>
      new Promise((resolve) => {
        finish = () => resolve(hangUp(failure))
      })
    if (end === 'it may not roam') rig.modem.set({ registration: 'roaming' })
    else rig.session.down({ cause: 'hung-up', detail: 'NO CARRIER' }, 16)
    await rig.settle()
    assert.equal(rig.state(), 'going-down')
    const done = rig.watch(rig.supervisor.suspend())
    await rig.settle()
    assert.equal(done.end, undefined, 'the modem is still told')
    finish()
    await rig.settle()
    assert.equal(done.end, 'done')
    assert.match(rig.link().snapshot.nextAttemptReason, /suspend/)
    assert.equal(rig.clock.pending, 0, 'nothing would wake the machine')
    rig.modem.set({ registration: 'home' })
    rig.supervisor.resume()
    await rig.settle()
    assert.equal(rig.modem.dials.length, 2)
  })

for (const what of ['the machine sleeps', 'the profile changes'] as const)
  test(`who connects by hand gets an answer in time, also where ${what} meanwhile`, async () => {
    const searching = new FakeModem({ state: 'searching', registration: 'searching' })
    const rig = new Rig({ demo: '[profile]\ndial-timeout = 20s' }, { modems: [searching] })
    const { answer } = await connect(rig)
    await rig.clock.advance(10_000)
    if (what === 'the machine sleeps') {
      await suspend(rig)
      rig.supervisor.resume()
    } else {
      rig.profiles.texts.demo = '[profile]\ndial-timeout = 20s\napn = other'
      await rig.supervisor.reloadConfig()
    }
    await rig.settle()
    assert.deepEqual([rig.state(), answer.end], ['waiting', undefined])
    await rig.clock.advance(20_000)
    assert.equal((answer.end as ModemdError).code, 'NoNetwork')
    assert.equal(rig.state(), 'failed')
  })

test('a link that was up comes back by itself: it switches on no radio that was switched off meanwhile', async () => {
  const rig = new Rig()
  await rig.bringUp()
  await suspend(rig)
  rig.modem.set({ state: 'disabled' })
  rig.supervisor.resume()
  await rig.settle()
  assert.deepEqual([rig.modem.enabled, rig.link().snapshot.cause], [0, 'radio-off'])
})
