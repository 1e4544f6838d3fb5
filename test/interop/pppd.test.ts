/** The builtin engine against Debian's own pppd (on fakeppp, see pppd-shim/README.md), both ways round, over a real pty. */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { formatIpv4, parseIpv4 } from '../../src/base/ipv4.ts'
import { openRouteSocket } from '../../src/system/netlink.ts'
import { openTun } from '../../src/system/tun.ts'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { run } from '../system/run.ts'
import { until } from '../system/until.ts'
import { OurEnd, Pppd } from './pppd-ends.ts'

const OURS = '10.64.0.2'
const THEIRS = '10.64.64.64'

if (inNamespace(import.meta.url, needs('pppd', 'gcc', 'tun', 'ping', 'ip'))) tests()

function tests(): void {
  const directory = mkdtempSync(join(tmpdir(), 'modemd-pppd-'))
  after(() => rmSync(directory, { recursive: true, force: true }))
  const library = join(directory, 'fakeppp.so')

  const server = (t: TestContext, ours: OurEnd, auth: string, secret = 'sekret') =>
    new Pppd(
      t,
      library,
      ...['server', ours.wire.path, auth, 'alice', secret, THEIRS, OURS, '10.64.0.53', '10.64.0.54', '0', '0'],
      ...['lcp-restart', '1'],
    )
  const client = (t: TestContext, ours: OurEnd, auth: string, secret = 'sekret') =>
    new Pppd(
      t,
      library,
      'client',
      ours.wire.path,
      auth,
      'alice',
      secret,
      '0',
      '0',
      '0',
      '0',
      '0',
      '0',
      'lcp-restart',
      '1',
    )

  for (const auth of ['none', 'pap', 'chap'] as const) {
    test(`our client and pppd as server, ${auth}: addresses, name servers, ping, an orderly end`, async (t) => {
      const ours = new OurEnd(t, { user: 'alice', password: 'sekret' }, { defaultRouteMetric: 700 })
      const pppd = server(t, ours, auth)
      const { address, interfaceName } = await ours.up()
      const { local, peer, dns } = address.ip4!
      assert.equal(interfaceName, 'ppp0')
      assert.deepEqual(
        [formatIpv4(local), formatIpv4(peer), dns.map(formatIpv4), address.mtuBytes],
        [OURS, THEIRS, ['10.64.0.53', '10.64.0.54'], 1500],
      )
      assert.deepEqual(
        ours.phases(),
        auth === 'none' ? ['establish', 'network', 'running'] : ['establish', 'authenticate', 'network', 'running'],
      )
      const shown = (await ours.run('ip', 'addr', 'show', 'ppp0')).output
      assert.match(shown, /inet 10\.64\.0\.2 peer 10\.64\.64\.64\/32/)
      assert.match((await ours.run('ip', 'route')).output, /^default dev ppp0 .*metric 700/m)

      // From both ends; 1472 bytes fill the MTU.
      const there = await ours.run('ping', '-c', '5', '-i', '0.01', '-w', '20', '-s', '1472', '-M', 'do', THEIRS)
      assert.equal(there.status, 0, there.output)
      assert.equal((await run('ping', '-c', '5', '-i', '0.01', '-w', '20', OURS)).status, 0)
      const { rxBytes, txBytes } = ours.link.counters()
      assert.ok(rxBytes >= 5n * 1500n + 5n * 84n && txBytes >= 5n * 1500n + 5n * 84n, `${rxBytes} ${txBytes}`)

      ours.link.terminate({ cause: 'user-request', detail: 'asked for' })
      const { failure, exitCode } = await ours.down()
      assert.deepEqual([failure, exitCode], [{ cause: 'user-request', detail: 'asked for' }, 5])
      assert.notEqual((await ours.run('ip', 'link', 'show', 'ppp0')).status, 0)
      assert.equal(await pppd.ended, 16, pppd.output)
      assert.match(pppd.output, /LCP terminated by peer/)
    })
  }

  for (const auth of ['pap', 'chap'] as const)
    test(`a wrong secret, ${auth}: auth-refused, and no interface`, async (t) => {
      const ours = new OurEnd(t, { user: 'alice', password: 'wrong' })
      server(t, ours, auth)
      const { failure, exitCode } = await ours.down()
      assert.deepEqual([failure.cause, exitCode], ['auth-refused', 19], failure.detail)
      assert.doesNotMatch(failure.detail, /wrong|sekret/)
      assert.equal(ours.events.filter(({ type }) => type === 'up').length, 0)
    })

  test('pppd hangs up: the interface is gone at once and the cause is told', async (t) => {
    const ours = new OurEnd(t, {})
    const pppd = server(t, ours, 'none')
    await ours.up()
    pppd.hangUp()
    const { failure, exitCode } = await ours.down()
    assert.deepEqual([failure.cause, exitCode], ['hung-up', 16], failure.detail)
    assert.notEqual((await ours.run('ip', 'link', 'show', 'ppp0')).status, 0)
    assert.deepEqual(ours.phases().slice(-2), ['terminate', 'dead'])
  })

  for (const auth of ['none', 'pap', 'chap'] as const)
    test(`pppd as client of our server, ${auth}: addresses, ping, an orderly end`, async (t) => {
      const ours = new OurEnd(t, {
        role: 'server',
        requiresAuth: auth === 'none' ? [] : [auth],
        user: 'operator',
        secretOf: (name) => (name === 'alice' ? 'sekret' : undefined),
        localAddress: parseIpv4(THEIRS)!,
        remoteAddress: parseIpv4(OURS)!,
        dnsServers: [parseIpv4('10.64.0.53')!, parseIpv4('10.64.0.54')!],
      })
      const pppd = client(t, ours, auth)
      const { local, peer } = (await ours.up()).address.ip4!
      assert.deepEqual([formatIpv4(local), formatIpv4(peer)], [THEIRS, OURS])
      await until('pppd knows', () => /secondary DNS address 10\.64\.0\.54/.test(pppd.output))
      assert.match(pppd.output, /primary {3}DNS address 10\.64\.0\.53/)
      assert.match((await run('ip', 'addr', 'show', 'ppp0')).output, /inet 10\.64\.0\.2 peer 10\.64\.64\.64\/32/)
      const pinged = await run('ping', '-c', '5', '-i', '0.01', '-w', '20', '-s', '1472', '-M', 'do', THEIRS)
      assert.equal(pinged.status, 0, pinged.output)

      pppd.hangUp()
      const { failure } = await ours.down()
      assert.equal(failure.cause, 'hung-up', failure.detail)
    })

  test('our server refuses pppd with a wrong secret', async (t) => {
    const ours = new OurEnd(t, {
      role: 'server',
      requiresAuth: ['chap', 'pap'],
      secretOf: () => 'sekret',
      localAddress: parseIpv4(THEIRS)!,
      remoteAddress: parseIpv4(OURS)!,
    })
    const pppd = client(t, ours, 'chap', 'wrong')
    const { failure } = await ours.down()
    assert.equal(failure.cause, 'peer-auth-refused', failure.detail)
    assert.equal(await pppd.ended, 19, pppd.output)
  })

  test('a peer that gives an address of our own network gets no interface', async (t) => {
    const ours = new OurEnd(t, {})
    const lan = ours.namespace.run(() => openTun('lan0'))
    t.after(() => lan.close())
    const routes = ours.namespace.run(openRouteSocket)
    await routes.addAddress('lan0', { local: parseIpv4('10.64.0.9')!, prefixLength: 24 })
    routes.close()
    server(t, ours, 'none')
    const { failure } = await ours.down()
    assert.equal(failure.cause, 'no-address')
    assert.match(failure.detail, /10\.64\.0\.2, which belongs to the network of lan0/)
    assert.notEqual((await ours.run('ip', 'link', 'show', 'ppp0')).status, 0)
  })
}
