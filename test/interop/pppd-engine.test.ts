/** The pppd engine with Debian's own pppd (on fakeppp, see pppd-shim/README.md), its peer our server on the other end of a pty. */

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { formatIpv4, parseIpv4 } from '../../src/base/ipv4.ts'
import { formatIpv6, linkLocal } from '../../src/base/ipv6.ts'
import { silentLogger } from '../../src/base/ports.ts'
import { endLeftOverPppd } from '../../src/ppp/engines/pppd-leftover.ts'
import { pppdOptions } from '../../src/ppp/engines/pppd-options.ts'
import { CLIENT_DEFAULTS } from '../../src/ppp/settings.ts'
import { systemClock } from '../../src/system/clock.ts'
import { readSettings } from '../../src/system/termios.ts'
import { openTun } from '../../src/system/tun.ts'
import { EVERYTHING } from '../ppp/engines/pppd-settings.ts'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { run } from '../system/run.ts'
import { until } from '../system/until.ts'
import { examined, LIMIT_MS, makeRig, OURS, pidFiles, serverOn, THEIRS } from './pppd-rig.ts'
import { PtyWire } from './pty-wire.ts'

const HOLDER = fileURLToPath(new URL('pppd-holder.ts', import.meta.url))

if (inNamespace(import.meta.url, needs('pppd', 'gcc', 'tun', 'ping', 'ip'))) tests()

