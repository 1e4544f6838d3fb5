/** What a daemon that is not root lacks, by name. */

import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { privilegeFindings } from '../../src/daemon/privileges.ts'
import { run } from '../bus/private-bus.ts'

const ALL = 'CapInh:\t0\nCapEff:\t0000000000003000\n'
const NONE = 'CapEff:\t0000000000000000\n'

test('root lacks nothing; another is told what', () => {
  const root = mkdtempSync(join(tmpdir(), 'modemd-privileges-'))
  try {
    mkdirSync(join(root, 'etc'))
    writeFileSync(join(root, 'etc/group'), 'root:x:0:\ndialout:x:20:\n')
    assert.deepEqual(privilegeFindings(root, { uid: 0, status: NONE, groups: [] }), [])
    const good = privilegeFindings(root, { uid: 996, status: ALL, groups: [996, 20] })
    assert.deepEqual(
      good.map(({ state }) => state),
      ['ok'],
    )
    const bad = privilegeFindings(root, { uid: 996, status: NONE, groups: [996] })
    assert.deepEqual(
      bad.map(({ check, state, detail }) => `${check} ${state}: ${detail.split(' modemd')[0]}`),
      [
        'permission warn: without CAP_NET_ADMIN',
        'permission warn: without CAP_NET_RAW',
        'permission warn: outside the group dialout',
      ],
    )
  } finally {
    rmSync(root, { recursive: true })
  }
})

test('files that may not be written are named', {
  skip: process.geteuid?.() !== 0 && 'run the tests as root',
}, async () => {
  const root = mkdtempSync(join(tmpdir(), 'modemd-privileges-'))
  try {
    for (const folder of ['dev', 'run/lock', 'etc/modemd/profiles']) mkdirSync(join(root, folder), { recursive: true })
    for (const folder of ['', 'dev', 'run', 'run/lock', 'etc', 'etc/modemd']) chmodSync(join(root, folder), 0o755)
    writeFileSync(join(root, 'dev/ppp'), '', { mode: 0o600 })
    writeFileSync(join(root, 'etc/resolv.conf'), '', { mode: 0o644 })
    const module = new URL('../../src/daemon/privileges.ts', import.meta.url)
    const program = `
      import { privilegeFindings } from '${module}'
      for (const { detail } of privilegeFindings(${JSON.stringify(root)})) console.log(detail)`
    const nobody = ['--reuid', '65534', '--regid', '65534', '--clear-groups']
    const args = [...nobody, process.execPath, '--import', 'tsx', '--input-type=module', '-e', program]
    const { stdout, stderr } = await run('setpriv', args)
    const paths = [...stdout.matchAll(/leave to write (\S+)/g)].map(([, path]) => path)
    assert.deepEqual(paths, ['/dev/ppp', '/run/lock', '/etc/modemd/profiles', '/etc/resolv.conf'], stderr)
  } finally {
    rmSync(root, { recursive: true })
  }
})
