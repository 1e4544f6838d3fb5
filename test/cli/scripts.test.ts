/** The scripts behind `npm run` where they are asked for help or used wrongly: they end with words, at once. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { needs } from '../support/needs.ts'

const PROJECT = fileURLToPath(new URL('../..', import.meta.url))

function run(script: string, ...args: readonly string[]) {
  const options = { cwd: PROJECT, encoding: 'utf8', timeout: 60_000 } as const
  const { status, stdout, stderr } = spawnSync(process.execPath, [`scripts/${script}`, ...args], options)
  return { status, stdout, stderr }
}

test('demo: --help, and a word that it does not know', () => {
  for (const option of ['--help', '-h']) {
    const { status, stdout } = run('demo.mjs', option)
    assert.deepEqual([status, stdout.split('\n')[0]], [0, 'Usage: npm run demo [-- --keep]'])
  }
  const { status, stdout, stderr } = run('demo.mjs', '--keep', '--kepp')
  assert.deepEqual([status, stdout], [2, ''])
  assert.match(stderr, /^The demo takes no "--kepp"\.\nUsage: npm run demo/)
})

test('--help is told at once, within 80 columns', () => {
  for (const [script, firstLine] of [
    ['dev.mjs', 'Usage: npm run dev [-- OPTION ...]'],
    ['test.mjs', 'Usage: npm test [PART ...]'],
    ['test-vm.mjs', 'Usage: npm run test:vm [-- PART ...]'],
    ['package.mjs', 'Usage: npm run package [-- ARCHITECTURE ...]'],
  ] as const)
    for (const option of ['--help', '-h']) {
      const { status, stdout } = run(script, option)
      assert.deepEqual([status, stdout.split('\n')[0]], [0, firstLine])
      for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line)
    }
})

const has = { ...needs('dbus-daemon', 'ip', 'tun'), timeout: 120_000 }

test('dev: an option that modem-sim does not take ends it in order', has, () => {
  const { status, stdout, stderr } = run('dev.mjs', '--bogus')
  assert.equal(status, 2, stdout + stderr)
  assert.match(stderr, /^modem-sim: unknown option '--bogus': see modem-sim --help$/m)
  assert.match(stdout, /modem-sim does not take these options: see `npm run dev -- --help`/)
  assert.match(stdout, /\ndbus-daemon: exit 0\n$/)
  assert.doesNotMatch(stdout + stderr, /ReferenceError|\n {4}at /)
})
