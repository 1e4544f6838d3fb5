/** What waits and what does not, on virtual time. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bind, type InterfaceDefinition } from '../../src/bus/definition.ts'
import { ObjectTree } from '../../src/bus/object-tree.ts'
import { Publisher } from '../../src/bus/publisher.ts'
import { variant } from '../../src/bus/signature.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const PATH = '/org/modemd/counter'

const counter1: InterfaceDefinition<{ count: number }> = {
  name: 'org.modemd.Counter1',
  properties: [{ name: 'Count', signature: 'u', get: ({ count }) => count }],
  methods: [],
  signals: [],
}

test('who asks without end is told no more than others, and at last the outcome', async () => {
  const clock = new VirtualClock()
  const told: unknown[] = []
  const publisher = new Publisher(new ObjectTree(), ({ body }) => told.push(body[1]), clock)
  const counter = { count: 0 }
  publisher.add({ path: PATH, interfaces: [bind(counter1, counter)] })
  const countTo = (count: number) => {
    counter.count = count
    publisher.changed(PATH)
    publisher.tellNow()
  }
  told.length = 0
  countTo(1)
  assert.deepEqual(told, [{ Count: variant('u', 1) }], 'at once')
  for (let count = 2; count <= 1000; count++) countTo(count)
  assert.equal(told.length, 200)
  await clock.advance(1000)
  assert.equal(told.length, 201)
  assert.deepEqual(told.at(-1), { Count: variant('u', 1000) })
})
