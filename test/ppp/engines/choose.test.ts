import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ModemdError } from '../../../src/base/errors.ts'
import { chooseEngine, engineReports, type Usable } from '../../../src/ppp/engines/choose.ts'

const YES: Usable = { ok: true }
const NO: Usable = { ok: false, why: 'cannot open /dev/ppp' }

test('auto takes kernel, else builtin, and never pppd', () => {
  const all = engineReports({ builtin: YES, kernel: YES, pppd: YES })
  assert.deepEqual(
    all.map(({ name, isUsable }) => [name, isUsable]),
    [
      ['kernel', true],
      ['builtin', true],
      ['pppd', true],
    ],
  )
  assert.match(all[0]!.why, /auto takes it/)
  assert.match(all[1]!.why, /auto takes kernel/)
  assert.deepEqual(chooseEngine(all, 'auto', true), { name: 'kernel', why: 'the best one here' })
  assert.deepEqual(chooseEngine(all, 'pppd', true), { name: 'pppd', why: 'asked for' })

  const without = engineReports({ builtin: YES, kernel: NO, pppd: YES })
  const chosen = chooseEngine(without, 'auto', true)
  assert.equal(chosen.name, 'builtin')
  assert.match(chosen.why, /kernel: cannot be used: cannot open \/dev\/ppp/)

  assert.throws(() => chooseEngine(engineReports({ builtin: NO, kernel: NO, pppd: YES }), 'auto', true), isMissing)
})

test('a line without a descriptor is for the builtin engine only, and the reason says so', () => {
  const all = engineReports({ builtin: YES, kernel: YES, pppd: YES })
  const chosen = chooseEngine(all, 'auto', false)
  assert.equal(chosen.name, 'builtin')
  assert.match(chosen.why, /kernel: needs a tty/)
  assert.throws(() => chooseEngine(all, 'kernel', false), isMissing)
  assert.throws(() => chooseEngine(all, 'pppd', false), /pppd: needs a tty/)
})

test('a named engine that does not work is not replaced by another', () => {
  assert.throws(
    () => chooseEngine(engineReports({ builtin: YES, kernel: NO }), 'kernel', true),
    /the engine kernel does not work here \(kernel: cannot be used: cannot open \/dev\/ppp\)/,
  )
  assert.throws(() => chooseEngine(engineReports({ builtin: YES }), 'pppd', true), /pppd: is not here/)
})

function isMissing(error: unknown): boolean {
  return error instanceof ModemdError && error.failureCause === 'engine-missing'
}
