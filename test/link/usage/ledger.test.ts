/** The monthly counters: kept through crashes, written seldom, never lost to a damaged file or a clock that jumps. */

import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Logger } from '../../../src/base/ports.ts'
import { UsageLedger } from '../../../src/link/usage/ledger.ts'
import { formatUsage, readUsage } from '../../../src/link/usage/usage-file.ts'
import { type KeptStateFiles, stateFilesIn } from '../../../src/modem/state-files.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import { MemoryFiles } from './memory-files.ts'

const GB = 1_000_000_000
const LIMITED = { name: 'net', dataLimitBytes: 5 * GB }
const FREE = { name: 'free', dataLimitBytes: undefined }
const HOUR_MS = 3_600_000

class Scene {
  readonly clock = new VirtualClock()
  readonly files: MemoryFiles
  readonly said: string[] = []
  readonly #lives: { isOver: boolean }[] = []
  ledger: UsageLedger

  constructor(files = new MemoryFiles()) {
    this.files = files
    this.ledger = this.start(files)
  }

  start(files: KeptStateFiles = this.files): UsageLedger {
    const life = { isOver: false }
    const mortal: KeptStateFiles = {
      ...files,
      read: (name) => files.read(name),
      write: (name, text) => life.isOver || files.write(name, text),
      setAside: (name) => files.setAside(name),
    }
    this.#lives.push(life)
    const logger: Logger = {
      error: (text) => this.said.push(text),
      warn: (text) => this.said.push(text),
      info() {},
      debug() {},
    }
    return new UsageLedger({ files: mortal, clock: this.clock, logger })
  }

