import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { ModemdError } from '../../../src/base/errors.ts'
import { parseIpv4 } from '../../../src/base/ipv4.ts'
import { formatIpv6, parseIpv6 } from '../../../src/base/ipv6.ts'
import { silentLogger } from '../../../src/base/ports.ts'
import { createBuiltinEngine } from '../../../src/ppp/engines/builtin.ts'
import type { PppLink, PppLinkEvent } from '../../../src/ppp/engines/engine.ts'
import { CLIENT_DEFAULTS, type PppSettings, SERVER_DEFAULTS } from '../../../src/ppp/settings.ts'
import type { InterfaceAddress, RouteSocket } from '../../../src/system/netlink.ts'
import type { Tun } from '../../../src/system/tun.ts'
import { needs } from '../../support/needs.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import { type VirtualWire, virtualWires } from '../../support/virtual-wire.ts'

const LOCAL = parseIpv4('10.64.0.2')!
const PEER = parseIpv4('10.64.64.64')!

class FakeTun implements Tun {
  readonly name = 'ppp0'
  readonly drops = 0
  readonly written: Uint8Array[] = []
  isClosed = false
  isPaused = false
  #listener: (packet: Uint8Array) => void = () => {}
  #turnEnded = () => {}
  gone = () => {}

  /** All that were ready at once. */
  packet(...packets: Uint8Array[]): void {
    for (const each of packets) this.#listener(each)
    this.#turnEnded()
  }

  onPacket(listener: (packet: Uint8Array) => void, turnEnded = () => {}): void {
    this.#listener = listener
    this.#turnEnded = turnEnded
  }

  onGone(listener: () => void): void {
    this.gone = listener
  }

  write(packet: Uint8Array): void {
    this.written.push(packet.slice())
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
  }

  close(): void {
    this.isClosed = true
  }
}

/** One end: an engine on a wire, with what it asked of the system. */
class End {
  readonly events: PppLinkEvent[] = []
  readonly tuns: FakeTun[] = []
  readonly asked: string[] = []
  readonly link: PppLink

  constructor(
    clock: VirtualClock,
    wire: VirtualWire,
    settings: PppSettings,
    seed: number,
    system: { readonly addresses?: InterfaceAddress[]; readonly refusal?: ModemdError; readonly metric?: number } = {},
  ) {
    const engine = createBuiltinEngine({
      clock,
      random: new SeededRandom(seed),
      logger: silentLogger,
      openTun: (name) => {
        if (system.refusal) throw system.refusal
        this.asked.push(`tun ${name}`)
        const tun = new FakeTun()
        this.tuns.push(tun)
        return tun
      },
      openRouteSocket: () => this.#routes(system.addresses ?? []),
    })
    this.link = engine.open(wire, { settings, defaultRouteMetric: system.metric }, (event) => this.events.push(event))
  }

  get tun(): FakeTun {
    return this.tuns.at(-1)!
  }

  count(type: PppLinkEvent['type']): number {
    return this.events.filter((event) => event.type === type).length
  }

  get down(): Extract<PppLinkEvent, { type: 'down' }> {
    return this.events.find((event) => event.type === 'down')!
  }

  #routes(addresses: InterfaceAddress[]): RouteSocket {
    const ask = (what: string, of: unknown) => {
      this.asked.push(
        `${what} ${JSON.stringify(of, (_, value) => (typeof value === 'bigint' ? formatIpv6(value) : value))}`,
      )
    }
    return {
      setLink: async (_, settings) => ask('link', settings),
      keepKernelOutOfIpv6: async () => undefined,
      addAddress: async (_, { local, peer }) => ask('address', [local, peer]),
      removeAddress: async (_, { local }) => ask('no address', [local]),
      addRoute: async ({ metric, advmssBytes }) => ask('route', [metric, advmssBytes]),
      removeRoute: async ({ metric }) => ask('no route', [metric]),
      listAddresses: async () => addresses,
      listIpv6Addresses: async () => [],
      listRoutes: async () => [],
      listIpv6Routes: async () => [],
      close: () => this.asked.push('closed'),
    }
  }
}

const SERVER = { ...SERVER_DEFAULTS, localAddress: PEER, remoteAddress: LOCAL, echoIntervalMs: 0 }
const CLIENT = { ...CLIENT_DEFAULTS, echoIntervalMs: 0 }

function ipv4Packet(length: number): Uint8Array {
  const packet = new Uint8Array(length)
  packet[0] = 0x45
  return packet
}

