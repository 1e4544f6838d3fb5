/** The recovery ladder: the rule, and links that climb it on virtual time. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CAUSES, type Cause } from '../../src/base/cause.ts'
import { ModemdError } from '../../src/base/errors.ts'
import { CAUSE_TABLE } from '../../src/link/causes.ts'
import {
  AT_THE_FOOT,
  backToTheFoot,
  isCurable,
  judgeLadder,
  nextRung,
  RUNGS,
  type Rung,
  withFailure,
  withRung,
} from '../../src/link/recovery.ts'
import { FakeModem } from '../support/fake-modem.ts'
import { AUTO, hangUp, Rig } from './rig.ts'

const ALL: ReadonlySet<Rung> = new Set(RUNGS)

test('only what a restart may cure climbs: never SIM, account, access point, person or time', () => {
  const curable = CAUSES.filter((cause) => isCurable(cause, false))
  assert.deepEqual(curable, [
    'modem-silent',
    'modem-error',
    'no-network',
    'no-carrier',
    'no-dialtone',
    'call-rejected',
    'dial-timeout',
    'lcp-timeout',
    'loopback',
    'no-address',
    'echo-lost',
    'hung-up',
  ])
  assert.ok(curable.every((cause) => !CAUSE_TABLE[cause].permanent))
  assert.ok(!isCurable('hung-up', true), 'a link that was up has a modem that works')
})

test('rungs in order, whatever happens: each at most once in ten minutes, never more than one up at a time', () => {
  const events = fc.array(
    fc.record({
      afterMs: fc.integer({ min: 0, max: 300_000 }),
      isSuccess: fc.boolean(),
      resetAfter: fc.integer({ min: 1, max: 5 }),
    }),
    { maxLength: 200 },
  )
  fc.assert(
    fc.property(events, fc.subarray([...RUNGS]), (steps, possible) => {
      let nowMs = 0
      let ladder = AT_THE_FOOT
      const climbed: { rung: Rung; atMs: number }[] = []
      let position = -1
      for (const { afterMs, isSuccess, resetAfter } of steps) {
        nowMs += afterMs
        if (isSuccess) {
          ladder = backToTheFoot(ladder)
          position = -1
          continue
        }
        ladder = withFailure(ladder)
        const verdict = judgeLadder(ladder, 'modem-silent', { resetAfter, possible: new Set(possible), nowMs })
        const told = nextRung(ladder, resetAfter, new Set(possible), nowMs)
        assert.equal(told?.afterFailures === 0, verdict.kind === 'climb', 'what is told comes')
        if (verdict.kind !== 'climb') continue
        const { rung } = verdict
        assert.equal(told?.rung, rung)
        assert.ok(possible.includes(rung))
        assert.equal(possible.filter((each) => RUNGS.indexOf(each) > position)[0], rung)
        assert.ok(climbed.every((before) => before.rung !== rung || nowMs - before.atMs >= 600_000))
        position = RUNGS.indexOf(rung)
        climbed.push({ rung, atMs: nowMs })
        ladder = withRung(ladder, rung, nowMs)
      }
    }),
    { seed: 11, numRuns: 300 },
  )
})

test('at the top a modem that is silent is given up; what may be the network is dialled on', () => {
  const top = { ...AT_THE_FOOT, failures: 4, rung: 'power' as const }
  const judge = (cause: Cause) => judgeLadder(top, cause, { resetAfter: 4, possible: ALL, nowMs: 0 }).kind
  assert.deepEqual(
    CAUSES.filter((cause) => isCurable(cause, false) && judge(cause) === 'give-up'),
    ['modem-silent', 'modem-error'],
  )
  assert.equal(judge('no-carrier'), 'redial')
})

/** What was done to the modem, and when in seconds. */
function restartsOf(rig: Rig, modem = rig.modem): string[] {
  const log: string[] = []
  modem.onRestart = async (how) => void log.push(`${how} ${Math.round(rig.clock.nowMs() / 1000)}`)
  return log
}

/** Fails every dial for so long. */
async function failDials(rig: Rig, cause: Cause, ms: number): Promise<void> {
  const endMs = rig.clock.nowMs() + ms
  const fail = () => {
    const dial = rig.fleet.modems[0]?.dials.at(-1)
    if (dial && !dial.isOver()) dial.fail({ cause, detail: 'seen' })
  }
  fail()
  while (await rig.clock.step(endMs)) fail()
}

const QUICK = '[redial]\nreset-after = 2\nno-carrier = 10s\nmodem-error = 10s\nmodem-silent = 10s\n'

