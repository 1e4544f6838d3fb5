/** The metrics endpoint over real HTTP: what it says, to whom, and that it is judged well by Prometheus's own promtool. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { MetricsEndpoint } from '../../src/daemon/metrics.ts'
import { isLoopbackHost } from '../../src/daemon/metrics-server.ts'
import { MemoryLogger } from '../bus/fixture.ts'
import { FakeSupervisor, LINK_UP } from '../support/fake-supervisor.ts'
import { needsUnpacked, unpacked } from '../support/unpacked.ts'

interface Answer {
  readonly status: number | undefined
  readonly type: string | undefined
  readonly body: string
}

function ask(address: string, options: { path?: string; host?: string; method?: string } = {}): Promise<Answer> {
  const { path = '/metrics', method = 'GET', host } = options
  return new Promise((resolve, reject) => {
    const headers = host === undefined ? {} : { host }
    const asked = request(address, { path, method, headers, agent: false }, (response) => {
      let body = ''
      response.on('data', (bytes) => (body += bytes))
      response.on('end', () => {
        resolve({ status: response.statusCode, type: response.headers['content-type'], body })
      })
    })
    asked.on('error', reject)
    asked.end()
  })
}

async function endpoint(context: TestContext) {
  const supervisor = new FakeSupervisor()
  const logger = new MemoryLogger()
  const metrics = new MetricsEndpoint({ supervisor, logger, port: 0 })
  context.after(() => metrics.set(false))
  assert.equal(metrics.address, undefined)
  await metrics.set(true)
  assert.ok(metrics.address)
  return { supervisor, metrics, address: metrics.address }
}

/** Lines without those about the process itself. */
function linesOf(body: string): readonly string[] {
  return body.split('\n').filter((line) => line.startsWith('modemd_'))
}

