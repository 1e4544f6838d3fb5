/** Cells of the fault matrix, and a short soak, on the real programs. `npm run test:faults` and `npm run soak` have more. */

import assert from 'node:assert/strict'
import test from 'node:test'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { runSample, sampleCells } from './sample.ts'
import { complaintsOfSoak, soak } from './soak.ts'

const MS_IN_A_DAY = 86_400_000

if (inNamespace(import.meta.url, needs('tun', 'unshare', 'dbus-daemon', 'busctl', 'ip'))) {
  test('a sample of faults, others every day, comes to the same with ptys, TUN and D-Bus', async () => {
    const seed = Math.floor(Date.now() / MS_IN_A_DAY)
    const complaints = await runSample({ cells: sampleCells(6, seed), seed, speed: 5 })
    assert.deepEqual(complaints, [], `again: npm run test:faults -- --sample 6 --seed ${seed}`)
  })

  test('after 100 cycles of dial, traffic, fault and recovery modemd holds what it held after 50', async () => {
    const result = await soak({ cycles: 100, seed: 1, speed: 10, warmUp: 50, lookEvery: 50 })
    // How large the process is, is the long soak's number: so soon it still grows.
    const complaints = complaintsOfSoak(result).filter((complaint) => !/^rss/i.test(complaint))
    assert.deepEqual(complaints, [], JSON.stringify(result.looks))
    assert.ok(result.calls >= 100, `${result.calls} calls`)
  })
}
