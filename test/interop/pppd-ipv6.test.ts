/**
 * IPv6 with Debian's own pppd (on fakeppp, see pppd-shim/README.md), both ways round: interface identifiers by IPV6CP, link-local
 * addresses on both sides, packets both ways, and a global address when a router beyond pppd advertises a prefix.
 */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { parseIpv4 } from '../../src/base/ipv4.ts'
import { ALL_NODES, formatIpv6, isLinkLocal, parseIpv6 } from '../../src/base/ipv6.ts'
import type { Ip6Address } from '../../src/ppp/engines/engine.ts'
import { buildAdvertisement } from '../../src/ppp/ipv6/router-messages.ts'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { sendIcmp6 } from '../system/icmp6.ts'
import { run } from '../system/run.ts'
import { until } from '../system/until.ts'
import { OurEnd, Pppd } from './pppd-ends.ts'

const OURS = '10.64.0.2'
const THEIRS = '10.64.64.64'
/** `-w`: until so many answers have come. `-W` waits for the last one no longer than twice the longest before. */
const PING = ['-6', '-c', '5', '-i', '0.01', '-w', '10'] as const

if (inNamespace(import.meta.url, needs('pppd', 'gcc', 'tun', 'ping', 'ip'))) tests()

/** What the last `up` says, once it has that. */
async function ip6Up(ours: OurEnd, what: string, isIt: (ip6: Ip6Address) => boolean = () => true): Promise<Ip6Address> {
  const last = () => ours.events.flatMap((event) => (event.type === 'up' ? [event.address.ip6] : [])).at(-1)
  await until(what, () => {
    const ip6 = last()
    return ip6 !== undefined && isIt(ip6)
  })
  return last()!
}

