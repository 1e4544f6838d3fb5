import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock, systemRandom } from '../../src/system/clock.ts'

test('fires once and never early', async () => {
  // Node's own timers count whole milliseconds and are early by a part of one now and then.
  for (let round = 0; round < 400; round++) {
    const atMs = systemClock.nowMs() - 0.1 + ((round * 0.037) % 1.5)
    const firedMs = await new Promise<number>((resolve) => systemClock.at(atMs, () => resolve(systemClock.nowMs())))
    assert.ok(firedMs >= atMs, `${atMs - firedMs} ms early`)
  }
})

test('a cancelled timer never fires, nor one further away than setTimeout can count', async () => {
  const warnings: string[] = []
  const onWarning = ({ name }: Error) => warnings.push(name)
  process.on('warning', onWarning)
  let fired = 0
  const cancels = [0, 1, 2 ** 31 + 5, 2 ** 40].map((ms) => systemClock.at(systemClock.nowMs() + ms, () => fired++))
  const [now, soon, ...far] = cancels
  now?.()
  soon?.()
  await new Promise<void>((resolve) => systemClock.at(systemClock.nowMs() + 20, resolve))
  assert.equal(fired, 0)
  for (const cancel of far) cancel()
  process.off('warning', onWarning)
  assert.deepEqual(warnings, [])
})

test('the time of day is in microseconds, chance differs from call to call', () => {
  assert.ok(Math.abs(Number(systemClock.wallUs() / 1000n) - Date.now()) < 1000)
  assert.equal(systemRandom.bytes(16).length, 16)
  assert.notDeepEqual(systemRandom.bytes(16), systemRandom.bytes(16))
})
