import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromLatin1, latin1 } from '../../src/base/bytes.ts'
import type { Input, Machine, Output } from '../../src/base/machine.ts'
import { Lease } from '../../src/serial/lease.ts'
import { Pump } from '../../src/serial/pump.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { virtualWires } from '../support/virtual-wire.ts'

/** Says what it gets, and does what a test puts into it. */
class Recorder implements Machine<string> {
  readonly inputs: string[] = []
  readonly outputs: Output<string>[] = []
  dueMs: number | undefined

  handle(input: Input, nowMs: number): void {
    const detail =
      input.type === 'data' ? ` ${fromLatin1(input.bytes)}` : input.type === 'close' ? ` ${input.reason}` : ''
    this.inputs.push(`${nowMs} ${input.type}${detail}`)
    if (input.type === 'timeout') this.dueMs = undefined
  }

  poll(): Output<string> | undefined {
    return this.outputs.shift()
  }

  deadline() {
    return this.dueMs === undefined ? undefined : { atMs: this.dueMs, why: 'test' }
  }
}

function pumped(highWaterBytes?: number) {
  const clock = new VirtualClock()
  const [near, far] = virtualWires(clock, highWaterBytes === undefined ? {} : { highWaterBytes })
  const lease = new Lease(near)
  const hold = lease.take('test')
  const machine = new Recorder()
  const events: string[] = []
  let drains = 0
  const pump: Pump<string> = new Pump(hold, machine, {
    clock,
    onEvent(event) {
      events.push(event)
      if (event === 'stop') pump.stop()
      if (event === 'more') {
        machine.outputs.push({ type: 'event', event: 'poked' })
        pump.poke()
      }
    },
    onDrain: () => drains++,
  })
  return { clock, near, far, hold, machine, events, pump, drains: () => drains }
}

test('open comes first, even when bytes wait already, and only after the constructor', async () => {
  const { clock, far, machine } = pumped()
  assert.deepEqual(machine.inputs, [])
  far.write(latin1('RING'))
  await clock.advance(1)
  await far.close()
  await clock.advance(1)
  assert.deepEqual(machine.inputs, ['0 open', '0 data RING', '1 close hung up'])
})

test('deadlines fire at their time, move both ways, and leave no timer behind', async () => {
  const { clock, machine, pump } = pumped()
  await clock.advance(0)
  assert.equal(clock.pending, 0)
  machine.dueMs = 100
  pump.poke()
  machine.dueMs = 300
  pump.poke()
  await clock.advance(200)
  assert.deepEqual(machine.inputs, ['0 open'])
  machine.dueMs = 250
  pump.poke()
  await clock.advance(50)
  assert.deepEqual(machine.inputs, ['0 open', '250 timeout'])
  assert.equal(clock.pending, 0)
  machine.dueMs = 400
  pump.poke()
  assert.equal(clock.pending, 1)
  machine.dueMs = undefined
  pump.poke()
  assert.equal(clock.pending, 0)
})

test('stop leaves later bytes to the next owner and takes its timer away', async () => {
  const { clock, far, hold, machine, events, pump } = pumped()
  machine.dueMs = 100
  machine.outputs.push({ type: 'event', event: 'stop' }, { type: 'event', event: 'never' })
  pump.poke()
  assert.deepEqual(events, ['stop'])
  assert.equal(clock.pending, 0)
  far.write(latin1('for the next'))
  await clock.advance(200)
  let heard = ''
  hold.handOver('next').listen({
    data: (bytes) => {
      heard += fromLatin1(bytes)
    },
    drain() {},
    closed() {},
  })
  await clock.advance(1)
  assert.equal(heard, 'for the next')
  assert.deepEqual(machine.inputs, ['0 open'])
})

test('poke inside an event does not lose or reorder outputs', async () => {
  const { machine, events, pump } = pumped()
  machine.outputs.push({ type: 'event', event: 'more' }, { type: 'event', event: 'second' })
  pump.poke()
  assert.deepEqual(events, ['more', 'second', 'poked'])
})

test('blocked until the wire has drained', async () => {
  const { clock, machine, pump, drains } = pumped(4)
  machine.outputs.push({ type: 'send', bytes: latin1('12345678') })
  pump.poke()
  assert.equal(pump.blocked, true)
  await clock.advance(1)
  assert.equal(pump.blocked, false)
  assert.equal(drains(), 1)
})
