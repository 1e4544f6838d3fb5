/** IPV6CP with Debian's own pppd at the other end (on fakeppp), in both roles; the session alone, without an interface of ours. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { SerialSession } from '../../src/ppp/serial-session.ts'
import type { SessionEvent } from '../../src/ppp/session-events.ts'
import { CLIENT_DEFAULTS, type PppAddress, type PppSettings, SERVER_DEFAULTS } from '../../src/ppp/settings.ts'
import { Pump } from '../../src/serial/pump.ts'
import { systemClock, systemRandom } from '../../src/system/clock.ts'
import { PtyWire } from '../interop/pty-wire.ts'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { until } from '../system/until.ts'

const SHIM = fileURLToPath(new URL('../interop/pppd-shim/pppd-shim', import.meta.url))
const ADDRESSES = ['10.64.0.1', '10.64.0.2', '10.64.0.53', '10.64.0.54', '0', '0', 'lcp-restart', '1']

/** The session and pppd, and what came of it: our last address, and what pppd printed. */
/** pppd may take its time to start on a busy machine, and what came before it opened the tty it discards. */
const MAX_CONFIGURE = 100

async function meet(
  t: TestContext,
  settings: PppSettings,
  args: readonly string[],
  isDone: (address: PppAddress, output: string) => boolean,
): Promise<{ address: PppAddress; output: string; events: SessionEvent[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'modemd-ipv6-'))
  const wire = new PtyWire()
  const events: SessionEvent[] = []
  const session = new SerialSession({ ...settings, restartMs: 200, maxConfigure: MAX_CONFIGURE }, systemRandom)
  const pump = new Pump(wire, session, { clock: systemClock, onEvent: (event) => events.push(event) })
  const env = { ...process.env, FAKEPPP_SO: join(folder, 'fakeppp.so') }
  const [role, ...options] = args
  const pppd = spawn(SHIM, [role!, wire.path, 'none', 'alice', 'sekret', ...ADDRESSES, ...options], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(pppd, 'close')
  t.after(async () => {
    pppd.kill('SIGKILL')
    await ended
    pump.stop()
    await wire.close()
    rmSync(folder, { recursive: true })
  })
  let output = ''
  for (const stream of [pppd.stdout, pppd.stderr]) stream.on('data', (chunk) => (output += chunk))
  const last = () => events.findLast((event) => event.type === 'up')?.address
  await until('agreed', () => last() !== undefined && isDone(last()!, output), 20_000)
  return { address: last()!, output, events }
}

function llOf(identifier: bigint): string {
  return `fe80::${identifier
    .toString(16)
    .padStart(16, '0')
    .replace(/(....)(?!$)/g, '$1:')}`
}

const knowsLl = (address: PppAddress, output: string) =>
  address.ip4 !== undefined && address.ip6 !== undefined && /remote LL address/.test(output)

function tests(): void {
  for (const role of ['client', 'server'] as const) {
    test(`our ${role} and pppd agree on identifiers, beside IPv4`, async (t) => {
      const settings =
        role === 'client'
          ? CLIENT_DEFAULTS
          : { ...SERVER_DEFAULTS, localAddress: 0x0a400001, remoteAddress: 0x0a400002 }
      const { address, output } = await meet(
        t,
        { ...settings, ipv6: true },
        [role === 'client' ? 'server' : 'client'],
        knowsLl,
      )
      assert.match(output, new RegExp(`local {2}LL address ${llOf(address.ip6!.peer)}`))
      assert.match(output, new RegExp(`remote LL address ${llOf(address.ip6!.local)}`))
    })
  }

  test('identifiers of our settings, pppd’s own, and one that pppd must give up', async (t) => {
    const own = { ...CLIENT_DEFAULTS, ipv6: true, localInterfaceId: 0x1234n }
    const { address } = await meet(t, own, ['server', 'ipv6', '::99,::1234'], knowsLl)
    assert.deepEqual(address.ip6, { local: 0x1234n, peer: 0x99n })
  })

  test('pppd gives us an identifier', async (t) => {
    const { address } = await meet(t, { ...CLIENT_DEFAULTS, ipv6: true }, ['server', 'ipv6', '::99,::77'], knowsLl)
    assert.deepEqual(address.ip6, { local: 0x77n, peer: 0x99n })
  })

  test('IPv6 without IPv4', async (t) => {
    const { address } = await meet(
      t,
      { ...CLIENT_DEFAULTS, ipv4: false, ipv6: true },
      ['server'],
      (agreed, output) => agreed.ip6 !== undefined && /remote LL address/.test(output),
    )
    assert.equal(address.ip4, undefined)
  })

  test('a pppd without IPv6: told once, and IPv4 runs', async (t) => {
    const { address, events } = await meet(
      t,
      { ...CLIENT_DEFAULTS, ipv6: true },
      ['server', 'noipv6'],
      (agreed) => agreed.ip4 !== undefined,
    )
    assert.equal(address.ip6, undefined)
    await until('told', () => events.some(({ type }) => type === 'stopped'))
    const stopped = events.find((event) => event.type === 'stopped')!
    assert.match(stopped.failure.detail, /^IPV6CP: the peer does not speak IPV6CP \(Protocol-Reject\)/)
  })
}

if (inNamespace(import.meta.url, needs('pppd', 'gcc', 'tun'))) tests()
