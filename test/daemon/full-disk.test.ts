/** Profiles on a full disk: a tiny tmpfs in a mount namespace of its own. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { Configuration } from '../../src/daemon/config.ts'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { put, withFiles } from './config-rig.ts'

if (inNamespace(import.meta.url, needs('unshare'))) {
  test('a profile that does not fit is not saved, which is nobody’s missing right, and the old one stays', () =>
    withFiles({}, async (root, home) => {
      const folder = join(home, 'profiles')
      mkdirSync(folder)
      assert.equal(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8k', 'none', folder]).status, 0)
      try {
        put(home, 'profiles/demo.conf', '[profile]\napn = old')
        assert.throws(() => writeFileSync(join(folder, 'filler'), Buffer.alloc(1 << 16)), { code: 'ENOSPC' })
        const configuration = new Configuration({ root })
        await assert.rejects(configuration.save({ name: 'demo', apn: 'new' }), {
          code: 'Internal',
          message: 'cannot write /etc/modemd/profiles/demo.conf: no space left on device',
        })
        assert.equal(configuration.profiles[0]?.apn, 'old')
        assert.equal(readFileSync(join(folder, 'demo.conf'), 'utf8'), '[profile]\napn = old')
        assert.deepEqual(readdirSync(folder).sort(), ['demo.conf', 'filler'])
      } finally {
        spawnSync('umount', ['--lazy', folder])
      }
    }))
}
