import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock, systemRandom } from '../../src/system/clock.ts'

test('fires once and never early', async () => {
  for (const delayMs of [-5, 0, 0.2, 1.3, 7.9]) {
    const atMs = systemClock.nowMs() + delayMs
    await new Promise<void>((resolve) => systemClock.at(atMs, resolve))
    assert.ok(systemClock.nowMs() >= atMs, `${delayMs} ms`)
  }
})

test('a cancelled timer never fires, nor one further away than setTimeout can count', async () => {
  let fired = 0
  const cancels = [0, 1, 2 ** 31 + 5, 2 ** 40].map((ms) => systemClock.at(systemClock.nowMs() + ms, () => fired++))
  const [now, soon, ...far] = cancels
  now?.()
  soon?.()
  await new Promise<void>((resolve) => systemClock.at(systemClock.nowMs() + 20, resolve))
  assert.equal(fired, 0)
  for (const cancel of far) cancel()
})

test('the time of day is in microseconds, chance differs from call to call', () => {
  assert.ok(Math.abs(Number(systemClock.wallUs() / 1000n) - Date.now()) < 1000)
  assert.equal(systemRandom.bytes(16).length, 16)
  assert.notDeepEqual(systemRandom.bytes(16), systemRandom.bytes(16))
})
