/** What ends a link that works: the data limit, a foreign network, a check that fails. On virtual time. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ModemdError } from '../../src/base/errors.ts'
import type { CheckPath, CheckTarget, Reach } from '../../src/link/check/reach.ts'
import { FakeModem } from '../support/fake-modem.ts'
import { AUTO, assertAtRest, assertFailed, connect, hangUp, Rig, second } from './rig.ts'
import { MemoryFiles } from './usage/memory-files.ts'

const HOUR_MS = 3_600_000
const LIMIT = `${AUTO}data-limit = 5GB\n`

/** Up, with so many bytes received, and looked at. */
async function upWith(rig: Rig, rxBytes: bigint): Promise<void> {
  await rig.settle()
  await rig.answer()
  rig.session.rxBytes = rxBytes
  await rig.clock.advance(10_000)
}

test('the data limit ends the link with evidence, and it comes up by itself in the new month', async () => {
  const rig = new Rig({ demo: LIMIT })
  rig.clock.setWall(new Date(2026, 10, 30, 12))
  await upWith(rig, 4_999_999_999n)
  assert.equal(rig.state(), 'up')
  assert.deepEqual(rig.link().snapshot.usage, {
    month: '2026-11',
    usedBytes: 4_999_999_999n,
    limitBytes: 5_000_000_000n,
  })
  rig.session.txBytes = 3_000_001n
  await rig.clock.advance(10_000)
  const { snapshot } = rig.link()
  assert.deepEqual(
    [snapshot.state, snapshot.cause, snapshot.causeDetail],
    ['failed', 'data-limit', '5003 MB of 5000 MB are used in 2026-11'],
  )
  assert.equal(rig.session.terminations[0]?.cause, 'data-limit')
  assert.equal(snapshot.nextAttemptAtUs, BigInt(new Date(2026, 11, 1).getTime()) * 1000n)
  assert.match(snapshot.nextAttemptReason, /the next month begins/)
  assert.equal(snapshot.modem, undefined, 'another link may have the modem')

  const byHand = rig.watch(rig.supervisor.connect('demo', {}).then((link) => link.settled()))
  await rig.settle()
  assert.ok(byHand.end instanceof ModemdError)
  assert.match(byHand.end.message, /5003 MB of 5000 MB .*data-limit.*: Raise/)
  assert.equal(rig.modem.dials.length, 1)

  await rig.clock.advance(12 * HOUR_MS)
  assert.equal(rig.state(), 'dialling')
  await rig.answer()
  assert.deepEqual(rig.link().snapshot.usage, { month: '2026-12', usedBytes: 0n, limitBytes: 5_000_000_000n })
})

test('a higher limit in the profile starts it at once', async () => {
  const rig = new Rig({ demo: LIMIT })
  await upWith(rig, 5_000_000_000n)
  assert.equal(rig.state(), 'failed')
  rig.profiles.texts = { demo: LIMIT.replace('5GB', '6GB') }
  await rig.supervisor.reloadConfig()
  await rig.settle()
  assert.equal(rig.state(), 'dialling')
})

test('what was used before a kill -9 counts, also where the daemon starts over the limit', async () => {
  const files = new MemoryFiles()
  const rig = new Rig({ demo: LIMIT }, { files })
  await upWith(rig, 4_000_000_000n)
  await hangUp(rig)
  await rig.clock.advance(2000)
  await rig.answer()
  rig.session.rxBytes = 994_000_000n
  await rig.clock.advance(10_000)
  // The file as it is: the daemon is gone.
  const next = new Rig({ demo: LIMIT }, { files: new MemoryFiles(files.read('usage.json')) })
  await next.settle()
  assert.equal(next.link().snapshot.usage?.usedBytes, 4_994_000_000n)
  await upWith(next, 6_000_000n)
  assert.equal(next.state(), 'failed')

  const over = new Rig({ demo: LIMIT }, { files: new MemoryFiles(files.read('usage.json')?.replace('994', '999994')) })
  await over.settle()
  assert.deepEqual([over.state(), over.link().snapshot.cause], ['failed', 'data-limit'])
  assert.equal(over.modem.dials.length, 0)
})

