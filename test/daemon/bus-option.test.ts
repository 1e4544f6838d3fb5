/** modemd and its --bus: what cannot be a bus is wrong use; one that nobody answers on is a failure; both say what to do. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('../../dist/modemd.cjs', import.meta.url))

const root = mkdtempSync(join(tmpdir(), 'modemd-bus-option-'))
after(() => rmSync(root, { recursive: true }))

function run(bus: string) {
  const args = [PROGRAM, '--root', root, '--bus', bus]
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 20_000 })
  return { status, last: stderr.trimEnd().split('\n').at(-1) ?? '' }
}

test('an address that is none: exit 2, and what one is like', () => {
  const { status, last } = run('bogus')
  assert.match(
    last,
    /^modemd: .*The bus address "bogus" is not usable: give system, session or unix:path=.*: see modemd --help$/,
  )
  assert.equal(status, 2)
})

test('a bus that nobody answers on: exit 1, and what to do', () => {
  const { status, last } = run(`unix:path=${root}/nobody`)
  assert.match(last, /^modemd: The bus cannot be used: .*ENOENT .*: start dbus, or name another bus with --bus\.$/)
  assert.equal(status, 1)
})
