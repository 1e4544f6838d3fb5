/**
 * What a line and a peer may do, with Debian's pppd (on fakeppp, see pppd-shim/README.md): it falls silent, dies, begins anew, is ended by
 * our server; and pppd dials our virtual modem with our chat.
 */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseIpv4 } from '../../src/base/ipv4.ts'
import { ioctlNumber } from '../../src/system/libc.ts'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { run } from '../system/run.ts'
import { until } from '../system/until.ts'
import { OurEnd, Pppd } from './pppd-ends.ts'

const OURS = '10.64.0.2'
const THEIRS = '10.64.64.64'
const DIST = fileURLToPath(new URL('../../dist', import.meta.url))
const TIOCNXCL = 0x540d
const SERVER = {
  role: 'server',
  localAddress: parseIpv4(THEIRS)!,
  remoteAddress: parseIpv4(OURS)!,
} as const

if (inNamespace(import.meta.url, needs('pppd', 'gcc', 'tun', 'ping', 'ip', 'unshare'))) tests()

function tests(): void {
  const directory = mkdtempSync(join(tmpdir(), 'modemd-pppd-'))
  after(() => rmSync(directory, { recursive: true, force: true }))
  const library = join(directory, 'fakeppp.so')
  const server = (t: TestContext, tty: string) =>
    new Pppd(t, library, 'server', tty, 'none', 'alice', 'sekret', THEIRS, OURS, '0', '0', '0', '0', 'lcp-restart', '1')
  const client = (t: TestContext, tty: string, ...options: string[]) => {
    const nothing = ['0', '0', '0', '0', '0', '0']
    return new Pppd(t, library, 'client', tty, 'none', 'alice', 'sekret', ...nothing, 'lcp-restart', '1', ...options)
  }

  for (const role of ['client', 'server'] as const)
    test(`our ${role}: pppd answers no echo any more: echo-lost`, async (t) => {
      const echo = { echoIntervalMs: 200, echoFailure: 2, echoFromStart: true }
      const ours = new OurEnd(t, role === 'server' ? { ...SERVER, ...echo } : echo)
      const pppd = role === 'server' ? client(t, ours.wire.path) : server(t, ours.wire.path)
      await ours.up()
      pppd.signal('SIGSTOP')
      const { failure, exitCode } = await ours.down()
      assert.deepEqual([failure.cause, exitCode], ['echo-lost', 15], failure.detail)
    })

  test('pppd is killed: hung up, and no interface', async (t) => {
    const ours = new OurEnd(t, {})
    const pppd = server(t, ours.wire.path)
    await ours.up()
    pppd.signal('SIGKILL')
    const { failure, exitCode } = await ours.down()
    assert.deepEqual([failure.cause, exitCode], ['hung-up', 16], failure.detail)
    assert.notEqual((await ours.run('ip', 'link', 'show', 'ppp0')).status, 0)
  })

  for (const role of ['client', 'server'] as const)
    test(`our ${role}: pppd begins anew on the same line: down, and up again`, async (t) => {
      const ours = new OurEnd(t, role === 'server' ? SERVER : {})
      const held = openSync(ours.wire.path, constants.O_RDWR | constants.O_NOCTTY)
      t.after(() => closeSync(held))
      const start = role === 'server' ? client : server
      const pppd = start(t, ours.wire.path)
      await ours.up()
      pppd.signal('SIGKILL')
      await pppd.ended
      // It had the tty for itself alone (tty_ioctl(4)); a real line's last close forgets that.
      ioctlNumber(held, TIOCNXCL, 0)
      const second = start(t, ours.wire.path)
      const ups = () => ours.events.filter(({ type }) => type === 'up').length
      await until('up again', () => ups() === 2, 20_000).catch((error) => {
        throw new Error(`${error.message}: ${ours.phases().join(', ')}; pppd: ${second.output}`)
      })
      assert.deepEqual(ours.phases(), ['establish', 'network', 'running', 'establish', 'network', 'running'])
      const target = role === 'server' ? OURS : THEIRS
      const pinged = await ours.run('ping', '-c', '3', '-i', '0.01', '-w', '20', target)
      assert.equal(pinged.status, 0, pinged.output)
    })

  test('our server ends it: pppd is told, and leaves', async (t) => {
    const ours = new OurEnd(t, SERVER)
    const pppd = client(t, ours.wire.path)
    await ours.up()
    ours.link.terminate({ cause: 'user-request', detail: 'asked for' })
    assert.equal((await ours.down()).exitCode, 5)
    await ours.wire.close()
    await pppd.ended
    assert.match(pppd.output, /LCP terminated by peer/)
  })

  test('pppd connect "modem-chat …" dials modem-sim, and packets flow', async (t) => {
    const tty = join(directory, 'modem')
    const sim = spawn(process.execPath, [`${DIST}/modem-sim.cjs`, '--link', tty, '--register-after', '0s'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const simEnded = once(sim, 'close')
    t.after(async () => {
      sim.kill()
      await simEnded
    })
    await once(sim.stdout, 'data')
    const words = `ABORT BUSY ABORT ERROR ABORT 'NO CARRIER' REPORT CONNECT TIMEOUT 10 '' ATZ OK 'AT+CGDCONT=1,"IP","internet"' OK 'ATD*99#' CONNECT ''`
    // fakeppp stands in for pppd's /dev/ppp only.
    const connect = `exec env -u LD_PRELOAD ${process.execPath} ${DIST}/modem-chat.cjs -v -S ${words}`
    const pppd = client(t, tty, 'connect', connect)
    await until('pppd is up', () => /remote IP address/.test(pppd.output) || pppd.status !== undefined, 20_000)
    assert.match(pppd.output, /Serial connection established|local {2}IP address 10\.64\./, pppd.output)
    const peer = /remote IP address (\S+)/.exec(pppd.output)?.[1]
    assert.ok(peer, pppd.output)
    assert.equal((await run('ping', '-c', '3', '-i', '0.01', '-w', '20', peer)).status, 0)
    pppd.hangUp()
    assert.equal(await pppd.ended, 5, pppd.output)
  })
}
