/** `PppInterface` with the real kernel: TUN interfaces in a network namespace, and routers that another one sends for. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import type { Failure } from '../../../src/base/cause.ts'
import { formatIpv4, parseIpv4 } from '../../../src/base/ipv4.ts'
import { ALL_NODES, formatIpv6, parseIpv6 } from '../../../src/base/ipv6.ts'
import type { Logger } from '../../../src/base/ports.ts'
import type { LinkAddress } from '../../../src/ppp/engines/engine.ts'
import { PppInterface } from '../../../src/ppp/engines/interface.ts'
import { buildAdvertisement, buildIcmp6Packet, isSolicitation } from '../../../src/ppp/ipv6/router-messages.ts'
import { CLIENT_DEFAULTS, type PppAddress, type PppSettings } from '../../../src/ppp/settings.ts'
import { systemClock } from '../../../src/system/clock.ts'
import { openRouteSocket } from '../../../src/system/netlink.ts'
import { openRouterSocket } from '../../../src/system/router-socket.ts'
import { openTun, type Tun } from '../../../src/system/tun.ts'
import { inNamespace } from '../../support/in-namespace.ts'
import { needs } from '../../support/needs.ts'
import { run } from '../../system/run.ts'
import { until } from '../../system/until.ts'

if (inNamespace(import.meta.url, needs('tun', 'ip', 'unshare'))) tests()

const LOCAL = parseIpv4('10.64.0.2')!
const PEER = parseIpv4('10.64.64.64')!
const DNS = parseIpv4('10.64.0.53')!
const IP4 = { local: LOCAL, peer: PEER, dns: [DNS] }
const IP6 = { local: 0x2n, peer: 0x64n }
const BOTH: PppAddress = { ip4: IP4, ip6: IP6, mtuBytes: 1400 }
const METRIC = 700

function advertisement(text: string, routerSeconds: number): Uint8Array {
  const life = { validSeconds: 7200, preferredSeconds: 3600 }
  return buildAdvertisement({ routerSeconds, prefixes: [{ prefix: parseIpv6(text)!, prefixLength: 64, ...life }] })
}

class Rig {
  readonly tun: Tun
  readonly configured: LinkAddress[] = []
  readonly failures: Failure[] = []
  readonly warnings: string[] = []
  readonly fromKernel: Uint8Array[] = []
  readonly interface: PppInterface

  constructor(t: TestContext, settings: Partial<PppSettings> = {}, { hasDefaultRoute = true } = {}) {
    this.tun = openTun('ppp%d')
    this.tun.onPacket((packet) => this.fromKernel.push(packet.slice()))
    const logger: Logger = { error() {}, info() {}, debug() {}, warn: (message) => this.warnings.push(message) }
    const services = { openRouteSocket, openRouterSocket, clock: systemClock, logger }
    const options = {
      settings: { ...CLIENT_DEFAULTS, ipv6: true, ...settings },
      defaultRouteMetric: hasDefaultRoute ? METRIC : undefined,
    }
    this.interface = new PppInterface(services, options, this.tun.name, {
      configured: (address) => this.configured.push(address),
      failed: (failure) => this.failures.push(failure),
    })
    t.after(() => {
      this.interface.close()
      this.tun.close()
    })
  }

  async configure(agreed: PppAddress): Promise<LinkAddress> {
    const before = this.configured.length
    this.interface.configure(agreed)
    await until('configured', () => this.configured.length > before || this.failures.length > 0)
    assert.deepEqual(this.failures, [])
    return this.configured.at(-1)!
  }

  advertise(text: string, routerSeconds: number): void {
    this.advertiseBytes(advertisement(text, routerSeconds))
  }

  advertiseBytes(message: Uint8Array, { hopLimit = 255, source = 'fe80::64', damage = 0 } = {}): void {
    const packet = buildIcmp6Packet(parseIpv6(source)!, ALL_NODES, message)
    packet[7] = hopLimit
    packet[42]! ^= damage
    this.tun.write(packet)
  }

  async addresses(): Promise<string[]> {
    const { output } = await run('ip', '-o', 'addr', 'show', 'dev', this.tun.name)
    return output.match(/inet6? \S+( peer \S+)?/g) ?? []
  }

  async routes(family: '-4' | '-6'): Promise<string[]> {
    const { output } = await run('ip', family, 'route', 'show', 'dev', this.tun.name)
    const lines = output.split('\n').map((line) => line.replace(/ (proto|scope|pref|src) \S+/g, '').trim())
    return lines.filter((line) => line !== '').sort()
  }
}

function tests(): void {
  test('a second protocol adds, one that goes takes its own along, and an address that changed replaces', async (t) => {
    const rig = new Rig(t)
    const first = await rig.configure({ ...BOTH, ip6: undefined })
    assert.deepEqual(first, { ip4: IP4, ip6: undefined, mtuBytes: 1400 })
    assert.deepEqual(await rig.addresses(), ['inet 10.64.0.2 peer 10.64.64.64/32'])
    assert.deepEqual(await rig.routes('-4'), ['10.64.64.64', 'default metric 700 advmss 1360'])
    assert.match((await run('ip', 'link', 'show', rig.tun.name)).output, /[<,]UP[,>].* mtu 1400/)
    const watch = await monitor(t)

    const second = await rig.configure(BOTH)
    assert.deepEqual([second.ip4, formatIpv6(second.ip6!.local)], [IP4, 'fe80::2'])
    assert.deepEqual(await rig.addresses(), ['inet 10.64.0.2 peer 10.64.64.64/32', 'inet6 fe80::2 peer fe80::64/128'])
    assert.deepEqual(await rig.routes('-4'), ['10.64.64.64', 'default metric 700 advmss 1360'])
    await until('seen', () => watch().includes('fe80::2'))
    assert.doesNotMatch(watch(), /Deleted|10\.64/, 'what stood was not touched')

    await rig.configure({ ...BOTH, ip6: undefined })
    assert.deepEqual(await rig.addresses(), ['inet 10.64.0.2 peer 10.64.64.64/32'])
    const other = { ...IP4, local: parseIpv4('10.64.0.3')! }
    await rig.configure({ ip4: other, ip6: IP6, mtuBytes: 1300 })
    assert.deepEqual(await rig.addresses(), ['inet 10.64.0.3 peer 10.64.64.64/32', 'inet6 fe80::2 peer fe80::64/128'])
    assert.deepEqual(await rig.routes('-4'), ['10.64.64.64', 'default metric 700 advmss 1260'])
  })

  test('clear takes everything off and the interface down, and it can be configured again', async (t) => {
    const rig = new Rig(t)
    await rig.configure(BOTH)
    await rig.interface.clear()
    assert.deepEqual(await rig.addresses(), [])
    assert.deepEqual([await rig.routes('-4'), await rig.routes('-6')], [[], []])
    assert.doesNotMatch((await run('ip', 'link', 'show', rig.tun.name)).output, /[<,]UP[,>]/)
    await rig.configure(BOTH)
    assert.equal((await rig.addresses()).length, 2)
    // At once one after the other: only what was wanted last is heard of.
    const before = rig.configured.length
    void rig.interface.clear()
    await rig.configure({ ...BOTH, mtuBytes: 1350 })
    assert.deepEqual([rig.configured.length, rig.configured.at(-1)?.mtuBytes], [before + 1, 1350])
    await rig.interface.clear()
    assert.equal((await run('ip', 'link', 'del', rig.tun.name)).status, 0)
    await rig.interface.clear()
    assert.deepEqual(rig.failures, [])
  })

  test('router discovery: asks, takes prefix and default route, and the kernel takes nothing by itself', async (t) => {
    const rig = new Rig(t)
    await rig.configure(BOTH)
    await until('a solicitation', () => rig.fromKernel.some(isSolicitation))
    const solicitation = rig.fromKernel.find(isSolicitation)!
    assert.equal(formatIpv6(ipv6At(solicitation, 8)), 'fe80::2')
    for (const sysctl of ['accept_ra', 'accept_redirects'])
      assert.equal(readFileSync(`/proc/sys/net/ipv6/conf/${rig.tun.name}/${sysctl}`, 'utf8'), '0\n')

    // Through a router, from afar, damaged on the way: none of it counts.
    const lie = advertisement('2001:db8:bad::', 1800)
    rig.advertiseBytes(lie, { hopLimit: 254 })
    rig.advertiseBytes(lie, { source: '2001:db8::64' })
    rig.advertiseBytes(lie, { damage: 0xff })
    rig.advertise('2001:db8:5::', 1800)
    await until('more', () => rig.configured.length === 2)
    const { global } = rig.configured[1]!.ip6!
    assert.deepEqual(
      [formatIpv6(global!.address), global!.prefixLength, formatIpv6(global!.gateway)],
      ['2001:db8:5::2', 64, 'fe80::64'],
    )
    const own = ['inet 10.64.0.2 peer 10.64.64.64/32', 'inet6 2001:db8:5::2/64', 'inet6 fe80::2 peer fe80::64/128']
    assert.deepEqual((await rig.addresses()).sort(), own)
    const linkLocals = ['fe80::2 metric 256', 'fe80::64 metric 256']
    assert.deepEqual(await rig.routes('-6'), ['default metric 700 advmss 1340', ...linkLocals])

    rig.advertiseBytes(buildAdvertisement({ routerSeconds: 0, prefixes: [] }))
    await until('the router is gone', () => rig.configured.length === 3)
    assert.deepEqual(await rig.routes('-6'), linkLocals)
    assert.deepEqual((await rig.addresses()).sort(), own)
    await rig.interface.clear()
    assert.deepEqual([await rig.addresses(), await rig.routes('-6')], [[], []])
  })

  test('without a default route of ours there is none, but for the prefix', async (t) => {
    const rig = new Rig(t, {}, { hasDefaultRoute: false })
    await rig.configure({ ...BOTH, ip4: undefined })
    rig.advertise('fd00:1:2:3::', 1800)
    await until('more', () => rig.configured.length === 2)
    assert.deepEqual(await rig.routes('-6'), ['fe80::2 metric 256', 'fe80::64 metric 256'])
    assert.deepEqual((await rig.addresses()).sort(), ['inet6 fd00:1:2:3::2/64', 'inet6 fe80::2 peer fe80::64/128'])
  })

  test('a prefix of our own network, or an address that we have, is not taken', async (t) => {
    const rig = new Rig(t)
    const lan = openTun('lan0')
    t.after(() => lan.close())
    const routes = openRouteSocket()
    await routes.setLink('lan0', { up: true })
    await routes.addAddress('lan0', { local: parseIpv6('2001:db8:7::1')!, prefixLength: 56 })
    await routes.addAddress('lan0', { local: parseIpv6('2001:db8:8::2')!, prefixLength: 128 })
    routes.close()
    await rig.configure(BOTH)
    rig.advertise('2001:db8:7:0::', 1800)
    await until('warned', () => rig.warnings.length === 1)
    rig.advertise('2001:db8:7:0::', 1800)
    assert.match(rig.warnings[0]!, /gave 2001:db8:7::\/64, which belongs to the network of lan0: left out/)
    assert.equal(rig.configured.at(-1)?.ip6?.global, undefined)
    assert.equal((await rig.addresses()).length, 2)
    assert.deepEqual(await rig.routes('-6'), ['fe80::2 metric 256', 'fe80::64 metric 256'])

    const other = new Rig(t)
    const elsewhere = { ...IP4, local: parseIpv4('10.64.0.9')! }
    await other.configure({ ...BOTH, ip4: elsewhere })
    other.advertise('2001:db8:8::', 1800)
    await until('warned', () => other.warnings.length === 1)
    assert.match(other.warnings[0]!, /gave 2001:db8:8::2, which lan0 has already: left out/)
  })

  test('what the peer gives must be nobody’s here; what our settings say is not judged', async (t) => {
    const lan = openTun('lan0')
    t.after(() => lan.close())
    const routes = openRouteSocket()
    await routes.setLink('lan0', { up: true })
    const give = (text: string, prefixLength: number) =>
      routes.addAddress('lan0', { local: parseIpv4(text)!, prefixLength })
    await give('192.168.1.1', 24)
    await give('10.9.9.9', 32)
    routes.close()
    const at = (text: string, peer = 0, dns: number[] = []) => ({
      ip4: { local: parseIpv4(text)!, peer, dns },
      ip6: undefined,
      mtuBytes: 1500,
    })

    for (const [text, why] of [
      ['192.168.1.77', 'which belongs to the network of lan0'],
      ['192.168.1.1', 'which lan0 has already'],
      ['10.9.9.9', 'which lan0 has already'],
    ] as const) {
      const rig = new Rig(t)
      rig.interface.configure(at(text))
      await until('failed', () => rig.failures.length > 0)
      assert.deepEqual(rig.failures, [{ cause: 'no-address', detail: `the peer gave the address ${text}, ${why}` }])
      assert.deepEqual([await rig.addresses(), rig.configured], [[], []])
    }

    const rig = new Rig(t)
    const servers = ['192.168.1.53', '10.64.0.53', '10.9.9.9'].map((text) => parseIpv4(text)!)
    const { ip4 } = await rig.configure(at('10.64.0.7', parseIpv4('192.168.1.2')!, servers))
    assert.deepEqual([ip4?.peer, ip4?.dns.map(formatIpv4)], [0, ['10.64.0.53']])
    assert.equal(rig.warnings.length, 3)

    const mine = parseIpv4('192.168.1.77')!
    const named = new Rig(t, { localAddress: mine, remoteAddress: parseIpv4('192.168.1.78')! })
    const address = await named.configure(at('192.168.1.77', parseIpv4('192.168.1.78')!))
    assert.deepEqual([address.ip4?.local, address.ip4?.peer], [mine, parseIpv4('192.168.1.78')!])
  })

  test('a kernel that does not do IPv6 on the interface: IPv4 goes on, and without IPv4 the cause says it', async (t) => {
    assert.equal((await run('sh', '-c', 'echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6')).status, 0)
    t.after(() => run('sh', '-c', 'echo 0 > /proc/sys/net/ipv6/conf/default/disable_ipv6'))
    const rig = new Rig(t)
    const { ip4, ip6 } = await rig.configure(BOTH)
    assert.deepEqual([ip4, ip6], [IP4, undefined])
    assert.match(
      rig.warnings.join(),
      /There is no IPv6 on ppp0: cannot give ppp0 the address fe80::2: .*IPv6 is disabled/,
    )
    rig.interface.close()
    const alone = new Rig(t)
    alone.interface.configure({ ...BOTH, ip4: undefined })
    await until('failed', () => alone.failures.length > 0)
    assert.equal(alone.failures[0]!.cause, 'no-address')
    assert.match(alone.failures[0]!.detail, /IPv6 is disabled/)
  })

  test('where /proc/sys cannot be written, that is said once', async (t) => {
    assert.equal((await run('mount', '--bind', '/proc/sys', '/proc/sys')).status, 0)
    assert.equal((await run('mount', '-o', 'remount,bind,ro', '/proc/sys')).status, 0)
    t.after(() => run('umount', '/proc/sys'))
    const rig = new Rig(t)
    await rig.configure(BOTH)
    await rig.interface.clear()
    await rig.configure(BOTH)
    assert.equal(rig.warnings.length, 1)
    assert.match(rig.warnings[0]!, /IPv6 routers by itself .*ppp0\/accept_ra cannot be written \(EROFS\)/)
  })
}

/** What `ip monitor` sees of the interface from now on. */
async function monitor(t: TestContext): Promise<() => string> {
  const child = spawn('ip', ['monitor', 'address', 'route'], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill())
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  // It says nothing when it is ready: a route of ours tells.
  const routes = openRouteSocket()
  const mark = { destination: parseIpv4('198.18.0.0')!, prefixLength: 15, interfaceName: 'ppp0', metric: 9 }
  await until('ip monitor listens', () => {
    if (output === '') void routes.addRoute(mark).then(() => routes.removeRoute(mark))
    return output.includes('Deleted 198.18.0.0/15')
  })
  routes.close()
  // It may have been set more than once.
  return () => output.replace(/^.*198\.18\.0\.0\/15.*\n/gm, '')
}

function ipv6At(packet: Uint8Array, at: number): bigint {
  return packet.subarray(at, at + 16).reduce((address, octet) => (address << 8n) | BigInt(octet), 0n)
}
