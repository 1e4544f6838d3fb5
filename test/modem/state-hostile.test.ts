/** State files and locks that a broken disk, or somebody, has made into something else: never an exception, never a PIN that is tried again. */

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { LogFields, Logger } from '../../src/base/ports.ts'
import { ApnMemory } from '../../src/link/apn/memory.ts'
import { UsageLedger } from '../../src/link/usage/ledger.ts'
import { RememberedIds } from '../../src/modem/ids.ts'
import { LEDGER_FILE, LEDGER_KEY_FILE, PinLedger } from '../../src/modem/pin-ledger.ts'
import { PortMemory } from '../../src/modem/port-memory.ts'
import { stateFilesIn } from '../../src/modem/state-files.ts'
import type { TtyFacts } from '../../src/modem/sysfs.ts'
import { removeLocksAfterCrash, takeLock } from '../../src/serial/lock-file.ts'
import { systemClock } from '../../src/system/clock.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { atOnce, makeUnreadPipe } from '../support/unread-pipe.ts'

const SEED = 20_261_122
const SIM = { iccid: '8934071100000000017', imei: '356938035643809' }
const REFUSED = { kind: 'pin', digits: '4711' } as const
const UNTRIED = { kind: 'pin', digits: '1234' } as const

function folder(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'modemd-hostile-'))
  context.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

class CountingLogger implements Logger {
  complaints = 0
  readonly error = (_: string, __?: LogFields) => void this.complaints++
  readonly warn = this.error
  readonly info = () => {}
  readonly debug = () => {}
}

/** Every truncation, every byte with one wrong bit, and noise in place of it all. */
function* damaged(text: string): Generator<Buffer> {
  const random = new SeededRandom(SEED)
  const whole = Buffer.from(text)
  for (let length = 0; length < whole.length; length++) yield whole.subarray(0, length)
  for (let at = 0; at < whole.length; at++) {
    const flipped = Buffer.from(whole)
    flipped[at]! ^= 1 << (random.bytes(1)[0]! & 7)
    yield flipped
  }
  for (let round = 0; round < 50; round++) yield Buffer.from(random.bytes(round * 7))
}

/** What is not a file of ours, made in its place. */
const IMPOSTORS: Readonly<Record<string, (file: string) => void>> = {
  folder: (file) => mkdirSync(file),
  fifo: makeUnreadPipe,
  'link to a device that never ends': (file) => symlinkSync('/dev/zero', file),
  'link to nothing': (file) => symlinkSync('/nonexistent/file', file),
  'link to itself': (file) => symlinkSync(file, file),
  'sparse file of 3 GB': (file) => {
    writeFileSync(file, '')
    truncateSync(file, 3_000_000_000)
  },
}

function remembers(home: string): 'refused' | 'no try' | 'forgotten' {
  const ledger = new PinLedger(stateFilesIn(home), new SeededRandom(7))
  try {
    // An untried one, too, may only be begun where the ledger is sound.
    const { failures } = ledger.history(SIM, UNTRIED)
    return ledger.history(SIM, REFUSED).isRefused && failures === 1 ? 'refused' : 'forgotten'
  } catch (error) {
    assert.equal((error as { code?: unknown }).code, 'PinGuard', String(error))
    assert.throws(() => ledger.begin(SIM, UNTRIED), { code: 'PinGuard' })
    assert.doesNotMatch(String(error), /4711|1234/)
    return 'no try'
  }
}

test('a ledger or a key with any damage: the refused PIN stays refused, or none is tried', (context) => {
  const home = folder(context)
  const ledger = new PinLedger(stateFilesIn(home), new SeededRandom(SEED))
  ledger.begin(SIM, REFUSED)
  ledger.refused(SIM, REFUSED)
  assert.equal(remembers(home), 'refused')
  for (const name of [LEDGER_FILE, LEDGER_KEY_FILE]) {
    const file = join(home, name)
    const sound = readFileSync(file, 'utf8')
    for (const bytes of damaged(sound)) {
      writeFileSync(file, bytes)
      assert.notEqual(remembers(home), 'forgotten', `${name}: ${bytes.toString('latin1')}`)
    }
    for (const [what, make] of Object.entries(IMPOSTORS)) {
      rmSync(file, { recursive: true })
      make(file)
      assert.equal(
        atOnce(what, () => remembers(home)),
        'no try',
        `${name}: ${what}`,
      )
    }
    rmSync(file, { recursive: true })
    writeFileSync(file, sound)
  }
  const wrongTypes = ['null', '[]', '1', '"x"', '{"version":1}', '{"version":1,"tries":[null]}', '{"version":"1"}']
  const numbers = '{"version":1,"tries":[{"kind":"pin","hmac":"x","state":"refused","iccid":5}]}'
  for (const text of [...wrongTypes, numbers, '[['.repeat(50_000)]) {
    writeFileSync(join(home, LEDGER_FILE), text)
    assert.equal(remembers(home), 'no try', text.slice(0, 100))
  }
})