function tests(): void {
  const { directory, program, scriptRuns, newClient, pair } = makeRig()

  for (const auth of ['none', 'pap', 'chap', 'mschapv2', 'eap'] as const)
    test(`${auth}: addresses, name servers, route, ping, counters, an orderly end, the line as it was`, async (t) => {
      const resolvConf = readFileSync('/etc/resolv.conf')
      const { client, peer } = await pair(t, auth === 'none' ? {} : examined(auth), {
        settings: { answersAuth: ['eap', 'mschapv2', 'chap', 'pap'] },
        options: { defaultRouteMetric: 700 },
      })
      const { address, interfaceName } = await client.up()
      const { local, peer: far, dns } = address.ip4!
      assert.deepEqual(
        [interfaceName, formatIpv4(local), formatIpv4(far), dns.map(formatIpv4), address.ip6, address.mtuBytes],
        ['ppp0', OURS, THEIRS, ['10.64.0.53', '10.64.0.54'], undefined, 1500],
      )
      const expected = ['establish', 'network', 'running']
      assert.deepEqual(client.phases(), auth === 'none' ? expected : expected.toSpliced(1, 0, 'authenticate'))
      assert.match((await run('ip', 'addr', 'show', 'ppp0')).output, /inet 10\.64\.0\.2 peer 10\.64\.64\.64\/32/)
      assert.match((await run('ip', 'route')).output, /^default dev ppp0 .*metric 700/m)
      // One at a time: of several, ping waits for the last one's answer no longer than the interval between them.
      for (let count = 0; count < 3; count++) {
        const pinged = await run('ping', '-c', '1', '-W', '5', '-s', '1472', '-M', 'do', THEIRS)
        assert.match(pinged.output, /1 received/)
      }
      const { rxBytes, txBytes } = client.link.counters()
      assert.ok(rxBytes >= 4500n && txBytes >= 4500n && rxBytes < 9000n, `${rxBytes} ${txBytes}`)

      client.link.terminate({ cause: 'data-limit', detail: 'enough' })
      assert.deepEqual(await client.down(), {
        type: 'down',
        failure: { cause: 'data-limit', detail: 'enough' },
        exitCode: 20,
      })
      assert.match((await peer.down()).failure.detail, /[Tt]erminate/)
      assert.deepEqual(client.phases().slice(-2), ['terminate', 'dead'])
      assert.equal(client.link.counters().rxBytes >= rxBytes, true)
      assert.notEqual((await run('ip', 'link', 'show', 'ppp0')).status, 0)
      // Back with its owner: open, and a line like any other.
      assert.deepEqual(readSettings(client.wire.fd!), client.settingsBefore)
      let heard = ''
      client.wire.listen({ data: (bytes) => (heard += String.fromCharCode(...bytes)), drain() {}, closed() {} })
      client.line.write(new TextEncoder().encode('\r\nNO CARRIER\r\n'))
      await until('the owner reads again', () => heard.endsWith('NO CARRIER\r\n'))
      assert.equal(existsSync(scriptRuns), false, "the machine's ip-up was run")
      assert.deepEqual(readFileSync('/etc/resolv.conf'), resolvConf)
      assert.deepEqual(pidFiles(), [])
    })

  for (const auth of ['pap', 'chap', 'mschapv2'] as const)
    test(`a wrong secret, ${auth}: auth-refused, code 19, no interface`, async (t) => {
      const { client } = await pair(t, examined(auth), {
        settings: { password: 'wrong-one', answersAuth: ['mschapv2', 'chap', 'pap'] },
      })
      const { failure, exitCode } = await client.down()
      assert.deepEqual([failure.cause, exitCode], ['auth-refused', 19], failure.detail)
      assert.doesNotMatch(client.transcript(), /wrong-one|sekret/)
      assert.deepEqual(client.ups(), [])
    })

  test('names and secrets with everything in them arrive, and are nowhere to be seen', async (t) => {
    const user = 'al"ice \\n #x\' é'
    const password = 'p"w\\ #1 noauth ü\''
    const { client } = await pair(
      t,
      { requiresAuth: ['pap'], secretOf: (name) => (name === user ? password : undefined) },
      // Asks for what would tell them; the engine's own words come last.
      { settings: { user, password }, options: { pppdOptions: 'debug show-password' } },
    )
    await client.up()
    const [pid] = readFileSync('/run/ppp0.pid', 'latin1').split('\n')
    const shown = ['cmdline', 'environ'].map((name) => readFileSync(`/proc/${pid}/${name}`, 'utf8')).join(' ')
    assert.match(shown, /linkname\0modemd-\d+-\d+/)
    for (const place of [shown, client.transcript(), readFileSync('/run/pppd2.tdb', 'utf8')])
      assert.doesNotMatch(place, /p"w|noauth ü|al"ice \\n #x/)
    // Without quotes: hidden by pppd itself, for the system's log too.
    assert.match(client.transcript(), /sent \[PAP AuthReq .*password=<hidden>/)
    // Of our session: as the leader of its own it would hang up a real line for us too when it ends.
    const [, , , session] = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /, '')
      .split(' ')
    const [, , , ourSession] = readFileSync('/proc/self/stat', 'latin1')
      .replace(/^.*\) /, '')
      .split(' ')
    assert.equal(session, ourSession)
    assert.doesNotMatch(readFileSync(`/proc/${pid}/environ`, 'utf8'), /HOME=|NODE/)
  })

  test('the peer terminates: hung-up, code 16; the interface is gone', async (t) => {
    const { client, peer } = await pair(t, {})
    await client.up()
    peer.link.terminate({ cause: 'user-request', detail: 'the operator ends it' })
    const { failure, exitCode } = await client.down()
    assert.deepEqual([failure.cause, exitCode], ['hung-up', 16], failure.detail)
    assert.match(failure.detail, /LCP terminated by peer/)
    assert.notEqual((await run('ip', 'link', 'show', 'ppp0')).status, 0)
  })

  test('the line is hung up while the link is up', async (t) => {
    const { client } = await pair(t, {})
    await client.up()
    await client.line.close()
    const { failure, exitCode } = await client.down()
    assert.deepEqual([failure.cause, exitCode], ['modem-gone', 16], failure.detail)
  })

  test('the port is closed by its owner: pppd does not go on with it', async (t) => {
    const { client } = await pair(t, {})
    await client.up()
    await client.wire.close()
    const { failure } = await client.down()
    assert.deepEqual(failure, { cause: 'hung-up', detail: 'the port was closed' })
  })

  test('nobody answers: lcp-timeout', async (t) => {
    const client = await newClient().start(t, { settings: { maxConfigure: 2 } })
    const { failure } = await client.down()
    assert.equal(failure.cause, 'lcp-timeout')
    assert.match(failure.detail, /LCP: timeout sending Config-Requests/)
  })

  test('a line that sends everything back: loopback, code 17', async (t) => {
    const client = newClient()
    client.line.listen({ data: (bytes) => client.line.write(bytes), drain() {}, closed() {} })
    await client.start(t)
    const { failure, exitCode } = await client.down()
    assert.deepEqual([failure.cause, exitCode], ['loopback', 17], failure.detail)
  })

  test('the peer falls silent: echo-lost, code 15', async (t) => {
    const { client } = await pair(t, {}, { settings: { echoIntervalMs: 1000, echoFailure: 2, echoFromStart: true } })
    await client.up()
    client.line.listen(undefined)
    const { failure, exitCode } = await client.down()
    assert.deepEqual([failure.cause, exitCode], ['echo-lost', 15], failure.detail)
  })

  test('IPv4 and IPv6: link-local addresses with the agreed identifiers, one event after the other', async (t) => {
    const identifiers = { localInterfaceId: 0x11n, remoteInterfaceId: 0x22n }
    const { client } = await pair(t, { ipv6: true, ...identifiers }, { settings: { ipv6: true } })
    const whole = () => client.ups().find(({ address }) => address.ip4 && address.ip6)
    await until('both', () => whole() !== undefined, LIMIT_MS)
    const { local, peer } = whole()!.address.ip6!
    assert.deepEqual([local, peer], [linkLocal(0x22n), linkLocal(0x11n)])
    assert.match((await run('ip', '-6', 'addr', 'show', 'ppp0')).output, new RegExp(`inet6 ${formatIpv6(local)}`))
    const pinged = await run('ping', '-c', '1', '-W', '5', `${formatIpv6(peer)}%ppp0`)
    assert.equal(pinged.status, 0, pinged.output)
    assert.equal(readFileSync('/proc/sys/net/ipv6/conf/ppp0/accept_ra', 'latin1').trim(), '0')
  })

  test('IPv6 alone', async (t) => {
    const { client } = await pair(
      t,
      { ipv4: false, ipv6: true },
      { settings: { ipv4: false, ipv6: true, localInterfaceId: 0x5n } },
    )
    const { address } = await client.up()
    assert.equal(address.ip4, undefined)
    assert.equal(address.ip6?.local, linkLocal(0x5n))
  })

  test('words of the profile come last: its time limit ends the link', async (t) => {
    const { client } = await pair(t, {}, { options: { pppdOptions: "maxconnect 1 # a 'comment" } })
    await client.up()
    const { failure, exitCode } = await client.down()
    assert.deepEqual([failure.cause, exitCode], ['time-limit', 13], failure.detail)
  })

  test('pppd takes every option that settings become, and quoted words as they are', async () => {
    const user = ' a"b\\c #d\'e \\n é'
    const settings = { ...CLIENT_DEFAULTS, ...EVERYTHING, user }
    const file = join(directory, 'options')
    writeFileSync(file, pppdOptions({ settings, interfaceName: 'ppp7', pppdOptions: 'novj' }))
    // What it would examine a peer with: pppd takes that from nowhere else.
    writeFileSync('/etc/ppp/chap-secrets', '* * other *\n')
    const { status, output } = await run(program, 'ttyS0', 'file', file, 'dryrun', 'dump', 'hide-password')
    assert.equal(status, 0, output)
    assert.doesNotMatch(output, /warning|sekret/)
    // As pppd shows a word.
    assert.ok(output.includes(`user ${user.replace(/["\\]/g, '\\$&')}\t`), output)
    for (const shown of [
      /^password \?+/m,
      /^mru 1400/m,
      /^lcp-echo-failure 6/m,
      /^noaccomp/m,
      /^ipv6 fe80::0000:0000:0000:0001,fe80::1122/m,
      /^unit 7/m,
    ])
      assert.match(output, shown)
  })

  test('a word that pppd does not know: pppd-failed with its message', async (t) => {
    const client = await newClient().start(t, { options: { pppdOptions: 'frobnicate' } })
    const { failure, exitCode } = await client.down()
    assert.deepEqual([failure.cause, exitCode], ['pppd-failed', 2])
    assert.match(failure.detail, /unrecognized option 'frobnicate'/)
  })

  test('no such program: engine-missing', async (t) => {
    const start = newClient().start(t, { program: '/nonexistent/pppd' })
    await assert.rejects(start, { failureCause: 'engine-missing', message: /no program \/nonexistent\/pppd/ })
  })

  test('an address that no peer may give: no-address', async (t) => {
    const { client } = await pair(t, { remoteAddress: parseIpv4('127.0.0.9')! })
    const { failure } = await client.down()
    assert.equal(failure.cause, 'no-address', failure.detail)
    assert.deepEqual(client.ups(), [])
  })

  test("an address of our own network: no-address; a peer that claims one is left out, with pppd's route", async (t) => {
    const lan = openTun('lan0')
    t.after(() => lan.close())
    await run('ip', 'addr', 'add', '10.64.0.9/24', 'dev', 'lan0')
    const first = await pair(t, {})
    const { failure } = await first.client.down()
    assert.equal(failure.cause, 'no-address')
    assert.match(failure.detail, /10\.64\.0\.2, which belongs to the network of lan0/)

    await run('ip', 'addr', 'flush', 'dev', 'lan0')
    await run('ip', 'addr', 'add', '10.64.64.9/24', 'dev', 'lan0')
    const second = await pair(t, {})
    const { address } = await second.client.up()
    assert.equal(address.ip4?.peer, 0)
    const { output } = await run('ip', 'addr', 'show', 'ppp0')
    assert.match(output, /inet 10\.64\.0\.2\/32/)
    assert.doesNotMatch(output, /10\.64\.64\.64/)
  })

  test('pppd is killed: pppd-failed, and the line is given back', async (t) => {
    const { client } = await pair(t, {})
    await client.up()
    const { fd } = client.wire
    process.kill(Number.parseInt(readFileSync('/run/ppp0.pid', 'latin1'), 10), 'SIGKILL')
    const { failure } = await client.down()
    assert.equal(failure.cause, 'pppd-failed')
    assert.match(failure.detail, /^pppd was ended by SIGKILL/)
    assert.deepEqual(pidFiles(), [])
    assert.equal(client.wire.fd, fd)
    assert.deepEqual(readSettings(fd!), client.settingsBefore)
  })

  test('a pppd that does not listen is killed in time', async (t) => {
    const { client } = await pair(t, {})
    await client.up()
    process.kill(Number.parseInt(readFileSync('/run/ppp0.pid', 'latin1'), 10), 'SIGSTOP')
    const asked = performance.now()
    client.link.terminate({ cause: 'user-request', detail: 'asked for' })
    assert.equal((await client.down()).failure.cause, 'user-request')
    const tookMs = performance.now() - asked
    assert.ok(tookMs > 2900 && tookMs < 10_000, `${tookMs} ms`)
  })

  test('a program of pppd that lives on and holds its output does not hold up the end', async (t) => {
    const clinging = join(directory, 'clinging')
    writeFileSync(clinging, '#!/bin/sh\necho Connect: ppp0\nsleep 30 &\necho $! >"$0.pid"\nwait\n')
    chmodSync(clinging, 0o755)
    const client = await newClient().start(t, { program: clinging })
    await until('it runs', () => existsSync(`${clinging}.pid`) && client.phases().length > 0)
    const asked = performance.now()
    client.link.terminate({ cause: 'user-request', detail: 'asked for' })
    await client.down()
    process.kill(Number.parseInt(readFileSync(`${clinging}.pid`, 'latin1'), 10))
    const tookMs = performance.now() - asked
    assert.ok(tookMs < 10_000, `${tookMs} ms`)
  })

  test('this process is killed: pppd ends in order by itself', async (t) => {
    const line = new PtyWire()
    const peer = serverOn(t, line, {})
    const args = ['--import=tsx', HOLDER, line.path, program]
    const holder = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    holder.stdout.on('data', (text) => (said += text))
    await until('up', () => said.includes('up'), LIMIT_MS)
    const pid = Number.parseInt(readFileSync('/run/ppp0.pid', 'latin1'), 10)
    holder.kill('SIGKILL')
    await once(holder, 'exit')
    assert.match((await peer.down()).failure.detail, /[Tt]erminate/)
    await until(
      'pppd is gone',
      () => !existsSync(`/proc/${pid}/cmdline`) || readFileSync(`/proc/${pid}/cmdline`).length === 0,
    )
    assert.notEqual((await run('ip', 'link', 'show', 'ppp0')).status, 0)
    await line.close()
  })

  test('at the start a pppd that an earlier daemon left over is ended, and no other', async (t) => {
    const lines = [new PtyWire(), new PtyWire()]
    t.after(() => Promise.all(lines.map((line) => line.close())))
    // The first one's parent is this process, as its name says; the second one's is not the process that it names.
    const names = [`modemd-${process.pid}-7`, 'modemd-999999999-8']
    const pppds = names.map((name, index) => {
      const line = lines[index]!
      line.listen({ data() {}, drain() {}, closed() {} })
      return spawn(
        program,
        [
          line.path,
          'nodetach',
          'local',
          'noauth',
          'nolock',
          'lcp-max-terminate',
          '1',
          'lcp-restart',
          '1',
          'linkname',
          name,
        ],
        { stdio: 'ignore' },
      )
    })
    t.after(() => pppds[0]!.kill('SIGKILL'))
    const file = (name: string) => `/run/ppp-${name}.pid`
    await until('both', () => names.every((name) => existsSync(file(name))), LIMIT_MS)
    // Of a pppd long gone, whose number is another program's now.
    writeFileSync(file('modemd-888888888-3'), `${process.pid}\nppp7\n`)
    const ended = once(pppds[1]!, 'exit')
    await endLeftOverPppd({ clock: systemClock, logger: silentLogger })
    await ended
    assert.deepEqual(
      names.map((name) => existsSync(file(name))),
      [true, false],
    )
    assert.equal(existsSync(file('modemd-888888888-3')), false)
    assert.equal(pppds[0]!.exitCode, null)
    assert.equal(spawnSync('kill', ['-0', `${process.pid}`]).status, 0)
  })
}
