/** Debian's pppd with our chat as its `connect`, on a real kernel: it dials the virtual modem. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { until } from '../../system/until.ts'
import { runAt } from './end.ts'

const TTY = '/run/dialled'
const WORDS = `ABORT BUSY ABORT ERROR ABORT 'NO CARRIER' REPORT CONNECT TIMEOUT 20 '' ATZ OK 'ATD*99#' CONNECT ''`

export function testDialled(): void {
  test('pppd connect "modem-chat …" dials modem-sim', { timeout: 120_000 }, async (t) => {
    const sim = spawn('node', ['/project/dist/modem-sim.cjs', '--link', TTY, '--register-after', '0s'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    t.after(() => sim.kill())
    await once(sim.stdout, 'data')
    const connect = `exec node /project/dist/modem-chat.cjs -v -S ${WORDS}`
    const options = ['nodetach', 'local', 'noauth', 'nodefaultroute', 'noipdefault', 'lcp-restart', '1', 'debug']
    const args = ['netns', 'exec', 'client', 'pppd', TTY, '115200', ...options, 'connect', connect]
    const pppd = spawn('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [pppd.stdout, pppd.stderr]) stream.on('data', (bytes) => (output += bytes))
    const ended = once(pppd, 'close')
    t.after(() => pppd.kill('SIGKILL'))
    await until('', () => /remote IP address/.test(output) || pppd.exitCode !== null, 60_000).catch(() => {})
    const peer = /remote IP address (\S+)/.exec(output)?.[1]
    assert.ok(peer, output)
    await runAt('client', 'ping', '-c', '3', '-i', '0.05', '-w', '20', peer)
    pppd.kill('SIGTERM')
    assert.deepEqual(await ended, [5, null], output)
  })
}
