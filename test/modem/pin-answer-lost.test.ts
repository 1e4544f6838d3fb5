/** The SIM took the PIN, and the answer to the question whether it is open was lost: asked again, not locked for ever. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PersonalityBench } from './support/personality-bench.ts'

test('a lost +CPIN? behind a PIN that was taken', async (t) => {
  const bench = new PersonalityBench('generic', { sim: { pin: '1234' }, pin: '1234' })
  t.after(() => bench.dispose())
  bench.faults.arm(['silent', 'on=+CPIN?', 'at=pin'])
  await bench.registered()
  assert.deepEqual(bench.faults.struck, { silent: 1 })
  assert.deepEqual(bench.sim.tries, { spent: 1, refused: 0 })
})
