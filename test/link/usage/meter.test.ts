/** What a session counts to its profile: the last bytes too, and those of counters that begin again. On virtual time. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Rig } from '../rig.ts'
import { MemoryFiles } from './memory-files.ts'

test('what a link has used until it went down is on disk within a minute', async () => {
  const files = new MemoryFiles()
  const rig = new Rig({ demo: '' }, { files })
  await rig.bringUp()
  rig.session.rxBytes = 1000n
  await rig.supervisor.disconnect('demo')
  await rig.clock.advance(60_000)
  const kept = new Rig({ demo: '' }, { files: new MemoryFiles(files.read('usage.json')) })
  assert.equal(kept.link().snapshot.usage?.usedBytes, 1000n)
})

test('counters that begin again at 0, as a peer that negotiates anew makes them: nothing is lost, nothing counted twice', async () => {
  const rig = new Rig({ demo: '[profile]\ndata-limit = 5GB' })
  await rig.bringUp()
  const { session } = rig
  const used = () => rig.link().snapshot.usage?.usedBytes
  session.rxBytes = 1000n
  session.txBytes = 500n
  await rig.clock.advance(10_000)
  assert.equal(used(), 1500n)
  session.rxBytes = 70n
  session.txBytes = 0n
  assert.equal(used(), 1570n)
  await rig.clock.advance(10_000)
  session.txBytes = 30n
  assert.equal(used(), 1600n)
  await rig.supervisor.disconnect('demo')
  assert.equal(used(), 1600n)
})
