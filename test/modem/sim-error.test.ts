/** What a caller is told who needs the SIM while it is locked, broken or absent: what happened, and what to do. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simError } from '../../src/modem/sim.ts'

test('each state of a SIM that is in the way has its error, its cause and a remedy; the others have none', () => {
  for (const [status, code, cause, message] of [
    ['pin', 'SimPin', 'sim-pin', /^The SIM asks for its PIN: run `mmctl sim unlock`\.$/],
    ['puk', 'SimPuk', 'sim-puk', /^The SIM asks for its PUK: run `mmctl sim puk`\.$/],
    ['absent', 'SimAbsent', 'sim-absent', /: put one in\.$/],
    ['failed', 'SimAbsent', 'sim-failed', /: take it out and put it in again, or try another\.$/],
  ] as const) {
    const error = simError(status)
    assert.deepEqual([error?.code, error?.failureCause], [code, cause])
    assert.match(error?.message ?? '', message)
  }
  for (const status of [undefined, 'ready', 'pin2', 'puk2'] as const) assert.equal(simError(status), undefined)
})
