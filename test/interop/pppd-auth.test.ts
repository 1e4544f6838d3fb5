/**
 * Every log-in with Debian's own pppd (on fakeppp, see pppd-shim/README.md), over a real pty: as its client and as its server,
 * with the right secret and a wrong one, both ways at once, and again while the link is up.
 */

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseIpv4 } from '../../src/base/ipv4.ts'
import { SerialSession } from '../../src/ppp/serial-session.ts'
import type { SessionEvent } from '../../src/ppp/session-events.ts'
import { type AuthProtocol, CLIENT_DEFAULTS, type PppSettings, SERVER_DEFAULTS } from '../../src/ppp/settings.ts'
import { printPacket } from '../../src/ppp/wire/printing.ts'
import { Pump } from '../../src/serial/pump.ts'
import { systemClock, systemRandom } from '../../src/system/clock.ts'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { until } from '../system/until.ts'
import { PtyWire } from './pty-wire.ts'

const SHIM = fileURLToPath(new URL('pppd-shim/pppd-shim', import.meta.url))
const OURS = '10.64.0.2'
const THEIRS = '10.64.64.64'
/** Our first request is lost: pppd discards what came before it opened the tty. */
const TIMES = { restartMs: 200 }

const CLIENT: PppSettings = { ...CLIENT_DEFAULTS, ...TIMES, user: 'alice', password: 'sekret' }
const SERVER: PppSettings = {
  ...SERVER_DEFAULTS,
  ...TIMES,
  user: 'operator',
  secretOf: (name) => (name === 'alice' ? 'sekret' : undefined),
  localAddress: parseIpv4(THEIRS)!,
  remoteAddress: parseIpv4(OURS)!,
}

/** pppd's option that asks for a log-in, and its words in LCP. */
const METHODS: Readonly<Record<AuthProtocol, { readonly require: string; readonly words: string }>> = {
  pap: { require: 'require-pap', words: 'auth pap' },
  chap: { require: 'require-chap', words: 'auth chap MD5' },
  mschap: { require: 'require-mschap', words: 'auth chap MS' },
  mschapv2: { require: 'require-mschap-v2', words: 'auth chap MS-v2' },
  eap: { require: 'require-eap', words: 'auth eap' },
}
const NAMES = Object.keys(METHODS) as AuthProtocol[]

if (inNamespace(import.meta.url, needs('pppd', 'gcc', 'tun', 'ip'))) tests()

class OurEnd {
  readonly wire = new PtyWire()
  readonly events: SessionEvent[] = []
  readonly trace: string[] = []
  readonly session: SerialSession

  constructor(t: TestContext, settings: PppSettings) {
    this.session = new SerialSession(settings, systemRandom, (direction, protocol, info) =>
      this.trace.push(`${direction} ${printPacket(protocol, info)}`),
    )
    const pump = new Pump(this.wire, this.session, { clock: systemClock, onEvent: (event) => this.events.push(event) })
    t.after(async () => {
      pump.stop()
      await this.wire.close()
    })
  }

  count(pattern: RegExp): number {
    return this.trace.filter((line) => pattern.test(line)).length
  }

  async up(): Promise<void> {
    await until('up', () => this.events.some(({ type }) => type === 'up' || type === 'down'), 20_000)
    assert.ok(this.#isUp, `${JSON.stringify(this.events)}\n${this.trace.join('\n')}`)
  }

  /** The cause, pppd's code for it, and the detail. */
  async down(): Promise<{ code: string; detail: string }> {
    await until('down', () => this.events.some(({ type }) => type === 'down'), 20_000)
    const down = this.events.find((event) => event.type === 'down')!
    return { code: `${down.failure.cause} ${down.exitCode}`, detail: down.failure.detail }
  }

  get #isUp(): boolean {
    return this.events.some(({ type }) => type === 'up')
  }
}

class Pppd {
  readonly ended: Promise<number | null>
  output = ''
  readonly #child: ChildProcess

  constructor(t: TestContext, library: string, args: readonly string[]) {
    const env = { ...process.env, FAKEPPP_SO: library }
    this.#child = spawn(SHIM, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (chunk) => {
        this.output += chunk
      })
    this.ended = once(this.#child, 'close').then(([status]) => status)
    t.after(async () => {
      this.#child.kill('SIGKILL')
      await this.ended
    })
  }

  hangUp(): void {
    this.#child.kill('SIGTERM')
  }
}

