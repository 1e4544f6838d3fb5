import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ModemdError } from '../../src/base/errors.ts'
import { LEDGER_FILE, LEDGER_KEY_FILE, PinLedger } from '../../src/modem/pin-ledger.ts'
import { stateFilesIn } from '../../src/modem/state-files.ts'
import { SeededRandom } from '../support/seeded-random.ts'

function folder(t: { after(fn: () => void): void }): string {
  const path = mkdtempSync(join(tmpdir(), 'modemd-state-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

test('a file is written whole, private, and over what a crash left', (t) => {
  const home = join(folder(t), 'var/lib/modemd')
  const files = stateFilesIn(home)
  assert.equal(files.read('a.json'), undefined)
  files.write('a.json', 'first')
  writeFileSync(join(home, 'a.json.new'), 'half of what')
  assert.equal(files.read('a.json'), 'first')
  files.write('a.json', 'second')
  assert.equal(files.read('a.json'), 'second')
  assert.deepEqual(readdirSync(home), ['a.json'])
  assert.equal(statSync(join(home, 'a.json')).mode & 0o777, 0o600)
  assert.equal(statSync(home).mode & 0o777, 0o700)
})

test('what cannot be read or written throws', (t) => {
  const home = folder(t)
  const files = stateFilesIn(home)
  mkdirSync(join(home, 'b.json'))
  assert.throws(() => files.read('b.json'))
  assert.throws(() => files.write('b.json', 'x'))
  const blocked = stateFilesIn(join(home, 'file/below'))
  writeFileSync(join(home, 'file'), '')
  assert.throws(() => blocked.write('a.json', 'x'))
})

const SIM = { iccid: '8934071100000000017', imei: '356938035643809' }
const PIN = { kind: 'pin', digits: '1234' } as const

function isGuarded(error: unknown): boolean {
  return error instanceof ModemdError && error.code === 'PinGuard' && /no PIN is tried without it/.test(error.message)
}

test('a damaged ledger, a lost key or a full disk: no try', (t) => {
  for (const damage of [
    (home: string) => writeFileSync(join(home, LEDGER_FILE), '{"version":1,"tries":[{"kind":"pin"'),
    (home: string) => writeFileSync(join(home, LEDGER_FILE), '{"version":2,"tries":[]}'),
    (home: string) => writeFileSync(join(home, LEDGER_FILE), '{"version":1,"tries":[{"kind":"pin","hmac":7}]}'),
    (home: string) => rmSync(join(home, LEDGER_KEY_FILE)),
    (home: string) => mkdirSync(join(home, `${LEDGER_FILE}.new`)),
  ]) {
    const home = folder(t)
    const ledger = new PinLedger(stateFilesIn(home), new SeededRandom(1))
    ledger.begin(SIM, { kind: 'pin', digits: '0000' })
    chmodSync(home, 0o700)
    damage(home)
    const next = new PinLedger(stateFilesIn(home), new SeededRandom(2))
    assert.throws(() => next.begin(SIM, PIN), isGuarded, damage.toString())
  }
})

test('a try that was begun counts as refused for the next daemon, for the SIM by either of its numbers', (t) => {
  const home = folder(t)
  new PinLedger(stateFilesIn(home), new SeededRandom(1)).begin({ imei: SIM.imei }, PIN)
  const next = new PinLedger(stateFilesIn(home), new SeededRandom(2))
  assert.equal(next.history(SIM, PIN).isRefused, true)
  assert.equal(next.history({ iccid: SIM.iccid }, PIN).isRefused, true, 'nothing tells that it is another')
  assert.equal(next.history({ imei: '861075028831595' }, PIN).isRefused, false)
  assert.equal(next.history(SIM, { kind: 'pin', digits: '9999' }).isRefused, false)
  assert.equal(next.history(SIM, { kind: 'puk', digits: '1234' }).isRefused, false)
  next.accepted({ imei: SIM.imei }, PIN)
  assert.deepEqual(next.history({ imei: SIM.imei }, PIN), {
    isRefused: false,
    isCutShort: false,
    isLastAccepted: true,
    failures: 0,
    failuresSinceAccepted: 0,
  })
})

test('the ledger names its file as people know it', (t) => {
  const root = folder(t)
  const files = stateFilesIn(join(root, 'var/lib/modemd'), root)
  assert.equal(new PinLedger(files, new SeededRandom(1)).path, '/var/lib/modemd/pin-ledger.json')
  assert.equal(stateFilesIn('/var/lib/modemd').directory, '/var/lib/modemd')
})

test('removing the ledger forgets the tries at once, also without its key', (t) => {
  const home = folder(t)
  const ledger = new PinLedger(stateFilesIn(home), new SeededRandom(1))
  for (const files of [[LEDGER_FILE], [LEDGER_FILE, LEDGER_KEY_FILE]]) {
    ledger.begin(SIM, PIN)
    assert.equal(ledger.history(SIM, PIN).isRefused, true)
    for (const file of files) rmSync(join(home, file))
    assert.equal(ledger.history(SIM, PIN).isRefused, false)
  }
  ledger.begin(SIM, PIN)
  assert.equal(new PinLedger(stateFilesIn(home), new SeededRandom(2)).history(SIM, PIN).isRefused, true)
})
