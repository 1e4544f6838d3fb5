/** The two ends of a line between the builtin engine and Debian's pppd (on fakeppp, see pppd-shim/README.md), for the tests beside this file. */

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { silentLogger } from '../../src/base/ports.ts'
import { createBuiltinEngine } from '../../src/ppp/engines/builtin.ts'
import type { PppLink, PppLinkEvent, PppLinkOptions } from '../../src/ppp/engines/engine.ts'
import { CLIENT_DEFAULTS, type PppSettings, SERVER_DEFAULTS } from '../../src/ppp/settings.ts'
import { systemClock, systemRandom } from '../../src/system/clock.ts'
import { createNetworkNamespace, type NetworkNamespace } from '../../src/system/namespace.ts'
import { openRouteSocket } from '../../src/system/netlink.ts'
import { openRouterSocket } from '../../src/system/router-socket.ts'
import { openTun } from '../../src/system/tun.ts'
import { run } from '../system/run.ts'
import { until } from '../system/until.ts'
import { PtyWire } from './pty-wire.ts'

const SHIM = fileURLToPath(new URL('pppd-shim/pppd-shim', import.meta.url))
/** Our first request is lost: pppd discards what came before it opened the tty. */
const RESTART_MS = 200
/** It may take its time to start on a busy machine. */
const MAX_CONFIGURE = 100

/** Our end of the line, in a network namespace of its own: two interfaces with one pair of addresses would not talk through the line. */
export class OurEnd {
  readonly namespace: NetworkNamespace
  readonly wire = new PtyWire()
  readonly events: PppLinkEvent[] = []
  readonly link: PppLink

  constructor(t: TestContext, settings: Partial<PppSettings>, options: Partial<PppLinkOptions> = {}) {
    const defaults = settings.role === 'server' ? SERVER_DEFAULTS : CLIENT_DEFAULTS
    this.namespace = createNetworkNamespace()
    const engine = createBuiltinEngine({
      openTun: (name) => this.namespace.run(() => openTun(name)),
      openRouteSocket: () => this.namespace.run(openRouteSocket),
      openRouterSocket: (name) => this.namespace.run(() => openRouterSocket(name)),
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
    })
    this.link = engine.open(
      this.wire,
      { settings: { ...defaults, restartMs: RESTART_MS, maxConfigure: MAX_CONFIGURE, ...settings }, ...options },
      (event) => this.events.push(event),
    )
    t.after(async () => {
      this.link.terminate({ cause: 'user-request', detail: 'the test is over' })
      await this.wire.close()
      this.namespace.close()
    })
  }

  phases(): string[] {
    return this.events.flatMap((event) => (event.type === 'phase' ? [event.phase] : []))
  }

  async up(): Promise<Extract<PppLinkEvent, { type: 'up' }>> {
    await until('up', () => this.events.some(({ type }) => type === 'up' || type === 'down'), 20_000)
    const up = this.events.find((event) => event.type === 'up')
    assert.ok(up, JSON.stringify(this.events))
    return up
  }

  async down(): Promise<Extract<PppLinkEvent, { type: 'down' }>> {
    await until('down', () => this.events.some(({ type }) => type === 'down'), 20_000)
    return this.events.find((event) => event.type === 'down')!
  }

  run(command: string, ...args: string[]): ReturnType<typeof run> {
    return this.namespace.run(() => run(command, ...args))
  }
}

export class Pppd {
  readonly ended: Promise<number | null>
  /** undefined: it runs. */
  status: number | null | undefined
  output = ''
  readonly #child: ChildProcess

  constructor(t: TestContext, library: string, ...args: string[]) {
    const env = { ...process.env, FAKEPPP_SO: library }
    this.#child = spawn(SHIM, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (chunk) => {
        this.output += chunk
      })
    this.ended = once(this.#child, 'close').then(([status]) => {
      this.status = status
      return status
    })
    t.after(async () => {
      this.#child.kill('SIGKILL')
      await this.ended
    })
  }

  hangUp(): void {
    this.signal('SIGTERM')
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }
}
