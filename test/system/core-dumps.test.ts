import assert from 'node:assert/strict'
import test from 'node:test'
import { forbidCoreDumps } from '../../src/system/core-dumps.ts'
import { prctl } from '../../src/system/libc.ts'

const PR_GET_DUMPABLE = 3

test('no core file of this process, and no other of the same user reads its memory', () => {
  assert.equal(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 1)
  forbidCoreDumps()
  assert.equal(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0)
})
