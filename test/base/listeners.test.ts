import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Listeners } from '../../src/base/listeners.ts'

test('those that listen when it is told hear it, whatever they do meanwhile', () => {
  const heard: string[] = []
  const listeners = new Listeners<[what: string, count: number]>()
  const cancelFirst = listeners.add((what, count) => {
    heard.push(`first ${what} ${count}`)
    cancelFirst()
    cancelSecond()
    listeners.add(() => heard.push('late'))
  })
  const cancelSecond = listeners.add((what) => heard.push(`second ${what}`))
  listeners.emit('a', 1)
  assert.deepEqual(heard, ['first a 1', 'second a'])
  listeners.emit('b', 2)
  assert.deepEqual(heard, ['first a 1', 'second a', 'late'])
})
