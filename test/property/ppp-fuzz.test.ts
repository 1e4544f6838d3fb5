/** A part of the fuzz run whose whole million is `npm run bench ppp-fuzz`. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fuzz } from '../support/ppp-fuzz.ts'

for (const seed of [1, 20_240_501]) {
  test(`15,000 mutated frames (seed ${seed}): no exception, no flood, and every session that is left comes up or says why not`, () => {
    const { frames, sentFrames, cameUp, ended, sessions, mostOutputBytes } = fuzz(15_000, seed)
    assert.equal(cameUp + ended, sessions)
    assert.ok(cameUp > sessions / 20, `${cameUp} of ${sessions} came up`)
    assert.ok(ended > sessions / 20)
    assert.ok(sentFrames < frames, `${sentFrames} frames sent for ${frames}`)
    assert.ok(mostOutputBytes < 20_000, `${mostOutputBytes} bytes at once`)
  })
}