  /** kill -9: nothing is written any more. */
  crash(): void {
    for (const life of this.#lives) life.isOver = true
    this.ledger = this.start()
  }

  used(profile = LIMITED as { name: string; dataLimitBytes: number | undefined }): number {
    return Number(this.ledger.usage(profile).usedBytes)
  }
}

test('with a limit a crash costs a thousandth of it at most, and a gigabyte 200 writes', async () => {
  const scene = new Scene()
  let sent = 0
  let worst = 0
  for (; sent < GB; sent += 1_000_000) {
    scene.ledger.add(LIMITED, { rxBytes: 900_000, txBytes: 100_000 })
    await scene.clock.advance(1000)
    const survived = Number(scene.start().usage(LIMITED).usedBytes)
    worst = Math.max(worst, sent + 1_000_000 - survived)
  }
  assert.equal(scene.used(), GB)
  assert.ok(worst <= 5_000_000, `a crash costs ${worst} bytes of ${LIMITED.dataLimitBytes}`)
  assert.ok(scene.files.writes <= 201, `${scene.files.writes} writes a gigabyte`)
})

test('however fast data come, a write a second at most', async () => {
  const scene = new Scene()
  for (let tenth = 0; tenth < 100; tenth++) {
    scene.ledger.add(LIMITED, { rxBytes: 10_000_000, txBytes: 0 })
    await scene.clock.advance(100)
  }
  assert.ok(scene.files.writes <= 11, `${scene.files.writes} writes in 10 s`)
})

test('a trickle is on disk ten minutes later, and a link that comes and goes writes once a minute', async () => {
  const scene = new Scene()
  scene.ledger.add(LIMITED, { rxBytes: 10, txBytes: 0 })
  await scene.clock.advance(599_999)
  assert.equal(scene.files.writes, 0)
  await scene.clock.advance(1)
  assert.equal(scene.files.writes, 1)
  await scene.clock.advance(24 * HOUR_MS)
  assert.equal(scene.files.writes, 1, 'nothing new is nothing to write')

  for (let call = 0; call < 300; call++) {
    scene.ledger.add(FREE, { rxBytes: 10_000, txBytes: 0 })
    scene.ledger.settle()
    await scene.clock.advance(2000)
  }
  assert.ok(scene.files.writes <= 12, `${scene.files.writes} writes in ten minutes of 300 calls`)
  await scene.clock.advance(60_000)
  scene.crash()
  assert.equal(scene.used(FREE), 3_000_000)
  assert.equal(scene.used(LIMITED), 10)
  assert.equal(scene.clock.pending, 0)
})

test('an orderly end writes all of it', () => {
  const scene = new Scene()
  scene.ledger.add(FREE, { rxBytes: 1, txBytes: 2 })
  scene.ledger.close()
  scene.crash()
  assert.equal(scene.used(FREE), 3)
  assert.equal(scene.clock.pending, 0)
})

test('the limit: refused when it is reached, allowed in the next month by the local calendar', async () => {
  const scene = new Scene()
  scene.clock.setWall(new Date(2026, 10, 30, 22, 30))
  scene.ledger.add(LIMITED, { rxBytes: 5 * GB - 1, txBytes: 0 })
  assert.equal(scene.ledger.refusal(LIMITED), undefined)
  scene.ledger.add(LIMITED, { rxBytes: 0, txBytes: 1 })
  assert.deepEqual(scene.ledger.refusal(LIMITED), {
    cause: 'data-limit',
    detail: '5000 MB of 5000 MB are used in 2026-11',
  })
  assert.equal(scene.ledger.refusal({ ...LIMITED, dataLimitBytes: 6 * GB }), undefined)
  let isAllowed = false
  scene.ledger.onceAllowed(LIMITED, () => {
    isAllowed = true
  })
  const nextUs = BigInt(new Date(2026, 11, 1).getTime()) * 1000n
  assert.equal(scene.ledger.nextAttempt().nextAttemptAtUs, nextUs)
  await scene.clock.advance(1.5 * HOUR_MS - 1)
  assert.equal(isAllowed, false)
  await scene.clock.advance(1001)
  assert.equal(isAllowed, true)
  assert.deepEqual(scene.ledger.usage(LIMITED), { month: '2026-12', usedBytes: 0n, limitBytes: BigInt(5 * GB) })
  scene.ledger.close()
  assert.equal(scene.clock.pending, 0)
})

test('a clock that is set to the new month is seen within an hour', async () => {
  const scene = new Scene()
  scene.ledger.add(LIMITED, { rxBytes: 5 * GB, txBytes: 0 })
  let isAllowed = false
  scene.ledger.onceAllowed(LIMITED, () => {
    isAllowed = true
  })
  await scene.clock.advance(60_000)
  scene.clock.setWall(new Date(2023, 11, 2))
  await scene.clock.advance(HOUR_MS)
  assert.equal(isAllowed, true)
})

test('no jump of the clock brings used data back or counts them twice', async () => {
  const scene = new Scene()
  scene.clock.setWall(new Date(2026, 10, 22))
  const MINUTE_MS = 60_000
  const pass = async (minutes: number) => {
    for (let left = minutes; left > 0; left--) {
      await scene.clock.advance(MINUTE_MS)
      scene.ledger.usage(LIMITED)
    }
  }
  await pass(11)
  scene.ledger.add(LIMITED, { rxBytes: 5 * GB, txBytes: 0 })
  await pass(11)
  for (const wrong of [new Date(0), new Date(2025, 5, 1)]) {
    scene.clock.setWall(wrong)
    assert.ok(scene.ledger.refusal(LIMITED), `in ${wrong.toISOString()}`)
    scene.crash()
    assert.ok(scene.ledger.refusal(LIMITED), `in ${wrong.toISOString()}, after a crash`)
  }
  scene.clock.setWall(new Date(2036, 0, 1))
  assert.equal(scene.used(), 0, 'another month, as the clock says')
  scene.ledger.add(LIMITED, { rxBytes: 7, txBytes: 0 })
  scene.clock.setWall(new Date(2026, 10, 23))
  assert.equal(scene.used(), 5 * GB)
  scene.clock.setWall(new Date(2036, 0, 1))
  assert.equal(scene.used(), 7)
})

test('a damaged file is kept, said, and begun anew; what is sound of it counts on', () => {
  const month = '2023-11'
  const sound = formatUsage({
    profiles: new Map([['net', new Map([[month, { rxBytes: 7, txBytes: 1 }]])]]),
    leastMs: 0,
  })
  const partly = sound.replace('"profiles": {', '"profiles": { "bad": { "2023-11": { "rxBytes": -1, "txBytes": 0 } },')
  const torn = sound.slice(0, 60)
  for (const [text, used] of [
    ['', 0],
    [torn, 0],
    ['null', 0],
    ['{"profiles":[]}', 0],
    [partly, 8],
    [sound.replace('"leastMs": 0', '"leastMs": "x"'), 8],
  ] as const) {
    const scene = new Scene(new MemoryFiles(text))
    assert.match(
      scene.said.join(),
      /usage\.json cannot be read \(it is damaged\): .* kept as usage\.json\.broken-1/,
      text,
    )
    assert.equal(scene.files.read('usage.json.broken-1'), text)
    assert.equal(scene.used(), used, text)
    scene.crash()
    assert.equal(scene.said.length, 1, 'the next start finds a sound file')
    assert.equal(scene.used(), used, text)
  }
})

test('a file that cannot be read is set aside by its rename, one that cannot be moved is left alone', (t) => {
  const home = mkdtempSync(join(tmpdir(), 'modemd-usage-'))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  mkdirSync(join(home, 'usage.json'))
  const scene = new Scene()
  const files = stateFilesIn(home)
  const ledger = scene.start(files)
  assert.match(scene.said.join(), /no regular file/)
  ledger.add(LIMITED, { rxBytes: GB, txBytes: 0 })
  assert.equal(readUsage(readFileSync(join(home, 'usage.json'), 'utf8')).profiles.get('net')?.size, 1)
  assert.deepEqual(readdirSync(home).sort(), ['usage.json', 'usage.json.broken-1'])

  for (let n = 2; n < 13; n++) {
    writeFileSync(join(home, 'usage.json'), `{"odd":${n}`)
    scene.start(files)
  }
  assert.equal(existsSync(join(home, 'usage.json.broken-9')), true)
  assert.equal(existsSync(join(home, 'usage.json.broken-10')), false, 'they do not fill the disk')

  const stuck: KeptStateFiles = {
    ...files,
    setAside() {
      throw new Error('EPERM: operation not permitted')
    },
  }
  writeFileSync(join(home, 'usage.json'), 'precious')
  const locked = scene.start(stuck)
  assert.match(scene.said.at(-1)!, /nor moved \(EPERM/)
  locked.add(LIMITED, { rxBytes: 5 * GB, txBytes: 0 })
  locked.close()
  assert.ok(locked.refusal(LIMITED), 'it counts all the same')
  assert.equal(readFileSync(join(home, 'usage.json'), 'utf8'), 'precious')
})

test('a full disk is said once, counted in memory, and written when there is room', async () => {
  const scene = new Scene()
  scene.files.isFull = true
  for (let minute = 0; minute < 30; minute++) {
    scene.ledger.add(LIMITED, { rxBytes: 10_000_000, txBytes: 0 })
    await scene.clock.advance(60_000)
  }
  assert.equal(scene.said.length, 1)
  assert.match(scene.said[0]!, /cannot be written \(ENOSPC/)
  scene.files.isFull = false
  await scene.clock.advance(60_000)
  scene.crash()
  assert.equal(scene.used(), 300_000_000)
})

test('the file does not grow without bound: twelve months, five hundred profiles, the latest', () => {
  const months = new Map(
    Array.from({ length: 40 }, (_, n) => [`20${String(10 + n)}-01`, { rxBytes: n, txBytes: 0 }] as const),
  )
  const profiles = new Map(
    Array.from({ length: 600 }, (_, n) => [`p${n}`, new Map([...months].slice(0, n + 1))] as const),
  )
  const { profiles: kept, isDamaged } = readUsage(formatUsage({ profiles, leastMs: 5.5 }))
  assert.equal(isDamaged, false)
  assert.equal(kept.size, 500)
  assert.deepEqual([...kept.get('p599')!.keys()], [...months.keys()].slice(-12))
})
