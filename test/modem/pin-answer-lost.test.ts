/** One answer of the modem is lost while its SIM asks for the PIN: asked again, not locked for ever, and no try is spent twice. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PersonalityBench } from './support/personality-bench.ts'

for (const [what, ...where] of [
  ['how many tries are left', 'on=+CPINR'],
  ['whether the SIM is open, behind a PIN that was taken', 'on=+CPIN?', 'at=pin'],
])
  test(`a lost answer: ${what}`, async (t) => {
    const bench = new PersonalityBench('generic', { sim: { pin: '1234' }, pin: '1234' })
    t.after(() => bench.dispose())
    bench.faults.arm(['silent', ...where])
    await bench.registered()
    assert.deepEqual(bench.faults.struck, { silent: 1 })
    assert.deepEqual(bench.sim.tries, { spent: 1, refused: 0 })
  })
