/** Out of descriptors: survived, said, and over with it. */

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { silentLogger } from '../../src/base/ports.ts'
import { startChild } from '../../src/system/child.ts'
import { readInterfaceCounters } from '../../src/system/ppp-device.ts'
import { resolvconfProgram } from '../../src/system/resolver-program.ts'
import { SleepInhibitor } from '../../src/system/sleep-inhibitor.ts'
import { exhaustDescriptors, withoutDescriptors } from '../support/shortage.ts'
import { until } from './until.ts'

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'modemd-shortage-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

test('counters of an interface: none for now', () => {
  assert.equal(
    withoutDescriptors(() => readInterfaceCounters('lo')),
    undefined,
  )
  assert.notEqual(readInterfaceCounters('lo'), undefined)
})

test('a program that cannot be started is told of once, later, however the system says it', async () => {
  const failures: string[] = []
  const start = (program: string, args: readonly string[] = []) =>
    startChild(program, args, { stdio: 'pipe' }, (error) => failures.push(`${error}`))
  assert.equal(
    withoutDescriptors(() => start('true')),
    undefined,
  )
  assert.equal(start('/nowhere/true'), undefined)
  // Thrown, as ENOMEM is.
  assert.equal(start('true', ['\0']), undefined)
  assert.deepEqual(failures, [])
  await until('all are told', () => failures.length === 3)
  const told = failures.sort().join('\n')
  for (const why of [/EMFILE/, /ENOENT/, /null bytes/]) assert.match(told, why)
  const child = start('true')
  assert.ok(child)
  await until('it has ended', () => child.exitCode === 0)
  assert.equal(failures.length, 3)
})

test('a machine that cannot be asked to wait with its sleep is said once, and asked again', async (t) => {
  const folder = folderFor(t)
  const program = join(folder, 'systemd-inhibit')
  writeFileSync(program, `#!/bin/sh\ntouch ${folder}/held\nexec cat\n`, { mode: 0o755 })
  const warnings: string[] = []
  const logger = { ...silentLogger, warn: (text: string) => void warnings.push(text) }
  const inhibitor = new SleepInhibitor({ busAddress: 'unix:path=/nowhere', logger, program })
  t.after(() => inhibitor.release())
  withoutDescriptors(() => inhibitor.hold())
  await until('it is said', () => warnings.length > 0)
  assert.match(warnings.join(), /^The machine does not wait .*EMFILE/)
  inhibitor.hold()
  await until('it is held', () => readable(join(folder, 'held')))
  assert.equal(warnings.length, 1)
})

test('resolvconf that cannot be started is a refusal, and done the next time', async (t) => {
  const root = folderFor(t)
  mkdirSync(join(root, 'sbin'))
  writeFileSync(join(root, 'sbin/resolvconf'), `#!/bin/sh\necho "$@" >> ${root}/calls\ncat >> ${root}/calls\n`, {
    mode: 0o755,
  })
  const { show } = resolvconfProgram(root)
  const links = [{ interfaceName: 'ppp0', servers: ['192.0.2.53'], metric: 700 }]
  const restore = exhaustDescriptors()
  const refused = show(links).finally(restore)
  await assert.rejects(refused, { code: 'Internal', message: /^resolvconf -a ppp0\.modemd: spawn .*EMFILE/ })
  await show(links)
  assert.equal(readFileSync(join(root, 'calls'), 'latin1'), '-a ppp0.modemd\nnameserver 192.0.2.53\n')
})

function readable(file: string): boolean {
  try {
    readFileSync(file)
    return true
  } catch {
    return false
  }
}