test('without a limit a kill -9 costs a quarter of an hour, and a long link counts for the months it stood in', async () => {
  const files = new MemoryFiles()
  const rig = new Rig({ demo: AUTO }, { files })
  await rig.settle()
  await rig.answer()
  rig.clock.setWall(new Date(2026, 10, 30, 12))
  const startMs = rig.clock.nowMs()
  const bytesPerMs = 10
  const seconds = (count: number) => count * 1000 * bytesPerMs
  const received = () => BigInt(Math.round(rig.clock.nowMs() - startMs) * bytesPerMs)
  Object.defineProperty(rig.session, 'rxBytes', { get: received })
  const writes = files.writes
  await rig.clock.advance(36 * HOUR_MS)
  assert.ok(files.writes - writes <= 36 * 6, `${files.writes - writes} writes in 36 h`)

  const { demo } = JSON.parse(files.read('usage.json')!).profiles
  const [november, december] = [demo['2026-11'].rxBytes, demo['2026-12'].rxBytes]
  assert.ok(Math.abs(november - seconds(12 * 3600)) <= seconds(300), `${november} bytes in November`)
  assert.ok(Number(received()) - november - december <= seconds(900), `${november + december} of ${received()} bytes`)
  await rig.supervisor.disconnect('demo')
})

test('at 160 Mbit/s a limit of 2 GB is overshot by a hundredth of it', async () => {
  const rig = new Rig({ demo: '[profile]\ndata-limit = 2GB', free: '' })
  await rig.bringUp()
  const bytesPerMs = 20_000n
  Object.defineProperty(rig.session, 'rxBytes', { get: () => BigInt(Math.round(rig.clock.nowMs())) * bytesPerMs })
  await rig.clock.advance(120_000)
  assert.equal(rig.link().snapshot.cause, 'data-limit')
  const used = rig.link().snapshot.usage!.usedBytes
  assert.ok(used >= 2_000_000_000n && used < 2_020_000_000n, `ended at ${used} bytes`)
  await rig.supervisor.disconnect('demo')
  await rig.bringUp('free')
  // The last count is written within a minute.
  await rig.clock.advance(60_000)
  assertAtRest(rig)
})

test('roaming while it is up ends a link that may not roam, and home again it is dialled', async () => {
  const rig = new Rig({ demo: AUTO })
  await rig.settle()
  await rig.answer()
  rig.modem.set({ registration: 'roaming', operatorName: 'Elsewhere' })
  await rig.settle()
  const { snapshot } = rig.link()
  assert.deepEqual(
    [snapshot.state, snapshot.cause, snapshot.causeDetail],
    ['failed', 'roaming-forbidden', 'the modem is in the network of Elsewhere'],
  )
  assert.equal(rig.session.terminations.length, 1)
  await rig.clock.advance(HOUR_MS)
  assert.equal(rig.modem.dials.length, 1)
  rig.modem.set({ registration: 'home' })
  await rig.settle()
  assert.equal(rig.state(), 'dialling')
})

test('roaming while it dials ends the dial; with roaming = yes it goes on', async () => {
  const rig = new Rig({ demo: '' })
  const { answer } = await connect(rig)
  rig.modem.set({ registration: 'roaming' })
  await rig.settle()
  assertFailed(rig, answer, 'roaming-forbidden', /foreign operator/)

  const free = new Rig({ demo: `${AUTO}roaming = yes` })
  await free.settle()
  await free.answer()
  free.modem.set({ registration: 'roaming' })
  await free.settle()
  assert.equal(free.state(), 'up')
})

/** A host that a test makes answer or not. */
class Host {
  answers = true
  /** Never answers, so that the time-out does. */
  isSilent = false
  readonly asked: { readonly target: CheckTarget; readonly path: CheckPath }[] = []
  readonly reach: Reach = async (target, path, signal) => {
    this.asked.push({ target, path })
    if (this.isSilent) await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    if (!this.answers) throw new ModemdError('PppFailed', 'connection refused (ECONNREFUSED)')
  }
}

const CHECK = 'check = example.org:443\n'

test('with a check it is up only once the host answered', async () => {
  const host = new Host()
  host.answers = false
  const rig = new Rig({ demo: AUTO + CHECK }, { reach: host.reach })
  await rig.settle()
  await rig.answer()
  assert.equal(rig.state(), 'configuring')
  await rig.clock.advance(3000)
  assert.equal(rig.state(), 'configuring')
  host.answers = true
  await rig.clock.advance(1000)
  assert.equal(rig.state(), 'up')
  assert.equal(rig.link().snapshot.phaseMs.address, 4000)
  assert.deepEqual(host.asked[0], {
    target: { host: 'example.org', port: 443 },
    path: { interfaceName: 'ppp0', hasIp4: true, hasIp6: false, dns: ['198.51.100.53'] },
  })
})

