/** What a feature of a modem may count on: reports, a round after each bring-up that waits for the network and for calls. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ModemdError } from '../../src/base/errors.ts'
import { silentLogger } from '../../src/base/ports.ts'
import type { FeatureRound, ModemFeature } from '../../src/modem/features/feature.ts'
import { FeatureSet } from '../../src/modem/features/feature-set.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

class Recorder implements ModemFeature {
  readonly events: string[] = []
  onRun: () => Promise<void> = async () => {}
  isMine = false

  onReport(line: string) {
    this.events.push(line)
    return this.isMine
  }

  async onRound() {
    this.events.push('round')
    await this.onRun()
  }

  onGone(reason: string) {
    this.events.push(`gone: ${reason}`)
  }
}

function rig() {
  const clock = new VirtualClock()
  const controller = new AbortController()
  const warnings: string[] = []
  const logger = { ...silentLogger, warn: (text: string) => warnings.push(text) }
  const round = { clock, logger, signal: controller.signal, snapshot: { id: 'modem' } } as unknown as FeatureRound
  const features = new FeatureSet()
  return { clock, controller, warnings, round, features, first: features.add(new Recorder()) }
}

const busy = () => Promise.reject(new ModemdError('Busy', "A call has the modem's only AT port.", 'port-busy'))

test('a report goes to each until one takes it for itself', () => {
  const { features, first } = rig()
  const second = features.add(new Recorder())
  assert.equal(features.report('+CMTI: "SM",1'), false)
  first.isMine = true
  assert.equal(features.report('+CUSD: 0'), true)
  assert.deepEqual(first.events, ['+CMTI: "SM",1', '+CUSD: 0'])
  assert.deepEqual(second.events, ['+CMTI: "SM",1'])
})

test('a round begins when the modem is registered, else a while later', async () => {
  const { clock, features, first, round } = rig()
  const run = features.run(round)
  await clock.advance(4000)
  assert.deepEqual(first.events, [])
  features.registered()
  await run
  assert.deepEqual(first.events, ['round'])
  void features.run(round)
  await clock.advance(10_001)
  assert.deepEqual(first.events, ['round', 'round'])
})

test('while a call has the only port the round waits for its end', async () => {
  const { clock, features, first, round, warnings } = rig()
  first.onRun = busy
  features.registered()
  const run = features.run(round)
  await clock.advance(60_000)
  assert.deepEqual(first.events, ['round'])
  first.onRun = async () => {}
  features.callEnded()
  await run
  assert.deepEqual(first.events, ['round', 'round'])
  assert.deepEqual(warnings, [])
})

test('one that fails is logged and hurts no other', async () => {
  const { features, first, round, warnings } = rig()
  const second = features.add(new Recorder())
  first.onRun = () => Promise.reject(new ModemdError('Timeout', 'The modem did not answer AT+CNMI.', 'modem-silent'))
  features.registered()
  await features.run(round)
  assert.deepEqual(second.events, ['round'])
  assert.match(warnings.join(), /did not answer AT\+CNMI/)
})

test('a round that is over runs nothing', async () => {
  const { clock, controller, features, first, round, warnings } = rig()
  first.onRun = busy
  const early = features.run(round)
  controller.abort()
  await early
  assert.deepEqual(first.events, [])
  const other = new AbortController()
  features.registered()
  const waiting = features.run({ ...round, clock, signal: other.signal } as FeatureRound)
  await clock.advance(10)
  other.abort()
  await waiting
  features.callEnded()
  await clock.advance(10)
  assert.deepEqual(first.events, ['round'])
  assert.deepEqual(warnings, [])
})

test('all hear that the modem is gone', () => {
  const { features, first } = rig()
  features.gone('unplugged')
  assert.deepEqual(first.events, ['gone: unplugged'])
})
