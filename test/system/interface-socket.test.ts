/** Connections and questions through one interface: what answers, what refuses, and that no other way is taken. */

import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import test from 'node:test'
import { parseIpv4 } from '../../src/base/ipv4.ts'
import { parseIpv6 } from '../../src/base/ipv6.ts'
import { askByUdp, reachByTcp } from '../../src/system/interface-socket.ts'
import { testPoller } from '../../src/system/poll.ts'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { run } from './run.ts'

const LOCALHOST = parseIpv4('127.0.0.1')!
const EVER = new AbortController().signal
const openFiles = () => readdirSync('/proc/self/fd').length

if (inNamespace(import.meta.url, needs('unshare', 'ip'))) {
  test.before(async () => {
    // The one epoll descriptor of all watches is made with the first of them.
    await testPoller()
    await run('ip', 'link', 'set', 'lo', 'up')
    await run('ip', 'link', 'add', 'away0', 'type', 'dummy')
    await run('ip', 'addr', 'add', '192.0.2.1/24', 'dev', 'away0')
    await run('ip', 'link', 'set', 'away0', 'up')
  })

  async function listening(host: string): Promise<number> {
    const server = createServer((socket) => socket.destroy()).listen(0, host)
    server.unref()
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }

  test('a host that listens is reached, by IPv4 and IPv6, and the socket is gone after', async () => {
    const ports = [await listening('127.0.0.1'), await listening('::1')]
    const before = openFiles()
    await reachByTcp({ interfaceName: 'lo', address: LOCALHOST, port: ports[0]! }, EVER)
    await reachByTcp({ interfaceName: 'lo', address: parseIpv6('::1')!, port: ports[1]! }, EVER)
    assert.ok(openFiles() <= before)
  })

  test('a port that nobody listens on is refused, in words', async () => {
    const before = openFiles()
    await assert.rejects(
      reachByTcp({ interfaceName: 'lo', address: LOCALHOST, port: 9 }, EVER),
      /cannot reach 127\.0\.0\.1:9 through lo: connection refused \(ECONNREFUSED\)/,
    )
    await assert.rejects(
      reachByTcp({ interfaceName: 'lo', address: parseIpv6('::1')!, port: 9 }, EVER),
      /cannot reach \[::1\]:9 through lo: connection refused/,
    )
    assert.ok(openFiles() <= before)
  })

  test('another interface is no way there: it waits until it is given up', async () => {
    const port = await listening('127.0.0.1')
    const before = openFiles()
    const stop = new AbortController()
    const reaching = reachByTcp({ interfaceName: 'away0', address: LOCALHOST, port }, stop.signal)
    const outcome = await Promise.race([
      reaching.then(
        () => 'reached',
        () => 'refused',
      ),
      new Promise((resolve) => setTimeout(resolve, 200, 'waits')),
    ])
    assert.notEqual(outcome, 'reached')
    stop.abort(new Error('given up'))
    await reaching.catch(() => {})
    assert.ok(openFiles() <= before)
    await assert.rejects(
      reachByTcp({ interfaceName: 'gone0', address: LOCALHOST, port }, EVER),
      /cannot reach .* through gone0: no such device \(ENODEV\)/,
    )
    await assert.rejects(
      reachByTcp({ interfaceName: 'away0', address: parseIpv6('2001:db8::1')!, port }, EVER),
      /cannot reach \[2001:db8::1\]:\d+ through away0: /,
    )
    await assert.rejects(reachByTcp({ interfaceName: 'lo', address: LOCALHOST, port }, stop.signal), /given up/)
  })

  test('a question by UDP: what is no answer is passed over, silence ends with the signal, a closed port in words', async () => {
    const server: Socket = createSocket('udp4', (message, { port, address }) => {
      for (const text of ['noise', `re: ${message}`]) server.send(text, port, address)
    })
    server.bind(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address()
    const before = openFiles()
    const question = new TextEncoder().encode('who?')
    const answer = await askByUdp(
      { interfaceName: 'lo', address: LOCALHOST, port },
      question,
      (datagram) => /^re: (.*)/.exec(new TextDecoder().decode(datagram))?.[1],
      EVER,
    )
    assert.equal(answer, 'who?')

    const stop = new AbortController()
    setTimeout(() => stop.abort(new Error('late')), 20)
    await assert.rejects(
      askByUdp({ interfaceName: 'lo', address: LOCALHOST, port }, question, () => undefined, stop.signal),
      /late/,
    )
    server.close()
    await once(server, 'close')
    await assert.rejects(
      askByUdp({ interfaceName: 'lo', address: LOCALHOST, port }, question, () => 1, EVER),
      /no answer from 127\.0\.0\.1:\d+ through lo: connection refused \(ECONNREFUSED\)/,
    )
    assert.ok(openFiles() < before)
  })
}
