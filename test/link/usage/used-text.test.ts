/** What is used of a limit, in words. */

import assert from 'node:assert/strict'
import test from 'node:test'
import { usedText } from '../../../src/link/usage/used-text.ts'

test('both amounts in the largest unit that the limit has one of', () => {
  for (const [used, limit, text] of [
    [5_003_000_001n, 5_000_000_000n, '5003 MB of 5000 MB'],
    [1_049_999n, 1_000_000n, '1 MB of 1 MB'],
    [1_050_000n, 1_000_000n, '1.1 MB of 1 MB'],
    [3_217n, 3_000n, '3.2 kB of 3 kB'],
    [2_000_000n, 999_999n, '2000 kB of 1000 kB'],
    [700n, 1n, '700 B of 1 B'],
  ] as const)
    assert.equal(usedText(used, limit, '2026-11'), `${text} are used in 2026-11`)
})
