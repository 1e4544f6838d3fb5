import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock, systemRandom } from '../../src/system/clock.ts'

test('fires once and never early, also when asked for late in a long turn', async () => {
  const turnMs = systemClock.nowMs()
  // Node counts a timer from the start of the turn.
  while (systemClock.nowMs() < turnMs + 20);
  const earlyMs = await Promise.all(
    [-5, 0, 0.2, 1.3, 7.9, 12].map((delayMs) => {
      const atMs = systemClock.nowMs() + delayMs
      return new Promise<number>((resolve) => systemClock.at(atMs, () => resolve(atMs - systemClock.nowMs())))
    }),
  )
  assert.ok(Math.max(...earlyMs) <= 0, `${earlyMs}`)
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
