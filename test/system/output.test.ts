/** What a program says on standard output and nobody can take: it is told in words or, where the reader has seen enough, not at all; and it is no success. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { checked, close, O_CLOEXEC, pipe2 } from '../../src/system/libc.ts'

const root = mkdtempSync(join(tmpdir(), 'modemd-output-'))
after(() => rmSync(root, { recursive: true }))

const CASES: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'modem-sim': [['--help'], ['--version'], ['ctl', '--help'], ['--link', join(root, 'tty')]],
  'modem-chat': [['--help'], ['--version'], ['--check', '', 'ATZ', 'OK'], ['--dry-run', '', 'ATZ', 'OK']],
  'modem-ppp': [['--help'], ['--version']],
  modemd: [['--help'], ['--version'], ['--check', '--root', root]],
}

function run(program: string, args: readonly string[], stdout: number) {
  const path = fileURLToPath(new URL(`../../dist/${program}.cjs`, import.meta.url))
  const stdio = ['ignore' as const, stdout, 'pipe' as const]
  const { status, stderr } = spawnSync(process.execPath, [path, ...args], { stdio, encoding: 'utf8', timeout: 20_000 })
  return { status, stderr }
}

/** The end for writing of a pipe that nobody reads. */
function unreadPipe(): number {
  const ends = new Int32Array(2)
  checked(pipe2(ends, O_CLOEXEC), 'pipe2')
  close(ends[0]!)
  return ends[1]!
}

for (const [program, commands] of Object.entries(CASES))
  for (const args of commands) {
    test(`${program} ${args.join(' ')} on a full disk`, () => {
      const full = openSync('/dev/full', 'w')
      const { status, stderr } = run(program, args, full)
      closeSync(full)
      assert.equal(status, 1)
      const why = 'No space left on device: send it somewhere else'
      assert.equal(stderr, `${program}: cannot write to standard output: ${why}\n`)
    })

    test(`${program} ${args.join(' ')} | head`, () => {
      const unread = unreadPipe()
      const { status, stderr } = run(program, args, unread)
      close(unread)
      assert.deepEqual([status, stderr], [1, ''])
    })
  }

test('modem-ppp dryrun on a full disk', () => {
  const full = openSync('/dev/full', 'w')
  const { status, stderr } = run('modem-ppp', ['ttyS0', 'noauth', 'dryrun'], full)
  closeSync(full)
  assert.equal(status, 1)
  assert.match(stderr, /^modem-ppp: cannot write to the log: No space left on device: [^\n]*\n$/)
})
