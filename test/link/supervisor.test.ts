/** Several links and modems, the link without a profile, refusals, profiles that come, change and go. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConnectOptions } from '../../src/link/snapshot.ts'
import { FakeModem } from '../support/fake-modem.ts'
import { AUTO, hangUp, isError, Rig, second } from './rig.ts'

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
    await rig.settle()
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
  await rig.settle()
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
  const rig = new Rig({ demo: '', shared: '[profile]\nshare = eth0' })
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
  await refused('demo', { engine: 'x' }, 'InvalidArgs', /^engine must be one of/)
  await refused('demo', { timeout: 0 }, 'InvalidArgs', /^timeout must be/)
  await refused('shared', {}, 'Unsupported', /has share = eth0, which this version of modemd does not support/)
  await assert.rejects(rig.link('shared').up(), isError('Unsupported', /./))
  await assert.rejects(rig.supervisor.disconnect('absent'), isError('NotFound', /There is no link "absent"/))
  assert.equal(rig.modem.dials.length, 0)
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

test('a profile that comes back while its link goes down keeps the link, and nobody hears that it went', async () => {
  const rig = new Rig({ demo: AUTO })
  await rig.settle()
  await rig.answer()
  const link = rig.link()
  const events: string[] = []
  rig.supervisor.onLinkAdded(({ snapshot }) => events.push(`+${snapshot.id}`))
  rig.supervisor.onLinkRemoved(({ snapshot }) => events.push(`-${snapshot.id}`))
  rig.session.isDeaf = true
  rig.profiles.texts = {}
  await rig.supervisor.reloadConfig()
  await rig.settle()
  assert.equal(link.snapshot.state, 'going-down')
  rig.profiles.texts = { demo: `${AUTO}apn = new` }
  await rig.supervisor.reloadConfig()
  rig.session.down({ cause: 'user-request', detail: '' }, 5)
  await rig.settle()
  assert.equal(rig.link(), link)
  assert.deepEqual([rig.state(), rig.dial.request.apn], ['dialling', 'new'])
  assert.deepEqual(events, [])

  rig.profiles.texts = {}
  await rig.supervisor.reloadConfig()
  await rig.settle()
  assert.deepEqual(events, ['-demo'])
})

test('close waits for links whose profile is gone', async () => {
  const rig = new Rig({ demo: AUTO })
  await rig.settle()
  await rig.answer()
  rig.session.isDeaf = true
  rig.profiles.texts = {}
  await rig.supervisor.reloadConfig()
  const closed = rig.watch(rig.supervisor.close())
  await rig.settle()
  assert.equal(closed.end, undefined)
  rig.session.down({ cause: 'user-request', detail: '' }, 5)
  await rig.settle()
  assert.equal(closed.end, 'done')
  assert.deepEqual(rig.resolver.log.at(-1), 'ppp0: restored')
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

test('save, remove, reload with faults, administrators', async () => {
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

test('a modem that comes is for the link of the best priority, whenever its profile came', async () => {
  const rig = new Rig({ late: `${AUTO}priority = 9` })
  rig.profiles.texts.soon = `${AUTO}priority = 3`
  await rig.supervisor.reloadConfig()
  await rig.supervisor.disconnect(undefined)
  rig.fleet.unplug(rig.modem)
  rig.fleet.plug()
  await rig.settle()
  assert.deepEqual([rig.state('soon'), rig.state('late')], ['dialling', 'waiting'])
})
