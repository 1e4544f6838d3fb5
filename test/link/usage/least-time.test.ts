/** The month that data are counted in, by a clock that jumps. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LeastTime, monthOf, nextMonthMs } from '../../../src/link/usage/least-time.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const at = (...date: [number, number, number?, number?, number?]) => new Date(...(date as [number, number])).getTime()
const NOVEMBER = at(2026, 10, 22, 12)

/** A machine: its clock is set, time passes, the daemon is asked. */
class Machine {
  nowMs = 5000
  offsetMs = 0
  time: LeastTime

  constructor(leastMs: number, wallMs: number) {
    this.time = new LeastTime(leastMs, this.nowMs)
    this.set(wallMs)
  }

  set(wallMs: number): this {
    this.offsetMs = wallMs - this.nowMs
    return this
  }

  pass(ms: number): this {
    this.nowMs += ms
    return this
  }

  restart(): this {
    this.time = new LeastTime(this.time.leastMs, this.nowMs)
    return this
  }

  month(): string {
    return monthOf(this.time.read(this.nowMs + this.offsetMs, this.nowMs))
  }
}

test('the months follow a clock that is right', () => {
  const machine = new Machine(0, at(2026, 10, 30, 23, 59))
  assert.equal(machine.month(), '2026-11')
  assert.equal(machine.pass(60_000).month(), '2026-12')
  assert.equal(machine.pass(31 * DAY_MS).month(), '2027-01')
})

test('set by seconds around midnight it goes back and forth', () => {
  const machine = new Machine(0, at(2026, 10, 30, 23, 59))
  machine.month()
  machine.pass(61_000)
  assert.equal(machine.month(), '2026-12')
  assert.equal(machine.set(at(2026, 10, 30, 23, 59)).month(), '2026-11')
  assert.equal(machine.pass(120_000).month(), '2026-12')
})

test('a machine that starts in 1970 counts where it was until it knows the time', () => {
  const machine = new Machine(NOVEMBER, 0)
  assert.equal(machine.month(), '2026-11')
  assert.equal(
    machine
      .pass(HOUR_MS)
      .set(at(2026, 11, 3))
      .month(),
    '2026-12',
  )
})

test('a clock that is set to 1970 while it runs is not believed, months pass all the same', () => {
  const machine = new Machine(0, NOVEMBER)
  machine.month()
  machine.pass(2 * HOUR_MS).month()
  machine.set(0)
  assert.equal(machine.pass(HOUR_MS).month(), '2026-11')
  assert.equal(machine.set(NOVEMBER + 4 * HOUR_MS).month(), '2026-11')
})

test('a jump into the future is followed, and so is the way back', () => {
  const machine = new Machine(0, NOVEMBER)
  machine.month()
  machine.pass(2 * HOUR_MS).month()
  assert.equal(machine.set(at(2036, 0, 5)).month(), '2036-01')
  assert.equal(machine.pass(HOUR_MS / 12).month(), '2036-01')
  assert.equal(machine.restart().month(), '2036-01')
  assert.equal(machine.set(NOVEMBER + 3 * HOUR_MS).month(), '2026-11', 'a restart meanwhile changes nothing')
})

test('a clock that was wrong for long and is set right is believed after a day', () => {
  const machine = new Machine(at(2030, 5, 1), NOVEMBER)
  assert.equal(machine.month(), '2030-06')
  assert.equal(machine.pass(DAY_MS - 1).month(), '2030-06')
  assert.equal(machine.pass(1).month(), '2026-11')
  assert.equal(machine.restart().month(), '2026-11')
})

test('a month is over when the next begins in local time', () => {
  assert.equal(nextMonthMs(NOVEMBER), at(2026, 11, 1))
  assert.equal(nextMonthMs(at(2026, 11, 31, 23, 59)), at(2027, 0, 1))
  assert.equal(nextMonthMs(at(2024, 1, 29)), at(2024, 2, 1))
})
