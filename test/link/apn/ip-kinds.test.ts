/** A network that takes no context of IPv4 and IPv6 at once: the same attempt goes on with one, which is remembered for the SIM. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IpLimit } from '../../../src/base/cause.ts'
import type { DialFailure } from '../../../src/modem/snapshot.ts'
import { assertAtRest, connect, Rig } from '../rig.ts'

const PROFILE = '[profile]\napn = internet\nip = 46\n[redial]\napn-refused = stop\n'

function refusal(ipLimit: IpLimit | undefined): DialFailure {
  const detail = 'NO CARRIER to ATD*99#; +CEER: PDN type IPv4 only allowed (#50, IPv4 only)'
  return { cause: 'apn-refused', detail, chatExit: 5, ...(ipLimit && { ipLimit }) }
}

/** The network takes these kinds of address; another is refused as `limit` says. */
function rigWith(takes: string, limit: (ip: string) => IpLimit | undefined, profile = PROFILE): Rig {
  const rig = new Rig({ demo: profile })
  rig.modem.onDial = (dial) => {
    if (takes === dial.request.ipType) dial.connect('CONNECT')
    else dial.fail(refusal(limit(dial.request.ipType)))
  }
  return rig
}

const dialled = (rig: Rig) => rig.modem.dials.map(({ request }) => [request.ipType, request.isIpAlone])

for (const alone of ['4', '6'] as const)
  test(`IPv${alone} alone, in the same attempt, and at once the next time with this SIM`, async () => {
    const rig = rigWith(alone, () => ({ ip: alone, isCertain: true }))
    const { answer, link } = await connect(rig)
    assert.deepEqual(dialled(rig), [
      ['46', false],
      [alone, true],
    ])
    rig.session.up([])
    await rig.clock.advance(1000)
    assert.equal(answer.end, 'done')
    assert.equal(link.snapshot.attempts, 1)
    await link.down()
    await connect(rig)
    assert.deepEqual(dialled(rig).slice(2), [[alone, true]])
    await link.down()
    rig.modem.set({ sim: { status: 'ready', iccid: '8931440400000000025' } })
    await connect(rig)
    assert.deepEqual(dialled(rig)[3], ['46', false], 'another SIM may have both')
    await link.down()
    assertAtRest(rig)
  })

test('a number that may mean something else is taken for it once; the APN is at fault where it was not that', async () => {
  const rig = rigWith('none', () => ({ ip: '4', isCertain: false }))
  const { link } = await connect(rig)
  assert.deepEqual(
    dialled(rig).map(([ip]) => ip),
    ['46', '4'],
  )
  assert.equal(link.snapshot.cause, 'apn-refused')
})

test('refused from one to the other: each kind once', async () => {
  const rig = rigWith('none', (ip) => ({ ip: ip === '4' ? '6' : '4', isCertain: true }))
  await connect(rig)
  assert.deepEqual(
    dialled(rig).map(([ip]) => ip),
    ['46', '4', '6'],
  )
})

test('a profile that asks for one kind gets that or nothing', async () => {
  const rig = rigWith('6', () => ({ ip: '6', isCertain: true }), '[profile]\napn = internet\nip = 4\n')
  await connect(rig)
  assert.deepEqual(dialled(rig), [['4', false]])
})
