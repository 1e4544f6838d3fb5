/** A PUK that the SIM refuses: what the caller is told, now and when the same comes again. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ModemdError } from '../../src/base/errors.ts'
import { enterPuk } from '../../src/modem/pin.ts'
import { PinGuard } from '../../src/modem/pin-guard.ts'
import { PinLedger } from '../../src/modem/pin-ledger.ts'
import { MemoryFiles } from '../link/usage/memory-files.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

test('a refused PUK is named as such, and the remedy is the command for PUKs', async () => {
  const sent: string[] = []
  const context = {
    clock: new VirtualClock(),
    guard: new PinGuard(),
    ledger: new PinLedger(new MemoryFiles(), new SeededRandom(1)),
    sim: { iccid: '8934071100000000017' },
    attempt: async (text: string) => {
      sent.push(text)
      return { isOk: false, lines: [], final: '+CME ERROR: incorrect password' }
    },
    readStatus: async () => 'puk' as const,
    readTries: async () => ({ pin: 0, puk: 9 }),
  }
  const refusal = async (): Promise<ModemdError> => {
    try {
      await enterPuk(context, '87654321', '2468')
    } catch (error) {
      assert.ok(error instanceof ModemdError, String(error))
      return error
    }
    assert.fail('it was taken')
  }
  const first = await refusal()
  assert.deepEqual([first.code, first.failureCause], ['SimPuk', 'sim-puk'])
  assert.match(first.message, /^The SIM did not accept the PUK \(.*, 9 tries are left\)/)
  const again = await refusal()
  assert.deepEqual([again.code, again.failureCause], ['SimPuk', 'sim-puk'])
  assert.match(again.message, /^This PUK was refused .* Enter the right one with `mmctl sim puk`;/)
  assert.equal(sent.length, 1)
})
