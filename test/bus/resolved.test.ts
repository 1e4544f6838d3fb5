/** Name servers by the real systemd-resolved on a bus of our own; and by a stand-in, for what the real one does not do when asked. */

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import test, { type TestContext } from 'node:test'
import { silentLogger } from '../../src/base/ports.ts'
import { BusConnection, type IncomingCall } from '../../src/bus/connection.ts'
import { Neighbours } from '../../src/bus/neighbours.ts'
import { makeResolver } from '../../src/daemon/name-servers.ts'
import type { ResolverChain } from '../../src/link/resolver-chain.ts'
import { systemClock } from '../../src/system/clock.ts'
import { interfaceNumber } from '../../src/system/netlink.ts'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { install, needsUnpacked, unpacked } from '../support/unpacked.ts'
import { run } from '../system/run.ts'
import { PrivateBus, until } from './private-bus.ts'

const NAME = 'org.freedesktop.resolve1'
const RESOLV_CONF = '/etc/resolv.conf'
const STUB = '/run/systemd/resolve/stub-resolv.conf'

const skipped = needs('tun', 'dbus-daemon', 'ip').skip ?? needsUnpacked('systemd-resolved').skip
if (inNamespace(import.meta.url, skipped === undefined ? {} : { skip: skipped })) {
  install('systemd-resolved')
  await addInterface('ppp0')
  await addInterface('ppp1')
  // The stub listens on 127.0.0.53, port 53.
  writeFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', '0')

  test('the real one: all names go to the link with the lowest metric, and nothing is left when links end', async (context) => {
    const bus = await startBus(context)
    await startResolved(context, bus)
    const chain = await chainOn(context, bus)
    toStub()
    const first = await chain.apply('ppp0', ['10.0.0.1', '10.0.0.2'], 700)
    assert.deepEqual(await statusOf(bus, 'ppp0'), { servers: '10.0.0.1 10.0.0.2', domains: '~.' })
    const second = await chain.apply('ppp1', ['10.0.1.1'], 600)
    assert.deepEqual(await statusOf(bus, 'ppp1'), { servers: '10.0.1.1', domains: '~.' })
    assert.deepEqual(await statusOf(bus, 'ppp0'), { servers: '10.0.0.1 10.0.0.2', domains: '' })
    await second()
    assert.deepEqual(await statusOf(bus, 'ppp1'), { servers: '', domains: '' })
    assert.deepEqual(await statusOf(bus, 'ppp0'), { servers: '10.0.0.1 10.0.0.2', domains: '~.' })
    await first()
    assert.deepEqual(await statusOf(bus, 'ppp0'), { servers: '', domains: '' })
    assert.match(readFileSync(RESOLV_CONF, 'utf8'), /127\.0\.0\.53/, 'the file is as it was')
  })

  test('the real one comes late, and goes: the file until then, and from then on', async (context) => {
    const bus = await startBus(context)
    const chain = await chainOn(context, bus)
    writeResolvConf('nameserver 127.0.0.53\n')
    const restore = await chain.apply('ppp0', ['10.0.0.1'], 700)
    assert.match(readFileSync(RESOLV_CONF, 'utf8'), /^nameserver 10\.0\.0\.1$/m)
    const resolved = await startResolved(context, bus)
    await until(() => readFileSync(RESOLV_CONF, 'utf8') === 'nameserver 127.0.0.53\n', 'the file to be back')
    assert.deepEqual(await statusOf(bus, 'ppp0'), { servers: '10.0.0.1', domains: '~.' })
    await end(resolved)
    await until(() => /^nameserver 10\.0\.0\.1$/m.test(readFileSync(RESOLV_CONF, 'utf8')), 'the file to have them')
    await restore()
    assert.equal(readFileSync(RESOLV_CONF, 'utf8'), 'nameserver 127.0.0.53\n')
  })

  test('where programs do not come to it, the file has them too', async (context) => {
    const bus = await startBus(context)
    await startResolved(context, bus)
    const chain = await chainOn(context, bus)
    writeResolvConf('nameserver 192.0.2.1\n')
    const restore = await chain.apply('ppp0', ['10.0.0.1'], 700)
    assert.deepEqual(await statusOf(bus, 'ppp0'), { servers: '10.0.0.1', domains: '~.' })
    assert.match(readFileSync(RESOLV_CONF, 'utf8'), /^nameserver 10\.0\.0\.1$/m)
    await restore()
    assert.deepEqual(await statusOf(bus, 'ppp0'), { servers: '', domains: '' })
    assert.equal(readFileSync(RESOLV_CONF, 'utf8'), 'nameserver 192.0.2.1\n')
  })

  test('an interface that is gone already is no trouble', async (context) => {
    const bus = await startBus(context)
    await startResolved(context, bus)
    const chain = await chainOn(context, bus)
    toStub()
    await addInterface('ppp2')
    const restore = await chain.apply('ppp2', ['10.0.0.1'], 700)
    assert.deepEqual(await statusOf(bus, 'ppp2'), { servers: '10.0.0.1', domains: '~.' })
    await run('ip', 'tuntap', 'del', 'dev', 'ppp2', 'mode', 'tun')
    await restore()
  })

  test('a stand-in that knows the interface late is asked again; one that refuses leaves it to the file', async (context) => {
    const bus = await startBus(context)
    toStub()
    const asked: string[] = []
    let refusals = 2
    let error = 'NoSuchLink'
    await standIn(context, bus, (call) => {
      asked.push(
        `${call.member} ${JSON.stringify(call.body.map((each) => (each instanceof Buffer ? [...each] : each)))}`,
      )
      if (refusals > 0 && call.member === 'SetLinkDNS') {
        refusals--
        call.fail(`${NAME}.${error}`, 'No.')
      } else call.reply('', [])
    })
    const chain = await chainOn(context, bus)
    const number = interfaceNumber('ppp0')
    const restore = await chain.apply('ppp0', ['10.0.0.1'], 700)
    assert.match(asked[2]!, new RegExp(`^SetLinkDNS \\[${number},\\[\\[2,`))
    assert.deepEqual(asked.slice(3), [
      `SetLinkDomains [${number},[[".",true]]]`,
      `SetLinkDefaultRoute [${number},true]`,
    ])
    await restore()
    assert.equal(asked.at(-1), `RevertLink [${number}]`)

    refusals = 1
    error = 'InteractiveAuthorizationRequired'
    const other = await chain.apply('ppp0', ['10.0.0.1'], 700)
    assert.match(readFileSync(RESOLV_CONF, 'utf8'), /^nameserver 10\.0\.0\.1$/m)
    await other()
    assert.doesNotMatch(readFileSync(RESOLV_CONF, 'utf8'), /10\.0\.0\.1/)
  })
}