test('a modem that fails again and again: radio, reset, USB port, power, each after so many failures', async () => {
  const modem = new FakeModem()
  modem.restarts = ['usb-port', 'power']
  const rig = new Rig({ demo: AUTO + QUICK }, { modems: [modem] })
  const log = restartsOf(rig)
  await rig.settle()
  rig.dial.fail({ cause: 'no-carrier', detail: 'NO CARRIER' })
  await rig.settle()
  assert.equal(rig.link().snapshot.nextAttemptReason, 'no-carrier, 1st failure in a row')
  assert.deepEqual(rig.link().snapshot.nextRung, { rung: 'radio', afterFailures: 1 })
  assert.equal(rig.link().snapshot.causeAtUs, rig.clock.wallUs())
  await rig.clock.advance(10_000)
  rig.dial.fail({ cause: 'no-carrier', detail: 'NO CARRIER' })
  await rig.settle()
  const { state, nextAttemptReason, nextAttemptAtUs } = rig.link().snapshot
  assert.equal(state, 'waiting')
  assert.equal(nextAttemptReason, 'no-carrier, 2nd failure in a row: the radio is switched off and on before')
  assert.equal(nextAttemptAtUs, 0n, 'nobody knows how long that takes')
  assert.deepEqual(rig.link().snapshot.nextRung, { rung: 'radio', afterFailures: 0 })
  await rig.clock.advance(1000)
  const leftUs = Number(rig.link().snapshot.nextAttemptAtUs - rig.clock.wallUs())
  assert.ok(leftUs >= 7_000_000 && leftUs <= 9_000_000, `after the rung the rest of 10 s is shown: ${leftUs} µs`)
  await failDials(rig, 'no-carrier', 3_600_000)
  assert.deepEqual(
    log.map((line) => line.split(' ')[0]),
    ['radio', 'reset', 'usb-port', 'power'],
  )
  assert.equal(rig.state(), 'waiting', 'it may be the network: it is dialled on')
  assert.ok(rig.link().snapshot.nextAttemptAtUs > 0n)
})

for (const cause of ['busy', 'no-answer', 'port-busy', 'registration-denied', 'pppd-failed', 'internal'] as const) {
  test(`nothing is done to the modem because of ${cause}`, async () => {
    const rig = new Rig({ demo: `${AUTO}[redial]\nreset-after = 1` })
    const log = restartsOf(rig)
    await rig.settle()
    await failDials(rig, cause, 3_600_000)
    assert.deepEqual(log, [])
  })
}

test('a minute of success ends the row, but not the pause of ten minutes', async () => {
  const rig = new Rig({ demo: AUTO + QUICK })
  const log = restartsOf(rig)
  await rig.settle()
  await failDials(rig, 'no-carrier', 15_000)
  assert.equal(log.length, 1)
  assert.match(log[0]!, /^radio/)
  while (rig.state() !== 'dialling') await rig.clock.step()
  await rig.answer()
  await rig.clock.advance(60_000)
  await hangUp(rig)
  await rig.clock.advance(1000)
  await failDials(rig, 'no-carrier', 400_000)
  assert.equal(log.length, 1, 'not again so soon, and no stronger one instead')
  await failDials(rig, 'no-carrier', 400_000)
  assert.match(log[1]!, /^radio/)
})

test('two links that use one modem in turn climb one ladder', async () => {
  const rig = new Rig({ one: AUTO + QUICK, two: AUTO + QUICK })
  const log = restartsOf(rig)
  await rig.settle()
  await failDials(rig, 'no-carrier', 15_000)
  assert.equal(log.length, 1)
  await rig.supervisor.disconnect('one')
  await rig.settle()
  assert.equal(rig.state('two'), 'dialling')
  await failDials(rig, 'no-carrier', 300_000)
  assert.deepEqual(
    log.map((line) => line.split(' ')[0]),
    ['radio', 'reset'],
    'the radio was switched by the other link',
  )
})

test('a reset during which the modem is gone: the link waits for it and dials as soon as it is back', async () => {
  const rig = new Rig({ demo: AUTO + QUICK })
  await rig.settle()
  const { modem } = rig
  modem.onRestart = async (how) => {
    if (how === 'radio') throw new ModemdError('Unsupported', 'This modem does not let its radio be switched off.')
    modem.set({ state: 'resetting' })
    rig.fleet.unplug(modem)
  }
  await failDials(rig, 'no-carrier', 15_000)
  assert.equal(rig.fleet.modems.length, 0, 'the radio could not be switched, so the next rung followed at once')
  assert.equal(rig.state(), 'waiting')
  await rig.clock.advance(20_000)
  assert.equal(rig.link().snapshot.cause, 'no-carrier', 'that it is gone is our own doing')
  const back = rig.fleet.plug(new FakeModem({ state: 'enabling' }))
  await rig.clock.advance(1000)
  back.set({ state: 'registered' })
  await rig.settle()
  assert.equal(rig.state(), 'dialling')
  await rig.answer()
  assert.equal(rig.state(), 'up')
})