test('brings the interface up, carries IPv4 only, counts, and takes it down before the good-bye', async () => {
  const clock = new VirtualClock()
  const [near, far] = virtualWires(clock, { latencyMs: 1 })
  const client = new End(clock, near, CLIENT, 1, { metric: 700 })
  const server = new End(clock, far, SERVER, 2)
  await clock.advance(1000)
  assert.deepEqual(client.asked, [
    'tun ppp%d',
    'link {"up":true,"mtuBytes":1500}',
    `address [${LOCAL},${PEER}]`,
    'route [700,1460]',
    'closed',
  ])
  assert.equal(
    server.asked.some((what) => what.startsWith('route')),
    false,
  )
  assert.equal(clock.pending, 0, 'no timer without anything due')

  client.tun.packet(ipv4Packet(100))
  client.tun.packet(Uint8Array.of(0x60, 0, 0, 0))
  server.tun.packet(ipv4Packet(40))
  await clock.advance(10)
  assert.deepEqual(server.tun.written, [ipv4Packet(100)])
  assert.deepEqual(client.tun.written, [ipv4Packet(40)])
  assert.deepEqual(client.link.counters(), { rxBytes: 40n, txBytes: 100n })
  assert.deepEqual(server.link.counters(), { rxBytes: 100n, txBytes: 40n })

  client.link.terminate({ cause: 'user-request', detail: 'asked for' })
  assert.equal(client.tun.isPaused, true)
  await clock.advance(0)
  assert.equal(client.tun.isClosed, true)
  assert.equal(client.count('down'), 0)
  await clock.advance(10_000)
  assert.deepEqual(client.down.failure, { cause: 'user-request', detail: 'asked for' })
  assert.deepEqual([server.down.failure.cause, server.tun.isClosed], ['hung-up', true])
  for (const end of [client, server]) {
    const terminate = end.events.find((event) => event.type === 'phase' && event.phase === 'terminate')
    assert.deepEqual(terminate, { type: 'phase', phase: 'terminate', failure: end.down.failure })
  }
  assert.deepEqual([client.count('down'), server.count('down'), near.isClosed], [1, 1, false])
  client.link.terminate({ cause: 'idle', detail: '' })
  assert.equal(clock.pending, 0)
})

test('stops reading the interface while the line is full', async () => {
  const clock = new VirtualClock()
  const [near, far] = virtualWires(clock, { latencyMs: 1, highWaterBytes: 2000 })
  const client = new End(clock, near, CLIENT, 1)
  const server = new End(clock, far, SERVER, 2)
  await clock.advance(1000)
  client.tun.packet(ipv4Packet(1000))
  assert.equal(client.tun.isPaused, false)
  client.tun.packet(ipv4Packet(1000))
  assert.equal(client.tun.isPaused, true)
  await clock.advance(5)
  assert.equal(client.tun.isPaused, false)
  assert.equal(server.tun.written.length, 2)
})

test('IPv6 beside IPv4: one interface, configured again; packets of both pass, and those of neither do not', async () => {
  const clock = new VirtualClock()
  const [near, far] = virtualWires(clock, { latencyMs: 1 })
  const ids = { localInterfaceId: 0x64n, remoteInterfaceId: 0x2n }
  const client = new End(clock, near, { ...CLIENT, ipv6: true }, 1, { metric: 700 })
  const server = new End(clock, far, { ...SERVER, ipv6: true, ...ids }, 2)
  await clock.advance(1000)
  assert.deepEqual([client.tuns.length, server.tuns.length], [1, 1])
  assert.deepEqual(client.asked.filter((what) => !/^(link|tun|closed)/.test(what)).sort(), [
    `address ["fe80::2","fe80::64"]`,
    `address [${LOCAL},${PEER}]`,
    'route [700,1460]',
  ])
  assert.equal(client.asked.filter((what) => what.startsWith('link')).length, 1)
  const last = client.events.filter((event) => event.type === 'up').at(-1)!
  assert.deepEqual(
    [last.address.ip4?.local, last.address.ip6],
    [LOCAL, { local: parseIpv6('fe80::2'), peer: parseIpv6('fe80::64') }],
  )
  const packet6 = Uint8Array.of(0x60, ...new Array(39).fill(0))
  const neither = Uint8Array.of(0x50, 1, 2, 3)
  client.tun.packet(packet6, neither, ipv4Packet(20))
  server.tun.packet(packet6)
  await clock.advance(10)
  assert.deepEqual(server.tun.written, [packet6, ipv4Packet(20)])
  assert.deepEqual(client.tun.written, [packet6])
  assert.deepEqual(client.link.counters(), { rxBytes: 40n, txBytes: 60n })
})

test('a peer without IPv6: told, before the link is up with IPv4 alone', async () => {
  const clock = new VirtualClock()
  const [near, far] = virtualWires(clock, { latencyMs: 1 })
  const client = new End(clock, near, { ...CLIENT, ipv6: true }, 1)
  new End(clock, far, SERVER, 2)
  await clock.advance(1000)
  const told = client.events.filter(({ type }) => type === 'stopped' || type === 'up')
  assert.deepEqual(
    told.map((event) => (event.type === 'up' ? 'up' : event)),
    [{ type: 'stopped', network: 'ipv6' }, 'up'],
  )
})

test('packets that are ready at once go to the line in few writes, and none waits', async () => {
  const clock = new VirtualClock()
  const [near, far] = virtualWires(clock, { latencyMs: 1 })
  const client = new End(clock, near, CLIENT, 1)
  const server = new End(clock, far, SERVER, 2)
  await clock.advance(1000)
  let writes = 0
  const write = near.write.bind(near)
  near.write = (bytes) => {
    writes++
    return write(bytes)
  }
  const packets = Array.from({ length: 48 }, (_, index) => ipv4Packet(100 + index))
  client.tun.packet(...packets)
  assert.equal(writes, 1)
  client.tun.packet(...Array.from({ length: 64 }, () => ipv4Packet(1500)))
  assert.ok(writes > 8 && writes < 32, `${writes} writes`)
  client.tun.packet(ipv4Packet(20))
  await clock.advance(10)
  assert.equal(server.tun.written.length, 113)
  assert.deepEqual(server.tun.written.slice(0, 48), packets)
})