function tests(): void {
  const directory = mkdtempSync(join(tmpdir(), 'modemd-pppd-auth-'))
  after(() => rmSync(directory, { recursive: true, force: true }))
  const library = join(directory, 'fakeppp.so')

  const server = (t: TestContext, ours: OurEnd, ...options: string[]) => {
    const fixed = ['server', ours.wire.path, 'by-options', 'alice', 'sekret', THEIRS, OURS, '10.64.0.53', '10.64.0.54']
    return new Pppd(t, library, [...fixed, '0', '0', 'lcp-restart', '1', ...options])
  }
  const client = (t: TestContext, ours: OurEnd, secret: string, ...options: string[]) => {
    const fixed = ['client', ours.wire.path, 'by-options', 'alice', secret, '0', '0', '0', '0', '0', '0']
    return new Pppd(t, library, [...fixed, 'lcp-restart', '1', ...options])
  }

  for (const method of NAMES) {
    const { require: required, words } = METHODS[method]

    test(`${method}: pppd lets our client in`, async (t) => {
      const ours = new OurEnd(t, CLIENT)
      const pppd = server(t, ours, required)
      await ours.up()
      assert.ok(ours.count(new RegExp(`^sent \\[LCP ConfAck .*<${words}>`)) > 0, ours.trace.join('\n'))
      assert.doesNotMatch(ours.trace.join('\n'), /sekret/)
      pppd.hangUp()
      assert.equal((await ours.down()).code, 'hung-up 16')
    })

    test(`${method}: pppd refuses our client with a wrong secret, and one it does not know`, async (t) => {
      for (const wrong of [{ password: 'wrong' }, { user: 'mallory' }]) {
        const ours = new OurEnd(t, { ...CLIENT, ...wrong })
        const pppd = server(t, ours, required)
        const { code, detail } = await ours.down()
        assert.equal(code, 'auth-refused 19', detail)
        assert.doesNotMatch(`${detail} ${ours.trace.join('\n')}`, /sekret|wrong[^ ]/)
        // To a name that it does not know pppd says nothing at all.
        if (method.startsWith('mschap') && 'password' in wrong) assert.match(detail, /with E=691 \(wrong name or pass/)
        assert.equal(await pppd.ended, 11, pppd.output)
      }
    })

    test(`${method}: our server lets pppd in`, async (t) => {
      const ours = new OurEnd(t, { ...SERVER, requiresAuth: [method] })
      const pppd = client(t, ours, 'sekret')
      await ours.up()
      assert.equal(ours.session.peerName, 'alice')
      await until('pppd is up', () => /remote IP address 10\.64\.64\.64/.test(pppd.output))
      if (method !== 'eap') assert.match(pppd.output, /authentication succeeded/)
      pppd.hangUp()
      assert.equal((await ours.down()).code, 'hung-up 16')
    })

    test(`${method}: our server refuses pppd with a wrong secret, and pppd says so`, async (t) => {
      const ours = new OurEnd(t, { ...SERVER, requiresAuth: [method] })
      const pppd = client(t, ours, 'wrong')
      const { code, detail } = await ours.down()
      assert.equal(code, 'peer-auth-refused 11', detail)
      assert.match(detail, /log-in of "alice" has a wrong name or password/)
      assert.equal(await pppd.ended, 19, pppd.output)
      if (method === 'mschap') assert.match(pppd.output, /MS-CHAP authentication failed: E=691 Authentication failure/)
      if (method === 'mschapv2') assert.match(pppd.output, /MS-CHAP authentication failed: Access denied/)
    })

    test(`${method}: both ends log in at once, our end by ${method} and pppd by another`, async (t) => {
      for (const other of method === 'chap' ? (['mschapv2', 'eap'] as const) : (['chap'] as const)) {
        const ours = new OurEnd(t, {
          ...CLIENT,
          requiresAuth: [other],
          secretOf: (name) => (name === 'bob' ? 'bobs secret' : undefined),
        })
        const pppd = server(t, ours, required, 'user', 'bob', 'password', 'bobs secret')
        await ours.up()
        assert.equal(ours.session.peerName, 'bob', pppd.output)
        assert.ok(ours.count(new RegExp(`^sent \\[LCP ConfReq .*<${METHODS[other].words}>`)) > 0)
      }
    })
  }

  test('pppd refuses what we ask for first: by its Nak the next is taken, and nothing weaker than ours', async (t) => {
    const ours = new OurEnd(t, { ...SERVER, requiresAuth: ['mschapv2', 'chap'] })
    client(t, ours, 'sekret', 'refuse-mschap-v2', 'refuse-mschap')
    await ours.up()
    assert.ok(ours.count(/^rcvd \[LCP ConfAck .*<auth chap MD5>/) > 0)

    const strict = new OurEnd(t, { ...SERVER, requiresAuth: ['mschapv2'] })
    client(t, strict, 'sekret', 'refuse-mschap-v2', 'refuse-mschap', 'refuse-chap', 'refuse-eap')
    assert.equal((await strict.down()).code, 'peer-auth-refused 11')
  })

  test('pppd asks for what we do not give: our Nak leads it to what both have', async (t) => {
    const ours = new OurEnd(t, { ...CLIENT, answersAuth: ['mschapv2', 'eap'] })
    server(t, ours, 'require-chap', 'require-mschap-v2')
    await ours.up()
    assert.ok(ours.count(/^sent \[LCP ConfNak .*<auth chap MS-v2>/) > 0, ours.trace.join('\n'))

    const none = new OurEnd(t, { ...CLIENT, answersAuth: [] })
    const pppd = server(t, none, 'require-eap')
    assert.equal((await none.down()).code, 'auth-refused 19')
    assert.equal(await pppd.ended, 11, pppd.output)
  })

  for (const [method, interval] of [
    ['chap', 'chap-interval'],
    ['mschapv2', 'chap-interval'],
    ['eap', 'eap-interval'],
  ] as const) {
    test(`${method}: pppd challenges us again and again`, async (t) => {
      const ours = new OurEnd(t, CLIENT)
      server(t, ours, METHODS[method].require, interval, '1')
      await ours.up()
      await until('two more log-ins', () => ours.count(/^rcvd \[(CHAP|EAP) Success/) >= 3, 10_000)
      assert.ok(!ours.events.some(({ type }) => type === 'down'))
    })

    test(`${method}: we challenge pppd again and again`, async (t) => {
      const again = { rechallengeMs: 300 }
      const ours = new OurEnd(t, { ...SERVER, requiresAuth: [method], chap: again, eap: again })
      client(t, ours, 'sekret')
      await ours.up()
      await until('three more log-ins', () => ours.count(/^sent \[(CHAP|EAP) Success/) >= 4, 10_000)
      assert.ok(!ours.events.some(({ type }) => type === 'down'))
    })
  }
}
