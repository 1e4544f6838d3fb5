import assert from 'node:assert/strict'
import test from 'node:test'
import { complaintsOfVirtualSoak, virtualSoak } from './virtual-soak.ts'

test('200 random faults on virtual time: fleet, supervisor and PPP hold at the end what they held half-way', async () => {
  const looks = await virtualSoak({ cycles: 200, seed: 1, lookEvery: 100 })
  assert.deepEqual(complaintsOfVirtualSoak(looks), [], JSON.stringify(looks))
})
