import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CAUSES } from '../../src/base/cause.ts'
import { CAUSE_TABLE } from '../../src/link/causes.ts'
import { decideRedial, type RedialRule, shortestDelayMs } from '../../src/link/redial.ts'
import { FakeModem } from '../support/fake-modem.ts'
import { AUTO, assertAtRest, Rig } from './rig.ts'

function delayOf(rule: RedialRule, failuresInARow: number, fraction = 0): number {
  const decision = decideRedial('no-carrier', failuresInARow, rule, fraction)
  assert.equal(decision.action, 'wait')
  return decision.action === 'wait' ? decision.delayMs : Number.NaN
}

const delays = (rule: RedialRule, fraction = 0) =>
  Array.from({ length: 8 }, (_, index) => delayOf(rule, index + 1, fraction))

test('first, factor, longest; jitter takes up to a fifth away', () => {
  const rule = { firstMs: 5000, factor: 2, longestMs: 300_000 }
  assert.deepEqual(delays(rule), [5000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000])
  assert.deepEqual(delays(rule, 0.5).slice(0, 3), [4500, 9000, 18_000])
})

test('a rule that does not grow, grows all the same in the end', () => {
  const rule = { firstMs: 5000, factor: 1, longestMs: 5000 }
  assert.deepEqual(delays(rule), [5000, 5000, 5000, 5000, 5000, 5000, 5000, 6400])
  assert.equal(delayOf(rule, 12), 100_000)
  assert.equal(delayOf(rule, 1000), 100_000)
})

test('stop stops, and every decision has a reason', () => {
  assert.deepEqual(decideRedial('auth-refused', 1, 'stop', 0), {
    action: 'stop',
    reason: 'auth-refused is not tried again by itself',
  })
  const reasons = [1, 2, 3, 4, 11, 12, 13, 21, 112].map(
    (count) => decideRedial('busy', count, { firstMs: 1, factor: 1, longestMs: 1 }, 0).reason,
  )
  assert.deepEqual(reasons.slice(0, 4), [
    'busy, 1st failure in a row',
    'busy, 2nd failure in a row',
    'busy, 3rd failure in a row',
    'busy, 4th failure in a row',
  ])
  assert.match(reasons.slice(4).join(' '), /11th .* 12th .* 13th .* 21st .* 112th /)
})

const anyRule = fc.record({
  firstMs: fc.integer({ min: 0, max: 86_400_000 }),
  factor: fc.double({ min: 1, max: 100, noNaN: true }),
  longestMs: fc.integer({ min: 0, max: 86_400_000 }),
})
const anyFraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

test('delays are bounded, and their range only moves up with failures in a row', () => {
  fc.assert(
    fc.property(anyRule, fc.integer({ min: 1, max: 10_000 }), anyFraction, (rule, failures, fraction) => {
      const delay = delayOf(rule, failures, fraction)
      const [least, most] = [delayOf(rule, failures, 1), delayOf(rule, failures, 0)]
      assert.ok(Number.isInteger(delay) && delay >= least && delay <= most)
      assert.ok(least >= 0.8 * shortestDelayMs(failures))
      assert.ok(most <= Math.max(rule.firstMs, rule.longestMs, shortestDelayMs(failures)))
      assert.ok(delayOf(rule, failures + 1, 1) >= least)
      assert.ok(delayOf(rule, failures + 1, 0) >= most)
    }),
    { seed: 5, numRuns: 1000 },
  )
})

test('an hour without success is at most 60 dials, whatever the rules and causes', () => {
  fc.assert(
    fc.property(fc.infiniteStream(anyRule), fc.infiniteStream(anyFraction), (rules, fractions) => {
      let dials = 1
      for (let elapsedMs = 0; ; dials++) {
        elapsedMs += delayOf({ ...rules.next().value!, firstMs: 1, longestMs: 1 }, dials, fractions.next().value!)
        if (elapsedMs > 3_600_000) break
      }
      assert.ok(dials <= 60, `${dials}`)
    }),
    { seed: 6, numRuns: 50 },
  )
})

test('every cause has a meaning and an advice that are sentences, and is permanent exactly when its rule stops', () => {
  assert.deepEqual(Object.keys(CAUSE_TABLE).sort(), [...CAUSES].sort())
  for (const cause of CAUSES) {
    const { meaning, advice, permanent, redial } = CAUSE_TABLE[cause]
    assert.equal(permanent, redial === 'stop', cause)
    for (const sentence of [meaning, advice]) assert.match(sentence, /^(?:[A-Z]|modemd ).{10,}\.$/, cause)
  }
})

test('a wait that is over before it has begun, wherever the clock moves on', async () => {
  for (let calls = 0; calls < 20; calls++) {
    const rig = new Rig({ demo: AUTO })
    await rig.settle()
    const loseSim = async () => {
      rig.dial.connect().reason = { cause: 'sim-absent', detail: 'the SIM is gone' }
      await rig.settle()
      rig.session.down({ cause: 'hung-up', detail: 'seen' }, 16)
    }
    await loseSim()
    await rig.settle()
    assert.equal(rig.modem.dials.length, 2, 'at once the first time')
    const nowMs = rig.clock.nowMs.bind(rig.clock)
    let left = Number.POSITIVE_INFINITY
    rig.clock.nowMs = () => nowMs() + (left-- > 0 ? 0 : 100)
    await loseSim()
    left = calls
    await rig.settle()
    while (rig.modem.dials.length < 3) assert.ok(await rig.clock.step(), `${calls} calls: it is dialled again`)
    await rig.supervisor.disconnect(undefined)
    assertAtRest(rig)
  }
})

for (const [cause, change] of [
  ['no-network', { state: 'searching', registration: 'searching' }],
  ['modem-silent', { state: 'failed', failure: { cause: 'modem-silent', detail: 'no answer to AT' } }],
] as const) {
  test(`a modem that is ready again ends the pause after ${cause}: the link dials at once`, async () => {
    const rig = new Rig({ demo: `${AUTO}[redial]\n${cause} = 300s` }, { modems: [new FakeModem(change)] })
    await rig.settle()
    while (rig.link().snapshot.cause !== cause) assert.ok(await rig.clock.step(), 'it is told')
    await rig.clock.advance(1000)
    assert.ok(rig.link().snapshot.nextAttemptAtUs > rig.clock.wallUs() + 200_000_000n, 'it would be minutes')
    rig.modem.set({ signalQuality: 50 })
    await rig.settle()
    assert.equal(rig.link().snapshot.attempts, 1, 'no news of that kind')
    rig.modem.set({ state: 'registered', registration: 'home', failure: undefined })
    await rig.settle()
    assert.equal(rig.state(), 'dialling')
  })
}