test('a modem that does not come back from its reset: power, where there is a switch', async () => {
  const rig = new Rig({ demo: AUTO + QUICK })
  await rig.settle()
  const { modem } = rig
  modem.restarts = ['power']
  const log: string[] = []
  modem.onRestart = async (how) => {
    log.push(how)
    if (how === 'radio') throw new ModemdError('Unsupported', 'no')
    if (how === 'reset') rig.fleet.unplug(modem)
    if (how === 'power') rig.fleet.plug(new FakeModem())
  }
  await failDials(rig, 'no-carrier', 15_000)
  await rig.clock.advance(120_000)
  assert.deepEqual(log, ['radio', 'reset', 'power'])
  assert.equal(rig.state(), 'dialling')
})

test('a silent modem is asked again, restarted, and then given up until it is re-plugged, answers or is asked for', async () => {
  const silent = {
    state: 'failed',
    stateReason: 'no answer',
    failure: { cause: 'modem-silent', detail: 'no answer to AT' },
  } as const
  const begin = async () => {
    const rig = new Rig({ demo: AUTO + QUICK }, { modems: [new FakeModem({ ...silent })] })
    const log: string[] = []
    rig.modem.onRestart = async (how) => {
      log.push(how)
      throw new ModemdError('Timeout', 'The modem does not answer.', 'modem-silent')
    }
    await rig.settle()
    assert.deepEqual([rig.state(), rig.link().snapshot.cause], ['waiting', 'modem-silent'])
    await rig.clock.advance(3_600_000)
    assert.deepEqual(log, ['radio', 'reset'])
    const { state, nextAttemptAtUs, nextAttemptReason } = rig.link().snapshot
    assert.deepEqual([state, nextAttemptAtUs], ['failed', 0n])
    assert.match(
      nextAttemptReason,
      /^given up until it is re-plugged or asked for: modem-silent, also after the modem was reset$/,
    )
    assert.equal(rig.clock.pending, 0)
    return { rig, log }
  }
  const works = { state: 'registered', failure: undefined } as const
  {
    const { rig } = await begin()
    rig.modem.set(works)
    await rig.settle()
    assert.equal(rig.state(), 'dialling', 'it answers again')
  }
  {
    const { rig } = await begin()
    rig.fleet.unplug(rig.modem)
    await rig.settle()
    rig.fleet.plug(new FakeModem())
    await rig.settle()
    assert.equal(rig.state(), 'dialling', 're-plugged')
  }
  {
    const { rig, log } = await begin()
    await rig.supervisor.connect('demo', {})
    await rig.settle()
    assert.equal(rig.state(), 'waiting', 'asked for')
    await rig.clock.advance(60_000)
    assert.deepEqual(log, ['radio', 'reset', 'radio', 'reset'], 'from the foot again')
  }
})

test('no network for long is a failure of the modem too; one that finds it again ends every wait', async () => {
  const searching = { state: 'searching', registration: 'searching' } as const
  const rig = new Rig({ demo: AUTO }, { modems: [new FakeModem({ ...searching })] })
  const log = restartsOf(rig)
  await rig.clock.advance(1_200_000)
  assert.equal(log[0]?.split(' ')[0], 'radio')
  assert.equal(rig.link().snapshot.cause, 'no-network')
  rig.modem.set({ state: 'registered', registration: 'home' })
  await rig.clock.advance(1000)
  assert.equal(rig.state(), 'dialling')
})

test('disconnect and the end of the daemon leave no radio off', async () => {
  const rig = new Rig({ demo: AUTO + QUICK })
  await rig.settle()
  rig.dial.fail({ cause: 'no-carrier', detail: 'NO CARRIER' })
  while (rig.modem.dials.length < 2) await rig.clock.step()
  rig.dial.fail({ cause: 'no-carrier', detail: 'NO CARRIER' })
  await rig.settle()
  assert.equal(rig.modem.snapshot.state, 'disabled')
  await rig.supervisor.disconnect('demo')
  assert.equal(rig.state(), 'idle')
  await rig.supervisor.close()
  assert.equal(rig.modem.snapshot.state, 'registered')
  assert.equal(rig.clock.pending, 0)
})
