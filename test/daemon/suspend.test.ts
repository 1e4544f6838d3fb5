/** Who tells of the machine's sleep, and what is asked of logind meanwhile. */

import assert from 'node:assert/strict'
import test from 'node:test'
import { silentLogger } from '../../src/base/ports.ts'
import { Suspend } from '../../src/daemon/suspend.ts'
import { SleepClock } from '../../src/system/sleep-clock.ts'
import { SleepInhibitor } from '../../src/system/sleep-inhibitor.ts'
import { Rig } from '../link/rig.ts'
import { until } from '../system/until.ts'

class SleepRig extends Rig {
  readonly asked: string[] = []
  sleptMs = 0
  readonly sleepClock = new SleepClock(
    this.clock,
    (ms) => this.suspend.slept(ms),
    () => this.clock.nowMs() + this.sleptMs,
  )
  readonly suspend = new Suspend({
    supervisor: this.supervisor,
    inhibitor: { hold: () => this.asked.push('hold'), release: () => this.asked.push('release') },
    clock: this.sleepClock,
    logger: silentLogger,
  })

  /** What was asked since the last time, without what changes nothing. */
  news(): string {
    const news = this.asked.splice(0).filter((each, index, all) => each !== all[index - 1])
    return news.join(' ')
  }
}

test('logind is asked to wait while a link is up, and let go once it is down', async () => {
  const rig = new SleepRig()
  rig.suspend.onPresence(true)
  assert.equal(rig.news(), 'release')
  await rig.bringUp()
  assert.equal(rig.news(), 'release hold')
  rig.session.isDeaf = true
  rig.suspend.onSleep(true)
  await rig.settle()
  assert.equal(rig.news(), '', 'it is held until PPP has said goodbye')
  rig.session.down({ cause: 'user-request', detail: 'terminated' }, 5)
  await rig.settle()
  assert.equal(rig.news(), 'release')
  rig.suspend.onSleep(false)
  await rig.settle()
  await rig.answer()
  assert.match(rig.news(), /hold$/)
})

test('the machine waits also for a link that is hung up already; not for one that never was up', async () => {
  const rig = new SleepRig()
  rig.suspend.onPresence(true)
  rig.news()
  for (const wasUp of [true, false]) {
    await rig.supervisor.connect('demo', {})
    await rig.settle()
    rig.dial.connect()
    await rig.settle()
    if (wasUp) rig.session.up()
    await rig.settle()
    rig.news()
    rig.session.isDeaf = true
    const down = rig.supervisor.disconnect('demo')
    await rig.settle()
    assert.equal(rig.state(), 'going-down')
    assert.equal(rig.news(), wasUp ? 'hold' : 'release')
    rig.session.down({ cause: 'user-request', detail: 'terminated' }, 5)
    await down
    assert.equal(rig.news(), 'release')
  }
})

test('what holds the machine up is asked for anew while a link is up: it may have ended by itself', async () => {
  const rig = new SleepRig()
  rig.suspend.onPresence(true)
  await rig.bringUp()
  rig.asked.length = 0
  rig.profiles.texts.another = ''
  await rig.supervisor.reloadConfig()
  assert.deepEqual(rig.asked, ['hold'])
})

test('logind that goes while the machine sleeps takes its word with it: links come back', async () => {
  const rig = new SleepRig()
  rig.suspend.onPresence(true)
  await rig.bringUp()
  rig.suspend.onSleep(true)
  await rig.settle()
  rig.suspend.onPresence(true)
  await rig.settle()
  await rig.answer()
  assert.equal(rig.state(), 'up')
})

test('without logind nothing is asked; when it comes while a link is up, it is', async () => {
  const rig = new SleepRig()
  await rig.bringUp()
  assert.doesNotMatch(rig.news(), /hold/)
  rig.suspend.onPresence(true)
  assert.match(rig.news(), /hold$/)
  rig.suspend.onPresence(false)
  assert.match(rig.news(), /release$/)
})

test('a peer that never says goodbye keeps the machine awake for 4 s at most', async () => {
  const rig = new SleepRig({ demo: '[ppp]\nlcp-restart = 30s\n' })
  rig.suspend.onPresence(true)
  await rig.bringUp()
  rig.news()
  rig.session.isDeaf = true
  rig.suspend.onSleep(true)
  await rig.clock.advance(3999)
  assert.equal(rig.news(), '')
  await rig.clock.advance(1)
  assert.equal(rig.news(), 'release')
})

test('a sleep that nobody told of is noticed at the next timer, and links begin anew', async () => {
  const rig = new SleepRig()
  await rig.bringUp()
  rig.sleepClock.at(10_000, () => {})
  rig.sleptMs = 60_000
  await rig.clock.advance(9999)
  assert.equal(rig.state(), 'up', 'it sets no timer of its own')
  await rig.clock.advance(1)
  assert.equal(rig.state(), 'dialling')
  assert.equal(rig.fleet.wakings, 1)
})

for (const first of ['a timer', 'the word'] as const)
  test(`of a sleep that was told the clock says nothing more, where ${first} comes first`, async () => {
    const rig = new SleepRig()
    await rig.bringUp()
    for (const at of [2000, 4000, 6000]) rig.sleepClock.at(at, () => {})
    rig.suspend.onSleep(true)
    await rig.settle()
    rig.sleptMs = 60_000
    if (first === 'a timer') await rig.clock.advance(2000)
    rig.suspend.onSleep(false)
    await rig.settle()
    await rig.answer()
    await rig.clock.advance(5000)
    assert.equal(rig.state(), 'up')
    assert.equal(rig.fleet.wakings, 1)
  })

test('the wall clock may jump, and a process may stand still: that is no sleep', async () => {
  const rig = new SleepRig()
  await rig.bringUp()
  for (let at = 1000; at <= 20_000; at += 1000) rig.sleepClock.at(at, () => {})
  rig.sleptMs = 20
  await rig.clock.advance(20_000)
  assert.equal(rig.state(), 'up')
})

test('that systemd-inhibit is absent, or fails, is said once', async () => {
  const said: string[] = []
  const logger = { ...silentLogger, warn: (message: string) => said.push(message) }
  for (const program of ['/no/such/program', '/bin/false']) {
    const inhibitor = new SleepInhibitor({ busAddress: 'unix:path=/nowhere', logger, program })
    inhibitor.hold()
    await until('it is said', () => said.length === 1)
    inhibitor.hold()
    inhibitor.release()
    assert.match(said.pop()!, /does not wait for links/)
  }
})
