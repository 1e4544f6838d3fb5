/** A report of the network's loss that never came: the dial that fails for it is the news, and then nothing is dialled in vain. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DialError } from '../../src/modem/snapshot.ts'
import { PersonalityBench } from './support/personality-bench.ts'

test('a dial that finds no network makes the modem search', async (t) => {
  const bench = new PersonalityBench('generic')
  t.after(() => bench.dispose())
  await bench.registered()
  bench.faults.silence(bench.clock.nowMs() + 1)
  bench.network.mode = 'none'
  bench.modem.state.networkChanged(bench.clock.nowMs())
  await bench.clock.advance(2)
  assert.equal(bench.snapshot.state, 'registered')
  await assert.rejects(bench.dial(), (error) => error instanceof DialError && error.failure.cause === 'no-network')
  await bench.until('it searches', () => bench.snapshot.state === 'searching', 5000)
})