test("another ledger's key is no key of this one", (context) => {
  const [home, other] = [folder(context), folder(context)]
  for (const [place, seed] of [
    [home, 1],
    [other, 2],
  ] as const) {
    const ledger = new PinLedger(stateFilesIn(place), new SeededRandom(seed))
    ledger.begin(SIM, REFUSED)
    ledger.refused(SIM, REFUSED)
  }
  writeFileSync(join(home, LEDGER_KEY_FILE), readFileSync(join(other, LEDGER_KEY_FILE)))
  assert.equal(remembers(home), 'no try')
})

const TTY: TtyFacts = {
  name: 'ttyUSB2',
  path: '/sys/devices/usb/ttyUSB2',
  usb: { place: '1-2', vendor: '2c7c', product: '0125', revision: '0318', serial: 'X', interfaceNumber: 2 },
} as unknown as TtyFacts

interface User {
  readonly good: string
  readonly use: (home: string, logger: Logger) => void
}

/** Each state file with what is sound in it, and the one who reads it. */
const USERS: Readonly<Record<string, User>> = {
  'modem-ids.json': {
    good: '{"version":1,"imeis":{"1-2 2c7c:0125 X":"356938035643809"}}',
    use: (home, logger) => {
      const ids = new RememberedIds(stateFilesIn(home), logger)
      assert.match(ids.choose(TTY, undefined, new Set()), /^[A-Za-z0-9_]{1,40}$/)
      ids.learn(TTY, '861075028831595')
    },
  },
  'ports.json': {
    good: '{"version":1,"devices":{"2c7c:0125:0318":{"2":"at"}}}',
    use: (home, logger) => {
      const ports = new PortMemory(stateFilesIn(home), logger)
      const known = ports.recall(TTY)
      assert.ok(known === undefined || ['at', 'deaf', 'gps'].includes(known))
      ports.learn([[TTY, 'deaf']])
    },
  },
  'apns.json': {
    good: '{"version":1,"sims":{"8934071100000000017":{"apn":"internet","hasLogIn":false}}}',
    use: (home, logger) => {
      const apns = new ApnMemory(stateFilesIn(home), logger)
      assert.match(apns.get(SIM.iccid)?.apn ?? '', /^[A-Za-z0-9.-]*$/)
      apns.set(SIM.iccid, { apn: 'other', hasLogIn: false })
    },
  },
  'usage.json': {
    good: '{"version":1,"leastMs":1,"profiles":{"demo":{"2026-11":{"rxBytes":5,"txBytes":6}}}}',
    use: (home, logger) => {
      const profile = { name: 'demo', dataLimitBytes: 1e6 }
      const usage = new UsageLedger({ files: stateFilesIn(home), clock: systemClock, logger })
      const { usedBytes, month } = usage.usage(profile)
      assert.ok(usedBytes >= 0n)
      assert.match(month, /^\d{4}-\d{2}$/)
      usage.add(profile, { rxBytes: 1, txBytes: 1 })
      usage.close()
    },
  },
}

const WRONG_TYPES = [
  ...['null', '[]', '0', '"x"', '{}', '{"__proto__":{}}', '[['.repeat(50_000)],
  ...['imeis', 'devices', 'sims', 'profiles', 'leastMs'].flatMap((key) =>
    ['null', '[]', '[null]', '7', '"x"', '{"a":null}', '{"__proto__":{"a":1}}', '{"demo":{"2026-11":null}}'].map(
      (value) => `{"version":1,"${key}":${value}}`,
    ),
  ),
  ...['1e300', '-1', '1e16', '"1"', 'null', 'true'].map((ms) => `{"version":1,"leastMs":${ms},"profiles":{}}`),
]

test('every other state file with any damage is begun anew; what is no file is said', async (context) => {
  for (const [name, { good, use }] of Object.entries(USERS)) {
    const home = folder(context)
    const file = join(home, name)
    // Each use writes, and waits for the disk.
    const some = [...damaged(good)].filter((_, index) => index % 4 === 0)
    for (const bytes of [...some, ...WRONG_TYPES.map((text) => Buffer.from(text))]) {
      writeFileSync(file, bytes)
      const logger = new CountingLogger()
      assert.doesNotThrow(() => use(home, logger), `${name}: ${bytes.toString('latin1').slice(0, 200)}`)
    }
    for (const [what, make] of Object.entries(IMPOSTORS)) {
      rmSync(file, { recursive: true, force: true })
      make(file)
      const logger = new CountingLogger()
      assert.doesNotThrow(() => atOnce(what, () => use(home, logger)), `${name}: ${what}`)
      assert.ok(logger.complaints > 0, `${name}: ${what} is said`)
    }
  }
})

test("anybody's pipe, device or folder as a lock: the port is busy, and nobody waits for it", async (context) => {
  for (const [what, make] of Object.entries(IMPOSTORS)) {
    const locks = folder(context)
    make(join(locks, 'LCK..ttyUSB0'))
    const startedMs = performance.now()
    await removeLocksAfterCrash(locks)
    await assert.rejects(takeLock(locks, '/dev/ttyUSB0'), { code: 'Busy' }, what)
    assert.ok(performance.now() - startedMs < 5000, `${what}: somebody waits for a writer`)
    await (await takeLock(locks, '/dev/ttyUSB1')).release()
  }
})