test('a peer that begins anew gets a new interface, and no packet in between', async () => {
  const clock = new VirtualClock()
  const [near, far] = virtualWires(clock, { latencyMs: 1 })
  const client = new End(clock, near, CLIENT, 1)
  new End(clock, far, SERVER, 2)
  await clock.advance(1000)
  const [first] = client.tuns
  new End(clock, far, SERVER, 3)
  await clock.step()
  await clock.step()
  assert.equal(first?.isClosed, true)
  await clock.advance(10_000)
  assert.deepEqual([client.count('up'), client.count('down'), client.tuns.length], [2, 0, 2])
  assert.equal(client.tun.isClosed, false)
})

test('an interface that cannot be made, or that somebody removes, ends the link with its cause', async () => {
  const refusal = new ModemdError('NotAuthorized', 'cannot open /dev/net/tun: permission denied (EACCES)', 'permission')
  for (const kind of ['refused', 'removed'] as const) {
    const clock = new VirtualClock()
    const [near, far] = virtualWires(clock)
    const client = new End(clock, near, CLIENT, 1, kind === 'refused' ? { refusal } : {})
    const server = new End(clock, far, SERVER, 2)
    await clock.advance(1000)
    if (kind === 'removed') client.tun.gone()
    await clock.advance(10_000)
    assert.equal(client.down.failure.cause, kind === 'refused' ? 'permission' : 'internal')
    assert.match(client.down.failure.detail, kind === 'refused' ? /\/dev\/net\/tun/ : /removed the interface ppp0/)
    assert.equal(client.count('up'), kind === 'refused' ? 0 : 1)
    assert.equal(server.down.failure.cause, 'hung-up')
  }
})

test('addresses of our own networks: ours is refused, the far one left out', async () => {
  const lan = (address: string): InterfaceAddress[] => [
    { interfaceName: 'lo', local: parseIpv4('127.0.0.1')!, prefixLength: 8 },
    // Another link with the same far end, as GSM modems have it, is no conflict.
    { interfaceName: 'ppp9', local: parseIpv4('10.64.0.3')!, peer: PEER, prefixLength: 32 },
    { interfaceName: 'eth0', local: parseIpv4(address)!, prefixLength: 24 },
  ]
  for (const [address, expected] of [
    ['192.168.1.1', `address [${LOCAL},${PEER}]`],
    ['10.64.64.1', `address [${LOCAL},0]`],
    ['10.64.0.200', undefined],
  ] as const) {
    const clock = new VirtualClock()
    const [near, far] = virtualWires(clock)
    const client = new End(clock, near, CLIENT, 1, { addresses: lan(address) })
    new End(clock, far, SERVER, 2)
    await clock.advance(10_000)
    assert.equal(
      client.asked.find((what) => what.startsWith('address')),
      expected,
    )
    const up = client.events.find((event) => event.type === 'up')
    assert.equal(up?.address.ip4?.peer, address === '10.64.64.1' ? 0 : expected && PEER)
    if (expected) continue
    assert.equal(client.down.failure.cause, 'no-address')
    assert.match(client.down.failure.detail, /10\.64\.0\.2, which belongs to the network of eth0/)
    assert.equal(client.tun.isClosed, true)
  }
})

test('the line is lost: down at once', async () => {
  const clock = new VirtualClock()
  const [near, far] = virtualWires(clock)
  const client = new End(clock, near, CLIENT, 1)
  new End(clock, far, SERVER, 2)
  await clock.advance(1000)
  near.hangUp('input/output error')
  assert.deepEqual([client.down.failure.cause, client.tun.isClosed], ['hung-up', false], 'who waits hears of it first')
  await clock.advance(0)
  assert.equal(client.tun.isClosed, true)
})

test('says whether it can be used here', needs('tun', 'unshare'), () => {
  const script = `import { builtinUsable } from './src/ppp/engines/builtin.ts'; console.log(JSON.stringify(builtinUsable()))`
  const ask = (...prefix: string[]): unknown => {
    const args = ['-Urnm', ...prefix, process.execPath, '--import', 'tsx', '--input-type=module', '-e', script]
    return JSON.parse(execFileSync('unshare', args, { encoding: 'utf8' }))
  }
  assert.deepEqual(ask(), { ok: true })
  assert.deepEqual(ask('setpriv', '--inh-caps=-net_admin', '--bounding-set=-net_admin'), {
    ok: false,
    why: 'making a network interface needs CAP_NET_ADMIN (run as root)',
  })
  assert.match(JSON.stringify(ask('sh', '-c', 'mount -t tmpfs none /dev && exec "$@"', 'sh')), /ENOENT/)
})