test('a host that never answers fails the attempt, with the evidence', async () => {
  const host = new Host()
  const rig = new Rig({ demo: `[profile]\n${CHECK}` }, { reach: host.reach })
  host.answers = false
  const { answer } = await connect(rig)
  await rig.answer()
  await rig.clock.advance(25_000)
  assertFailed(rig, answer, 'echo-lost', /^the check of example.org:443 failed: connection refused/)
  assert.ok(host.asked.length <= 21, 'once a second')

  host.isSilent = true
  const again = await connect(rig)
  await rig.answer()
  await rig.clock.advance(25_000)
  assertFailed(rig, again.answer, 'echo-lost', /no answer within 10 s/)
})

test('while data come in nothing is asked; where only sent is, or nothing for minutes, the host decides', async () => {
  const host = new Host()
  const rig = new Rig({ demo: AUTO + CHECK }, { reach: host.reach })
  await rig.settle()
  await rig.answer()
  assert.equal(host.asked.length, 1)
  for (let half = 0; half < 60; half++) {
    rig.session.rxBytes += 100n
    await rig.clock.advance(30_000)
  }
  assert.equal(host.asked.length, 1, 'half an hour of traffic costs nothing')
  await rig.clock.advance(HOUR_MS)
  assert.ok(host.asked.length >= 11 && host.asked.length <= 13, `${host.asked.length} in an idle hour`)

  const before = host.asked.length
  host.isSilent = true
  rig.session.txBytes += 1000n
  await rig.clock.advance(30_000 + 10_000 + 1000 + 10_000)
  assert.equal(host.asked.length - before, 2, 'a second try')
  const { state, cause, causeDetail } = rig.link().snapshot
  assert.deepEqual([state, cause], ['waiting', 'echo-lost'])
  assert.match(causeDetail ?? '', /the check of example.org:443 failed: no answer within 10 s/)
  host.isSilent = false
  await rig.clock.advance(5000)
  await rig.answer()
  assert.equal(rig.state(), 'up')
})

test('an end during the check ends it, and nothing stays', async () => {
  for (const end of ['disconnect', 'hang up', 'unplug'] as const) {
    const host = new Host()
    host.isSilent = true
    const rig = new Rig({ demo: `[profile]\n${CHECK}` }, { reach: host.reach })
    await connect(rig)
    await rig.answer()
    assert.equal(rig.state(), 'configuring')
    if (end === 'disconnect') await rig.supervisor.disconnect('demo')
    else if (end === 'hang up') await hangUp(rig)
    else rig.fleet.unplug(rig.modem)
    await rig.settle()
    assert.equal(rig.state(), end === 'disconnect' ? 'idle' : 'failed', end)
    assertAtRest(rig)
  }
})

test('a peer that negotiates anew during the check, or after it', async () => {
  const host = new Host()
  host.isSilent = true
  const rig = new Rig({ demo: `[profile]\n${CHECK}` }, { reach: host.reach })
  await connect(rig)
  await rig.answer()
  rig.session.phase('establish')
  host.isSilent = false
  await rig.clock.advance(11_000)
  assert.equal(rig.state(), 'configuring', 'there is no address to ask from')
  rig.session.up(undefined, '10.64.0.3')
  await rig.clock.advance(1000)
  assert.equal(rig.state(), 'up')
  rig.session.phase('establish')
  rig.session.up(undefined, '10.64.0.4')
  await rig.settle()
  assert.equal(rig.state(), 'up', 'it need not prove itself twice')
  assert.equal(rig.link().snapshot.ip4?.address, '10.64.0.4')
  await rig.supervisor.disconnect('demo')
  assertAtRest(rig)
})

test('two modems: each link counts for itself', async () => {
  const rig = new Rig({ a: LIMIT, b: LIMIT }, { modems: [new FakeModem(), second()] })
  await rig.settle()
  for (const modem of rig.fleet.modems) modem.dials[0]!.connect('CONNECT')
  await rig.settle()
  for (const session of rig.engine.sessions) session.up()
  await rig.settle()
  rig.engine.sessions[0]!.rxBytes = 1000n
  rig.engine.sessions[1]!.rxBytes = 70n
  assert.deepEqual(
    ['a', 'b'].map((name) => rig.link(name).snapshot.usage?.usedBytes),
    [1000n, 70n],
  )
})
