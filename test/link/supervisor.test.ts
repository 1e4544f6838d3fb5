/** Links over time: redial, auto-connect, several links and modems, PINs, profiles that change. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Cause } from '../../src/base/cause.ts'
import { ModemdError } from '../../src/base/errors.ts'
import { CAUSE_TABLE } from '../../src/link/causes.ts'
import type { ConnectOptions } from '../../src/link/snapshot.ts'
import { FakeModem } from '../support/fake-modem.ts'
import { Rig } from './rig.ts'

const AUTO = '[profile]\nautoconnect = yes\n'
const second = (change: ConstructorParameters<typeof FakeModem>[0] = {}) =>
  new FakeModem({
    id: 'usb_1_3',
    device: '/sys/devices/usb1/1-3',
    equipmentIdentifier: undefined,
    sim: { status: 'ready', iccid: '8931440400000000025' },
    ports: [{ name: '/dev/ttyUSB3', role: 'data', owner: '' }],
    ...change,
  })

async function hangUp(rig: Rig, cause: Cause = 'hung-up'): Promise<void> {
  rig.session.down({ cause, detail: 'NO CARRIER' }, 16)
  await rig.settle()
}

function isError(code: string, message: RegExp) {
  return (error: unknown) => error instanceof ModemdError && error.code === code && message.test(error.message)
}

test('a link that was up is redialled after the delay of its cause, and tells when and why', async () => {
  const rig = new Rig()
  await rig.bringUp()
  assert.equal(rig.clock.pending, 0, 'no timer while up')
  await rig.clock.advance(5000)
  await hangUp(rig)
  const { state, cause, causeDetail, nextAttemptAtUs, nextAttemptReason, attempts, pppExit, modem, ...rest } =
    rig.link().snapshot
  assert.deepEqual([state, cause, causeDetail, pppExit, attempts], ['waiting', 'hung-up', 'NO CARRIER', 16, 0])
  assert.equal(nextAttemptReason, 'hung-up, 1st failure in a row')
  const inMs = Number(nextAttemptAtUs - rig.clock.wallUs()) / 1000
  assert.ok(inMs >= 800 && inMs <= 1000, `${inMs}`)
  assert.equal(modem, rig.modem.snapshot.id, 'it keeps its modem')
  assert.equal(rest.interface, undefined)
  assert.equal(rest.ip4, undefined)
  assert.deepEqual(rig.resolver.log.at(-1), 'ppp0: restored')

  await rig.clock.advance(1000)
  assert.equal(rig.state(), 'dialling')
  assert.equal(rig.link().snapshot.nextAttemptAtUs, 0n)
  await rig.answer()
  assert.equal(rig.state(), 'up')
  assert.equal(rig.link().snapshot.cause, 'hung-up', 'what happened can still be read')
  assert.equal(rig.link().snapshot.attempts, 1)
  assert.equal(rig.clock.pending, 0)
})

test('failed redials back off, and a minute of success begins anew', async () => {
  const rig = new Rig({ demo: '[redial]\nno-carrier = 5s*2..30s' })
  await rig.bringUp()
  await rig.clock.advance(60_000)
  await hangUp(rig)
  await rig.clock.advance(1000)
  const limits = [10, 20, 30, 30]
  for (const [index, limit] of limits.entries()) {
    rig.dial.fail({ cause: 'no-carrier', detail: 'NO CARRIER', chatExit: 5 })
    await rig.settle()
    const { nextAttemptAtUs, attempts, state } = rig.link().snapshot
    const inS = Number(nextAttemptAtUs - rig.clock.wallUs()) / 1e6
    assert.ok(inS >= limit * 0.8 && inS <= limit, `${inS} of ${limit}`)
    assert.equal(attempts, index + 1)
    assert.equal(state, 'waiting')
    await rig.clock.advance(inS * 1000)
    assert.equal(rig.state(), 'dialling')
  }
  await rig.answer()
  await rig.clock.advance(59_999)
  await hangUp(rig)
  assert.equal(
    rig.link().snapshot.nextAttemptReason,
    'hung-up, 6th failure in a row',
    'a short success changes nothing',
  )
  await rig.clock.advance(120_000)
  await rig.answer()
  await rig.clock.advance(60_000)
  await hangUp(rig)
  assert.equal(rig.link().snapshot.nextAttemptReason, 'hung-up, 1st failure in a row')
})

test('an operator that is away for an hour sees at most 60 dials', async () => {
  const rig = new Rig({ demo: `${AUTO}[redial]\nno-carrier = 1s` })
  await rig.settle()
  while (rig.clock.nowMs() < 3_600_000) {
    assert.equal(rig.state(), 'dialling')
    rig.dial.fail({ cause: 'no-carrier', detail: 'NO CARRIER' })
    await rig.clock.step()
  }
  assert.ok(rig.modem.dials.length <= 60, `${rig.modem.dials.length}`)
})

for (const cause of ['auth-refused', 'apn-refused', 'script-error', 'peer-auth-refused'] as const) {
  test(`a permanent cause stops an automatic link too: ${cause}`, async () => {
    const rig = new Rig({ demo: AUTO })
    await rig.settle()
    rig.dial.fail({ cause, detail: 'seen' })
    await rig.settle()
    const { state, nextAttemptAtUs, modem } = rig.link().snapshot
    assert.deepEqual([state, nextAttemptAtUs, modem, rig.link().snapshot.cause], ['failed', 0n, undefined, cause])
    assert.equal(rig.clock.pending, 0)
    await rig.clock.advance(86_400_000)
    assert.equal(rig.modem.dials.length, 1)
  })
}

test('the profile decides what stops', async () => {
  const rig = new Rig({ demo: `${AUTO}[redial]\nauth-refused = 1m\nbusy = stop` })
  await rig.settle()
  rig.dial.fail({ cause: 'auth-refused', detail: 'seen' })
  await rig.settle()
  assert.equal(rig.state(), 'waiting')
  await rig.clock.advance(60_000)
  rig.dial.fail({ cause: 'busy', detail: 'BUSY' })
  await rig.settle()
  assert.equal(rig.state(), 'failed')
})

test('an automatic link starts with the daemon, waits without a timer, and dials when the modem is ready', async () => {
  const rig = new Rig({ demo: AUTO, other: '' }, { modems: [] })
  await rig.settle()
  assert.equal(rig.state(), 'waiting')
  assert.equal(rig.state('other'), 'idle')
  await rig.clock.advance(86_400_000)
  assert.equal(rig.clock.pending, 0)
  const modem = rig.fleet.plug(new FakeModem({ state: 'searching', registration: 'searching' }))
  await rig.clock.advance(86_400_000)
  assert.equal(rig.clock.pending, 0)
  assert.equal(rig.link().snapshot.modem, modem.snapshot.id)
  modem.set({ state: 'registered', registration: 'home' })
  await rig.settle()
  await rig.answer()
  assert.equal(rig.state(), 'up')
  assert.equal(rig.link().snapshot.attempts, 1)
})

test('a disconnected automatic link stays down until it is asked for or a modem comes', async () => {
  const rig = new Rig({ demo: AUTO })
  await rig.settle()
  await rig.answer()
  await rig.supervisor.disconnect('demo')
  assert.equal(rig.state(), 'idle')
  rig.profiles.texts.demo = `${AUTO}apn = other`
  await rig.supervisor.reloadConfig()
  await rig.clock.advance(3_600_000)
  assert.equal(rig.state(), 'idle')

  const { modem } = rig
  rig.fleet.unplug(modem)
  rig.fleet.plug(new FakeModem())
  await rig.settle()
  assert.equal(rig.state(), 'dialling')
  await rig.supervisor.disconnect(undefined)
  await rig.supervisor.connect('demo', {})
  await rig.settle()
  assert.equal(rig.state(), 'dialling')
  rig.dial.fail({ cause: 'no-carrier', detail: 'seen' })
  await rig.settle()
  assert.equal(rig.state(), 'waiting', 'automatic again')
})

test('a modem that is pulled out while up: the link waits for it and comes back', async () => {
  const rig = new Rig()
  await rig.bringUp()
  rig.fleet.unplug(rig.modem)
  await rig.settle()
  assert.deepEqual(
    [rig.state(), rig.link().snapshot.cause, rig.link().snapshot.modem],
    ['waiting', 'modem-gone', undefined],
  )
  await rig.clock.advance(3_600_000)
  assert.equal(rig.state(), 'waiting')
  assert.equal(rig.clock.pending, 0)
  rig.fleet.plug(new FakeModem())
  await rig.settle()
  await rig.answer()
  assert.equal(rig.state(), 'up')
})

test('an automatic link that a SIM or a policy blocks says so, and goes on when that changes', async () => {
  const changes: readonly (readonly [ConstructorParameters<typeof FakeModem>[0], Cause, 'failed' | 'waiting'])[] = [
    [{ state: 'locked', sim: { status: 'pin' } }, 'sim-pin', 'failed'],
    [{ state: 'absent-sim', sim: { status: 'absent' } }, 'sim-absent', 'failed'],
    [{ registration: 'roaming' }, 'roaming-forbidden', 'failed'],
    [{ state: 'disabled' }, 'radio-off', 'failed'],
    [{ state: 'searching', registration: 'denied' }, 'registration-denied', 'waiting'],
  ]
  for (const [change, cause, state] of changes) {
    const rig = new Rig({ demo: AUTO }, { modems: [new FakeModem(change)] })
    await rig.settle()
    const { snapshot } = rig.link()
    assert.deepEqual([snapshot.state, snapshot.cause, snapshot.advice], [state, cause, CAUSE_TABLE[cause].advice])
    assert.equal(snapshot.modem, undefined)
    assert.equal(rig.clock.pending, 0)
    assert.equal(rig.modem.enabled, 0)
    rig.modem.set({ signalQuality: 50 })
    await rig.settle()
    assert.equal(snapshot.attempts, 1)
    rig.modem.set({ state: 'registered', registration: 'home', sim: { status: 'ready' } })
    await rig.settle()
    assert.equal(rig.state(), 'dialling', cause)
  }
})

test('a person who connects an automatic link gets an answer in time, and the link goes on', async () => {
  const rig = new Rig(
    { demo: `${AUTO}dial-timeout = 20s` },
    { modems: [new FakeModem({ state: 'searching', registration: 'searching' })] },
  )
  await rig.settle()
  assert.equal(rig.clock.pending, 0)
  const link = await rig.supervisor.connect('demo', { apn: 'asked' })
  const answer = rig.watch(link.settled())
  await rig.clock.advance(20_000)
  assert.equal((answer.end as ModemdError).code, 'NoNetwork')
  assert.equal(rig.state(), 'waiting')
  assert.equal(link.snapshot.attempts, 1)
  rig.modem.set({ state: 'registered', registration: 'home' })
  await rig.clock.advance(10_000)
  assert.equal(rig.dial.request.apn, 'asked')
})

test('connect while the next attempt is waited for tries at once; while up or dialling it changes nothing', async () => {
  const rig = new Rig({ demo: AUTO })
  await rig.settle()
  rig.dial.fail({ cause: 'no-dialtone', detail: 'seen' })
  await rig.settle()
  await rig.supervisor.connect('demo', {})
  await rig.settle()
  assert.equal(rig.state(), 'dialling')
  await rig.supervisor.connect('demo', { apn: 'late' })
  await rig.settle()
  assert.equal(rig.modem.dials.length, 2)
  await rig.answer()
  const link = await rig.supervisor.connect('demo', { apn: 'late', modem: 'usb_9_9' })
  await link.settled()
  assert.equal(rig.modem.dials.length, 2)
  assert.equal(link.snapshot.state, 'up')
})

test('settled, where nothing is under way', async () => {
  const rig = new Rig()
  await assert.rejects(rig.link().settled(), isError('WrongState', /demo is not connected/))
  await rig.link().up()
  await rig.settle()
  rig.dial.fail({ cause: 'busy', detail: 'BUSY' })
  await rig.settle()
  await assert.rejects(rig.link().settled(), isError('DialFailed', /^BUSY \(busy\): /))
})

test('one link a modem: the next is told who has it, an automatic one waits', async () => {
  const rig = new Rig({ a: AUTO, b: AUTO, c: '' })
  await rig.settle()
  assert.equal(rig.state('a'), 'dialling')
  assert.equal(rig.state('b'), 'waiting')
  await assert.rejects(
    rig.supervisor.connect('c', {}),
    isError('Busy', /is used by the link a: end that first with `mmctl disconnect a`/),
  )
  assert.equal(rig.state('c'), 'idle')
  await rig.supervisor.disconnect('a')
  await rig.settle()
  assert.equal(rig.state('b'), 'dialling')
  await rig.supervisor.disconnect('b')
  await rig.supervisor.connect('c', {})
  await rig.settle()
  assert.equal(rig.state('c'), 'dialling')
})

test('a link that falls keeps its modem while it waits for the next attempt', async () => {
  const rig = new Rig({ a: AUTO, b: AUTO })
  await rig.settle()
  await rig.answer()
  await hangUp(rig)
  assert.equal(rig.state('a'), 'waiting')
  assert.equal(rig.state('b'), 'waiting')
  await rig.clock.advance(1000)
  assert.equal(rig.state('a'), 'dialling')
})

test('priority decides who is first, then the name', async () => {
  const rig = new Rig({ a: `${AUTO}priority = 5`, b: `${AUTO}priority = 1`, c: `${AUTO}priority = 5` })
  await rig.settle()
  assert.deepEqual(
    ['a', 'b', 'c'].map((name) => rig.state(name)),
    ['waiting', 'dialling', 'waiting'],
  )
  await rig.answer()
  assert.equal(rig.session.options.defaultRouteMetric, 701)
})

test('which modem a profile takes', async () => {
  const selectors = {
    id: 'modem = usb_1_3',
    usb: 'modem = usb:1-3',
    tty: 'modem = tty:/dev/ttyUSB3',
    short: 'modem = tty:ttyUSB3',
    sim: 'sim = 8931440400000000025',
    first: 'modem = any',
    imei: 'modem = imei:356938035643809',
  }
  for (const [name, line] of Object.entries(selectors)) {
    const rig = new Rig({ [name]: `[profile]\n${line}` }, { modems: [new FakeModem(), second()] })
    await rig.supervisor.connect(name, {})
    const expected = name === 'first' || name === 'imei' ? 'imei_356938035643809' : 'usb_1_3'
    assert.equal(rig.link(name).snapshot.modem, expected, name)
  }
})

test('a modem that is ready is taken before one that is not', async () => {
  const rig = new Rig(
    { demo: '' },
    {
      modems: [
        new FakeModem({ state: 'locked', sim: { status: 'pin' } }),
        second({ state: 'searching', registration: 'searching' }),
      ],
    },
  )
  await rig.supervisor.connect('demo', {})
  assert.equal(rig.link().snapshot.modem, 'usb_1_3')
  const blocked = new Rig(
    { demo: AUTO },
    { modems: [new FakeModem({ state: 'absent-sim', sim: { status: 'absent' } })] },
  )
  await blocked.settle()
  assert.equal(blocked.state(), 'failed')
  blocked.fleet.plug(second())
  await blocked.settle()
  assert.deepEqual([blocked.state(), blocked.link().snapshot.modem], ['dialling', 'usb_1_3'])
})

test('connect without a profile makes the link manual, once', async () => {
  const rig = new Rig({})
  const added: string[] = []
  rig.supervisor.onLinkAdded(({ snapshot }) => added.push(snapshot.id))
  const link = await rig.supervisor.connect('', { apn: 'x', modem: 'imei_356938035643809' })
  assert.equal(link.snapshot.id, 'manual')
  await rig.settle()
  assert.equal(rig.dial.request.apn, 'x')
  assert.equal(await rig.supervisor.connect('', {}), link)
  assert.deepEqual(added, ['manual'])
  rig.dial.fail({ cause: 'busy', detail: 'BUSY' })
  await rig.settle()
  assert.equal(link.snapshot.state, 'failed')
  await rig.supervisor.reloadConfig()
  assert.deepEqual(
    rig.supervisor.links.map(({ snapshot }) => snapshot.id),
    ['manual'],
  )
})

test('what cannot be connected is refused with a sentence', async () => {
  const rig = new Rig({ demo: '', dear: '[profile]\ndata-limit = 5GB' })
  const refused = (profile: string, options: ConnectOptions, code: string, message: RegExp) =>
    assert.rejects(rig.supervisor.connect(profile, options), isError(code, message))
  await refused('absent', {}, 'NotFound', /There is no profile "absent"/)
  await refused('demo', { modem: 'usb_9_9' }, 'NotFound', /There is no modem "usb_9_9"/)
  await refused('demo', { apn: 'a"b' }, 'InvalidArgs', /^apn may have/)
  await refused('demo', { number: '' }, 'InvalidArgs', /^number may have/)
  await refused('demo', { pin: '12' }, 'InvalidArgs', /^pin must be 4 to 8 digits/)
  await refused('demo', { user: 'a\r' }, 'InvalidArgs', /^user must have no/)
  await refused('demo', { password: '"' }, 'InvalidArgs', /^password must have no/)
  await refused('demo', { ip: '5' }, 'InvalidArgs', /^ip must be/)
  await refused('demo', { ip: '46' }, 'Unsupported', /IPv4 only/)
  await refused('demo', { engine: 'x' }, 'InvalidArgs', /^engine must be one of/)
  await refused('demo', { timeout: 5 }, 'InvalidArgs', /^timeout must be/)
  await refused('dear', {}, 'Unsupported', /has data-limit = 5GB, which this version of modemd does not support/)
  await assert.rejects(rig.link('dear').up(), isError('Unsupported', /./))
  await assert.rejects(rig.supervisor.disconnect('absent'), isError('NotFound', /There is no link "absent"/))
  assert.equal(rig.modem.dials.length, 0)
})

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
    [new ModemdError('PinGuard', 'This is the last PIN try.'), 'sim-pin-refused'],
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

test('profiles that come, change and go', async () => {
  const rig = new Rig({ kept: '', changed: AUTO, gone: '' }, { modems: [new FakeModem(), second()] })
  await rig.settle()
  await rig.answer()
  assert.equal(rig.state('changed'), 'up')
  const before = Object.fromEntries(rig.supervisor.links.map((link) => [link.snapshot.id, link]))
  const events: string[] = []
  rig.supervisor.onLinkAdded(({ snapshot }) => events.push(`+${snapshot.id}`))
  rig.supervisor.onLinkRemoved(({ snapshot }) => events.push(`-${snapshot.id} ${snapshot.state}`))
  await rig.supervisor.connect('gone', {})

  rig.profiles.texts = { kept: '', changed: `${AUTO}apn = new`, fresh: AUTO }
  await rig.supervisor.reloadConfig()
  await rig.settle()
  assert.deepEqual(events.sort(), ['+fresh', '-gone idle'])
  assert.equal(rig.link('kept'), before.kept)
  assert.equal(rig.link('changed'), before.changed)
  assert.equal(rig.state('changed'), 'up', 'a link that is up stays up')
  assert.equal(rig.state('fresh'), 'dialling', 'a new automatic one starts')
  await hangUp(rig)
  await rig.clock.advance(1000)
  assert.equal(rig.modem.dials.at(-1)?.request.apn, 'new', 'from the next attempt on')
})

test('a corrected profile starts an automatic link that had given up', async () => {
  const rig = new Rig({ demo: `${AUTO}password = wrong` })
  await rig.settle()
  rig.dial.connect()
  await rig.settle()
  rig.session.down({ cause: 'auth-refused', detail: 'refused' }, 19)
  await rig.settle()
  assert.equal(rig.state(), 'failed')
  await rig.supervisor.reloadConfig()
  assert.equal(rig.state(), 'failed', 'nothing changed')
  rig.profiles.texts.demo = `${AUTO}password = right`
  await rig.supervisor.reloadConfig()
  await rig.settle()
  assert.equal(rig.state(), 'dialling')
})

test('a corrected profile does not wait for the next attempt', async () => {
  const rig = new Rig({ demo: AUTO })
  await rig.settle()
  rig.dial.fail({ cause: 'no-dialtone', detail: 'seen' })
  await rig.settle()
  rig.profiles.texts.demo = `${AUTO}number = *98#`
  await rig.supervisor.reloadConfig()
  await rig.settle()
  assert.equal(rig.dial.request.number, '*98#')
})

test('a modem that comes while another is found to be blocked is taken at once', async () => {
  const rig = new Rig(
    { demo: `${AUTO}pin = 1234` },
    { modems: [new FakeModem({ state: 'locked', sim: { status: 'pin' } })] },
  )
  rig.modem.onPin = async () => {
    rig.fleet.plug(second())
    throw new ModemdError('SimPin', 'The SIM refused it.', 'sim-pin-refused')
  }
  rig.modem.set({ failure: { cause: 'sim-pin', detail: 'asks for its PIN' } })
  await rig.settle()
  assert.deepEqual([rig.state(), rig.link().snapshot.modem], ['dialling', 'usb_1_3'])
})

test('save, remove, reload with faults, administrators, diagnose', async () => {
  const rig = new Rig({ demo: '', script: '[profile]\nchat-script = x.chat' })
  await rig.supervisor.saveProfile({ name: 'new', apn: 'x' })
  assert.equal(rig.state('new'), 'idle')
  assert.deepEqual(
    rig.supervisor.profiles().map(({ name }) => name),
    ['demo', 'script', 'new'],
  )
  await rig.supervisor.removeProfile('new')
  await rig.settle()
  assert.ok(!rig.supervisor.links.some(({ snapshot }) => snapshot.id === 'new'))
  await assert.rejects(rig.supervisor.removeProfile('new'), { code: 'NotFound' })
  assert.deepEqual(
    ['demo', 'script', 'absent'].map((name) => rig.supervisor.profileNeedsAdministrator(name)),
    [false, true, false],
  )
  rig.profiles.faults.push('modemd.conf:3: wrong')
  await assert.rejects(rig.supervisor.reloadConfig(), isError('InvalidArgs', /modemd\.conf:3: wrong/))
  const findings = await rig.supervisor.diagnose()
  assert.deepEqual(
    findings.map(({ what, state }) => `${what} ${state}`),
    ['configuration fault', 'ppp ok', 'modems ok'],
  )
  assert.deepEqual([rig.supervisor.version, rig.supervisor.engines], ['1.2.3', ['builtin']])
})

test('a chat script of the profile goes to the dial', async () => {
  const rig = new Rig({ demo: '[profile]\nchat-script = x.chat\ncid = 3\nnumber = *99***3#' })
  await rig.supervisor.connect('demo', {})
  await rig.settle()
  assert.deepEqual(
    [rig.dial.request.chatScript, rig.dial.request.cid, rig.dial.request.number],
    ['script', 3, '*99***3#'],
  )
})

test('close takes all links down and leaves nothing', async () => {
  const rig = new Rig({ a: AUTO, b: AUTO }, { modems: [new FakeModem(), second()] })
  await rig.settle()
  const call = rig.dial.connect()
  await rig.settle()
  rig.session.up()
  await rig.settle()
  await rig.supervisor.close()
  assert.deepEqual([rig.state('a'), rig.state('b')], ['idle', 'idle'])
  assert.equal(call.endedBy?.cause, 'user-request')
  assert.equal(rig.clock.pending, 0)
  assert.ok(rig.fleet.modems.every(({ followers }) => followers === 0))
  rig.fleet.plug(new FakeModem({ id: 'usb_1_9' }))
  await rig.settle()
  assert.equal(rig.state('a'), 'idle')
  await assert.rejects(rig.supervisor.connect('a', {}), isError('WrongState', /ending/))
})