function tests(): void {
  const directory = mkdtempSync(join(tmpdir(), 'modemd-pppd-'))
  after(() => rmSync(directory, { recursive: true, force: true }))
  const library = join(directory, 'fakeppp.so')
  const faster = ['lcp-restart', '1'] as const

  const server = (t: TestContext, ours: OurEnd, ...options: string[]) => {
    const addresses = [THEIRS, OURS, '10.64.0.53', '10.64.0.54', '0', '0']
    const args = ['none', 'alice', 'sekret', ...addresses, ...faster, ...options]
    return new Pppd(t, library, 'server', ours.wire.path, ...args)
  }
  const client = (t: TestContext, ours: OurEnd, ...options: string[]) => {
    const args = ['none', 'alice', 'sekret', '0', '0', '0', '0', '0', '0', ...faster, ...options]
    return new Pppd(t, library, 'client', ours.wire.path, ...args)
  }

  test('our client and pppd as server: link-local addresses beside IPv4, ping from both ends', async (t) => {
    const ours = new OurEnd(t, { ipv6: true }, { defaultRouteMetric: 700 })
    const pppd = server(t, ours, 'ipv6', '::64,::2')
    const ip6 = await ip6Up(ours, 'IPv6')
    assert.deepEqual([formatIpv6(ip6.local), formatIpv6(ip6.peer), ip6.global], ['fe80::2', 'fe80::64', undefined])
    await until('pppd knows', () => /remote LL address fe80:[0:]*:0002\n/.test(pppd.output))
    await until('IPv4 too', () => ours.events.some((event) => event.type === 'up' && event.address.ip4 !== undefined))

    const shown = (await ours.run('ip', 'addr', 'show', 'ppp0')).output
    assert.match(shown, /inet 10\.64\.0\.2 peer 10\.64\.64\.64\/32/)
    assert.match(shown, /inet6 fe80::2 peer fe80::64\/128 scope link/)
    assert.equal(shown.match(/inet6/g)?.length, 1, `the kernel made another:\n${shown}`)
    assert.doesNotMatch((await ours.run('ip', '-6', 'route')).output, /default/)

    const there = await ours.run('ping', ...PING, '-s', '1452', '-M', 'do', 'fe80::64%ppp0')
    assert.match(there.output, /[5-9]\d* received/)
    assert.match((await run('ping', ...PING, 'fe80::2%ppp0')).output, /[5-9]\d* received/)
    assert.match((await ours.run('ping', '-c', '2', '-i', '0.01', '-w', '10', THEIRS)).output, /[2-9]\d* received/)
  })

  test('a router beyond pppd advertises a prefix: address, default route with our metric, and away again', async (t) => {
    const ours = new OurEnd(t, { ipv4: false, ipv6: true }, { defaultRouteMetric: 700 })
    server(t, ours, 'ipv6', '::64,::2', 'noip')
    await ip6Up(ours, 'link-local')
    await until('pppd’s interface is up', () => /fe80::64/.test(shownHere()))
    const advertise = (routerSeconds: number) => {
      const life = { validSeconds: 7200, preferredSeconds: 3600 }
      const prefixes = [{ prefix: parseIpv6('2001:db8:5::')!, prefixLength: 64, ...life }]
      sendIcmp6('ppp0', ALL_NODES, buildAdvertisement({ routerSeconds, prefixes }))
    }
    advertise(1800)
    const { global } = await ip6Up(ours, 'a global address', (ip6) => ip6.global !== undefined)
    assert.deepEqual([formatIpv6(global!.address), global!.prefixLength], ['2001:db8:5::2', 64])
    assert.ok(isLinkLocal(global!.gateway))
    assert.match((await ours.run('ip', 'addr', 'show', 'ppp0')).output, /inet6 2001:db8:5::2\/64 scope global/)
    const route = (await ours.run('ip', '-6', 'route')).output
    assert.match(route, /^default dev ppp0 .*metric 700 advmss 1440/m)
    assert.doesNotMatch(route, /^default .*metric (?!700)|^2001:db8:5::\/64/m, 'nothing by the kernel itself')

    assert.equal((await run('ip', 'route', 'add', '2001:db8:5::/64', 'dev', 'ppp0')).status, 0)
    const there = await ours.run('ping', ...PING, '-I', '2001:db8:5::2', 'fe80::64%ppp0')
    assert.match(there.output, /[5-9]\d* received/)

    advertise(0)
    const routes = () => ours.namespace.run(() => spawnSync('ip', ['-6', 'route'], { encoding: 'utf8' })).stdout
    await until('no default route', () => !routes().includes('default'))
    assert.match((await ours.run('ip', 'addr', 'show', 'ppp0')).output, /2001:db8:5::2/, 'the address stays')
  })

  test('pppd as client of our server: the identifiers that we give, ping from both ends', async (t) => {
    const ours = new OurEnd(t, {
      role: 'server',
      ipv6: true,
      localAddress: parseIpv4(THEIRS)!,
      remoteAddress: parseIpv4(OURS)!,
      localInterfaceId: 0x64n,
      remoteInterfaceId: 0x2n,
    })
    const pppd = client(t, ours)
    const ip6 = await ip6Up(ours, 'IPv6')
    assert.deepEqual([formatIpv6(ip6.local), formatIpv6(ip6.peer)], ['fe80::64', 'fe80::2'])
    await until('pppd knows', () => /local {2}LL address fe80:[0:]*:0002\n/.test(pppd.output))
    assert.match(shownHere(), /inet6 fe80::2/)
    assert.match((await run('ping', ...PING, 'fe80::64%ppp0')).output, /[5-9]\d* received/)
    assert.match((await ours.run('ping', ...PING, 'fe80::2%ppp0')).output, /[5-9]\d* received/)
  })

  test('a pppd without IPv6: IPv4 alone goes on', async (t) => {
    const ours = new OurEnd(t, { ipv6: true })
    server(t, ours, 'noipv6')
    const { address } = await ours.up()
    assert.equal(address.ip6, undefined)
    assert.match((await ours.run('ping', '-c', '2', '-i', '0.01', '-w', '10', THEIRS)).output, /[2-9]\d* received/)
    assert.doesNotMatch((await ours.run('ip', 'addr', 'show', 'ppp0')).output, /inet6/)
  })
}

function shownHere(): string {
  return spawnSync('ip', ['addr', 'show', 'ppp0'], { encoding: 'utf8' }).stdout
}
