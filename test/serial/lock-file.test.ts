/** Lock files on a full disk: a tiny tmpfs in a mount namespace of its own. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { takeLock } from '../../src/serial/lock-file.ts'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'

if (inNamespace(import.meta.url, needs('unshare'))) {
  test('a lock that does not fit on the disk leaves no half one', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'modemd-lock-'))
    assert.equal(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'none', folder]).status, 0)
    t.after(() => {
      spawnSync('umount', [folder])
      rmSync(folder, { recursive: true })
    })
    assert.throws(() => writeFileSync(join(folder, 'filler'), Buffer.alloc(1 << 16)), { code: 'ENOSPC' })
    await assert.rejects(takeLock(folder, '/dev/ttyUSB0'), { code: 'ENOSPC' })
    assert.deepEqual(readdirSync(folder), ['filler'])

    rmSync(join(folder, 'filler'))
    const lock = await takeLock(folder, '/dev/ttyUSB0')
    assert.deepEqual(readdirSync(folder), ['LCK..ttyUSB0'])
    await lock.release()
    assert.deepEqual(readdirSync(folder), [])
  })
}
