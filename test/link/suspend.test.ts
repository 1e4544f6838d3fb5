/** The machine sleeps: links go down in order before it, nothing dials meanwhile, and all come back after it with fresh backoff. */

import assert from 'node:assert/strict'
import test from 'node:test'
import { FakeModem } from '../support/fake-modem.ts'
import { AUTO, hangUp, Rig, second } from './rig.ts'

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
