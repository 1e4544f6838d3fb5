/** What keeps callers from getting in the way of others. */

import assert from 'node:assert/strict'
import test from 'node:test'
import type { Clock } from '../../src/base/ports.ts'
import { SliceQueue } from '../../src/bus/restraint.ts'

test('a flood is worked off in order, some milliseconds a turn; few are done at once', async () => {
  let nowMs = 0
  const clock: Clock = { nowMs: () => nowMs, wallUs: () => 0n, at: () => () => {} }
  const done: number[] = []
  const queue = new SliceQueue<number>(clock, (item) => {
    done.push(item)
    nowMs += 1
  })
  queue.push(0)
  assert.deepEqual(done, [0], 'at once')
  for (let item = 1; item < 100; item++) queue.push(item)
  assert.equal(done.length, 5)
  let turns = 0
  while (done.length < 100) {
    const before = done.length
    await new Promise((resolve) => setImmediate(resolve))
    assert.ok(done.length - before <= 5, `${done.length - before} in a turn`)
    assert.ok(++turns < 100)
  }
  assert.deepEqual(done, [...done.keys()])
})
