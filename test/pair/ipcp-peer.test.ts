/** IPCP against a peer played by hand: the habits of GSM modems, and addresses that nobody may give. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CODE, type ConfigOption, u32Option, u32Value } from '../../src/ppp/wire/packets.ts'
import { IPCP } from '../../src/ppp/wire/protocols.ts'
import { down, ending, ip, isRunning, packetsSent, SERVER } from './ends.ts'
import { ADDRESS, address, DNS1, DNS2, givesAddress, withPeer } from './scripted.ts'

for (const naks of [10, 30]) {
  test(`${naks} Naks with the placeholders 10.11.12.13 and .14: tolerated, slower and slower, never published`, () => {
    let count = 0
    const { link, end } = withPeer((packet, peer) => {
      if (packet.protocol !== IPCP || packet.code !== CODE.configureRequest) return
      if (++count > naks) return givesAddress(packet, peer)
      const placeholders = [
        u32Option(DNS1, ip('10.11.12.13')),
        u32Option(DNS2, ip('10.11.12.14')),
        u32Option(130, ip('10.11.12.13')),
      ]
      peer.sendOptions(IPCP, CODE.configureNak, packet.id, placeholders)
    })
    link.open().run(60_000)
    assert.ok(isRunning(end), ending(end))
    assert.deepEqual(address(end), { local: '100.64.3.7', peer: '0.0.0.0', dns: ['192.0.2.53', '192.0.2.54'] })
    const requests = packetsSent(end).filter((text) => text.includes('IPCP ConfReq'))
    assert.equal(requests.length, naks + 2)
    assert.ok(!requests.join().includes('10.11.12'))
    assert.equal(
      new Set(requests.map((text) => /id=(\S+)/.exec(text)![1])).size,
      requests.length,
      'each has a new identifier',
    )
  })
}

test('the Naks are spaced half a second to a second apart', () => {
  const times: number[] = []
  const { link } = withPeer((packet, peer) => {
    if (packet.protocol !== IPCP || packet.code !== CODE.configureRequest) return
    times.push(link.nowMs)
    peer.sendOptions(IPCP, CODE.configureNak, packet.id, [u32Option(DNS1, ip('10.11.12.13'))])
  })
  link.open().run(20_000)
  const gaps = times.slice(2).map((time, index) => time - times[index + 1]!)
  assert.ok(gaps.length > 15)
  assert.ok(
    gaps.every((gap) => gap >= 500 && gap <= 1100),
    gaps.join(),
  )
})

test('placeholders for ever: up without name servers', () => {
  const { link, end } = withPeer((packet, peer) => {
    if (packet.protocol !== IPCP || packet.code !== CODE.configureRequest) return
    const naks: ConfigOption[] = []
    for (const { type, data } of packet.options) {
      if (type === ADDRESS && data.every((octet) => octet === 0)) naks.push(u32Option(ADDRESS, ip('100.64.3.7')))
      if (type === DNS1 || type === DNS2) naks.push(u32Option(type, ip('10.11.12.13')))
    }
    if (naks.length > 0) return peer.sendOptions(IPCP, CODE.configureNak, packet.id, naks)
    peer.ack(packet)
    peer.send(IPCP, CODE.configureRequest, 0)
  })
  link.open().run(60_000)
  assert.ok(isRunning(end), ending(end))
  assert.deepEqual(address(end), { local: '100.64.3.7', peer: '0.0.0.0', dns: [] })
})

test('DNS that is rejected, or useless, is dropped singly', () => {
  const { link, end } = withPeer((packet, peer) => {
    if (packet.protocol !== IPCP || packet.code !== CODE.configureRequest) return
    const second = packet.options.find(({ type }) => type === DNS2)
    const first = packet.options.find(({ type }) => type === DNS1)
    if (second) return peer.sendOptions(IPCP, CODE.configureReject, packet.id, [second])
    if (u32Value(packet.options[0]!) === 0) {
      return peer.sendOptions(IPCP, CODE.configureNak, packet.id, [
        u32Option(ADDRESS, ip('100.64.3.7')),
        u32Option(DNS1, ip('127.0.0.1')),
      ])
    }
    assert.equal(first, undefined)
    peer.ack(packet)
    peer.sendOptions(IPCP, CODE.configureRequest, 9, [u32Option(ADDRESS, ip('10.64.64.64'))])
  })
  link.open().run(5000)
  assert.deepEqual(address(end), { local: '100.64.3.7', peer: '10.64.64.64', dns: [] })
})

for (const useless of ['0.0.0.0', '127.0.0.5', '224.0.0.1', '255.255.255.255', '0.1.2.3', '240.0.0.1']) {
  test(`no address: the peer offers only ${useless}`, () => {
    const { link, end } = withPeer((packet, peer) => {
      if (packet.protocol === IPCP && packet.code === CODE.configureRequest)
        peer.sendOptions(IPCP, CODE.configureNak, packet.id, [u32Option(ADDRESS, ip(useless))])
    })
    link.open().run(60_000)
    assert.equal(ending(end), 'no-address 10')
    assert.match(
      down(end)!.failure.detail,
      /^IPCP: the peer offered only .* as our address; last received \[IPCP ConfNak/,
    )
  })
}

test('no address: the option is rejected, or 0.0.0.0 acknowledged', () => {
  for (const code of [CODE.configureReject, CODE.configureAck]) {
    const { link, end } = withPeer((packet, peer) => {
      if (packet.protocol !== IPCP || packet.code !== CODE.configureRequest) return
      peer.sendOptions(IPCP, code, packet.id, code === CODE.configureAck ? packet.options : packet.options.slice(0, 1))
    })
    link.open().run(60_000)
    assert.equal(ending(end), 'no-address 10')
  }
})

test("the peer's address: unusable ones are rejected, VJ and old options too, in order and unmodified", () => {
  const { link, peer, end, flush } = withPeer(givesAddress)
  link.open().run(100)
  const vj = { type: 2, data: Uint8Array.of(0, 0x2d, 15, 1) }
  const old = { type: 1, data: new Uint8Array(8) }
  peer.sendOptions(IPCP, CODE.configureRequest, 77, [vj, u32Option(ADDRESS, ip('127.0.0.1')), old, u32Option(DNS1, 0)])
  flush()
  link.run(100)
  assert.ok(
    packetsSent(end).includes(
      '[IPCP ConfRej id=0x4d <compress VJ 0f 01> <addr 127.0.0.1> <addrs 0.0.0.0 0.0.0.0> <ms-dns1 0.0.0.0>]',
    ),
  )
})

test('IPCP naks for ever: ipcp-failed', () => {
  let host = 1
  const { link, end } = withPeer((packet, peer) => {
    if (packet.protocol === IPCP && packet.code === CODE.configureRequest)
      peer.sendOptions(IPCP, CODE.configureNak, packet.id, [u32Option(ADDRESS, ip('100.64.0.0') + ++host)])
  })
  link.open().run(60_000)
  assert.equal(ending(end), 'ipcp-failed 10')
  assert.ok(end.sent.length < 80)
})

test('a peer that insists on another address than it is given is told so to the end', () => {
  const { link, peer, end, flush } = withPeer((packet, from) => {
    if (packet.protocol === IPCP && packet.code === CODE.configureRequest) from.ack(packet)
    if (packet.protocol === IPCP && packet.code === CODE.configureNak)
      from.sendOptions(IPCP, CODE.configureRequest, packet.id + 1, [u32Option(ADDRESS, ip('10.9.9.9'))])
  }, SERVER)
  link.open().run(50)
  peer.sendOptions(IPCP, CODE.configureRequest, 1, [u32Option(ADDRESS, ip('10.9.9.9'))])
  flush()
  link.run(60_000)
  assert.equal(ending(end), 'ipcp-failed 10')
  assert.match(
    down(end)!.failure.detail,
    /^IPCP: the peer keeps asking for what was refused 30 times; last received \[IPCP ConfReq/,
  )
  assert.ok(!packetsSent(end).some((text) => text.includes('ConfRej')))
})

test('echo codes inside IPCP get a Code-Reject', () => {
  const { link, peer, end, flush } = withPeer(givesAddress)
  link.open().run(1000)
  peer.send(IPCP, CODE.echoRequest, 5, new Uint8Array(4))
  peer.send(IPCP, CODE.protocolReject, 6, new Uint8Array(4))
  flush()
  link.run(100)
  const rejects = packetsSent(end).filter((text) => text.startsWith('[IPCP CodeRej'))
  assert.equal(rejects.length, 2)
  assert.ok(isRunning(end))
})

test('a server gives the address and the name servers it has, and takes a peer that names no address', () => {
  const { link, peer, end, flush } = withPeer((packet, from) => {
    if (packet.protocol === IPCP && packet.code === CODE.configureRequest) from.ack(packet)
  }, SERVER)
  link.open().run(50)
  peer.sendOptions(IPCP, CODE.configureRequest, 1, [u32Option(ADDRESS, 0), u32Option(DNS1, 0), u32Option(DNS2, 0)])
  flush()
  link.run(50)
  assert.ok(
    packetsSent(end).includes('[IPCP ConfNak id=0x1 <addr 10.64.0.2> <ms-dns1 10.64.0.53> <ms-dns2 10.64.0.54>]'),
  )
  peer.sendOptions(IPCP, CODE.configureRequest, 2, [])
  peer.sendOptions(IPCP, CODE.configureRequest, 3, [])
  flush()
  link.run(50)
  assert.ok(packetsSent(end).includes('[IPCP ConfNak id=0x2 <addr 10.64.0.2>]'), 'asks once')
  assert.ok(packetsSent(end).includes('[IPCP ConfAck id=0x3]'))
  assert.ok(isRunning(end))
})

test('a server without an address to give rejects 0.0.0.0', () => {
  const { link, peer, end, flush } = withPeer(() => {}, { ...SERVER, remoteAddress: 0, dnsServers: [] })
  link.open().run(50)
  peer.sendOptions(IPCP, CODE.configureRequest, 1, [u32Option(ADDRESS, 0), u32Option(DNS1, 0)])
  flush()
  link.run(50)
  assert.ok(packetsSent(end).includes('[IPCP ConfRej id=0x1 <addr 0.0.0.0> <ms-dns1 0.0.0.0>]'))
})
