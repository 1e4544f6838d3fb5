/** What a soak complains of: each thing that grows, and cells that go wrong. The soaks themselves are other files'. */

import assert from 'node:assert/strict'
import test from 'node:test'
import type { Holdings } from './real-product.ts'
import { complaintsOfSoak, type SoakResult } from './soak.ts'
import { complaintsOfVirtualSoak } from './virtual-soak.ts'

const FIRST: Holdings = {
  rssKiB: 70_000,
  heapKiB: 18_000,
  dataKiB: 15_000,
  externalKiB: 2000,
  descriptors: 27,
  timers: 5,
  listeners: 58,
  busObjects: 2,
}

function after({ last = {}, ...changes }: Partial<SoakResult> & { last?: Partial<Holdings> } = {}): readonly string[] {
  const looks = [[50, FIRST] as const, [100, { ...FIRST, ...last }] as const]
  const good = { cycles: 100, warmUp: 50, looks, strangeCells: [], faultsStruck: 100, calls: 200, pinTriesSpent: 0 }
  return complaintsOfSoak({ ...good, ...changes })
}

test('a soak that holds what it held is good; whatever grows is named', () => {
  assert.deepEqual(after(), [])
  assert.deepEqual(after({ last: { rssKiB: 74_000 } }), ['rssKiB grew by 5.7 %'])
  assert.deepEqual(after({ last: { dataKiB: 15_900 } }), ['dataKiB grew by 6.0 %'])
  assert.deepEqual(after({ last: { descriptors: 30 } }), ['descriptors: 27 became 30'])
  assert.deepEqual(after({ last: { timers: 10 } }), ['timers: 5 became 10'])
  assert.deepEqual(after({ last: { listeners: 59 } }), ['listeners: 58 became 59'])
  assert.deepEqual(after({ last: { busObjects: 3 } }), ['busObjects: 2 became 3'])
  assert.deepEqual(after({ pinTriesSpent: 1 }), ['1 PIN tries were spent'])
})

test('memory is judged by the median of five looks, the rest by the last', () => {
  const look = (cycle: number, change: Partial<Holdings> = {}) => [cycle, { ...FIRST, ...change }] as const
  const low = { dataKiB: 14_600 }
  const high = { dataKiB: 15_500 }
  const odd = [look(50, low), look(60), look(70), look(80, high), look(90), look(100, high), look(110)]
  assert.deepEqual(after({ looks: odd }), [])
  const grown = [1, 2, 3, 4, 5].map((at) => look(100 + at, { dataKiB: at < 3 ? 15_000 : 15_800 }))
  assert.deepEqual(after({ looks: [...odd.slice(0, 5), ...grown] }), ['dataKiB grew by 5.3 %'])
  assert.deepEqual(after({ looks: [...odd, look(120, { listeners: 59 })] }), ['listeners: 58 became 59'])
})

test('one cell in twenty may go wrong, no more', () => {
  const wrong = (count: number) => Array.from({ length: count }, (_, index) => `cycle ${index + 1}: wrong`)
  assert.deepEqual(after({ strangeCells: wrong(5) }), [])
  const complaint = '6 of 100 cells went wrong: cycle 1: wrong; cycle 2: wrong; cycle 3: wrong'
  assert.deepEqual(after({ strangeCells: wrong(6) }), [complaint])
})

test('on virtual time, too', () => {
  const first = { cycle: 100, heapKiB: 18_000, timers: 3, listeners: 14, calls: 150 }
  const last = { ...first, cycle: 200 }
  assert.deepEqual(complaintsOfVirtualSoak([first, last]), [])
  assert.deepEqual(complaintsOfVirtualSoak([first, { ...last, heapKiB: 19_000 }]), ['the heap grew by 5.6 %'])
  assert.deepEqual(complaintsOfVirtualSoak([first, { ...last, timers: 6 }]), ['3 timers became 6'])
  assert.deepEqual(complaintsOfVirtualSoak([first, { ...last, listeners: 15 }]), ['14 listeners became 15'])
})
