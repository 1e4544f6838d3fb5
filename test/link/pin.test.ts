/** PINs: a person's, a profile's, and whose is tried by itself. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ModemdError } from '../../src/base/errors.ts'
import { FakeModem } from '../support/fake-modem.ts'
import { AUTO, Rig } from './rig.ts'

test("a PIN given by hand is a person's one try", async () => {
  const locked = {
    state: 'locked',
    sim: { status: 'pin' },
    failure: { cause: 'sim-pin-refused', detail: 'refused' },
  } as const
  const rig = new Rig({ demo: '' }, { modems: [new FakeModem(locked)] })
  rig.modem.onPin = async () => rig.modem.set({ state: 'enabling', sim: { status: 'ready' }, failure: undefined })
  await rig.supervisor.connect('demo', { pin: '1234' })
  await rig.settle()
  assert.deepEqual(rig.modem.pins, ['1234 by person'])
  assert.equal(rig.state(), 'waiting')
  rig.modem.set({ state: 'registered' })
  await rig.settle()
  assert.equal(rig.state(), 'dialling')

  for (const [error, cause] of [
    [new ModemdError('SimPin', 'The SIM refused it.', 'sim-pin-refused'), 'sim-pin-refused'],
    [new ModemdError('PinGuard', 'This is the last PIN try.'), 'sim-pin'],
    [new ModemdError('SimPuk', 'Now it asks for its PUK.'), 'sim-puk'],
  ] as const) {
    const refusing = new Rig({ demo: '' }, { modems: [new FakeModem(locked)] })
    refusing.modem.onPin = () => Promise.reject(error)
    const link = await refusing.supervisor.connect('demo', { pin: '1234' })
    await assert.rejects(link.settled(), error)
    assert.deepEqual(
      [link.snapshot.state, link.snapshot.cause, link.snapshot.causeDetail],
      ['failed', cause, error.message],
    )
    assert.deepEqual(refusing.modem.pins, ['1234 by person'])
  }
})

test('a PIN by hand is not tried again by redials', async () => {
  const rig = new Rig({ demo: AUTO }, { modems: [new FakeModem({ state: 'locked', sim: { status: 'pin' } })] })
  await rig.settle()
  rig.modem.onPin = () => Promise.reject(new ModemdError('SimPin', 'The SIM refused it.', 'sim-pin-refused'))
  await rig.supervisor.connect('demo', { pin: '1234' })
  await rig.settle()
  assert.deepEqual([rig.state(), rig.link().snapshot.cause], ['failed', 'sim-pin-refused'])
  rig.modem.set({ state: 'enabling', sim: {} })
  await rig.settle()
  rig.modem.set({ state: 'locked', sim: { status: 'pin' } })
  await rig.settle()
  assert.deepEqual(rig.modem.pins, ['1234 by person'])
})

test('a SIM that another unlocks in the same moment is no failure', async () => {
  const rig = new Rig({ demo: '' }, { modems: [new FakeModem({ state: 'locked', sim: { status: 'pin' } })] })
  rig.modem.onPin = async () => {
    rig.modem.set({ state: 'registered', sim: { status: 'ready' } })
    throw new ModemdError('WrongState', 'The SIM does not ask for its PIN.')
  }
  await rig.supervisor.connect('demo', { pin: '1234' })
  await rig.settle()
  assert.equal(rig.state(), 'dialling')
})

test('a profile with a PIN waits while the modem tries it; one that came later is offered at the next connect', async () => {
  const rig = new Rig(
    { demo: '[profile]\npin = 4321' },
    { modems: [new FakeModem({ state: 'locked', sim: { status: 'pin' } })] },
  )
  await rig.supervisor.connect('demo', {})
  await rig.settle()
  assert.deepEqual([rig.state(), rig.modem.pins], ['waiting', []])
  rig.modem.set({ failure: { cause: 'sim-pin', detail: 'asks for its PIN' } })
  await rig.settle()
  assert.deepEqual([rig.state(), rig.modem.pins], ['dialling', ['4321 by automatic']])
})

test('whose PIN is tried by itself', () => {
  const locked = new FakeModem({ state: 'locked', sim: { status: 'pin', iccid: '8931440400000000017' } }).snapshot
  const hidden = { ...locked, sim: { status: 'pin' } } as const
  const pinFor = (texts: Record<string, string>, modem = locked) => new Rig(texts).supervisor.pinFor(modem)
  const pin = (digits: string, line = '') => `[profile]\npin = ${digits}\n${line}`
  assert.equal(pinFor({ a: '' }), undefined)
  assert.equal(pinFor({ b: pin('2222'), a: pin('1111'), c: pin('3333') }), '1111')
  assert.equal(pinFor({ a: pin('1111'), z: pin('9999', 'modem = usb:1-2') }), '9999')
  assert.equal(pinFor({ a: pin('1111'), z: pin('9999', 'modem = usb:1-3') }), '1111')
  assert.equal(pinFor({ z: pin('9999', 'modem = usb:1-3') }), undefined)
  assert.equal(pinFor({ z: pin('9999', 'sim = 8931440400000000017') }), '9999')
  assert.equal(pinFor({ z: pin('9999', 'sim = 8931440400000000025') }), undefined)
  assert.equal(pinFor({ z: pin('9999', 'sim = 8931440400000000017') }, hidden), undefined)
  assert.equal(pinFor({ z: pin('9999', 'modem = usb:1-2\nsim = 8931440400000000017') }, hidden), '9999')
})