test('every metric comes from the snapshots of the moment', async (context) => {
  const { supervisor, address } = await endpoint(context)
  const { status, type, body } = await ask(address)
  assert.equal(status, 200)
  assert.match(type ?? '', /^text\/plain; version=0\.0\.4/)
  const lines = linesOf(body)
  const modem = 'modem="imei_356938035643809"'
  for (const line of [
    'modemd_build_info{version="0.1.0"} 1',
    'modemd_modems 1',
    `modemd_modem_state{${modem},state="registered"} 1`,
    `modemd_modem_state{${modem},state="failed"} 0`,
    `modemd_modem_registration{${modem},registration="home"} 1`,
    `modemd_modem_signal_quality_ratio{${modem}} 0.64`,
    `modemd_modem_signal_dbm{${modem}} -71`,
    `modemd_modem_signal_rsrp_dbm{${modem}} -99.5`,
    `modemd_modem_sim_pin_tries{${modem}} 3`,
    'modemd_link_up{link="demo"} 0',
    'modemd_link_state{link="demo",state="idle"} 1',
  ])
    assert.ok(lines.includes(line), `${line} in\n${body}`)
  assert.doesNotMatch(body, /sinr_db\{|up_since_timestamp_seconds\{|connect_speed\w+\{/, 'what is not known is absent')
  assert.doesNotMatch(body, /8901260862291477113|1701234567/, 'no ICCID and no number')

  supervisor.links[0]!.change({ ...LINK_UP, usage: { month: '2026-11', usedBytes: 7n, limitBytes: 9n } })
  supervisor.removeModem(supervisor.modems[0]!)
  const { body: next } = await ask(address)
  for (const line of [
    'modemd_link_up{link="demo"} 1',
    'modemd_link_receive_bytes_total{link="demo"} 5000000000',
    'modemd_link_up_since_timestamp_seconds{link="demo"} 1700000000',
    'modemd_link_month_bytes{link="demo"} 7',
    'modemd_link_month_limit_bytes{link="demo"} 9',
    'modemd_link_connect_speed_bytes_per_second{link="demo"} 18750000',
    'modemd_link_info{link="demo",modem="imei_356938035643809",interface="ppp0",engine="builtin",apn=""} 1',
  ])
    assert.ok(linesOf(next).includes(line), `${line} in\n${next}`)
  assert.doesNotMatch(next, /modemd_modem_\w+\{/, 'a modem that is gone leaves no line')
})

test('failures are counted by cause, also between two readings; a request of somebody is none', async (context) => {
  const { supervisor, address } = await endpoint(context)
  const [demo] = supervisor.links
  demo!.change(LINK_UP)
  demo!.change({ state: 'waiting', cause: 'hung-up' })
  demo!.change({ state: 'waiting', attempts: 2 })
  demo!.change({ state: 'dialling' })
  demo!.change({ state: 'failed', cause: 'busy' })
  const other = supervisor.addLink({ id: 'other' })
  other.change({ state: 'dialling' })
  other.change({ state: 'waiting', cause: 'busy' })
  other.change({ state: 'dialling' })
  other.change({ state: 'idle', cause: 'user-request' })
  const failures = linesOf((await ask(address)).body).filter((line) => line.startsWith('modemd_link_failures_total{'))
  assert.deepEqual(failures.sort(), [
    'modemd_link_failures_total{link="demo",cause="busy"} 1',
    'modemd_link_failures_total{link="demo",cause="hung-up"} 1',
    'modemd_link_failures_total{link="other",cause="busy"} 1',
  ])
})

test('only loopback names are answered, only GET, only /metrics', async (context) => {
  const { address, metrics } = await endpoint(context)
  const { port } = new URL(address)
  assert.equal((await ask(address, { host: 'attacker.example' })).status, 403)
  assert.equal((await ask(address, { host: `attacker.example:${port}` })).status, 403)
  assert.equal((await ask(address, { host: `localhost:${port}` })).status, 200)
  assert.equal((await ask(address, { path: '/' })).status, 404)
  assert.equal((await ask(address, { method: 'POST' })).status, 405)
  for (const host of ['127.0.0.1', '127.1.2.3:80', 'LOCALHOST', '[::1]:9469']) assert.ok(isLoopbackHost(host), host)
  for (const host of ['', '127.0.0.1.example', 'localhost.example', '10.0.0.1', '127.0.0.1@x', '[::2]', 'x localhost'])
    assert.ok(!isLoopbackHost(host), host)
  assert.ok(!isLoopbackHost(undefined))

  await metrics.set(false)
  assert.equal(metrics.address, undefined)
  await assert.rejects(ask(address))
  await metrics.set(true)
  assert.equal((await ask(metrics.address!)).status, 200)
})

test('no other address of this machine has it', async (context) => {
  const { address } = await endpoint(context)
  const port = Number(new URL(address).port)
  // Its own, too: who listens on all addresses answers here. Linux takes all of 127.0.0.0/8 for the loopback.
  for (const host of ['127.0.0.2', '::1'])
    await assert.rejects(once(connect({ host, port }), 'connect'), { code: /ECONNREFUSED|EADDRNOTAVAIL/ }, host)
})

test('sixteen connections at once, each for ten seconds', { timeout: 10_000 }, async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const { address } = await endpoint(context)
  const sockets = Array.from({ length: 16 }, () => connect(Number(new URL(address).port), '127.0.0.1'))
  context.after(() => sockets.map((socket) => socket.destroy()))
  // Once the last one is answered, the server knows of them all; the others say nothing.
  const last = sockets.at(-1)!
  const lastIsAnswered = async () => {
    last.write('HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await once(last, 'data')
  }
  await lastIsAnswered()
  await assert.rejects(ask(address), { code: 'ECONNRESET' })
  context.mock.timers.tick(9_999)
  await lastIsAnswered()
  assert.ok(sockets.every((socket) => socket.readyState === 'open'))
  const closed = sockets.map((socket) => once(socket.resume(), 'close'))
  context.mock.timers.tick(1)
  await Promise.all(closed)
  assert.equal((await ask(address)).status, 200)
})

test('a port that is taken is told, and does not end the daemon', async (context) => {
  const { supervisor, address } = await endpoint(context)
  const logger = new MemoryLogger()
  const second = new MetricsEndpoint({ supervisor, logger, port: Number(new URL(address).port) })
  await second.set(true)
  assert.match(second.fault ?? '', /cannot have port \d+: .*EADDRINUSE/)
  assert.equal(logger.errors.length, 1)
  await second.set(false)
  assert.equal(second.fault, undefined)
})

test('promtool finds no fault', needsUnpacked('prometheus'), async (context) => {
  const { supervisor, address } = await endpoint(context)
  supervisor.links[0]!.change(LINK_UP)
  supervisor.links[0]!.change({ state: 'waiting', cause: 'hung-up', nextAttemptAtUs: 1_700_000_000_000_000n })
  const { body } = await ask(address)
  const { status, stdout, stderr } = spawnSync(join(unpacked('prometheus'), 'usr/bin/promtool'), ['check', 'metrics'], {
    input: body,
    encoding: 'utf8',
  })
  assert.deepEqual([status, stdout, stderr], [0, '', ''])
})

test('docs/metrics.md names every metric', async (context) => {
  const { address } = await endpoint(context)
  const { body } = await ask(address)
  const names = [...body.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type}`)
  const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8')
  const documented = [...page.matchAll(/^\| `(\w+)(?:\{[^`]*\})?` \| (gauge|counter) /gm)].map(
    ([, name, type]) => `${name} ${type}`,
  )
  assert.deepEqual(documented.sort(), names.sort())
})
