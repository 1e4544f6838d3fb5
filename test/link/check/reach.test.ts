/** A check for real: name servers and hosts on the loopback interface of a namespace. */

import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import test from 'node:test'
import { concat } from '../../../src/base/bytes.ts'
import { type CheckPath, createReach } from '../../../src/link/check/reach.ts'
import { systemClock, systemRandom } from '../../../src/system/clock.ts'
import { inNamespace } from '../../support/in-namespace.ts'
import { needs } from '../../support/needs.ts'
import { run } from '../../system/run.ts'
import { until } from '../../system/until.ts'

const EVER = new AbortController().signal
const PORT = 8443
const reach = createReach({ clock: systemClock, random: systemRandom })
const path = (change: Partial<CheckPath> = {}): CheckPath => ({
  interfaceName: 'lo',
  hasIp4: true,
  hasIp6: false,
  dns: ['192.0.2.53'],
  ...change,
})

/** Answers every question so: the records in hex behind its own question. */
async function nameServer(address: string, rcode: number, ...records: string[]): Promise<Socket & { asked: number }> {
  const server = Object.assign(createSocket('udp4'), { asked: 0 })
  server.on('message', (question, { port, address: from }) => {
    server.asked++
    const header = Uint8Array.of(question[0]!, question[1]!, 0x81, 0x80 | rcode, 0, 1, 0, records.length, 0, 0, 0, 0)
    server.send(concat([header, question.subarray(12), ...records.map((each) => Buffer.from(each, 'hex'))]), port, from)
  })
  server.unref().bind(53, address)
  await once(server, 'listening')
  return server
}

/** An A record of the name that was asked for. */
const a = (address: string) =>
  `c00c00010001000000010004${address
    .split('.')
    .map((part) => Number(part).toString(16).padStart(2, '0'))
    .join('')}`

/** Connections to the port that are not there yet: SYN_SENT (2), proc_pid_net(5). */
function knocking(): number {
  const port = PORT.toString(16).toUpperCase().padStart(4, '0')
  return readFileSync('/proc/self/net/tcp', 'utf8').split(`:${port} 02 `).length - 1
}

if (inNamespace(import.meta.url, needs('unshare', 'ip'))) {
  test.before(async () => {
    await run('ip', 'link', 'set', 'lo', 'up')
    for (const address of ['192.0.2.1', '192.0.2.53', '192.0.2.54', '192.0.2.55'])
      await run('ip', 'addr', 'add', `${address}/32`, 'dev', 'lo')
    await run('ip', 'addr', 'add', '2001:db8::1/128', 'dev', 'lo')
    for (const host of ['192.0.2.1', '2001:db8::1']) {
      const server = createServer((socket) => socket.destroy()).listen(PORT, host)
      server.unref()
      await once(server, 'listening')
    }
  })

  test('an address is reached without a question, of the protocols that the link has', async () => {
    await reach({ host: '192.0.2.1', port: PORT }, path({ dns: [] }), EVER)
    await reach({ host: '2001:db8::1', port: PORT }, path({ hasIp4: false, hasIp6: true }), EVER)
    await assert.rejects(reach({ host: '2001:db8::1', port: PORT }, path(), EVER), /the link has no IPv6 address/)
    await assert.rejects(
      reach({ host: '192.0.2.1', port: PORT }, path({ hasIp4: false }), EVER),
      /the link has no IPv4 address/,
    )
    await assert.rejects(reach({ host: '192.0.2.1', port: 9 }, path(), EVER), /192\.0\.2\.1:9 through lo: .*REFUSED/)
  })

  test("a name is looked up by the link's own name servers; one of its addresses is enough", async () => {
    // 192.0.2.54 refuses, 127.0.0.1 is no address that a name server may give.
    const server = await nameServer('192.0.2.53', 0, a('192.0.2.54'), a('127.0.0.1'), a('192.0.2.1'))
    await reach({ host: 'gate.example', port: PORT }, path(), EVER)
    assert.equal(server.asked, 1)
    await assert.rejects(
      reach({ host: 'gate.example', port: 9 }, path(), EVER),
      /192\.0\.2\.54:9 through lo: .*REFUSED/,
    )
    server.close()
  })

  test('once one address has answered, or it is given up, nothing is left open towards the others', async (t) => {
    const silent = '192.0.2.99'
    await run('ip', 'route', 'add', `${silent}/32`, 'dev', 'lo')
    const server = await nameServer('192.0.2.53', 0, a(silent), a('192.0.2.1'))
    t.after(() => server.close())
    await reach({ host: 'gate.example', port: PORT }, path(), EVER)
    await until('it is closed', () => knocking() === 0, 1000)

    const stop = new AbortController()
    const alone = reach({ host: silent, port: PORT }, path(), stop.signal)
    await until('it waits for the silent one', () => knocking() === 1)
    stop.abort(new Error('given up'))
    await assert.rejects(alone, /given up/)
    await until('it is closed', () => knocking() === 0, 1000)
  })

  test('a name server that is not there, or broken, is passed over; a name that does not exist is said', async () => {
    const broken = await nameServer('192.0.2.54', 2)
    const good = await nameServer('192.0.2.55', 0, a('192.0.2.1'))
    await reach({ host: 'gate.example', port: PORT }, path({ dns: ['192.0.2.53', '192.0.2.54', '192.0.2.55'] }), EVER)
    good.close()
    await assert.rejects(
      reach({ host: 'gate.example', port: PORT }, path({ dns: ['192.0.2.54'] }), EVER),
      /the name servers answered with error 2/,
    )
    assert.equal(broken.asked, 3)
    broken.close()
    const knowing = await nameServer('192.0.2.53', 3)
    await assert.rejects(
      reach({ host: 'no.example', port: PORT }, path(), EVER),
      /the name servers know no address of no\.example/,
    )
    assert.equal(knowing.asked, 1)
    knowing.close()
    await assert.rejects(reach({ host: 'a.example', port: 1 }, path({ dns: [] }), EVER), /has no name server/)
  })

  test('given up while a name server is silent', async () => {
    const silent = createSocket('udp4').unref().bind(53, '192.0.2.53')
    await once(silent, 'listening')
    const stop = new AbortController()
    setTimeout(() => stop.abort(new Error('given up')), 50)
    const startedMs = performance.now()
    await assert.rejects(reach({ host: 'a.example', port: PORT }, path(), stop.signal), /given up/)
    assert.ok(performance.now() - startedMs < 1000)
    silent.close()
  })
}
