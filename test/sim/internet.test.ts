/**
 * Calls from CONNECT to packets: our own client engine and Debian's pppd dial modem-sim, and the kernel's ping and curl go
 * through, to the operator's network namespace and to its host in user space.
 */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { fromLatin1, latin1 } from '../../src/base/bytes.ts'
import type { Failure } from '../../src/base/cause.ts'
import { formatIpv4 } from '../../src/base/ipv4.ts'
import { formatIpv6 } from '../../src/base/ipv6.ts'
import { silentLogger } from '../../src/base/ports.ts'
import { createBuiltinEngine } from '../../src/ppp/engines/builtin.ts'
import type { PppLink, PppLinkEvent } from '../../src/ppp/engines/engine.ts'
import { CLIENT_DEFAULTS, type PppSettings } from '../../src/ppp/settings.ts'
import { printPacket } from '../../src/ppp/wire/printing.ts'
import { Lease } from '../../src/serial/lease.ts'
import { createWireOpener } from '../../src/serial/serialport-wire.ts'
import type { Wire } from '../../src/serial/wire.ts'
import generic from '../../src/sim/personalities/generic.json' with { type: 'json' }
import { systemClock, systemRandom } from '../../src/system/clock.ts'
import { openRouteSocket } from '../../src/system/netlink.ts'
import { openRouterSocket } from '../../src/system/router-socket.ts'
import { openTun } from '../../src/system/tun.ts'
import { listenUevents, type Uevent } from '../../src/system/uevents.ts'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { run } from '../system/run.ts'
import { until } from '../system/until.ts'
import { RunningSim } from './running-sim.ts'

const SHIM = fileURLToPath(new URL('../interop/pppd-shim/pppd-shim', import.meta.url))
const CHAT_SCRIPT = `ABORT ERROR ABORT "NO CARRIER"
"" AT OK ATE0+CREG=1 OK AT+CPIN="1234" OK
\\c "+CREG: 1" AT+CGDCONT=1,"IP","internet" OK ATD*99# CONNECT
`
const PAGE = /^Virtual Mobile, .*\nYour address is 10\.64\.0\.\d+\.\n$/

if (inNamespace(import.meta.url, needs('tun', 'ip', 'ping', 'curl', 'chat', 'pppd', 'gcc'))) tests()

async function started(t: TestContext, ...args: string[]): Promise<RunningSim> {
  const sim = new RunningSim(t, ['--link', 'FOLDER/modem', '--register-after', '0', ...args])
  await sim.ready()
  return sim
}

/** One call: dialled, then PPP over the same port from the first byte behind CONNECT. */
class ClientCall {
  readonly events: PppLinkEvent[] = []
  readonly sent: string[] = []
  readonly received: string[] = []
  readonly wire: Wire
  readonly #lease: Lease
  #hold: ReturnType<Lease['take']>
  #link: PppLink | undefined

  static async dial(t: TestContext, sim: RunningSim): Promise<ClientCall> {
    const wire = await createWireOpener({ root: sim.folder, clock: systemClock, logger: silentLogger })('/modem')
    t.after(() => wire.close())
    const call = new ClientCall(wire)
    assert.match(await call.say('ATE0', 'OK'), /OK/)
    return call
  }

  constructor(wire: Wire) {
    this.wire = wire
    this.#lease = new Lease(wire)
    this.#hold = this.#lease.take('test')
  }

  say(command: string, expected: string): Promise<string> {
    const heard = this.hear(expected)
    this.#hold.write(latin1(`${command}\r`))
    return heard
  }

