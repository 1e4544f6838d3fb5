import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, readlinkSync } from 'node:fs'
import { createServer } from 'node:http'
import { type TestContext, test } from 'node:test'
import { ModemdError } from '../../src/base/errors.ts'
import { parseIpv4 } from '../../src/base/ipv4.ts'
import { formatIpv6, parseIpv6 } from '../../src/base/ipv6.ts'
import { createNetworkNamespace, listenTcp } from '../../src/system/namespace.ts'
import { openRouteSocket, type RouteSocket } from '../../src/system/netlink.ts'
import { openRouterSocket } from '../../src/system/router-socket.ts'
import { openTun, type Tun } from '../../src/system/tun.ts'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { run } from './run.ts'
import { until } from './until.ts'

/** Who made a route: `ip route`. */
const RTPROT_BOOT = 3

if (inNamespace(import.meta.url, needs('tun', 'ip', 'ping', 'curl', 'nsenter'))) tests()

function ip(text: string): number {
  return parseIpv4(text)!
}

function ip6(text: string): bigint {
  return parseIpv6(text)!
}

function sorted(values: readonly object[]): string[] {
  const text = (_: string, value: unknown) => (typeof value === 'bigint' ? formatIpv6(value) : value)
  return values.map((value) => JSON.stringify(Object.fromEntries(Object.entries(value).sort()), text)).sort()
}

function routeSocket(t: TestContext): RouteSocket {
  const routes = openRouteSocket()
  t.after(() => routes.close())
  return routes
}

function tun(t: TestContext, name: string): Tun {
  const opened = openTun(name)
  t.after(() => opened.close())
  return opened
}

