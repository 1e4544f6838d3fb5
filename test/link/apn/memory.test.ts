/** What worked is on disk, whole, without a secret, and a fault of the disk costs no more than the memory. */

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { silentLogger } from '../../../src/base/ports.ts'
import { ApnMemory } from '../../../src/link/apn/memory.ts'
import { stateFilesIn } from '../../../src/modem/state-files.ts'

const SIM = '8931440400000000017'

function folderOf(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'apns-'))
  context.after(() => rmSync(folder, { recursive: true }))
  return folder
}

const open = (folder: string, logger = silentLogger) => new ApnMemory(stateFilesIn(folder), logger)

test('the next daemon knows it, for this SIM alone', (context) => {
  const folder = folderOf(context)
  const memory = open(folder)
  assert.equal(memory.get(SIM), undefined)
  memory.set(SIM, { apn: 'web.example', hasLogIn: true })
  assert.deepEqual(open(folder).get(SIM), { apn: 'web.example', hasLogIn: true })
  assert.equal(open(folder).get('8931440400000000025'), undefined)
  memory.set(SIM, { apn: '', hasLogIn: false })
  assert.deepEqual(open(folder).get(SIM), { apn: '', hasLogIn: false })
  assert.equal(statSync(join(folder, 'apns.json')).mode & 0o777, 0o600)
})

test('only name and SIM are written, and only where something is new', (context) => {
  const folder = folderOf(context)
  const memory = open(folder)
  const worked = { apn: 'web.example', hasLogIn: true, username: 'guest', password: 'sesame' }
  memory.set(SIM, worked)
  const file = join(folder, 'apns.json')
  assert.doesNotMatch(readFileSync(file, 'utf8'), /guest|sesame/)
  rmSync(file)
  memory.set(SIM, worked)
  assert.throws(() => statSync(file), /ENOENT/)
})

test('the SIMs that were in last are kept', (context) => {
  const folder = folderOf(context)
  const sims = Object.fromEntries(
    Array.from({ length: 1000 }, (_, index) => [`893144040000${1_000_000 + index}`, { apn: 'a', hasLogIn: false }]),
  )
  writeFileSync(join(folder, 'apns.json'), JSON.stringify({ version: 1, sims }))
  const memory = open(folder)
  memory.set(SIM, { apn: 'b', hasLogIn: false })
  const [first, second] = Object.keys(sims)
  assert.equal(open(folder).get(first!), undefined)
  assert.ok(open(folder).get(second!))
  assert.ok(open(folder).get(SIM))
})

test('a file that is broken, or says what no APN is, counts for nothing', (context) => {
  const folder = folderOf(context)
  const warnings: string[] = []
  const logger = { ...silentLogger, warn: (text: string) => warnings.push(text) }
  for (const [text, isBroken] of [
    ['{"version":1,"sims":{', true],
    ['[]', false],
    ['null', false],
    ['7', false],
    [`{"sims":{"${SIM}":{"apn":"a\\"b","hasLogIn":false}}}`, false],
    [`{"sims":{"${SIM}":{"apn":"a"}}}`, false],
    [`{"sims":{"${SIM}":"a","__proto__":{"apn":"a","hasLogIn":false}}}`, false],
  ] as const) {
    writeFileSync(join(folder, 'apns.json'), text)
    warnings.length = 0
    assert.equal(open(folder, logger).get(SIM), undefined, text)
    assert.equal(warnings.length, isBroken ? 1 : 0, text)
  }
})

test('a disk that takes nothing: told, and known until the daemon ends', () => {
  const warnings: string[] = []
  const logger = { ...silentLogger, warn: (text: string) => warnings.push(text) }
  const files = { ...stateFilesIn('/nowhere'), read: () => undefined, write: () => assert.fail('ENOSPC') }
  const memory = new ApnMemory(files, logger)
  memory.set(SIM, { apn: 'web', hasLogIn: false })
  assert.match(warnings[0] ?? '', /apns.json cannot be written \(ENOSPC\)/)
  assert.equal(memory.get(SIM)?.apn, 'web')
})