async function startBus(context: TestContext): Promise<PrivateBus> {
  const bus = await PrivateBus.start()
  context.after(() => bus.close())
  return bus
}

/** As a fresh daemon has it: it knows who is on the bus. */
async function chainOn(context: TestContext, bus: PrivateBus): Promise<ResolverChain> {
  const neighbours = await Neighbours.start({ address: bus.address, clock: systemClock, logger: silentLogger })
  context.after(() => neighbours.close())
  return await makeResolver({ root: '', neighbours, clock: systemClock, logger: silentLogger })
}

async function startResolved(context: TestContext, bus: PrivateBus): Promise<ChildProcess> {
  mkdirSync('/run/systemd/resolve', { recursive: true })
  const program = `${unpacked('systemd-resolved')}/lib/systemd/systemd-resolved`
  // As root it would want to become a user that this namespace does not have.
  const child = spawn('unshare', ['-U', '--keep-caps', '--map-user=998', '--map-group=998', program], {
    env: { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: bus.address },
    stdio: 'ignore',
  })
  context.after(() => end(child))
  await until(async () => {
    const { stdout } = await bus.busctl('list', '--no-legend', '--acquired')
    return stdout.includes(NAME)
  }, 'systemd-resolved on the bus')
  return child
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

async function standIn(context: TestContext, bus: PrivateBus, onCall: (call: IncomingCall) => void): Promise<void> {
  const handlers = { onCall, onSignal: () => {}, onLost: () => {} }
  const connection = await BusConnection.open(bus.address, systemClock, silentLogger, handlers)
  context.after(() => connection.close())
  await connection.callBus('RequestName', 'su', [NAME, 0])
}

/** In the words of its own program. */
async function statusOf(bus: PrivateBus, name: string): Promise<{ servers: string; domains: string }> {
  const ask = async (what: string) => {
    const program = `${unpacked('systemd-resolved')}/usr/bin/resolvectl`
    const { output } = await run('env', `DBUS_SYSTEM_BUS_ADDRESS=${bus.address}`, program, what, name)
    const found = /^Link \d+ \(\w+\):(.*)$/m.exec(output)
    assert.ok(found, `resolvectl ${what} ${name}: ${output}`)
    return found[1]!.trim()
  }
  return { servers: await ask('dns'), domains: await ask('domain') }
}

function toStub(): void {
  mkdirSync('/run/systemd/resolve', { recursive: true })
  writeFileSync(STUB, 'nameserver 127.0.0.53\n')
  rmSync(RESOLV_CONF, { force: true })
  symlinkSync(`..${STUB}`, RESOLV_CONF)
}

function writeResolvConf(text: string): void {
  rmSync(RESOLV_CONF, { force: true })
  writeFileSync(RESOLV_CONF, text)
}

async function addInterface(name: string): Promise<void> {
  for (const words of [`tuntap add dev ${name} mode tun`, `link set ${name} up`])
    assert.equal((await run('ip', ...words.split(' '))).status, 0)
}
