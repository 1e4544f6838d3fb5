/** The fault matrix, every fault in every state, on a modem with two ports, and on one with a single port. `npm run test:faults` has more. */

import assert from 'node:assert/strict'
import test from 'node:test'
import { MATRIX_FAULTS, STATES } from './expectations.ts'
import { cellsOf, complaintsOf, runMatrix, tableOf } from './matrix.ts'

for (const personality of ['generic', 'simcom-sim800'])
  test(`every fault in every state, on ${personality}`, async (t) => {
    const outcomes = await runMatrix({ seed: 1, personality })
    t.diagnostic(`\n${tableOf(outcomes)}`)
    assert.equal(outcomes.length, cellsOf(MATRIX_FAULTS, STATES).length)
    assert.deepEqual(complaintsOf(outcomes), [])
  })
