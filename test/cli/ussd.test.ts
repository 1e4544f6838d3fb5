/** `mmctl ussd`, `scan` and `register`, against the real D-Bus service. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ModemdError } from '../../src/base/errors.ts'
import { needs } from '../support/needs.ts'
import { Keyboard } from './support/mmctl.ts'
import { at, scene } from './support/scene.ts'

const has = { ...needs('dbus-daemon'), timeout: 60_000 }

test('ussd: a code and its answer', has, async (context) => {
  const { api, run, json } = await scene(context)
  assert.deepEqual(await run('ussd', '*100#'), { exitCode: 0, stdout: '12.34 EUR\n', stderr: '' })
  const { document } = await json('ussd', '*100#', '0')
  assert.deepEqual(document, { modem: 'imei_356938035643809', state: 'idle', answer: '12.34 EUR' })
  assert.deepEqual(api.log, ['ussd(*100#)', 'ussd(*100#)'])
  const refused = await run('ussd', '*4#')
  assert.equal(refused.exitCode, 1)
  assert.match(refused.stderr, /does not know this USSD code/)
  assert.equal((await run('ussd', 'hello')).exitCode, 2)
})

test('ussd: a session by hand, its text made harmless', has, async (context) => {
  const { api, run, json } = await scene(context)
  const asked = await run('ussd', '*101#')
  assert.match(asked.stdout, /^1 Balance\n2 \\x1b\[2JEnd\nThe network waits: `mmctl ussd --respond TEXT`/)
  assert.match((await run('ussd')).stdout, /1 Balance[\s\S]*The network waits/)
  assert.equal((await run('ussd', '--respond', '1')).stdout, 'You said 1\n')
  await run('ussd', '*101#')
  assert.deepEqual((await json('ussd', '--cancel')).document, { modem: 'imei_356938035643809', state: 'idle' })
  assert.deepEqual(api.log, ['ussd(*101#)', 'respond(1)', 'ussd(*101#)', 'cancel()'])
  assert.equal((await run('ussd', '--cancel', '--respond', '1')).exitCode, 2)
})

test('ussd: on a terminal the network’s question is asked', has, async (context) => {
  const { api, start } = await scene(context)
  const stdin = new Keyboard()
  const running = start(['ussd', '*101#'], { stdin })
  await running.until(/Answer .*: /)
  stdin.type('2\n')
  const { exitCode, stdout } = await running.ended
  assert.equal(exitCode, 0)
  assert.match(stdout, /You said 2\n$/)
  const second = start(['ussd', '*101#'], { stdin })
  await second.until(/Answer .*: /)
  stdin.type('\n')
  assert.match((await second.ended).stdout, /The session is over\.\n$/)
  const third = start(['ussd', '*101#'], { stdin })
  await third.until(/Answer .*: /)
  third.interrupt()
  assert.equal((await third.ended).exitCode, 130)
  assert.deepEqual(api.log.slice(-2), ['ussd(*101#)', 'cancel()'])
})

test('scan: a table, JSON, and nothing', has, async (context) => {
  const { api, run, json, start } = await scene(context)
  const modem = api.modems[0]!
  modem.scan = async () => [
    { plmn: '26201', name: 'Test\x1bnet', status: 'current', technology: 'lte' },
    { plmn: '26202', name: '', status: 'forbidden', technology: '' },
  ]
  const { stdout } = await start(['scan'], {}).ended
  assert.match(stdout, /looks for networks, which takes up to three minutes … 0 s/)
  assert.match(stdout, /PLMN +NAME +TECH +STATUS\n26201 +Test\\x1bnet +lte +current\n26202 +- +- +forbidden\n$/)
  assert.deepEqual((await json('scan')).document, {
    modem: 'imei_356938035643809',
    networks: [
      { plmn: '26201', name: 'Test\\x1bnet', status: 'current', technology: 'lte' },
      { plmn: '26202', status: 'forbidden' },
    ],
  })
  modem.scan = async () => []
  assert.match((await run('scan')).stdout, /No network was found/)
  modem.scan = async () => {
    throw new ModemdError('Busy', 'The modem has one port, and a call has it: `mmctl disconnect`.', 'port-busy')
  }
  const busy = await run('scan')
  assert.equal(busy.exitCode, 1)
  assert.match(busy.stderr, /one port/)
})

test('register: by number, by itself, and 8 where the network refuses', has, async (context) => {
  const { api, run, json } = await scene(context)
  assert.match(
    (await run('register', '26201')).stdout,
    /imei_356938035643809 is registered with Testnet \(26201\)\.\n$/,
  )
  await run('register')
  await run('register', '0')
  assert.deepEqual(api.log, ['register(26201)', 'register()', 'register()'])
  assert.equal(at((await json('register', '26201', '0')).document, 'registration'), 'home')
  api.modems[0]!.register = async () => {
    throw new ModemdError('NoNetwork', 'The network refuses this SIM: #13.', 'registration-denied')
  }
  const refused = await run('register', '26202')
  assert.equal(refused.exitCode, 8)
  assert.match(refused.stderr, /refuses this SIM/)
})