function tests(): void {
  test('a TUN gets a number, goes up with its address and MTU, and is gone when closed', async (t) => {
    const routes = routeSocket(t)
    const first = tun(t, 'ppp%d')
    const second = tun(t, 'ppp%d')
    assert.deepEqual([first.name, second.name], ['ppp0', 'ppp1'])

    await routes.setLink('ppp0', { up: true, mtuBytes: 1400 })
    await routes.addAddress('ppp0', { local: ip('10.64.0.2'), peer: ip('10.64.64.64'), prefixLength: 32 })
    const shown = (await run('ip', 'addr', 'show', 'ppp0')).output
    assert.match(shown, /POINTOPOINT.*UP.* mtu 1400/)
    assert.match(shown, /inet 10\.64\.0\.2 peer 10\.64\.64\.64\/32/)
    assert.deepEqual(await routes.listAddresses(), [
      { interfaceName: 'ppp0', local: ip('10.64.0.2'), peer: ip('10.64.64.64'), prefixLength: 32 },
    ])

    await routes.addAddress('ppp1', { local: ip('192.168.7.1'), prefixLength: 24 })
    assert.deepEqual((await routes.listAddresses())[1], {
      interfaceName: 'ppp1',
      local: ip('192.168.7.1'),
      prefixLength: 24,
    })

    await routes.setLink('ppp0', { up: false })
    assert.doesNotMatch((await run('ip', 'link', 'show', 'ppp0')).output, /[<,]UP[,>]/)
    first.close()
    first.close()
    assert.notEqual((await run('ip', 'link', 'show', 'ppp0')).status, 0)
  })

  test('routes go in beside those of others and come out by their exact description', async (t) => {
    const routes = routeSocket(t)
    const link = tun(t, 'ppp0')
    await routes.setLink(link.name, { up: true })
    await routes.addAddress(link.name, { local: ip('10.0.0.1'), peer: ip('10.0.0.2'), prefixLength: 32 })
    spawnSync('ip', ['route', 'add', 'default', 'dev', 'ppp0', 'metric', '50'])
    const ours = { destination: 0, prefixLength: 0, interfaceName: 'ppp0', metric: 700 }
    const net = {
      destination: ip('172.16.0.0'),
      prefixLength: 12,
      interfaceName: 'ppp0',
      metric: 0,
      gateway: ip('10.0.0.2'),
    }
    await routes.addRoute(ours)
    await routes.addRoute(net)
    const shown = (await run('ip', 'route')).output
    assert.match(shown, /^default dev ppp0 (proto static )?scope link metric 700/m)
    assert.match(shown, /^172\.16\.0\.0\/12 via 10\.0\.0\.2 dev ppp0/m)
    const listed = await routes.listRoutes()
    for (const route of [ours, net, { ...ours, metric: 50, protocol: RTPROT_BOOT }])
      assert.ok(
        listed.some((other) => JSON.stringify(other) === JSON.stringify(route)),
        JSON.stringify(listed),
      )

    await assert.rejects(routes.addRoute(ours), { code: 'Busy' })

    // With the same metric the one that was there first stays in use.
    const other = tun(t, 'ppp1')
    await routes.setLink(other.name, { up: true })
    const second = { ...ours, interfaceName: 'ppp1', metric: 50 }
    await routes.addRoute(second)
    assert.match((await run('ip', 'route', 'get', '9.9.9.9')).output, /dev ppp0/)
    await routes.removeRoute(second)
    await routes.removeRoute(ours)
    await routes.removeRoute(net)
    await assert.rejects(routes.removeRoute(ours), ModemdError)
    const left = (await run('ip', 'route')).output
    assert.match(left, /^default dev ppp0 scope link metric 50/m)
    assert.doesNotMatch(left, /700|172\.16/)
  })

  test('what the kernel refuses is an error in its words', async (t) => {
    const routes = routeSocket(t)
    await assert.rejects(routes.setLink('nothere', { up: true }), { code: 'NotFound', message: /nothere.*ENODEV/ })
    await assert.rejects(routes.addAddress('nothere', { local: 1, prefixLength: 32 }), { code: 'NotFound' })
    const link = tun(t, 'ppp0')
    await routes.setLink(link.name, { up: true })
    await assert.rejects(
      routes.addRoute({ destination: 0, prefixLength: 0, interfaceName: 'ppp0', metric: 1, gateway: ip('9.9.9.9') }),
      /cannot add the route default dev ppp0 metric 1: Nexthop has invalid gateway/,
    )
    assert.throws(() => openTun('ppp0'), { code: 'Busy' })
    // One that another program has made to stay is not taken over.
    assert.equal((await run('ip', 'tuntap', 'add', 'vpn0', 'mode', 'tun')).status, 0)
    assert.throws(() => openTun('vpn0'), { code: 'Busy' })
    assert.equal((await run('ip', 'link', 'del', 'vpn0')).status, 0)
    for (const name of ['', '..', 'a/b', 'ppp%s', 'ppp%d%d', 'sixteen-letters-x', 'ppp 0'])
      assert.throws(() => openTun(name), { code: 'InvalidArgs' }, name)
    // Still usable after errors.
    await routes.setLink('lo', { up: true })
  })

  test('IPv6 addresses and routes, with the MSS that a route tells', async (t) => {
    const routes = routeSocket(t)
    const link = tun(t, 'ppp0')
    assert.equal(await routes.keepKernelOutOfIpv6(link.name), undefined)
    await routes.setLink(link.name, { up: true, mtuBytes: 1400 })
    const addresses = async () => sorted(await routes.listIpv6Addresses()).filter((each) => !each.includes('"lo"'))
    assert.deepEqual(await addresses(), [], 'the kernel makes none')
    const own = { local: ip6('fe80::2'), peer: ip6('fe80::64'), prefixLength: 128 }
    const global = { local: ip6('2001:db8:5::2'), prefixLength: 64 }
    await routes.addAddress(link.name, own)
    await routes.addAddress(link.name, { ...global, withoutRoute: true })
    const interfaceName = link.name
    assert.deepEqual(
      await addresses(),
      sorted([
        { interfaceName, ...global },
        { interfaceName, ...own },
      ]),
    )
    await assert.rejects(routes.addAddress(link.name, own), { code: 'Busy', message: /ppp0 the address fe80::2/ })

    const ours = { destination: 0n, prefixLength: 0, interfaceName, metric: 700, advmssBytes: 1340 }
    const net = {
      destination: ip6('2001:db8:9::'),
      prefixLength: 48,
      interfaceName,
      metric: 5,
      gateway: ip6('fe80::64'),
    }
    const four = { destination: 0, prefixLength: 0, interfaceName, metric: 700, advmssBytes: 1360 }
    for (const route of [ours, net, four]) await routes.addRoute(route)
    const shown = (await run('ip', '-6', 'route')).output
    assert.match(shown, /^default dev ppp0 .*metric 700 advmss 1340/m)
    assert.match(shown, /^2001:db8:9::\/48 via fe80::64 dev ppp0 .*metric 5/m)
    assert.doesNotMatch(shown, /2001:db8:5::\/64/)
    assert.match((await run('ip', 'route')).output, /^default dev ppp0 .*metric 700 advmss 1360/m)
    const listed = sorted(await routes.listIpv6Routes())
    for (const route of [ours, net]) assert.ok(listed.includes(sorted([route])[0]!), listed.join('\n'))
    assert.deepEqual(sorted(await routes.listRoutes()), sorted([four]))

    for (const route of [ours, net, four]) await routes.removeRoute(route)
    await assert.rejects(routes.removeRoute(ours), { message: /cannot remove the route default dev ppp0 metric 700/ })
    await routes.removeAddress(link.name, global)
    await routes.removeAddress(link.name, own)
    assert.deepEqual(await addresses(), [])
    assert.equal((await run('ip', '-6', 'route', 'show', 'dev', 'ppp0')).output, '')
  })

  test('what is set on an interface of another namespace stays there', async (t) => {
    const far = createNetworkNamespace()
    t.after(() => far.close())
    const there = far.run(() => openTun('ppp0'))
    t.after(() => there.close())
    const routes = far.run(openRouteSocket)
    t.after(() => routes.close())
    const here = tun(t, 'ppp0')
    assert.equal(await routes.keepKernelOutOfIpv6('ppp0'), undefined)
    const read = () => readFileSync('/proc/sys/net/ipv6/conf/ppp0/accept_ra', 'utf8').trim()
    assert.deepEqual([here.name, far.run(read), read()], ['ppp0', '0', '1'])
    assert.throws(() => openRouterSocket('nothere'), {
      code: 'NotFound',
      message: /cannot look for IPv6 routers on nothere/,
    })
  })

  test('ping goes between two TUNs in two namespaces, bridged here', async (t) => {
    const far = createNetworkNamespace()
    t.after(() => far.close())
    const here = tun(t, 'ppp0')
    const there = far.run(() => openTun('ppp0'))
    t.after(() => there.close())
    const ends = [
      { routes: routeSocket(t), local: '10.9.0.1', peer: '10.9.0.2' },
      { routes: far.run(openRouteSocket), local: '10.9.0.2', peer: '10.9.0.1' },
    ]
    t.after(() => ends[1]?.routes.close())
    for (const { routes, local, peer } of ends) {
      await routes.setLink('ppp0', { up: true, mtuBytes: 1500 })
      await routes.addAddress('ppp0', { local: ip(local), peer: ip(peer), prefixLength: 32 })
    }
    let packets = 0
    here.onPacket((packet) => {
      packets++
      there.write(packet)
    })
    there.onPacket((packet) => here.write(packet))

    const small = await run('ping', '-c', '3', '-i', '0.01', '-w', '10', '10.9.0.2')
    assert.match(small.output, / 0% packet loss/)
    const large = await run('ping', '-c', '2', '-i', '0.01', '-w', '10', '-s', '5000', '10.9.0.2')
    assert.match(large.output, / 0% packet loss/)
    assert.ok(packets >= 11, `${packets} packets`)

    // Paused, packets wait; resumed, they arrive.
    here.pause()
    const before = packets
    const waiting = run('ping', '-c', '1', '-W', '5', '10.9.0.2')
    await new Promise((resolve) => setTimeout(resolve, 100))
    assert.equal(packets, before)
    here.resume()
    assert.match((await waiting).output, /1 received/)
  })

  test('packets the kernel does not take are counted, and an idle TUN costs nothing', async (t) => {
    const link = tun(t, 'ppp0')
    link.onPacket(() => {})
    link.write(Uint8Array.of(0x45, 0, 0, 20))
    assert.equal(link.drops, 1, 'interface down')
    const routes = routeSocket(t)
    await routes.setLink('ppp0', { up: true })
    link.write(Uint8Array.of(0x15, 0, 0, 20))
    assert.equal(link.drops, 2, 'not IP')
    const before = process.cpuUsage()
    await new Promise((resolve) => setTimeout(resolve, 300))
    const { user, system } = process.cpuUsage(before)
    assert.ok(user + system < 60_000, `${user + system} µs in 300 ms`)
  })

  test('a TUN that somebody else removes is told once and does not spin', async (t) => {
    const link = tun(t, 'ppp0')
    let gone = 0
    link.onPacket(() => {})
    link.onGone(() => gone++)
    assert.equal((await run('ip', 'link', 'del', 'ppp0')).status, 0)
    await until('gone', () => gone > 0)
    const before = process.cpuUsage()
    await new Promise((resolve) => setTimeout(resolve, 200))
    const { user, system } = process.cpuUsage(before)
    assert.ok(user + system < 60_000, `${user + system} µs in 200 ms`)
    assert.equal(gone, 1)
    link.write(Uint8Array.of(0x45))
  })

  test('a TUN does not outlive a process that is killed', async () => {
    const script = `import { openTun } from './src/system/tun.ts'; openTun('ppp7').onPacket(() => {}); console.log('open')`
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    assert.equal((await run('ip', 'link', 'show', 'ppp7')).status, 0)
    child.kill('SIGKILL')
    await once(child, 'close')
    await until('ppp7 gone', () => spawnSync('ip', ['link', 'show', 'ppp7']).status !== 0)
  })

  test('a web server made inside a namespace answers inside only, and the process is back outside', async (t) => {
    const outside = readlinkSync('/proc/thread-self/ns/net')
    const far = createNetworkNamespace()
    t.after(() => far.close())
    assert.notEqual(
      far.run(() => readlinkSync('/proc/thread-self/ns/net')),
      outside,
    )
    assert.throws(() =>
      far.run(() => {
        throw new Error('inside')
      }),
    )
    assert.equal(readlinkSync('/proc/thread-self/ns/net'), outside)

    const server = createServer((_, response) => response.end('the operator says hello'))
    server.listen({ fd: far.run(() => listenTcp(ip('127.0.0.1'), 8080)) })
    await once(server, 'listening')
    t.after(() => server.close())
    assert.throws(() => far.run(() => listenTcp(ip('127.0.0.1'), 8080)), /cannot listen on 127\.0\.0\.1:8080/)

    const fetch = ['-sS', '--noproxy', '*', 'http://127.0.0.1:8080/'] as const
    assert.deepEqual(await far.run(() => run('curl', ...fetch)), { status: 0, output: 'the operator says hello' })
    assert.deepEqual((await run('nsenter', `--net=${far.path}`, 'curl', ...fetch)).status, 0)
    assert.equal((await run('curl', ...fetch)).status, 7, 'connection refused')
    far.close()
    assert.throws(() => far.run(() => 0), ModemdError)
  })
}
