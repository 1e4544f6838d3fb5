/** `mmctl why`: the story of a failure, of links and modems, against the real D-Bus service. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MODEM_SNAPSHOT } from '../support/fake-supervisor.ts'
import { needs } from '../support/needs.ts'
import { at, list, scene } from './support/scene.ts'

const has = { ...needs('dbus-daemon'), timeout: 60_000 }

test('why', has, async (context) => {
  const { api, run, json } = await scene(context)
  assert.equal((await run('why')).stdout, 'Nothing has failed.\n')
  assert.equal((await run('why', 'demo')).stdout, 'demo: nothing has failed (idle).\n')
  assert.equal((await run('why', 'nope')).exitCode, 4)
  api.links[0]!.change({ cause: 'user-request', causeDetail: 'disconnect was asked for' })
  assert.equal((await run('why')).stdout, 'Nothing has failed.\n')
  assert.match((await run('why', 'demo')).stdout, /^demo: nothing has failed \(idle\); it was taken down/)
  assert.doesNotMatch((await run('status')).stdout, /last failure/)

  api.links[0]!.change({
    state: 'failed',
    cause: 'auth-refused',
    causeDetail: 'the peer answered Authentication-Nak: "bad password"',
    advice: 'Correct `username` and `password` in the profile.',
    chatExit: 0,
    pppExit: 19,
    attempts: 2,
    causeAtUs: BigInt(Date.now() - 75_000) * 1000n,
  })
  const told = `link demo: auth-refused
  happened      AGO
  seen          the peer answered Authentication-Nak: "bad password"
  means         The other side refused the user name or the password.
  to do         Correct \`username\` and \`password\` in the profile.
  exit codes    chat 0, PPP 19
  attempts      2
  state now     failed
  next attempt  none: it waits for you
`
  const ago = (text: string) => text.replace(/1 min \d+ s ago, at \d\d:\d\d:\d\d/, 'AGO')
  assert.equal(ago((await run('why')).stdout), told)
  assert.equal(ago((await run('why', 'dem')).stdout), told)
  const { document } = await json('why', 'demo')
  const { causeAt, ...known } = document as Record<string, unknown>
  assert.ok(Number.isSafeInteger(causeAt))
  assert.deepEqual(known, {
    link: 'demo',
    state: 'failed',
    cause: 'auth-refused',
    causeDetail: 'the peer answered Authentication-Nak: "bad password"',
    advice: 'Correct `username` and `password` in the profile.',
    chatExit: 0,
    pppExit: 19,
    attempts: 2,
    nextAttemptAt: 0,
    meaning: 'The other side refused the user name or the password.',
    permanent: true,
  })

  api.links[0]!.change({
    state: 'waiting',
    cause: 'hung-up',
    nextAttemptAtUs: BigInt(Date.now() + 60_000) * 1000n,
    nextAttemptReason: 'redial after hung-up',
    nextRung: { rung: 'reset', afterFailures: 1 },
  })
  assert.match((await run('why')).stdout, /\n {2}recovery {6}the modem is reset after 1 more failure in a row\n/)
  assert.deepEqual(at((await json('why', 'demo')).document, 'nextRung'), 'reset')
  api.links[0]!.change({ nextRung: { rung: 'usb-port', afterFailures: 0 } })
  assert.match((await run('why')).stdout, /recovery {6}its USB port is reset before the next attempt\n/)
  assert.match((await run('why')).stdout, /next attempt {2}in (1 min 0 s|59\.\d s|60\.0 s) \(redial after hung-up\)/)
  api.links[0]!.change({ nextAttemptAtUs: 0n, nextAttemptReason: '' })
  assert.match((await run('why')).stdout, /next attempt {2}as soon as a modem is ready for it\n/)
  const givenUp = 'given up until it is re-plugged or asked for: modem-silent'
  api.links[0]!.change({ state: 'failed', nextAttemptReason: givenUp })
  assert.match(
    (await run('why')).stdout,
    /next attempt {2}given up until it is re-plugged or asked for: modem-silent\n/,
  )

  api.modems[0]!.change({
    state: 'failed',
    stateReason: 'SIM not inserted',
    failure: { cause: 'sim-absent', detail: '' },
  })
  const both = await json('why')
  assert.deepEqual(
    list(both.document).map((story) => [
      at(story, 'link') ?? at(story, 'modem'),
      at(story, 'cause') ?? at(story, 'failedCause'),
    ]),
    [
      ['demo', 'hung-up'],
      [MODEM_SNAPSHOT.id, 'sim-absent'],
    ],
  )
  const modem = await run('why', '0')
  api.modems[0]!.change({ state: 'registered', failure: undefined })
  api.links[0]!.change({ modem: MODEM_SNAPSHOT.id })
  const carrying = (await run('why', '0')).stdout
  assert.match(carrying, /^imei_356938035643809: nothing has failed \(registered\)\.\n\nlink demo: hung-up\n/)
  assert.equal(list((await json('why')).document).length, 1)
  assert.match(
    modem.stdout,
    /^modem imei_356938035643809: sim-absent\n {2}seen +SIM not inserted\n {2}means +The modem finds no SIM card\./,
  )
  assert.match(modem.stdout, /to do +Put a SIM in/)

  const failure = { cause: 'registration-denied', detail: 'illegal MS (#3)' } as const
  api.modems[0]!.change({ registration: 'denied', stateReason: failure.detail, failure })
  api.links[0]!.change({ cause: undefined })
  assert.match(
    (await run('why')).stdout,
    /^modem imei_356938035643809: registration-denied\n {2}seen +illegal MS \(#3\)/,
  )
  const denied = await json('why')
  assert.deepEqual([at(denied.document, '0.cause'), at(denied.document, '0.permanent')], ['registration-denied', false])
  api.removeModem(api.modems[0]!)
  assert.match((await run('why')).stdout, /^Nothing has failed\.\nBut no modem is here: `mmctl ports --explain` and/)
})

test('why names a modem that has not failed and that no link can use', has, async (context) => {
  const { api, run, json } = await scene(context)
  const [modem, link] = [api.modems[0]!, api.links[0]!]
  modem.change({ state: 'searching', stateReason: 'The modem looks for a network.', registration: 'searching' })
  const told = `
  seen   The modem looks for a network.
  means  The modem is not registered with a network.
  to do  Check the antenna and the place with \`mmctl signal\`; ask your operator
         whether it has a network there.
`
  assert.equal((await run('why')).stdout, `Nothing has failed.\n\nmodem ${MODEM_SNAPSHOT.id}: searching${told}`)
  assert.equal((await run('why', '0')).stdout, `${MODEM_SNAPSHOT.id}: nothing has failed (searching).${told}`)
  const { document } = await json('why')
  assert.deepEqual(
    ['modem', 'state', 'stateReason', 'cause'].map((key) => at(document, `0.${key}`)),
    [MODEM_SNAPSHOT.id, 'searching', 'The modem looks for a network.', 'no-network'],
  )
  link.change({ state: 'failed', cause: 'no-network', causeDetail: 'no network' })
  assert.match((await run('why')).stdout, /^link demo: no-network\n(?![\s\S]*modem imei)/)
  link.change({ cause: 'busy', causeDetail: 'BUSY' })
  assert.match((await run('why')).stdout, /^link demo: busy\n[\s\S]*\n\nmodem imei_356938035643809: searching\n/)
  modem.change({ state: 'connected', registration: 'home' })
  link.change({ state: 'up', cause: undefined })
  assert.equal((await run('why')).stdout, 'Nothing has failed.\n')
})
