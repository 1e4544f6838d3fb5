/**
 * What the tests of the pppd engine stand on: a place where Debian's pppd can run (on fakeppp, see pppd-shim/README.md), our engine
 * with it on one end of a pty, our server on the other.
 */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { parseIpv4 } from '../../src/base/ipv4.ts'
import { type Logger, silentLogger } from '../../src/base/ports.ts'
import { createBuiltinEngine } from '../../src/ppp/engines/builtin.ts'
import type { PppLink, PppLinkEvent, PppLinkOptions } from '../../src/ppp/engines/engine.ts'
import { createPppdEngine } from '../../src/ppp/engines/pppd.ts'
import { type AuthProtocol, CLIENT_DEFAULTS, type PppSettings, SERVER_DEFAULTS } from '../../src/ppp/settings.ts'
import { Lease } from '../../src/serial/lease.ts'
import { createWireOpener } from '../../src/serial/serialport-wire.ts'
import type { Wire } from '../../src/serial/wire.ts'
import { systemClock, systemRandom } from '../../src/system/clock.ts'
import { createNetworkNamespace } from '../../src/system/namespace.ts'
import { openRouteSocket } from '../../src/system/netlink.ts'
import { readSettings } from '../../src/system/termios.ts'
import { openTun } from '../../src/system/tun.ts'
import { until } from '../system/until.ts'
import { PtyWire } from './pty-wire.ts'

export const OURS = '10.64.0.2'
export const THEIRS = '10.64.64.64'
export const LIMIT_MS = 20_000

const openWire = createWireOpener({ root: '', clock: systemClock, logger: silentLogger })

type Up = Extract<PppLinkEvent, { type: 'up' }>
type Down = Extract<PppLinkEvent, { type: 'down' }>

export class End {
  readonly events: PppLinkEvent[] = []
  link!: PppLink

  readonly onEvent = (event: PppLinkEvent) => {
    this.events.push(event)
  }

  phases(): string[] {
    return this.events.flatMap((event) => (event.type === 'phase' ? [event.phase] : []))
  }

  ups(): Up[] {
    return this.events.filter((event): event is Up => event.type === 'up')
  }

  async up(): Promise<Up> {
    await until('up', () => this.events.some(({ type }) => type === 'up' || type === 'down'), LIMIT_MS)
    assert.ok(this.ups()[0], inspect(this.events, { depth: 5 }))
    return this.ups()[0]!
  }

  async down(): Promise<Down> {
    await until('down', () => this.events.some(({ type }) => type === 'down'), LIMIT_MS)
    return this.events.find((event): event is Down => event.type === 'down')!
  }
}

/** The operator: our server, its interface in a namespace of its own. */
export function serverOn(t: TestContext, line: PtyWire, settings: Partial<PppSettings>): End {
  const end = new End()
  const namespace = createNetworkNamespace()
  const engine = createBuiltinEngine({
    openTun: (name) => namespace.run(() => openTun(name)),
    openRouteSocket: () => namespace.run(openRouteSocket),
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
  })
  const addresses = {
    localAddress: parseIpv4(THEIRS)!,
    remoteAddress: parseIpv4(OURS)!,
    dnsServers: [parseIpv4('10.64.0.53')!, parseIpv4('10.64.0.54')!],
  }
  end.link = engine.open(
    line,
    { settings: { ...SERVER_DEFAULTS, restartMs: 200, maxConfigure: 100, ...addresses, ...settings } },
    end.onEvent,
  )
  t.after(() => {
    end.link.terminate({ cause: 'user-request', detail: 'the test is over' })
    namespace.close()
  })
  return end
}

export interface Setup {
  readonly settings?: Partial<PppSettings>
  readonly options?: Partial<PppLinkOptions>
  readonly program?: string
}

export class Client extends End {
  readonly #program: string
  readonly line = new PtyWire()
  readonly said: string[] = []
  wire!: Wire
  settingsBefore: unknown

  constructor(program: string) {
    super()
    this.#program = program
  }

  /** Opens our end; the peer, if any, is `serverOn(t, client.line, …)`. */
  async start(t: TestContext, setup: Setup = {}): Promise<this> {
    // As the daemon holds it.
    this.wire = new Lease(await openWire(this.line.path)).take('PPP')
    this.settingsBefore = readSettings(this.wire.fd!)
    t.after(async () => {
      this.link?.terminate({ cause: 'user-request', detail: 'the test is over' })
      if (this.link) await this.down()
      await this.wire.close()
      await this.line.close()
    })
    const logger: Logger = { ...silentLogger, debug: (message) => this.said.push(message) }
    const engine = createPppdEngine({
      program: setup.program ?? this.#program,
      openRouteSocket,
      clock: systemClock,
      logger,
    })
    const settings = { ...CLIENT_DEFAULTS, restartMs: 1000, user: 'alice', password: 'sekret', ...setup.settings }
    this.link = engine.open(this.wire, { settings, ...setup.options }, this.onEvent)
    return this
  }

  transcript(): string {
    return `${this.said.join('\n')}\n${inspect(this.events, { depth: 5 })}`
  }
}

export function pidFiles(): string[] {
  return readdirSync('/run').filter((name) => name.endsWith('.pid'))
}

export function examined(...requiresAuth: AuthProtocol[]): Partial<PppSettings> {
  return { requiresAuth, secretOf: (name) => (name === 'alice' ? 'sekret' : undefined) }
}

/** Inside namespaces of the test's own only. */
export function makeRig() {
  const directory = mkdtempSync(join(tmpdir(), 'modemd-pppd-'))
  after(() => rmSync(directory, { recursive: true, force: true }))
  // Nothing of this machine's /etc/ppp, /run and interfaces: all of it in this mount namespace only.
  for (const place of ['/etc/ppp', '/run']) execFileSync('mount', ['-t', 'tmpfs', 'none', place])
  execFileSync('mount', ['-t', 'sysfs', 'none', '/sys'])
  mkdirSync('/run/lock')
  // As Debian has them.
  writeFileSync('/etc/ppp/options', 'asyncmap 0\nauth\ncrtscts\nlock\nhide-password\nmodem\nlcp-echo-interval 30\n')
  const scriptRuns = join(directory, 'script-runs')
  for (const name of ['ip-up', 'ip-down']) {
    writeFileSync(`/etc/ppp/${name}`, `#!/bin/sh\necho ${name} >>${scriptRuns}\n`)
    chmodSync(`/etc/ppp/${name}`, 0o755)
  }
  const library = join(directory, 'fakeppp.so')
  const source = fileURLToPath(new URL('pppd-shim/fakeppp.c', import.meta.url))
  execFileSync('gcc', ['-O2', '-shared', '-fPIC', '-o', library, source, '-lpthread', '-ldl'])
  const program = join(directory, 'pppd')
  writeFileSync(program, `#!/bin/sh\nLD_PRELOAD=${library} exec /usr/sbin/pppd "$@"\n`)
  chmodSync(program, 0o755)
  const newClient = () => new Client(program)
  const pair = async (t: TestContext, server: Partial<PppSettings>, setup: Setup = {}) => {
    const client = newClient()
    const peer = serverOn(t, client.line, server)
    await client.start(t, setup)
    return { client, peer }
  }
  return { directory, program, scriptRuns, newClient, pair }
}
