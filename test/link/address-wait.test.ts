/** A link with IPv6 is up when it has all that it asks for, when something of that will not come, or after a second. On virtual time. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseIpv4 } from '../../src/base/ipv4.ts'
import { parseIpv6 } from '../../src/base/ipv6.ts'
import type { CheckPath, Reach } from '../../src/link/check/reach.ts'
import { assertAtRest, connect, hangUp, Rig } from './rig.ts'

const IP4 = { local: parseIpv4('10.64.0.2')!, peer: parseIpv4('10.64.64.64')!, dns: [parseIpv4('198.51.100.53')!] }
const LINK_LOCAL = { local: parseIpv6('fe80::2')!, peer: parseIpv6('fe80::1')! }
const IP6 = {
  ...LINK_LOCAL,
  global: { address: parseIpv6('2001:db8:64::2')!, prefixLength: 64, gateway: LINK_LOCAL.peer },
}

/** Dialled, with the engine's session to lead; `answer` is the one that a caller of Connect gets. */
async function dialled(ip: string, text = '', reach: Reach = async () => {}) {
  const rig = new Rig({ demo: `[profile]\nip = ${ip}\n${text}` }, { reach })
  const { link, answer } = await connect(rig)
  const call = rig.dial.connect('CONNECT')
  await rig.settle()
  const addresses = () => [link.snapshot.ip4?.address, link.snapshot.ip6?.address]
  return { rig, call, session: rig.session, answer, addresses }
}

test('both kinds: whoever waits for the link has both addresses and the name servers', async () => {
  const { rig, session, answer, addresses } = await dialled('46')
  session.upWithIp6(LINK_LOCAL)
  await rig.settle()
  assert.deepEqual([answer.end, ...addresses()], [undefined, undefined, 'fe80::2'])
  session.upWithIp6(IP6)
  await rig.settle()
  assert.deepEqual([answer.end, ...addresses()], [undefined, undefined, '2001:db8:64::2'])
  await rig.clock.advance(300)
  session.upWithIp6(IP6, IP4)
  await rig.settle()
  assert.deepEqual([answer.end, ...addresses()], ['done', '10.64.0.2', '2001:db8:64::2'])
  assert.deepEqual(rig.resolver.log.at(-1), 'ppp0: 198.51.100.53')
  assert.equal(rig.link().snapshot.phaseMs.address, 300)
  assertAtRest(rig)
})

test('a protocol that was given up is not waited for, before the other or after it', async () => {
  const before = await dialled('46')
  before.session.phase('network')
  before.session.stopped('ipv6')
  before.session.upWithIp6(undefined, IP4)
  await before.rig.settle()
  assert.deepEqual([before.answer.end, ...before.addresses()], ['done', '10.64.0.2', undefined])
  assertAtRest(before.rig)

  const after = await dialled('46')
  after.session.upWithIp6(IP6)
  await after.rig.settle()
  assert.equal(after.answer.end, undefined)
  after.session.stopped('ipv4')
  await after.rig.settle()
  assert.deepEqual([after.answer.end, ...after.addresses()], ['done', undefined, '2001:db8:64::2'])
  assertAtRest(after.rig)
})

for (const [ip, first] of [
  ['46', LINK_LOCAL],
  ['46', IP6],
  ['6', LINK_LOCAL],
] as const)
  test(`ip = ${ip}: what nobody tells of is waited for a second, from the first kind on`, async () => {
    const { rig, session, answer, addresses } = await dialled(ip)
    await rig.clock.advance(5000)
    session.upWithIp6(first)
    await rig.clock.advance(500)
    session.upWithIp6({ ...first })
    await rig.clock.advance(499)
    assert.equal(answer.end, undefined)
    await rig.clock.advance(1)
    assert.equal(answer.end, 'done')
    assertAtRest(rig)
    const { upSinceUs } = rig.link().snapshot
    session.upWithIp6(IP6, ip === '46' ? IP4 : undefined)
    await rig.settle()
    assert.deepEqual(addresses(), [ip === '46' ? '10.64.0.2' : undefined, '2001:db8:64::2'])
    assert.deepEqual([rig.state(), rig.link().snapshot.upSinceUs], ['up', upSinceUs], 'that is no new beginning')
    // Neither is less than there was.
    session.upWithIp6(LINK_LOCAL)
    await rig.settle()
    assert.equal(rig.state(), 'up')
    assertAtRest(rig)
  })

test('IPv4 alone waits for nothing', async () => {
  const { rig, session, answer } = await dialled('4')
  session.up()
  await rig.settle()
  assert.equal(answer.end, 'done')
  assertAtRest(rig)
})

test('a peer that negotiates anew is waited for anew, also for what it did not take before', async () => {
  const { rig, session } = await dialled('46')
  session.stopped('ipv6')
  session.upWithIp6(undefined, IP4)
  await rig.settle()
  assert.equal(rig.state(), 'up')
  for (const phase of ['establish', 'authenticate', 'network'] as const) session.phase(phase)
  session.upWithIp6(LINK_LOCAL, IP4)
  await rig.clock.advance(999)
  assert.equal(rig.state(), 'configuring')
  session.upWithIp6(IP6, IP4)
  await rig.settle()
  assert.equal(rig.state(), 'up')
  assertAtRest(rig)
})

test('a link that falls or is asked down while it waits does not come up any more', async () => {
  const fallen = await dialled('46')
  fallen.session.upWithIp6(IP6)
  await fallen.rig.clock.advance(500)
  await hangUp(fallen.rig)
  assert.equal(fallen.rig.state(), 'failed')
  assertAtRest(fallen.rig)

  const asked = await dialled('46')
  asked.session.isDeaf = true
  asked.session.upWithIp6(IP6)
  await asked.rig.clock.advance(500)
  const down = asked.rig.watch(asked.rig.link().down())
  await asked.rig.clock.advance(1000)
  assert.equal(asked.rig.state(), 'going-down')
  await asked.rig.clock.advance(10_000)
  assert.deepEqual([down.end, asked.rig.state()], ['done', 'idle'])
  assertAtRest(asked.rig)

  const lost = await dialled('46')
  lost.session.isDeaf = true
  lost.session.upWithIp6(IP6)
  await lost.rig.clock.advance(500)
  lost.call.lose({ cause: 'hung-up', detail: 'NO CARRIER' }, 'works')
  await lost.rig.clock.advance(1000)
  assert.equal(lost.rig.state(), 'going-down')
})

test('the host of a check is asked once the link has what it waits for', async () => {
  const paths: CheckPath[] = []
  const reach: Reach = async (_, path) => {
    paths.push(path)
  }
  const { rig, session, answer } = await dialled('46', 'check = example.org:443\n', reach)
  session.upWithIp6(IP6)
  await rig.clock.advance(500)
  assert.deepEqual(paths, [])
  session.upWithIp6(IP6, IP4)
  await rig.settle()
  assert.equal(answer.end, 'done')
  assert.deepEqual(paths, [{ interfaceName: 'ppp0', hasIp4: true, hasIp6: true, dns: ['198.51.100.53'] }])
})
