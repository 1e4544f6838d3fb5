/** What is wrong with a modem, and since when no more; and what the log says of its life. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger } from '../../src/base/ports.ts'
import { PersonalityBench } from './support/personality-bench.ts'

test('a network that refuses is a failure while it does, and the log tells of both', async (t) => {
  const lines: string[] = []
  const bench = new PersonalityBench('generic', {
    logger: { ...silentLogger, info: (text) => lines.push(text) },
  })
  t.after(() => bench.dispose())
  await bench.registered()
  bench.setNetwork('denied')
  await bench.until('it is refused', () => bench.snapshot.registration === 'denied')
  assert.equal(bench.snapshot.failure?.cause, 'registration-denied')
  assert.equal(bench.snapshot.failure?.detail, bench.snapshot.stateReason)
  bench.setNetwork('home')
  await bench.registered()
  assert.equal(bench.snapshot.failure, undefined)
  const life = lines.filter((line) => line.startsWith('The modem is '))
  assert.match(
    life.join('\n'),
    /registered with .+ \(home\)\n.*searching: The network refuses this SIM.*\n.*registered with/s,
  )
  assert.equal(new Set(life.slice(-2)).size, 2, 'nothing is said twice in a row')
})

test('how a call ended is the call’s failure: the modem is well, and stays so in the log', async (t) => {
  const lines: string[] = []
  const bench = new PersonalityBench('generic', { logger: { ...silentLogger, info: (text) => lines.push(text) } })
  t.after(() => bench.dispose())
  await bench.registered()
  const before = lines.length
  for (const cause of ['user-request', 'auth-refused', 'hung-up'] as const) {
    const call = await bench.dial()
    await bench.settled(call.hangUp({ cause, detail: '' }))
    await bench.registered()
    assert.equal(bench.snapshot.failure, undefined, cause)
  }
  assert.deepEqual(
    lines.slice(before).filter((line) => line.startsWith('The modem is ')),
    [],
  )
})
