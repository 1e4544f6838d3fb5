/** +CGEV on a port beside the call: the end of a context that the line itself does not tell, on modem-sim's modems. */

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Failure } from '../../src/base/cause.ts'
import { PersonalityBench } from './support/personality-bench.ts'

async function inCall(t: TestContext, name: string) {
  const bench = new PersonalityBench(name)
  t.after(() => bench.dispose())
  await bench.registered()
  const isAsked = (each: string) => each.endsWith('AT+CGEREP=2,1')
  await bench.until('it tells of contexts', () => bench.commands.some(isAsked))
  const [path = ''] = bench.commands.find(isAsked)!.split(' ')
  const call = await bench.dial()
  call.established()
  const lost: Failure[] = []
  call.onEnd!((failure) => {
    lost.push(failure)
    void call.hangUp(failure)
  })
  const { context } = bench.modem.state
  const report = (line: string) => bench.say(path, line)
  const contextsAsked = () => bench.commands.filter((each) => each.endsWith('AT+CGACT?')).length
  /** Longer than any doubt lasts. */
  const pass = async () => {
    const atMs = bench.clock.nowMs() + 10_000
    await bench.until('time is over', () => bench.clock.nowMs() >= atMs)
  }
  return { bench, call, lost, context, report, contextsAsked, pass }
}

for (const [name, line] of [
  ['quectel-ec25', '+CGEV: NW PDN DEACT 4'],
  ['generic', '+CGEV: NW PDN DEACT 2'],
  ['telit-le910', '+CGEV: NW PDN DEACT 3'],
  ['huawei-e173', '+CGEV: NW DEACT "IP","",1'],
  ['ublox-sara', '+CGEV: NW DEACT "IP","",1'],
] as const)
  test(`${name}: the network ends the context and the line stands: the call is over within two seconds`, async (t) => {
    const { bench, lost, context } = await inCall(t, name)
    const fromMs = bench.clock.nowMs()
    context.end('NW', fromMs)
    bench.poke()
    await bench.until('it is told', () => lost.length > 0)
    assert.ok(bench.clock.nowMs() - fromMs < 2000, `${bench.clock.nowMs() - fromMs} ms`)
    assert.equal(lost[0]!.cause, 'hung-up')
    const wanted = `the network ended its context (${line}): +CGACT`
    assert.equal(lost[0]!.detail.slice(0, wanted.length), wanted)
    await bench.registered()
  })

test('a context that went before the modem was asked to tell of it', async (t) => {
  const bench = new PersonalityBench('generic')
  t.after(() => bench.dispose())
  await bench.registered()
  const call = await bench.dial()
  call.established()
  const lost: Failure[] = []
  call.onEnd!((failure) => void lost.push(failure))
  bench.modem.state.context.end('NW', bench.clock.nowMs())
  assert.ok(!bench.commands.some((each) => each.includes('+CGEREP')), 'not yet')
  await bench.until('it is told', () => lost.length > 0, 5000)
  assert.match(lost[0]!.detail, /^its context is gone: \+CGACT: /)
})

test('a detach takes every context along', async (t) => {
  const { bench, lost, context, report } = await inCall(t, 'quectel-ec25')
  context.isUp = false
  report('+CGEV: NW DETACH')
  await bench.until('it is told', () => lost.length > 0)
  assert.match(lost[0]!.detail, /^the network ended its context \(\+CGEV: NW DETACH\)/)
})

test('reports of other contexts, of changes, and of an end that +CGACT does not know leave the call alone', async (t) => {
  const { bench, lost, report, contextsAsked, pass } = await inCall(t, 'quectel-ec25')
  for (const line of [
    'NW PDN DEACT 2',
    'ME PDN ACT 2',
    'NW MODIFY 4,1',
    'NW ACT 4,5,1',
    'NW REACT 4',
    'NW DEACT 4,5,1',
  ])
    report(`+CGEV: ${line}`)
  await pass()
  assert.equal(contextsAsked(), 0)
  report('+CGEV: NW PDN DEACT 4')
  await pass()
  assert.deepEqual([contextsAsked(), lost.length, bench.snapshot.state], [2, 0, 'connected'])
})

test('a hang-up of our own is no loss, though the modem tells of its context', async (t) => {
  const { bench, call, lost, contextsAsked, pass } = await inCall(t, 'quectel-ec25')
  assert.equal(await bench.settled(call.hangUp()), undefined)
  await pass()
  assert.deepEqual([lost.length, contextsAsked(), bench.snapshot.failure], [0, 0, undefined])
})

test('a modem with one port is not asked for what nobody could hear', async (t) => {
  const bench = new PersonalityBench('simcom-sim800')
  t.after(() => bench.dispose())
  await bench.registered()
  const atMs = bench.clock.nowMs() + 5000
  await bench.until('time is over', () => bench.clock.nowMs() >= atMs)
  assert.deepEqual(
    bench.commands.filter((each) => each.includes('+CGEREP')),
    [],
  )
})