  /** Up to the end of the line that holds `expected`; what follows stays for the next listener. */
  async hear(expected: string): Promise<string> {
    let text = ''
    let why: string | undefined
    const isWhole = () => text.includes(expected) && text.indexOf('\r\n', text.indexOf(expected)) >= 0
    this.#hold.listen({
      data: (bytes) => {
        text += fromLatin1(bytes)
      },
      drain() {},
      closed: (reason) => {
        why = reason
      },
    })
    await until(`${expected} is heard`, () => isWhole() || why !== undefined, 10_000)
    assert.ok(isWhole(), `${why} after ${JSON.stringify(text)}`)
    const end = text.indexOf('\r\n', text.indexOf(expected)) + 2
    this.#hold = this.#hold.handOver('test', latin1(text.slice(end)))
    return text.slice(0, end)
  }

  async connect(settings: Partial<PppSettings> = {}): Promise<void> {
    assert.match(await this.say('ATD*99#', 'CONNECT'), /CONNECT/)
    const services = {
      openTun,
      openRouteSocket,
      openRouterSocket,
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
    }
    this.#link = createBuiltinEngine(services).open(
      this.#hold,
      {
        settings: { ...CLIENT_DEFAULTS, restartMs: 500, ...settings },
        defaultRouteMetric: 10,
        trace: (direction, protocol, info) =>
          (direction === 'sent' ? this.sent : this.received).push(printPacket(protocol, info)),
      },
      (event) => this.events.push(event),
    )
  }

  async up(): Promise<Extract<PppLinkEvent, { type: 'up' }>> {
    await until('the link is up', () => this.#find('up') !== undefined || this.#find('down') !== undefined, 15_000)
    const up = this.#find('up')
    assert.ok(up, JSON.stringify(this.#find('down')))
    return up
  }

  async down(limitMs = 15_000): Promise<Failure> {
    await until('the link is down', () => this.#find('down') !== undefined, limitMs)
    return this.#find('down')!.failure
  }

  /** Down, and the modem is in command mode again. */
  async hangUp(): Promise<void> {
    this.#link?.terminate({ cause: 'user-request', detail: 'test' })
    await this.down()
    this.#hold = this.#hold.handOver('test')
    assert.equal(await this.hear('NO CARRIER'), '\r\nNO CARRIER\r\n')
  }

  #find<T extends PppLinkEvent['type']>(type: T): Extract<PppLinkEvent, { type: T }> | undefined {
    return this.events.find((event): event is Extract<PppLinkEvent, { type: T }> => event.type === type)
  }
}

async function assertInternet(address: string, via: string): Promise<void> {
  const ping = await run('ping', '-n', '-c', '3', '-i', '0.01', '-w', '10', '-I', via, address)
  assert.match(ping.output, / [3-9]\d* received/, ping.output)
  const page = await run('curl', '-sS', '--max-time', '10', '--interface', via, `http://${address}/`)
  assert.match(page.output, PAGE)
}

function tests(): void {
  for (const internet of ['echo', 'tun']) {
    test(`--internet ${internet}: ping, a page, name servers, a second call`, async (t) => {
      const sim = await started(t, '--internet', internet, '--latency', '0', '--apn', 'internet:user:secret')
      const call = await ClientCall.dial(t, sim)
      await call.say('AT+CGDCONT=1,"IP","internet"', 'OK')
      await call.connect({ user: 'user', password: 'secret' })
      const { address, interfaceName } = await call.up()
      const { local, peer, dns } = address.ip4!
      assert.deepEqual(dns.map(formatIpv4), ['10.64.0.53', '10.64.0.54'])
      assert.deepEqual([local, peer].map(formatIpv4), ['10.64.0.2', '10.64.0.1'])
      await assertInternet('10.64.0.1', interfaceName)
      await assertInternet('10.64.0.53', interfaceName)
      const large = await run('ping', '-n', '-c', '2', '-i', '0.01', '-w', '10', '-s', '1400', '10.64.0.1')
      assert.match(large.output, / [2-9]\d* received/)
      const elsewhere = await run('ping', '-n', '-c', '1', '-W', '1', '192.0.2.1')
      assert.match(elsewhere.output, internet === 'echo' ? /Unreachable/ : / 0 received/)
      await call.hangUp()
      await call.say('AT', 'OK')
      call.events.length = 0
      await call.connect({ user: 'user', password: 'secret' })
      const second = await call.up()
      assert.equal(formatIpv4(second.address.ip4!.local), '10.64.0.3')
      await assertInternet('10.64.0.1', second.interfaceName)
      assert.equal((await sim.stats()).calls, 2)
    })
  }

  for (const internet of ['echo', 'tun']) {
    test(`--internet ${internet}, IPv6 beside IPv4: a router names the prefix, ping`, async (t) => {
      const sim = await started(t, '--internet', internet, '--latency', '0', '--pool6', 'fd12:3456::/48')
      const call = await ClientCall.dial(t, sim)
      await call.connect({ ipv6: true })
      const isGlobal = () => call.events.some((event) => event.type === 'up' && event.address.ip6?.global !== undefined)
      await until('a global address', isGlobal, 10_000)
      const up = call.events.filter((event) => event.type === 'up').at(-1)!
      const { local, peer, global } = up.address.ip6!
      assert.equal(formatIpv6(peer), 'fe80::1')
      assert.match(formatIpv6(global!.address), /^fd12:3456:0:[1-9a-f]/)
      assert.equal(global!.address & 0xffff_ffff_ffff_ffffn, local & 0xffff_ffff_ffff_ffffn)
      const ping = await run('ping', '-6', '-n', '-c', '2', '-i', '0.01', '-w', '10', 'fd12:3456::1')
      assert.match(ping.output, / [2-9]\d* received/, ping.output)
      await assertInternet('10.64.0.1', up.interfaceName)
      await call.hangUp()
    })
  }

  test('--pool6 none: IPv6 is refused and the link stands without it', async (t) => {
    const sim = await started(t, '--latency', '0', '--pool6', 'none')
    const call = await ClientCall.dial(t, sim)
    await call.connect({ ipv6: true })
    const { address, interfaceName } = await call.up()
    assert.equal(address.ip6, undefined)
    await assertInternet('10.64.0.1', interfaceName)
    const pool = new RunningSim(t, ['--link', 'FOLDER/modem', '--pool6', '10.0.0.0/8'])
    const { code, stderr } = await pool.ended()
    assert.equal(code, 2)
    assert.match(stderr, /"10\.0\.0\.0\/8" is no IPv6 pool/)
  })

  for (const asksAnybody of ['pap', 'chap'] as const)
    test(`every other habit at once: silent, waits, asks anybody for ${asksAnybody}, names no address, bare echoes`, async (t) => {
      const folder = mkdtempSync(join(tmpdir(), 'modemd-personality-'))
      t.after(() => rmSync(folder, { recursive: true }))
      const { ppp, ...rest } = generic
      const habits = {
        ...ppp,
        asksAnybody,
        echoReplies: 'bare',
        namesItsAddress: false,
        papAckMessage: false,
        silentMs: 700,
        waitsForHost: true,
      }
      writeFileSync(join(folder, 'odd.json'), JSON.stringify({ ...rest, name: 'odd', ppp: habits }))
      const sim = await started(t, '--personality', join(folder, 'odd.json'), '--latency', '0')
      const call = await ClientCall.dial(t, sim)
      // Echoes that are answered, however barely, keep the link: none is missed.
      await call.connect({
        user: 'whoever',
        password: 'whatever',
        echoIntervalMs: 200,
        echoFailure: 3,
        echoFromStart: true,
      })
      const { address, interfaceName } = await call.up()
      assert.equal(address.ip4!.peer, 0)
      await until('echoes were sent', () => call.sent.filter((text) => text.includes('EchoReq')).length >= 5)
      assert.ok(
        call.received.some((text) => /EchoRep .*magic=0x0\]/.test(text)),
        call.received.join('\n'),
      )
      await assertInternet('10.64.0.1', interfaceName)
    })

  test('the E173: placeholders first, 10.64.64.64, no echo replies, and the line drops without Terminate', async (t) => {
    const sim = await started(t, '--personality', 'huawei-e173', '--latency', '0', '--internet', 'tun')
    const call = await ClientCall.dial(t, sim)
    await call.connect({ echoIntervalMs: 100, echoFailure: 2 })
    const { address, interfaceName } = await call.up()
    assert.equal(formatIpv4(address.ip4!.peer), '10.64.64.64')
    assert.deepEqual(address.ip4!.dns.map(formatIpv4), ['10.64.0.53', '10.64.0.54'])
    await assertInternet('10.64.64.64', interfaceName)
    await assertInternet('10.64.0.1', interfaceName)
    assert.deepEqual(await sim.ctl('hangup'), { ok: true, calls: 1 })
    assert.equal((await call.down()).cause, 'hung-up')
  })

  test('a hang-up by the generic operator is a Terminate, then NO CARRIER', async (t) => {
    const sim = await started(t, '--latency', '0')
    const call = await ClientCall.dial(t, sim)
    await call.connect()
    await call.up()
    await sim.ctl('hangup')
    const failure = await call.down()
    assert.equal(failure.cause, 'hung-up', JSON.stringify(failure))
    assert.equal((await sim.stats()).call, 'none')
  })

  test('wrong password, auth-fail, ipcp-no-address, hangup-mid-lcp, hangup-up, loopback, echo-dead', async (t) => {
    const sim = await started(t, '--latency', '0', '--apn', 'internet:user:secret', '--auth', 'pap')
    const good = { user: 'user', password: 'secret', maxConfigure: 4, restartMs: 200 }
    const attempt = async (settings: Partial<PppSettings>, ...fault: string[]) => {
      if (fault.length > 0) assert.deepEqual(await sim.ctl('fault', ...fault), { ok: true })
      const call = await ClientCall.dial(t, sim)
      await call.say('AT+CGDCONT=1,"IP","internet"', 'OK')
      await call.connect({ ...good, ...settings })
      const { cause } = await call.down()
      await call.wire.close()
      return cause
    }
    assert.equal(await attempt({ password: 'wrong' }), 'auth-refused')
    assert.equal(await attempt({}, 'auth-fail'), 'auth-refused')
    assert.ok(['no-address', 'ipcp-failed'].includes(await attempt({}, 'ipcp-no-address')))
    assert.equal(await attempt({}, 'hangup-mid-lcp'), 'hung-up')
    assert.equal(await attempt({}, 'hangup-up', '0.1'), 'hung-up')
    assert.equal(await attempt({}, 'loopback'), 'loopback')
    assert.equal(await attempt({ echoIntervalMs: 100, echoFailure: 2 }, 'echo-dead', '0.3'), 'echo-lost')
  })

  test('--speed is felt: 1000 bytes there and back at 160 kbit/s take a tenth of a second', async (t) => {
    const sim = await started(t, '--latency', '0', '--speed', '160k')
    const call = await ClientCall.dial(t, sim)
    await call.connect()
    await call.up()
    const ping = await run('ping', '-n', '-c', '1', '-W', '10', '-s', '972', '10.64.0.1')
    const roundTripMs = Number(/time=([\d.]+) ms/.exec(ping.output)?.[1])
    assert.ok(roundTripMs >= 100 && roundTripMs < 1000, ping.output)
  })

  test('unplugged while up: the tty dies under the client', async (t) => {
    const sim = await started(t, '--latency', '0', '--fault', 'unplug-at running')
    const call = await ClientCall.dial(t, sim)
    await call.connect()
    await call.down()
    assert.ok(call.wire.isClosed)
    assert.equal((await sim.stats()).plugged, false)
  })

  test('hotplug sends the kernel’s events', async (t) => {
    const events: Uevent[] = []
    const listener = listenUevents((event) => events.push(event))
    t.after(() => listener.close())
    const sim = new RunningSim(t, ['--root', 'FOLDER', '--personality', 'huawei-e173'])
    assert.match(await sim.ready(), /ttyUSB0/)
    assert.equal((await sim.ctl('ready')).hotplug, 'uevents')
    const told = (action: string) =>
      events.filter((event) => event.action === action && event.subsystem === 'tty').map((event) => event.env.DEVNAME)
    await until('three ttys were added', () => told('add').length === 3)
    const device = '/devices/pci0000:00/0000:00:14.0/usb1/1-1'
    assert.equal(events.find((event) => event.subsystem === 'tty')?.devpath, `${device}/1-1:1.0/ttyUSB0/tty/ttyUSB0`)
    const usb = events.find((event) => event.env.DEVTYPE === 'usb_device')
    assert.deepEqual([usb?.devpath, usb?.env.PRODUCT], [device, '12d1/1436/0'])
    await sim.ctl('unplug')
    await until('three ttys were removed', () => told('remove').length === 3)
    assert.equal(events.at(-1)?.devpath, device)
  })

  test("Debian's pppd with Debian's chat dials in, gets its address and reaches the page", async (t) => {
    const sim = await started(t, '--internet', 'tun', '--apn', 'internet:user:secret', '--pin', '1234')
    const library = join(tmpdir(), `fakeppp-sim-${process.pid}.so`)
    t.after(() => rmSync(library, { force: true }))
    const script = join(sim.folder, 'script')
    writeFileSync(script, CHAT_SCRIPT)
    const args = ['client', join(sim.folder, 'modem'), 'none', 'user', 'secret', '0', '0', '0', '0', '0', '0']
    const pppd = spawn(SHIM, [...args, 'connect', `/usr/sbin/chat -t 5 -f ${script}`], {
      env: { ...process.env, FAKEPPP_SO: library },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [pppd.stdout, pppd.stderr])
      stream.on('data', (bytes) => {
        output += bytes
      })
    t.after(() => pppd.kill('SIGKILL'))
    const ended = once(pppd, 'close')
    await until('pppd is up', () => /DNS address/.test(output) || pppd.exitCode !== null, 20_000)
    assert.match(output, /local +IP address 10\.64\.0\.2/, output)
    assert.match(output, /remote IP address 10\.64\.0\.1/, output)
    assert.match(output, /primary +DNS address 10\.64\.0\.53/)
    const name = /Using interface (\w+)/.exec(output)?.[1] ?? 'ppp0'
    await assertInternet('10.64.0.1', name)
    pppd.kill('SIGTERM')
    await ended
    assert.equal((await sim.stats()).call, 'none')
  })
}
