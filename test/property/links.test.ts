/**
 * Whatever happens to modems, SIMs, calls, PPP, people and the machine: no link goes round and round without waiting for anything, what it
 * shows fits together, whoever asks for it gets an answer, and once all is well again every link that connects by itself is up, as far as
 * there are modems for it; asked down, nothing of them is left.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { assertAtRest } from '../link/rig.ts'
import { event, profiles } from './link-events.ts'
import { World } from './link-world.ts'

const SEED = 23_117
const RUNS = 300

test('links: nothing that passes keeps one down, or makes it go round and round', async () => {
  await fc.assert(
    fc.asyncProperty(profiles, fc.array(event, { maxLength: 100, size: 'max' }), async (texts, events) => {
      const world = new World(texts)
      const { rig } = world
      await rig.settle()
      for (const each of events) await world.happens(each)
      await world.becomesWell()
      for (let hour = 0; hour < 3 && world.missing().length > 0; hour++) await rig.clock.advance(3_600_000)
      assert.equal(world.round, undefined)
      assert.deepEqual(world.missing(), [])
      const down = rig.supervisor.disconnect(undefined)
      await rig.clock.advance(60_000)
      await down
      await rig.clock.advance(600_000)
      assertAtRest(rig)
      assert.equal(world.odd, undefined)
      assert.equal(world.unanswered, 0)
    }),
    { seed: SEED, numRuns: RUNS, includeErrorInReport: true },
  )
})
