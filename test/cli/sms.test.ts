/** `mmctl sms` against the real D-Bus service. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { needs } from '../support/needs.ts'
import { scene, secretFile } from './support/scene.ts'

/** 17:42 in the network's zone, +02. */
const SENT = new Date('2026-11-22T17:42:30+02:00').toLocaleString('sv-SE').slice(0, 16)
const has = { ...needs('dbus-daemon'), timeout: 60_000 }

test('list and show: one line each, and nothing in them drives the terminal', has, async (context) => {
  const { api, run, json } = await scene(context)
  assert.equal((await run('sms', 'list')).stdout, 'There is no message.\n')
  const { messaging } = api.modems[0]!
  messaging.receive({ number: '+358401234567', text: 'first line\nsecond line' })
  messaging.receive({ number: 'Op\x1b[1m', text: 'a […] b' }, { id: '2', state: 'incomplete', parts: 3, partsHere: 2 })
  const { stdout } = await run('sms', 'list')
  assert.equal(
    stdout,
    '#  TIME              STATE           NUMBER         TEXT\n' +
      `1  ${SENT}  received        +358401234567  first line second line\n` +
      `2  ${SENT}  incomplete 2/3  Op\\x1b[1m      a […] b\n`,
  )
  assert.equal(
    (await run('sms', 'show', '1')).stdout,
    'from   +358401234567\ntime   2026-11-22T17:42:30+02:00\nstate  received\nparts  2\n' +
      'modem  imei_356938035643809\n\nfirst line\nsecond line\n',
  )
  assert.match((await run('sms', 'show', '2')).stdout, /state {2}incomplete: 2 of 3 parts came\n/)
  const { document } = await json('sms', 'show', '1')
  assert.deepEqual(document, {
    id: '1',
    modem: 'imei_356938035643809',
    timestamp: '2026-11-22T17:42:30+02:00',
    state: 'received',
    parts: 2,
    partsHere: 2,
    encoding: 'ucs2',
    flash: false,
    stored: true,
    number: '+358401234567',
    text: 'first line\nsecond line',
  })
  assert.equal(((await json('sms', 'list')).document as unknown[]).length, 2)
  const missing = await run('sms', 'show', '9')
  assert.deepEqual([missing.exitCode, /no message "9"/.test(missing.stderr)], [4, true])
})

test('what a locked SIM has nobody knows', has, async (context) => {
  const { api, run } = await scene(context)
  const modem = api.modems[0]!
  const said = async () => (await run('sms', 'list')).stdout.replace(/\s+/g, ' ')
  modem.change({ state: 'locked', sim: { status: 'pin', pinTries: 3 } })
  assert.match(await said(), /^The SIM in imei_356938035643809 is locked, .* run `mmctl sim unlock` first\. $/)
  modem.change({ sim: { status: 'puk', pinTries: 0 } })
  assert.match(await said(), /`mmctl sim puk` first/)
})

test('a full memory is told', has, async (context) => {
  const { api, run } = await scene(context)
  api.modems[0]!.messaging.change({ memory: { name: 'SM', used: 20, total: 20 }, isFull: true })
  assert.match((await run('sms', 'list')).stderr, /SM of imei_356938035643809 is full \(20 of 20\)/)
})

test('send: the text as an argument, in a file; what it costs in parts', has, async (context) => {
  const { api, run, json } = await scene(context)
  const { stdout } = await run('sms', 'send', '+358 40 123-4567', 'hello')
  assert.equal(stdout, 'Sent to +358401234567 in 1 part (message 7).\n')
  const file = secretFile(context, `${'x'.repeat(170)}\n`)
  assert.match((await run('sms', 'send', '16400', '--file', file, '--validity', '2')).stdout, /in 2 parts/)
  assert.deepEqual(api.log, [
    'sms(+358401234567, hello, {"wantsReport":false,"isFlash":false})',
    `sms(16400, ${'x'.repeat(170)}, {"wantsReport":false,"isFlash":false,"validityMinutes":120})`,
  ])
  assert.deepEqual((await json('sms', 'send', '1', 'x')).document, {
    id: '7',
    modem: 'imei_356938035643809',
    number: '1',
    parts: 1,
    state: 'sent',
  })
  assert.equal((await run('sms', 'send', '1', 'no network')).exitCode, 8)
})

test('send: a text that is longer than a message of the bus usually is', has, async (context) => {
  const { api, run } = await scene(context)
  const text = 'ä€😀'.repeat(300)
  assert.equal((await run('sms', 'send', '1', text, '--report')).exitCode, 0)
  assert.deepEqual(api.log, [`sms(1, ${text}, {"wantsReport":true,"isFlash":false})`])
})

test('send: what is wrong is said before anything is sent', has, async (context) => {
  const { api, run } = await scene(context)
  for (const wrong of [
    ['Operator', 'x'],
    ['1'],
    ['1', 'x', '--file', '/nowhere'],
    ['1', '--file', '/nowhere'],
    ['1', 'x'.repeat(5000)],
    ['1', 'x', '--validity', '0'],
  ])
    assert.equal((await run('sms', 'send', ...wrong)).exitCode, 2, wrong.join(' ').slice(0, 40))
  assert.deepEqual(api.log, [])
})

test('delete: all that are named, or none', has, async (context) => {
  const { api, run } = await scene(context)
  const { messaging } = api.modems[0]!
  for (const id of ['1', '2', '3']) messaging.receive({ number: '1', text: 'x' }, { id })
  assert.equal((await run('sms', 'delete', '1', '9')).exitCode, 4)
  assert.deepEqual(api.log, [])
  assert.equal((await run('sms', 'delete', '1', '3')).stdout, '2 messages are deleted.\n')
  assert.deepEqual(
    messaging.snapshot.messages.map(({ id }) => id),
    ['2'],
  )
})
