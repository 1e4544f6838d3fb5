/** What keeps callers from getting in the way of others. */

import assert from 'node:assert/strict'
import test from 'node:test'
import type { Clock } from '../../src/base/ports.ts'
import { reuseFor, SliceQueue } from '../../src/bus/restraint.ts'

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

test('who floods keeps only himself waiting; of each caller all is done in order', async () => {
  let nowMs = 0
  const clock: Clock = { nowMs: () => nowMs, wallUs: () => 0n, at: () => () => {} }
  const done: string[] = []
  const handle = (item: string) => {
    done.push(item)
    nowMs += 1
  }
  const queue = new SliceQueue<string>(clock, handle, (item) => item[0]!)
  for (let item = 0; item < 1000; item++) queue.push(`a${item}`)
  for (const item of ['b0', 'c0', 'b1']) queue.push(item)
  while (!done.includes('b1')) await new Promise((resolve) => setImmediate(resolve))
  assert.ok(done.length <= 15, `${done.length} before it`)
  while (done.length < 1003) await new Promise((resolve) => setImmediate(resolve))
  for (const owner of ['a', 'b', 'c']) {
    const numbers = done.filter((item) => item[0] === owner).map((item) => Number(item.slice(1)))
    assert.deepEqual(numbers, [...numbers.keys()])
  }
})

test('the queue of one caller has an end, and the next caller has his own', async () => {
  let nowMs = 0
  const clock: Clock = { nowMs: () => nowMs, wallUs: () => 0n, at: () => () => {} }
  const handle = () => {
    nowMs += 1
  }
  const queue = new SliceQueue<string>(clock, handle, (item) => item[0]!)
  let taken = 0
  while (queue.push('a')) taken++
  assert.ok(taken >= 16_384 && taken < 16_400, `${taken}`)
  assert.equal(queue.push('b'), true)
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(queue.push('a'), true)
})

test('what was found a moment ago is told again, and later looked for anew', () => {
  let nowMs = 0
  const clock: Clock = { nowMs: () => nowMs, wallUs: () => 0n, at: () => () => {} }
  let runs = 0
  const look = reuseFor(clock, 250, () => ++runs)
  assert.deepEqual([look(), look()], [1, 1])
  nowMs = 249
  assert.equal(look(), 1)
  nowMs = 250
  assert.deepEqual([look(), look()], [2, 2])
})
