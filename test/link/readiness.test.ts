import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeReadiness } from '../../src/link/readiness.ts'
import type { ModemSnapshot } from '../../src/modem/snapshot.ts'
import { FakeModem } from '../support/fake-modem.ts'

function judge(change: Partial<ModemSnapshot>, rules: { roaming?: boolean; hasPin?: boolean } = {}): string {
  const { snapshot } = new FakeModem({ stateReason: '', ...change })
  const verdict = judgeReadiness(snapshot, { roaming: false, hasPin: false, ...rules })
  return verdict.kind === 'ready' ? 'ready' : `${verdict.kind} ${verdict.phase} ${verdict.failure.cause}`
}

test('every state of a modem, and what it waits for', () => {
  assert.equal(judge({}), 'ready')
  assert.equal(judge({ state: 'absent-sim', sim: { status: 'absent' } }), 'blocked sim sim-absent')
  assert.equal(judge({ state: 'disabled' }), 'blocked network radio-off')
  assert.equal(judge({ state: 'resetting' }), 'pending sim modem-gone')
  assert.equal(judge({ state: 'enabling', sim: {} }), 'pending sim no-network')
  assert.equal(judge({ state: 'enabling' }), 'pending network no-network')
  assert.equal(judge({ state: 'searching', registration: 'searching' }), 'pending network no-network')
  assert.equal(judge({ state: 'searching', registration: 'denied' }), 'blocked network registration-denied')
  const denied = { state: 'searching', registration: 'denied' } as const
  assert.equal(judge({ ...denied, isDenialFinal: false }), 'pending network registration-denied')
  const final = judgeReadiness(new FakeModem({ ...denied, isDenialFinal: true }).snapshot, {
    roaming: false,
    hasPin: false,
  })
  assert.ok(final.kind === 'blocked' && final.failure.isPermanent)
  for (const state of ['connecting', 'connected', 'disconnecting'] as const)
    assert.equal(judge({ state }), 'pending network port-busy')
})

test('roaming only where the profile allows it', () => {
  assert.equal(judge({ registration: 'roaming' }), 'blocked network roaming-forbidden')
  assert.equal(judge({ registration: 'roaming' }, { roaming: true }), 'ready')
})

test('a locked SIM is waited for only while a PIN is on its way', () => {
  const locked = { state: 'locked', sim: { status: 'pin' } } as const
  assert.equal(judge(locked), 'blocked sim sim-pin')
  assert.equal(judge(locked, { hasPin: true }), 'pending sim sim-pin')
  const failure = { cause: 'sim-pin-refused', detail: 'refused' } as const
  assert.equal(judge({ ...locked, failure }, { hasPin: true }), 'blocked sim sim-pin-refused')
  assert.equal(judge({ state: 'locked', sim: { status: 'puk' } }, { hasPin: true }), 'blocked sim sim-puk')
})

test('what the modem says of itself is the evidence', () => {
  const failure = { cause: 'modem-silent', detail: 'no answer to AT' } as const
  assert.equal(judge({ state: 'failed', failure }), 'blocked sim modem-silent')
  assert.equal(judge({ state: 'failed' }), 'blocked sim internal')
  // The SIM's own failure is told a moment later; what the last call failed of is no reason.
  const sim = { status: 'failed' } as const
  assert.equal(judge({ state: 'failed', sim }), 'blocked sim sim-failed')
  const ended = { cause: 'user-request', detail: 'disconnect was asked for' } as const
  assert.equal(judge({ state: 'failed', sim, failure: ended }), 'blocked sim sim-failed')
  assert.equal(judge({ state: 'failed', sim, failure }), 'blocked sim modem-silent')
  const verdict = judgeReadiness(
    new FakeModem({ state: 'disabled', stateReason: 'The radio was switched off.' }).snapshot,
    { roaming: false, hasPin: false },
  )
  assert.ok(verdict.kind === 'blocked' && verdict.failure.detail === 'The radio was switched off.')
})

test('the failure of the last call says nothing about the modem now', () => {
  const failure = { cause: 'hung-up', detail: 'NO CARRIER' } as const
  assert.equal(judge({ failure }), 'ready')
  assert.equal(judge({ state: 'disabled', failure }), 'blocked network radio-off')
  assert.equal(judge({ state: 'locked', sim: { status: 'pin' }, failure }, { hasPin: true }), 'pending sim sim-pin')
  assert.equal(judge({ state: 'locked', sim: { status: 'pin' }, failure }), 'blocked sim sim-pin')
})
