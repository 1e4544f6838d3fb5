/** Whose idea of an address wins, and which addresses a peer may have. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatIpv4 } from '../../src/base/ipv4.ts'
import type { PppSettings } from '../../src/ppp/settings.ts'
import { CODE, u32Option } from '../../src/ppp/wire/packets.ts'
import { IPCP } from '../../src/ppp/wire/protocols.ts'
import { down, ending, eventsOf, ip, isRunning, packetsSent, pair, SERVER } from './ends.ts'
import { ADDRESS, address, withPeer } from './scripted.ts'

const addresses = (link: ReturnType<typeof pair>) =>
  [link.a, link.b].map((end) => {
    const { local, peer } = eventsOf(end, 'up')[0]!.address.ip4!
    return `${formatIpv4(local)} ${formatIpv4(peer)}`
  })

test('a client with an address of its own keeps it, or takes the better one where it may', () => {
  const own = { localAddress: ip('10.1.1.1') }
  const keeps = pair(own).open().run(60_000)
  assert.equal(ending(keeps.a), 'ipcp-failed 10')
  assert.match(down(keeps.a)!.failure.detail, /^IPCP: the peer wants us to be 10\.64\.0\.2, not 10\.1\.1\.1/)
  const takes = pair({ ...own, acceptLocal: true })
    .open()
    .run(1000)
  assert.deepEqual(addresses(takes), ['10.64.0.2 10.64.0.1', '10.64.0.1 10.64.0.2'])
  const isTaken = pair(own, { acceptRemote: true }).open().run(1000)
  assert.deepEqual(addresses(isTaken), ['10.1.1.1 10.64.0.1', '10.64.0.1 10.1.1.1'])
})

test('accept-remote gives the address to a peer that has none, and no useless one is accepted', () => {
  const link = pair({}, { acceptRemote: true }).open().run(1000)
  assert.deepEqual(addresses(link), ['10.64.0.2 10.64.0.1', '10.64.0.1 10.64.0.2'])
  const { link: other, peer, end, flush } = withPeer(() => {}, { ...SERVER, acceptRemote: true })
  other.open().run(10)
  for (const [id, useless] of ['127.0.0.1', '224.0.0.1', '255.255.255.255', '0.0.0.9', '10.64.0.1'].entries()) {
    peer.sendOptions(IPCP, CODE.configureRequest, id, [u32Option(ADDRESS, ip(useless))])
    flush()
    other.run(10)
    assert.ok(packetsSent(end).includes(`[IPCP ConfNak id=0x${id} <addr 10.64.0.2>]`), useless)
  }
})

test('each examined peer gets its own address, the others the general one', () => {
  const server: Partial<PppSettings> = {
    requiresAuth: ['chap'],
    secretOf: () => 'sesame',
    remoteAddressOf: (name) => (name === 'demo' ? ip('10.64.0.77') : undefined),
  }
  assert.equal(addresses(pair({}, server).open().run(1000))[0], '10.64.0.77 10.64.0.1')
  assert.equal(addresses(pair({ user: 'else' }, server).open().run(1000))[0], '10.64.0.2 10.64.0.1')
  const unexamined = { ...server, requiresAuth: [] }
  assert.equal(addresses(pair({}, unexamined).open().run(1000))[0], '10.64.0.2 10.64.0.1')
})

test('a peer may have only what it is allowed', () => {
  const asked: [number, string | undefined][] = []
  const server: Partial<PppSettings> = {
    requiresAuth: ['pap'],
    remoteAddress: 0,
    allowsRemoteAddress: (address, name) => {
      asked.push([address, name])
      return address === ip('10.5.5.5')
    },
  }
  const allowed = pair({ localAddress: ip('10.5.5.5') }, server)
    .open()
    .run(1000)
  assert.deepEqual(addresses(allowed), ['10.5.5.5 10.64.0.1', '10.64.0.1 10.5.5.5'])
  assert.ok(asked.length > 0)
  for (const each of asked) assert.deepEqual(each, [ip('10.5.5.5'), 'demo'])
  const refused = pair({ localAddress: ip('10.5.5.6') }, server)
    .open()
    .run(60_000)
  assert.equal(ending(refused.b), 'ipcp-failed 10')
  assert.match(down(refused.b)!.failure.detail, /^IPCP: the peer "demo" may not have the address 10\.5\.5\.6/)
  assert.equal(eventsOf(refused.b, 'up').length, 0)
  const { link, peer, end, flush } = withPeer(() => {}, { ...SERVER, ...server, requiresAuth: [] })
  link.open().run(10)
  peer.sendOptions(IPCP, CODE.configureRequest, 1, [])
  flush()
  link.run(60_000)
  assert.match(down(end)!.failure.detail, /^IPCP: the peer names no address/)
})

test('the address that the settings give is asked about too', () => {
  const link = pair({}, { allowsRemoteAddress: () => false })
    .open()
    .run(60_000)
  assert.match(down(link.b)!.failure.detail, /^IPCP: the peer may not have the address 10\.64\.0\.2/)
})

test('a peer that claims our own address is refused it, and does not get it as its own', () => {
  const { link, peer, end, flush } = withPeer(
    (packet, from) => {
      if (packet.protocol === IPCP && packet.code === CODE.configureRequest) from.ack(packet)
    },
    { localAddress: ip('10.9.9.9') },
  )
  link.open().run(10)
  peer.sendOptions(IPCP, CODE.configureRequest, 1, [u32Option(ADDRESS, ip('10.9.9.9'))])
  flush()
  link.run(10)
  assert.ok(packetsSent(end).includes('[IPCP ConfRej id=0x1 <addr 10.9.9.9>]'))
  peer.sendOptions(IPCP, CODE.configureRequest, 2, [])
  flush()
  link.run(10)
  assert.ok(isRunning(end))
  assert.equal(address(end).peer, '0.0.0.0')
})

test('a peer that gives us the address it took itself: ours, and the peer has none', () => {
  const { link, end } = withPeer((packet, from) => {
    if (packet.protocol !== IPCP || packet.code !== CODE.configureRequest) return
    if (packet.options.every(({ data }) => data.some((octet) => octet !== 0))) return from.ack(packet)
    from.sendOptions(IPCP, CODE.configureRequest, 1, [u32Option(ADDRESS, ip('100.64.3.7'))])
    from.sendOptions(IPCP, CODE.configureNak, packet.id, [
      u32Option(ADDRESS, ip('100.64.3.7')),
      u32Option(129, ip('192.0.2.53')),
      u32Option(131, ip('192.0.2.54')),
    ])
  })
  link.open().run(1000)
  assert.deepEqual(address(end), { local: '100.64.3.7', peer: '0.0.0.0', dns: ['192.0.2.53', '192.0.2.54'] })
})
