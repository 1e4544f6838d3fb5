/** `mmctl apn` and Manager1.ListApns, against the real D-Bus service. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ApnOffer } from '../../src/link/snapshot.ts'
import { Client, MANAGER, plain, serve } from '../bus/fixture.ts'
import { needs } from '../support/needs.ts'
import { at, list, scene } from './support/scene.ts'

const has = { ...needs('dbus-daemon'), timeout: 60_000 }

const WEB: ApnOffer = {
  apn: 'web.example',
  name: 'Web & more',
  provider: 'Example Mobile',
  country: 'xx',
  plans: ['prepaid', 'postpaid'],
  usage: 'internet',
  user: 'guest',
  hasPassword: true,
  auth: 'pap',
  dns: ['192.0.2.53'],
  isRemembered: true,
}
const HOSTILE: ApnOffer = {
  ...WEB,
  apn: 'mms.example',
  name: '\x1b[2Jevil\n',
  provider: '\u202eelibom\0',
  country: '',
  plans: [],
  usage: 'mms',
  user: '',
  hasPassword: false,
  auth: '',
  dns: [],
  isRemembered: false,
}

test('a network’s, on a terminal of 80 columns', has, async (context) => {
  const { api, run } = await scene(context)
  api.apns = [WEB, HOSTILE]
  const { exitCode, stdout, stderr } = await run('apn', '26201')
  assert.deepEqual([exitCode, stderr], [0, ''])
  const lines = stdout.split('\n')
  assert.match(lines[0]!, /^ +APN +PROVIDER +PLAN +USE +USER/)
  assert.match(lines[1]!, /^\* +web\.example +Example Mobile \(xx\) +Web & more, .*… +internet +guest$/)
  assert.doesNotMatch(stdout, /[\x00-\x09\x0b-\x1f\u202e]/)
  assert.equal(lines.at(-2), '* worked for this SIM last')
  assert.ok(lines.every((line) => line.length <= 80))
  assert.deepEqual(api.log, ['apnsOf(26201)'])
})

test('where the terminal is narrow the APN is the last to be cut: it is what one copies', has, async (context) => {
  const { api, run } = await scene(context)
  const apn = 'internet.v6.telekom.example'
  const plans = ['prepaid', 'postpaid', 'business', 'machine']
  api.apns = [{ ...WEB, apn, provider: 'T-Example (Telekom) Deutschland', plans, user: 'guest' }]
  const { stdout } = await run('apn', '26201')
  assert.match(stdout, /^\* +internet\.v6\.telekom\.example +T-Ex[^ ]*.*… .*… +internet +guest$/m)
  for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line)
})

test('a modem’s: by its id, its number, or where it is the only one', has, async (context) => {
  const { api, run } = await scene(context)
  const { id } = api.modems[0]!.snapshot
  for (const argv of [['apn'], ['apn', '0'], ['apn', id], ['apn', '35693']]) await run(...argv)
  assert.deepEqual(
    api.log,
    [`apnsOf(${id})`, `apnsOf(${id})`, `apnsOf(${id})`, 'apnsOf(35693)'],
    'five digits are a network',
  )
  const { exitCode, stdout } = await run('apn', '00101')
  assert.equal(exitCode, 0)
  assert.match(stdout, /^No access point is known for 00101: your operator names it/)
  assert.equal((await run('apn', 'nobody')).exitCode, 4)
})

test('as JSON: names as elsewhere, what is not known absent, no password', has, async (context) => {
  const { api, json } = await scene(context)
  api.apns = [WEB, HOSTILE]
  const { document, exitCode } = await json('apn', '26201')
  assert.equal(exitCode, 0)
  assert.deepEqual(at(document, '0'), {
    apn: 'web.example',
    provider: 'Example Mobile',
    name: 'Web & more',
    country: 'xx',
    usage: 'internet',
    user: 'guest',
    auth: 'pap',
    hasPassword: true,
    plans: ['prepaid', 'postpaid'],
    dns: ['192.0.2.53'],
    worked: true,
  })
  assert.deepEqual(Object.keys(at(document, '1') as object).sort(), [
    'apn',
    'dns',
    'hasPassword',
    'name',
    'plans',
    'provider',
    'usage',
    'worked',
  ])
  api.apns = []
  assert.deepEqual(list((await json('apn', '26201')).document), [])
})

test('ListApns is for everybody, and takes nothing but a network or a modem', has, async (context) => {
  const { api, bus, logger } = await serve(context)
  api.apns = [WEB]
  const client = await Client.connect(context, bus)
  const [apns] = await client.call(MANAGER, 'org.modemd.Manager1', 'ListApns', 's', '26201')
  assert.equal(plain((apns as unknown[])[0]).user, 'guest')
  for (const wrong of ['', 'a b', '\x1b', 'x'.repeat(300)])
    await assert.rejects(client.call(MANAGER, 'org.modemd.Manager1', 'ListApns', 's', wrong), /plmn must be/)
  assert.deepEqual(logger.errors, [])
})
