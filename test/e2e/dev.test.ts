/** `npm run dev` on a copy of the sources: it starts, mmctl reaches it from outside, a change starts modemd anew, Ctrl-C leaves nothing. */

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { needs } from '../support/needs.ts'
import { until } from '../system/until.ts'

const PROJECT = fileURLToPath(new URL('../..', import.meta.url))
const COPIED = ['src', 'scripts', 'test/support', 'package.json', 'package-lock.json', 'tsconfig.json']
const START_MS = 30_000

test('npm run dev', { ...needs('dbus-daemon', 'ip', 'tun'), timeout: 120_000 }, async (context) => {
  const copy = mkdtempSync(join(tmpdir(), 'modemd-dev-'))
  context.after(() => rmSync(copy, { recursive: true, force: true }))
  for (const each of COPIED) cpSync(join(PROJECT, each), join(copy, each), { recursive: true })
  symlinkSync(join(PROJECT, 'node_modules'), join(copy, 'node_modules'))

  // A group of its own, so that all of it can be interrupted as a terminal does.
  const child = spawn(process.execPath, ['scripts/dev.mjs'], {
    cwd: copy,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  context.after(() => child.exitCode === null && process.kill(-child.pid!, 'SIGKILL'))
  let said = ''
  child.stdout.on('data', (bytes) => (said += bytes))
  child.stderr.on('data', (bytes) => (said += bytes))
  const ended = once(child, 'close')
  const hasSaid = (pattern: RegExp, what: string) => until(what, () => pattern.test(said), START_MS)

  await hasSaid(/export PATH=\S+/, `how to use it, in ${said}`)
  const bin = /export PATH=(\S+?):/.exec(said)![1]!
  const mmctl = (...args: string[]) => spawnSync(join(bin, 'mmctl'), args, { encoding: 'utf8', timeout: 20_000 })
  await until('the modem is registered', () => /registered/.test(mmctl('list').stdout), START_MS)
  const pid = () => /runs \(process (\d+)\)/.exec(mmctl('doctor').stdout)?.[1]
  const first = pid()
  assert.ok(first)

  appendFileSync(join(copy, 'src/daemon/memory.ts'), '\n// Changed.\n')
  await hasSaid(/daemon\/memory\.ts changed: modemd starts anew/, 'the change is seen')
  await until('another modemd', () => (pid() ?? first) !== first, START_MS)
  appendFileSync(join(copy, 'src/cli/errors.ts'), '\n// Changed.\n')

  process.kill(-child.pid!, 'SIGINT')
  const [code] = await ended
  assert.equal(code, 0, said)
  assert.match(said, /modemd: exit 0\nmodem-sim: exit 0\ndbus-daemon: exit 0\n$/)
  assert.doesNotMatch(said, /errors\.ts changed/, 'mmctl needs no start')
  assert.ok(!existsSync(join(bin, '..')), 'nothing is left')
})
