/** Calls that end without a word on their own line: the network lets go of the modem, a person takes the modem away. */

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Failure } from '../../src/base/cause.ts'
import type { FakeInterface } from './support/fake-sysfs.ts'
import { FleetBench } from './support/fleet-bench.ts'

const ONE_PORT: readonly FakeInterface[] = [{ number: 0, driver: 'option', tty: 'ttyUSB0' }]

async function inCall(t: TestContext, interfaces?: readonly FakeInterface[]) {
  const bench = new FleetBench()
  t.after(() => bench.dispose())
  bench.fleet
  const scripted = bench.plug({}, interfaces ? { interfaces } : {})
  await bench.until('it is registered', () => bench.fleet.modems[0]?.snapshot.ownNumbers.length === 1)
  const { modem } = bench
  const { signal } = new AbortController()
  const request = { apn: 'internet', number: '*99#', ipType: '4', cid: 'auto', timeoutMs: 60_000, signal } as const
  const call = await bench.settled(modem.dial(request))
  call.established()
  const lost: Failure[] = []
  call.onEnd!((failure) => {
    lost.push(failure)
    void call.hangUp(failure)
  })
  const other = bench.ports.get('/dev/ttyUSB1')
  /** What +CGACT? says: which contexts are active. */
  const contexts = { are: '+CGACT: 1,1\n+CGACT: 2,1', asked: 0 }
  scripted.answer = (command) => {
    if (command !== 'AT+CGACT?') return undefined
    contexts.asked++
    return `${contexts.are}\nOK`
  }
  /** Of every domain, on the other port. */
  const report = async (stat: number) => {
    scripted.registration = stat
    for (const head of ['+CREG', '+CGREG', '+CEREG']) other!.report(`${head}: ${stat}`)
    await bench.clock.advance(20)
  }
  return { bench, modem, call, lost, contexts, report, scripted, request }
}

for (const [stat, word] of [
  [0, 'idle'],
  [3, 'denied'],
] as const)
  test(`deregistered (${word}) while up, and no context is active: the call is over, and the evidence is told`, async (t) => {
    const { bench, modem, lost, contexts, report } = await inCall(t)
    contexts.are = '+CGACT: 1,0\n+CGACT: 2,0'
    await report(stat)
    assert.equal(modem.snapshot.registration, word)
    const detail = `the modem is no longer registered (${word}): +CGACT: 1,0, +CGACT: 2,0`
    assert.deepEqual(lost, [{ cause: 'hung-up', detail }])
    await bench.until('the port is free again', () => modem.snapshot.state === 'searching')
  })

test('a context that is still active: the call may go on, and is looked at again', async (t) => {
  const { bench, modem, lost, contexts, report } = await inCall(t)
  await report(0)
  assert.deepEqual([lost.length, contexts.asked], [0, 1])
  contexts.are = '+CGACT: 1,0'
  await bench.clock.advance(1000)
  assert.equal(lost.length, 1, 'it ended a moment later')
  await bench.until('the port is free again', () => modem.snapshot.state === 'searching')
})

test('a change of radio: registered again before long, and nothing happens', async (t) => {
  const { bench, modem, lost, contexts, report } = await inCall(t)
  await report(2)
  await report(1)
  await bench.clock.advance(10_000)
  assert.deepEqual([lost.length, contexts.asked, modem.snapshot.state], [0, 1, 'connected'])
})

test('a hang-up of our own is none of the network, though that lets go meanwhile', async (t) => {
  const { bench, modem, call, lost, contexts, report } = await inCall(t)
  contexts.are = '+CGACT: 1,0\n+CGACT: 2,0'
  const ending = call.hangUp()
  await report(0)
  assert.equal(await bench.settled(ending), undefined)
  assert.deepEqual([lost.length, modem.snapshot.failure], [0, undefined])
})

test('a modem that does not tell of its contexts keeps its call', async (t) => {
  const { bench, modem, lost, contexts, report } = await inCall(t)
  contexts.are = ''
  await report(0)
  await bench.clock.advance(10_000)
  assert.deepEqual([lost.length, modem.snapshot.state], [0, 'connected'])
})

test('a radio that is switched off during a call: whoever has the call hears of it at once, and nobody dials once more', async (t) => {
  const { bench, modem, lost, scripted, request } = await inCall(t, ONE_PORT)
  const states: string[] = []
  const dials: Promise<string>[] = []
  modem.onChange(({ state }, previous) => {
    if (state === previous.state) return
    states.push(state)
    // As a link does whose modem is there again.
    if (state !== 'disconnecting') dials.push(modem.dial(request).then(() => 'connected', String))
  })
  await bench.settled(modem.disable())
  assert.deepEqual(lost, [{ cause: 'radio-off', detail: 'the radio was switched off' }])
  assert.deepEqual(states, ['disconnecting', 'disabled'])
  assert.deepEqual(await Promise.all(dials), ['DialError: the radio was switched off'])
  await bench.clock.advance(60_000)
  assert.equal(scripted.commands.at(-1), 'AT+CFUN=4')
})

test('a reset during a call: no dial comes in between', async (t) => {
  const { bench, modem, scripted, request } = await inCall(t, ONE_PORT)
  scripted.answer = (command) => (command === 'AT+CFUN=1,1' ? 'OK' : undefined)
  const states: string[] = []
  modem.onChange(({ state }, previous) => {
    if (state === previous.state) return
    states.push(state)
    void modem.dial(request).catch(() => {})
  })
  await bench.settled(modem.reset(false))
  assert.deepEqual(states, ['disconnecting', 'resetting'])
  assert.ok(!scripted.commands.slice(scripted.commands.indexOf('AT+CFUN=1,1')).some((each) => each.startsWith('ATD')))
})

test('off and on at once: the last wish counts', async (t) => {
  const { bench, modem, scripted } = await inCall(t, ONE_PORT)
  await bench.settled(Promise.all([modem.disable(), modem.enable()]))
  assert.deepEqual(
    scripted.commands.filter((each) => each.startsWith('AT+CFUN=')),
    ['AT+CFUN=4', 'AT+CFUN=1'],
  )
  await bench.until('it is registered', () => modem.snapshot.state === 'registered')
  await bench.settled(Promise.all([modem.enable(), modem.disable()]))
  await bench.clock.advance(60_000)
  assert.equal(modem.snapshot.state, 'disabled')
})
