/** 100 MB each way at once between the builtin engine and Debian's pppd (on fakeppp, see pppd-shim/README.md), compared by checksum. */

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { run } from '../system/run.ts'
import { OurEnd, Pppd } from './pppd-ends.ts'

const OURS = '10.64.0.2'
const THEIRS = '10.64.64.64'
const BULK_BYTES = 100_000_000
const PORT = 5001

if (inNamespace(import.meta.url, needs('pppd', 'gcc', 'tun', 'ip', 'socat', 'unshare'))) tests()

function tests(): void {
  const directory = mkdtempSync(join(tmpdir(), 'modemd-pppd-'))
  after(() => rmSync(directory, { recursive: true, force: true }))

  test('our client and pppd: 100 MB each way at once arrive as they were', { timeout: 120_000 }, async (t) => {
    const source = join(directory, 'source')
    // Random: every octet value is in it, flags and escapes too.
    await run('sh', '-c', `head -c ${BULK_BYTES} /dev/urandom >${source}`)
    const wanted = (await run('sha256sum', source)).output.split(' ')[0]
    const ours = new OurEnd(t, {})
    new Pppd(
      t,
      join(directory, 'fakeppp.so'),
      ...['server', ours.wire.path, 'none', 'alice', 'sekret', THEIRS, OURS, '0', '0', '0', '0', 'lcp-restart', '1'],
    )
    await ours.up()

    const take = (name: string, address: string) =>
      ['sh', '-c', `socat -u TCP-LISTEN:${PORT},bind=${address} - | sha256sum >${directory}/${name}`] as const
    const give = ['socat', '-u', `OPEN:${source}`] as const
    const taken = [ours.run(...take('ours', OURS)), run(...take('theirs', THEIRS))]
    // Both listen; 0A is LISTEN (proc(5)).
    const listening = async () => {
      const tables = await Promise.all([ours.run('cat', '/proc/net/tcp'), run('cat', '/proc/net/tcp')])
      return tables.every(({ output }) => output.includes(`:${PORT.toString(16).toUpperCase()} 00000000:0000 0A`))
    }
    let isListening = false
    while (!isListening) isListening = await listening()
    const startMs = performance.now()
    const given = [run(...give, `TCP:${OURS}:${PORT}`), ours.run(...give, `TCP:${THEIRS}:${PORT}`)]
    for (const { status, output } of await Promise.all([...given, ...taken])) assert.equal(status, 0, output)
    const seconds = (performance.now() - startMs) / 1000
    for (const name of ['ours', 'theirs'])
      assert.equal(readFileSync(join(directory, name), 'utf8').split(' ')[0], wanted, name)
    const { rxBytes, txBytes } = ours.link.counters()
    assert.ok(rxBytes > BULK_BYTES && txBytes > BULK_BYTES, `${rxBytes} ${txBytes}`)
    t.diagnostic(`${((BULK_BYTES * 8) / seconds / 1e6).toFixed(0)} Mbit/s each way at once`)
  })
}
