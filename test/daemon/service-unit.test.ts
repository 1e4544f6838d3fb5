/** systemd/ and what systemd itself says of it: the unit's sandbox, users, folders, rules. */

import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { run } from '../bus/private-bus.ts'
import { needs } from '../support/needs.ts'

const FOLDER = fileURLToPath(new URL('../../systemd/', import.meta.url))
const UNIT = `${FOLDER}modemd.service`
/** What `systemd-analyze security` counts, of 10. */
const MOST_EXPOSED = 3

test(`the unit's exposure is at most ${MOST_EXPOSED} of 10`, needs('systemd-analyze'), async (context) => {
  const { stdout, stderr } = await run('systemd-analyze', ['security', '--offline=true', '--no-pager', UNIT])
  const level = /Overall exposure level for modemd\.service: ([\d.]+)/.exec(stdout)?.[1]
  assert.notEqual(level, undefined, stderr)
  context.diagnostic(`exposure ${level}`)
  assert.ok(Number(level) <= MOST_EXPOSED, stdout)
})

test('systemd knows every line of the unit', needs('systemd-analyze'), async () => {
  const { stderr } = await run('systemd-analyze', ['verify', UNIT])
  assert.deepEqual(complaintsOf(stderr), [])
})

/** Without those of the program and its manual, which are not where a package puts them. */
function complaintsOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line && !/is not executable|Command 'man /.test(line))
}

test('so it does with the drop-in for root', needs('systemd-analyze'), async () => {
  const folder = mkdtempSync(join(tmpdir(), 'modemd-unit-'))
  try {
    copyFileSync(UNIT, join(folder, 'modemd.service'))
    mkdirSync(join(folder, 'modemd.service.d'))
    copyFileSync(`${FOLDER}root.conf`, join(folder, 'modemd.service.d/root.conf'))
    const { stderr } = await run('systemd-analyze', ['verify', join(folder, 'modemd.service')])
    assert.deepEqual(complaintsOf(stderr), [])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('V8 may compile, the daemon is no root, and its memory with PINs is in no core file', () => {
  const unit = readFileSync(UNIT, 'utf8')
  const value = (key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(unit)?.[1]
  assert.equal(value('MemoryDenyWriteExecute'), undefined)
  assert.equal(value('User'), 'modemd')
  assert.equal(value('CapabilityBoundingSet'), 'CAP_NET_ADMIN CAP_NET_RAW')
  assert.equal(value('LimitCORE'), '0')
  assert.equal(value('Type'), 'notify')
  assert.ok(Number(value('WatchdogSec')) > 0)
  assert.match(readFileSync(`${FOLDER}modemd.sysusers`, 'utf8'), /^u modemd /m)
})
