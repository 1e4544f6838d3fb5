/**
 * The builtin engine as client of slirp (Debian's slirp-fullbolt): a pppd 2.2 of 1995, all in user space, that greets its caller with text and
 * waits for the first frame. Behind it is this test's own loopback.
 */

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { formatIpv4, parseIpv4 } from '../../src/base/ipv4.ts'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { run } from '../system/run.ts'
import { OurEnd } from './pppd-ends.ts'

/** slirp's own ideas: the caller's address, itself, and what stands for the loopback behind it. */
const CALLER = '10.0.2.15'
const SLIRP = '10.0.2.0'
const LOOPBACK = '10.0.2.2'
/** It asks its caller for an address of its own, and gives up without one (as with pppd without `:10.0.2.0`). */
const CLIENT = { remoteAddress: parseIpv4(SLIRP)! }
/** Its pppd is too old for `*` as the address: it wants the caller's. */
const SECRETS = `"alice" * "sekret" ${CALLER}\n`
const BULK_BYTES = 2_000_000

if (inNamespace(import.meta.url, needs('slirp-fullbolt', 'tun', 'ping', 'ip', 'curl', 'unshare'))) tests()

class Slirp {
  readonly ended: Promise<unknown>
  /** undefined: it runs. */
  status: number | string | undefined
  readonly #child: ChildProcess

  /** It talks on its controlling terminal, which is our line's other end. */
  constructor(t: TestContext, tty: string, options: readonly string[], secrets = '') {
    const home = mkdtempSync(join(tmpdir(), 'modemd-slirp-'))
    for (const file of ['.pap-secrets', '.chap-secrets']) writeFileSync(join(home, file), secrets, { mode: 0o600 })
    const fd = openSync(tty, constants.O_RDWR | constants.O_NOCTTY)
    this.#child = spawn('setsid', ['--ctty', '--wait', 'slirp-fullbolt', '-P', ...options], {
      stdio: [fd, fd, fd],
      cwd: home,
      env: { ...process.env, HOME: home },
    })
    closeSync(fd)
    this.ended = once(this.#child, 'close').then(([status, signal]) => {
      this.status = status ?? signal
    })
    t.after(async () => {
      this.kill()
      await this.ended
      rmSync(home, { recursive: true })
    })
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

function tests(): void {
  for (const auth of ['none', 'pap', 'chap'] as const)
    test(`slirp, ${auth}: addresses, ping, a page and bulk data through it, an orderly end`, async (t) => {
      await run('ip', 'link', 'set', 'lo', 'up')
      const page = randomBytes(BULK_BYTES)
      const server = createServer((_, response) => response.end(page)).listen(0, '127.0.0.1')
      t.after(() => server.close())
      await once(server, 'listening')
      const { port } = server.address() as AddressInfo

      const ours = new OurEnd(t, { ...CLIENT, user: 'alice', password: 'sekret' })
      const slirp = new Slirp(t, ours.wire.path, auth === 'none' ? [] : [`+${auth}`], SECRETS)
      const { address, interfaceName } = await ours.up()
      const { local, peer } = address.ip4!
      assert.deepEqual([interfaceName, formatIpv4(local), formatIpv4(peer)], ['ppp0', CALLER, SLIRP])
      assert.equal(ours.phases().includes('authenticate'), auth !== 'none')

      await ours.run('ip', 'route', 'add', 'default', 'dev', 'ppp0')
      const pinged = await ours.run('ping', '-c', '3', '-i', '0.01', '-w', '20', LOOPBACK)
      assert.equal(pinged.status, 0, pinged.output)
      const got = await ours.run('sh', '-c', `curl -sS -m 30 http://${LOOPBACK}:${port}/ | sha256sum`)
      assert.equal(got.output.split(' ')[0], createHash('sha256').update(page).digest('hex'), got.output)

      ours.link.terminate({ cause: 'user-request', detail: 'asked for' })
      assert.equal((await ours.down()).failure.cause, 'user-request')
      // It waits for the next caller.
      assert.equal(slirp.status, undefined)
    })

  for (const auth of ['pap', 'chap'] as const)
    test(`slirp, ${auth}, a wrong secret: auth-refused`, async (t) => {
      const ours = new OurEnd(t, { user: 'alice', password: 'wrong' })
      new Slirp(t, ours.wire.path, [`+${auth}`], SECRETS)
      const { failure, exitCode } = await ours.down()
      assert.deepEqual([failure.cause, exitCode], ['auth-refused', 19], failure.detail)
    })

  test('slirp is killed: hung up', async (t) => {
    const ours = new OurEnd(t, CLIENT)
    const slirp = new Slirp(t, ours.wire.path, [])
    await ours.up()
    slirp.kill()
    assert.equal((await ours.down()).failure.cause, 'hung-up')
  })
}
