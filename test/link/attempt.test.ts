/** One connection made by hand: the way up and every way it fails. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Cause } from '../../src/base/cause.ts'
import { ModemdError } from '../../src/base/errors.ts'
import { parseIpv6 } from '../../src/base/ipv6.ts'
import { CAUSE_TABLE } from '../../src/link/causes.ts'
import type { LinkState } from '../../src/link/snapshot.ts'
import type { PortReport } from '../../src/modem/snapshot.ts'
import { FakeEngine } from '../support/fake-engine.ts'
import { FakeModem } from '../support/fake-modem.ts'
import { assertAtRest, assertFailed, connect, Rig } from './rig.ts'

test('the way up: states, times, speed, address, name servers, counters', async () => {
  const rig = new Rig(
    {
      demo: '[profile]\nusername = u\npassword = p\napn = internet\n[ppp]\nlcp-restart = 1s\nmtu = 1400\nroute-metric = 500',
    },
    { modems: [new FakeModem({ state: 'enabling', sim: {} })] },
  )
  const states: LinkState[] = []
  rig.link().onChange((next, previous) => {
    if (next.state !== previous.state) states.push(next.state)
  })
  const { link, answer } = await connect(rig)
  await rig.clock.advance(30)
  rig.modem.set({ state: 'searching', sim: { status: 'ready' }, registration: 'searching' })
  await rig.clock.advance(350)
  rig.modem.set({ state: 'registered', registration: 'home' })
  await rig.settle()
  assert.equal(rig.dial.request.apn, 'internet')
  assert.equal(rig.dial.request.number, '*99#')
  assert.equal(rig.dial.request.timeoutMs, 60_000)
  await rig.clock.advance(120)
  const call = rig.dial.connect('CONNECT 150000000')
  await rig.settle()
  const { settings, defaultRouteMetric } = rig.session.options
  assert.deepEqual(
    [settings.user, settings.password, settings.restartMs, settings.mtuBytes, defaultRouteMetric],
    ['u', 'p', 1000, 1400, 500],
  )
  rig.session.phase('establish')
  await rig.clock.advance(20)
  rig.session.phase('authenticate')
  await rig.clock.advance(10)
  assert.equal(call.isEstablished, false)
  rig.session.up(['10.11.12.13', '198.51.100.53', '127.0.0.1', '198.51.100.53'])
  await rig.settle()

  assert.deepEqual(states, ['waiting', 'dialling', 'connecting', 'authenticating', 'configuring', 'up'])
  assert.equal(answer.end, 'done')
  assert.equal(call.isEstablished, true)
  const { phaseMs, ip4, ...snapshot } = link.snapshot
  assert.deepEqual(phaseMs, { modem: 0, sim: 30, network: 350, dial: 120, lcp: 0, auth: 0, address: 0, ...phaseMs })
  assert.equal(phaseMs.dial, 120)
  const peer = { peer: '10.64.64.64', gateway: '10.64.64.64' }
  assert.deepEqual(ip4, { address: '10.64.0.2', prefix: 32, ...peer, dns: ['198.51.100.53'], mtu: 1500 })
  assert.deepEqual(snapshot, {
    id: 'demo',
    profile: 'demo',
    modem: rig.modem.snapshot.id,
    state: 'up',
    interface: 'ppp0',
    engine: 'builtin',
    apn: 'internet',
    connectSpeed: 150_000_000,
    report: 'CONNECT 150000000',
    rxBytes: 0n,
    txBytes: 0n,
    ip6: undefined,
    upSinceUs: rig.clock.wallUs(),
    usage: { month: '2023-11', usedBytes: 0n, limitBytes: undefined },
    attempts: 1,
    cause: undefined,
    causeAtUs: undefined,
    causeDetail: undefined,
    advice: undefined,
    chatExit: 0,
    pppExit: undefined,
    nextAttemptAtUs: 0n,
    nextAttemptReason: '',
    nextRung: undefined,
  })
  assert.deepEqual(rig.resolver.log, ['ppp0: 198.51.100.53'])
  assertAtRest(rig)

  rig.session.rxBytes = 5_000_000_000n
  assert.equal(link.snapshot.rxBytes, 5_000_000_000n)
  await link.down()
  assert.equal(link.snapshot.rxBytes, 5_000_000_000n)
  assert.deepEqual(rig.resolver.log, ['ppp0: 198.51.100.53', 'ppp0: restored'])
  assert.equal(call.endedBy?.cause, 'user-request')
  assert.equal(link.snapshot.state, 'idle')
  assert.equal(link.snapshot.cause, 'user-request')
  assert.equal(link.snapshot.pppExit, 5)
  assert.equal(link.snapshot.ip4, undefined)
})

test('how long each phase took', async () => {
  const rig = new Rig()
  await connect(rig)
  await rig.clock.advance(100)
  rig.dial.connect('CONNECT')
  await rig.settle()
  for (const [phase, ms] of [
    ['establish', 20],
    ['authenticate', 15],
    ['network', 5],
  ] as const) {
    rig.session.phase(phase)
    await rig.clock.advance(ms)
  }
  assert.deepEqual(rig.link().snapshot.phaseMs, { modem: 0, sim: 0, network: 0, dial: 100, lcp: 20, auth: 15 })
  assert.equal(rig.link().snapshot.connectSpeed, undefined)
})

test('without authentication there is no time for it', async () => {
  const rig = new Rig()
  await connect(rig)
  rig.dial.connect()
  await rig.settle()
  rig.session.phase('establish')
  await rig.clock.advance(20)
  rig.session.phase('network')
  assert.deepEqual(rig.link().snapshot.phaseMs, { modem: 0, sim: 0, network: 0, dial: 0, lcp: 20 })
})

test('no modem: waited for, and found when it comes', async () => {
  const rig = new Rig({ demo: '' }, { modems: [] })
  const { answer } = await connect(rig)
  assert.equal(rig.state(), 'waiting')
  await rig.clock.advance(59_000)
  rig.fleet.plug()
  await rig.settle()
  assert.equal(rig.state(), 'dialling')
  assert.equal(answer.end, undefined)
  assert.equal(rig.link().snapshot.phaseMs.modem, 59_000)
})

test('no modem in time', async () => {
  const rig = new Rig({ demo: '[profile]\nmodem = usb:1-3\ndial-timeout = 20s' }, {})
  const { answer } = await connect(rig)
  await rig.clock.advance(20_000)
  assertFailed(rig, answer, 'modem-gone', /^no modem usb:1-3 is there, after 20 s of waiting$/)
})

test('no modem because another program has every port of it', async () => {
  const port = (name: string, report: Partial<PortReport>): PortReport => ({
    name,
    device: '/sys/devices/usb1/1-2',
    driver: 'option',
    owner: '',
    isTaken: true,
    reason: '',
    ...report,
  })
  const failedWith = async (ports: readonly PortReport[], modem = 'any') => {
    const rig = new Rig({ demo: `[profile]\nmodem = ${modem}\ndial-timeout = 20s` }, { modems: [] })
    rig.fleet.portReports = ports
    const { answer } = await connect(rig)
    await rig.clock.advance(20_000)
    return { rig, answer }
  }
  const busy = port('/dev/ttyUSB0', { role: 'ignored', owner: 'minicom (process 4711)' })
  const diag = port('/dev/ttyUSB1', { role: 'diag' })
  const other = port('/dev/ttyACM0', { isTaken: false, owner: 'gpsd (process 3)', device: '/sys/devices/usb1/1-3' })
  for (const modem of ['any', 'usb:1-2', 'tty:/dev/ttyUSB0']) {
    const { rig, answer } = await failedWith([busy, diag, other], modem)
    assertFailed(rig, answer, 'port-busy', /minicom \(process 4711\) has \/dev\/ttyUSB0/)
  }
  const manager = port('/dev/ttyUSB0', { isTaken: false, owner: 'ModemManager', reason: 'port-busy (ModemManager): …' })
  const left = await failedWith([manager])
  assertFailed(left.rig, left.answer, 'port-busy', /ModemManager has/)
  for (const ports of [[other], [busy, port('/dev/ttyUSB2', { owner: 'modemd (probe)' })]]) {
    const { rig, answer } = await failedWith(ports)
    assertFailed(rig, answer, 'modem-gone', /^no modem is there/)
  }
  const elsewhere = await failedWith([busy], 'usb:1-7')
  assertFailed(elsewhere.rig, elsewhere.answer, 'modem-gone', /^no modem usb:1-7 is there/)
})

test('options replace what the profile says, for this connection', async () => {
  const rig = new Rig()
  await connect(rig, { apn: 'x.net', user: 'v', password: 'q', number: '*98#', engine: 'builtin', timeout: 5000 })
  assert.deepEqual([rig.dial.request.apn, rig.dial.request.number, rig.dial.request.timeoutMs], ['x.net', '*98#', 5000])
  rig.dial.connect()
  await rig.settle()
  assert.deepEqual([rig.session.options.settings.user, rig.session.options.settings.password], ['v', 'q'])
  await rig.link().down()
  await connect(rig)
  assert.equal(rig.dial.request.apn, '')
})

const BLOCKED: readonly (readonly [string, ConstructorParameters<typeof FakeModem>[0], Cause])[] = [
  ['no SIM', { state: 'absent-sim', sim: { status: 'absent' } }, 'sim-absent'],
  ['a SIM that asks for a PIN nobody has', { state: 'locked', sim: { status: 'pin' } }, 'sim-pin'],
  ['a SIM that asks for its PUK', { state: 'locked', sim: { status: 'puk' } }, 'sim-puk'],
  [
    'a refused PIN',
    { state: 'locked', sim: { status: 'pin' }, failure: { cause: 'sim-pin-refused', detail: 'refused' } },
    'sim-pin-refused',
  ],
  [
    'a broken SIM',
    { state: 'failed', sim: { status: 'failed' }, failure: { cause: 'sim-failed', detail: 'broken' } },
    'sim-failed',
  ],
  [
    'a silent modem',
    { state: 'failed', failure: { cause: 'modem-silent', detail: 'no answer to AT' } },
    'modem-silent',
  ],
  ['a network that refuses', { state: 'searching', registration: 'denied' }, 'registration-denied'],
  ['a foreign network', { registration: 'roaming', operatorName: 'Elsewhere' }, 'roaming-forbidden'],
]

for (const [what, modem, cause] of BLOCKED) {
  test(`${what}: ${cause}, at once and without a dial`, async () => {
    const rig = new Rig({ demo: '' }, { modems: [new FakeModem(modem)] })
    const { answer } = await connect(rig)
    assertFailed(rig, answer, cause, /./)
    assert.equal((answer.end as ModemdError).code, CAUSE_TABLE[cause].error)
    assert.equal(rig.modem.dials.length, 0)
    assert.deepEqual(rig.modem.pins, [])
  })
}

const SLOW: readonly (readonly [ConstructorParameters<typeof FakeModem>[0], Cause])[] = [
  [{ state: 'searching', registration: 'searching' }, 'no-network'],
  [{ state: 'enabling', sim: {} }, 'no-network'],
  [{ state: 'resetting' }, 'modem-gone'],
  [{ state: 'connected' }, 'port-busy'],
]

for (const [modem, cause] of SLOW) {
  test(`${modem?.state} for too long: ${cause}`, async () => {
    const rig = new Rig({ demo: '' }, { modems: [new FakeModem(modem)] })
    const { answer } = await connect(rig)
    await rig.clock.advance(59_999)
    assert.equal(rig.state(), 'waiting')
    await rig.clock.advance(1)
    assertFailed(rig, answer, cause, /after 60 s of waiting$/)
  })
}

test('a radio that is off is switched on for one who connects by hand', async () => {
  const rig = new Rig({ demo: '' }, { modems: [new FakeModem({ state: 'disabled' })] })
  await connect(rig)
  assert.equal(rig.modem.enabled, 1)
  assert.equal(rig.state(), 'dialling')
})

const DIAL_CAUSES = [
  'busy',
  'no-carrier',
  'no-dialtone',
  'no-answer',
  'call-rejected',
  'modem-error',
  'apn-refused',
  'no-network',
  'dial-timeout',
  'script-error',
  'modem-silent',
] as const

for (const cause of DIAL_CAUSES) {
  test(`a dial that fails: ${cause}`, async () => {
    const rig = new Rig()
    const { answer, link } = await connect(rig)
    rig.dial.fail({ cause, detail: 'what was seen', chatExit: 5 })
    await rig.settle()
    const detail = cause === 'apn-refused' ? "the network's own APN: what was seen" : 'what was seen'
    assertFailed(rig, answer, cause, new RegExp(`^${detail}$`))
    assert.equal(link.snapshot.chatExit, 5)
    assert.equal(link.snapshot.pppExit, undefined)
    assert.equal((answer.end as ModemdError).message, `${detail} (${cause}): ${CAUSE_TABLE[cause].advice}`)
  })
}

const PPP_CAUSES = [
  'lcp-timeout',
  'loopback',
  'auth-refused',
  'peer-auth-refused',
  'ipcp-failed',
  'no-address',
  'hung-up',
  'echo-lost',
  'pppd-failed',
  'idle',
  'time-limit',
  'internal',
] as const

for (const cause of PPP_CAUSES) {
  test(`PPP that fails: ${cause}`, async () => {
    const rig = new Rig()
    const { answer, link } = await connect(rig)
    const call = rig.dial.connect('CONNECT 7200000')
    await rig.settle()
    rig.session.phase('establish')
    rig.session.down({ cause, detail: 'what was seen' }, 16)
    await rig.settle()
    assertFailed(rig, answer, cause, /^what was seen$/)
    assert.equal(link.snapshot.chatExit, 0)
    assert.equal(link.snapshot.pppExit, 16)
    assert.equal(call.endedBy?.cause, cause)
    assert.equal(call.isEstablished, false)
  })
}

test('ip = 6 and 46: what the engine is asked for, and the address as it grows', async () => {
  for (const [ip, families] of [
    ['4', [true, false]],
    ['6', [false, true]],
    ['46', [true, true]],
  ] as const) {
    const rig = new Rig({ demo: `[profile]\nip = ${ip}\n[ppp]\nauth = mschapv2` })
    const { link } = await connect(rig)
    rig.dial.connect('CONNECT')
    await rig.settle()
    const { settings } = rig.session.options
    assert.deepEqual([settings.ipv4, settings.ipv6, settings.answersAuth], [...families, ['mschapv2']])
    if (ip === '4') continue
    const local = parseIpv6('fe80::2')!
    const peer = parseIpv6('fe80::1')!
    rig.session.upWithIp6({ local, peer })
    await rig.clock.advance(1000)
    assert.equal(link.snapshot.state, 'up')
    assert.deepEqual(link.snapshot.ip6, {
      address: 'fe80::2',
      prefix: 64,
      peer: 'fe80::1',
      gateway: undefined,
      dns: [],
      mtu: 1500,
    })
    rig.session.upWithIp6({
      local,
      peer,
      global: { address: parseIpv6('2001:db8:64::2')!, prefixLength: 64, gateway: peer },
    })
    await rig.settle()
    const { address, gateway } = link.snapshot.ip6!
    assert.deepEqual([address, gateway, link.snapshot.ip4], ['2001:db8:64::2', 'fe80::1', undefined])
  }
})

test('an engine that the machine lacks', async () => {
  for (const [text, engines, detail] of [
    [
      '[ppp]\nengine = builtin',
      [new FakeEngine('pppd')],
      /^the engine builtin does not work here \(builtin: is not here\)$/,
    ],
    [
      '[ppp]\nengine = kernel',
      [new FakeEngine()],
      /^the engine kernel does not work here \(kernel: cannot be used: there is no \/dev\/ppp\)$/,
    ],
    ['', [new FakeEngine('pppd')], /^no PPP engine works here \(kernel: .*; builtin: is not here\)$/],
  ] as const) {
    const rig = new Rig({ demo: text }, { engines })
    const { answer } = await connect(rig)
    assertFailed(rig, answer, 'engine-missing', detail)
    assert.equal(rig.modem.dials.length, 0)
  }
})

test('an engine that refuses to start, and one that breaks', async () => {
  for (const [refusal, cause] of [
    [new ModemdError('NotAuthorized', 'cannot open /dev/net/tun: permission denied', 'permission'), 'permission'],
    [new Error('a bug'), 'internal'],
  ] as const) {
    const rig = new Rig()
    rig.engine.refusal = refusal
    const { answer } = await connect(rig)
    const call = rig.dial.connect()
    await rig.settle()
    assertFailed(rig, answer, cause, new RegExp(refusal.message))
    assert.equal(call.endedBy?.cause, cause)
  }
})

test('an engine that does not end is left after its time', async () => {
  const rig = new Rig()
  await rig.bringUp()
  rig.session.isDeaf = true
  const down = rig.watch(rig.link().down())
  await rig.clock.advance(7_999)
  assert.equal(rig.state(), 'going-down')
  assert.equal(down.end, undefined)
  await rig.clock.advance(1)
  assert.equal(down.end, 'done')
  assert.equal(rig.state(), 'idle')
  assertAtRest(rig)
})

test('a link without name servers is up all the same', async () => {
  const rig = new Rig()
  rig.resolver.refusal = new Error('read-only file system')
  await rig.bringUp()
  assert.equal(rig.state(), 'up')
  const silent = new Rig({ demo: '[ppp]\ndns = none\ndefault-route = no' })
  await silent.bringUp()
  assert.deepEqual(silent.resolver.log, [])
  assert.equal(silent.session.options.defaultRouteMetric, undefined)
  assert.equal(silent.session.options.settings.requestDns, false)
})
