/** While a rung of the recovery ladder is climbed, and shortly after it: what else happens to the modem and its links. On virtual time. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeModem } from '../support/fake-modem.ts'
import { AUTO, Rig } from './rig.ts'

const ONE_FAILURE = `${AUTO}[redial]\nreset-after = 1\nno-carrier = 10s\n`

/** The next dial, whatever time it takes to come. */
async function failDial(rig: Rig): Promise<void> {
  await rig.settle()
  while (rig.fleet.modems[0]?.dials.at(-1)?.isOver() !== false)
    assert.ok(await rig.clock.step(), 'there is a next dial')
  rig.dial.fail({ cause: 'no-carrier', detail: 'NO CARRIER' })
  await rig.settle()
}

/** The modem is being reset: the radio did not help. What was done to it from then on. */
async function untilReset(rig: Rig): Promise<string[]> {
  const log: string[] = []
  rig.modem.onRestart = async (how) => {
    log.push(how)
    if (how === 'reset') rig.fleet.unplug(rig.modem)
  }
  await rig.settle()
  await failDial(rig)
  await failDial(rig)
  assert.deepEqual([log, rig.fleet.modems.length], [['radio', 'reset'], 0])
  return log
}

test('the daemon ends only once a radio that takes its time is on again', async () => {
  const rig = new Rig({ demo: ONE_FAILURE })
  let switchedOn = () => {}
  rig.modem.enable = () =>
    new Promise((resolve) => {
      switchedOn = resolve
    })
  await rig.settle()
  await failDial(rig)
  assert.equal(rig.modem.snapshot.state, 'disabled')
  const closed = rig.watch(rig.supervisor.close())
  await rig.settle()
  assert.equal(closed.end, undefined)
  switchedOn()
  await rig.settle()
  assert.equal(closed.end, 'done')
})

test('another link that gets the modem while it is being restarted, and fails: it is not restarted twice at a time', async () => {
  const rig = new Rig({ one: ONE_FAILURE, two: ONE_FAILURE })
  const log: string[] = []
  let switchedOff = () => {}
  rig.modem.onRestart = (how) => {
    log.push(how)
    return new Promise((resolve) => {
      switchedOff = resolve
    })
  }
  await rig.settle()
  await failDial(rig)
  await rig.supervisor.disconnect('one')
  await failDial(rig)
  assert.equal(rig.link('two').snapshot.nextAttemptReason, 'no-carrier, 1st failure in a row')
  assert.deepEqual(log, ['radio'])
  switchedOff()
  await rig.clock.advance(1000)
  assert.equal(rig.modem.snapshot.state, 'registered')
})

test('our own reset starts no link that somebody disconnected meanwhile; a person who re-plugs it does', async () => {
  const rig = new Rig({ demo: ONE_FAILURE })
  await untilReset(rig)
  await rig.supervisor.disconnect('demo')
  const back = rig.fleet.plug()
  await rig.clock.advance(90_000)
  assert.deepEqual([rig.state(), back.dials.length], ['idle', 0])
  rig.fleet.unplug(back)
  rig.fleet.plug()
  await rig.settle()
  assert.equal(rig.state(), 'dialling')
})

for (const isBefore of [true, false])
  test(`nor where the modem comes back twice, and it was disconnected ${isBefore ? 'before' : 'after'} the first time`, async () => {
    const rig = new Rig({ demo: ONE_FAILURE })
    await untilReset(rig)
    if (isBefore) await rig.supervisor.disconnect('demo')
    const loader = rig.fleet.plug(new FakeModem({ state: 'enabling' }))
    await rig.clock.advance(5000)
    if (!isBefore) await rig.supervisor.disconnect('demo')
    rig.fleet.unplug(loader)
    await rig.clock.advance(2000)
    const back = rig.fleet.plug()
    await rig.settle()
    assert.deepEqual([rig.state(), back.dials.length], ['idle', 0])
  })

test('nor one that failed for good, while another link restarts the modem that they share', async () => {
  const rig = new Rig({ one: `${AUTO}priority = 1`, two: ONE_FAILURE.replace(AUTO, `${AUTO}priority = 2\n`) })
  await rig.settle()
  rig.dial.fail({ cause: 'auth-refused', detail: 'refused' })
  await rig.settle()
  await untilReset(rig)
  rig.fleet.plug()
  await rig.clock.advance(20_000)
  assert.deepEqual([rig.state('one'), rig.state('two')], ['failed', 'dialling'])
})

const RETURNS: readonly (readonly [string, (rig: Rig) => Promise<void>, next: string])[] = [
  [
    'first as its boot loader',
    async (rig) => {
      const loader = rig.fleet.plug(new FakeModem({ state: 'enabling' }))
      await rig.clock.advance(10_000)
      rig.fleet.unplug(loader)
      await rig.clock.advance(10_000)
    },
    'usb-port',
  ],
  ['after more than a minute', (rig) => rig.clock.advance(70_000), 'usb-port'],
  [
    'and is re-plugged half an hour later',
    async (rig) => {
      const back = rig.fleet.plug()
      await rig.clock.advance(1_800_000)
      rig.fleet.unplug(back)
    },
    'radio',
  ],
]

for (const [how, lead, next] of RETURNS)
  test(`a modem that comes back from its reset ${how}: the next to help is ${next}`, async () => {
    const rig = new Rig({ demo: ONE_FAILURE })
    const log = await untilReset(rig)
    await lead(rig)
    const back = rig.fleet.plug()
    back.restarts = ['usb-port']
    back.onRestart = async (each) => void log.push(each)
    await rig.settle()
    await failDial(rig)
    assert.equal(log.at(-1), next)
  })
