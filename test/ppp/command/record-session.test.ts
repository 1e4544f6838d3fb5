/**
 * modem-ppp as the end that examines, Debian's pppd as the one that logs in: the secrets files decide, and what is recorded
 * meanwhile is read by pppdump and tshark.
 */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { inNamespace } from '../../support/in-namespace.ts'
import { needs } from '../../support/needs.ts'

if (inNamespace(import.meta.url, needs('pppd', 'gcc', 'tun', 'ip', 'tshark'))) tests()

function tests(): void {
  const directory = mkdtempSync(join(tmpdir(), 'modemd-record-session-'))
  after(() => rmSync(directory, { recursive: true, force: true }))
  const program = new URL('../../../src/ppp/command.ts', import.meta.url).pathname
  const library = join(directory, 'fakeppp.so')
  const source = new URL('../../interop/pppd-shim/fakeppp.c', import.meta.url).pathname
  run('gcc', '-shared', '-fPIC', '-o', library, source, '-lpthread', '-ldl')
  run('mount', '-t', 'tmpfs', 'none', '/etc/ppp')
  writeFileSync('/etc/ppp/options', '')
  writeFileSync('/etc/ppp/pap-secrets', 'bob isp sesame *\n', { mode: 0o600 })
  writeFileSync('/etc/ppp/chap-secrets', 'bob isp sesame 10.7.0.2\nalice far other *\n', { mode: 0o600 })

  for (const auth of ['pap', 'chap'] as const) {
    test(`a peer that logs in by ${auth}, recorded`, () => {
      const file = (name: string) => join(directory, `${auth}.${name}`)
      const peer = [
        `exec env LD_PRELOAD=${library} /usr/sbin/pppd notty noauth user bob password sesame`,
        `nodetach noipdefault debug local novj noccp logfile ${file('log')}`,
      ]
      const ours = spawnSync(
        process.execPath,
        [
          ...['--import=tsx', program, 'pty', peer.join(' '), `require-${auth}`, 'name', 'isp', 'user', 'alice'],
          ...['10.7.0.1:10.7.0.2', 'nodetach', 'maxconnect', '1', 'record', file('record'), 'pcap', file('pcap')],
        ],
        { encoding: 'utf8', timeout: 60_000 },
      )
      assert.equal(ours.status, 13, ours.stdout + ours.stderr)
      const log = readFileSync(file('log'), 'utf8')
      assert.match(log, /local {2}IP address 10\.7\.0\.2\nremote IP address 10\.7\.0\.1/)
      // Our own name is in the challenge, not the one that we would log in as.
      if (auth === 'chap') assert.match(log, /rcvd \[CHAP Challenge .*name = "isp"\]/)

      const dump = run('pppdump', '-p', file('record'))
      assert.match(dump, /^sent {2}ff 03 c0 21 01/m)
      assert.match(dump, /^rcvd {2}ff 03 c0 21 01/m)
      assert.doesNotMatch(dump, /bad fcs|BAD/i)
      const seen = run('tshark', '-r', file('pcap'))
      assert.match(seen, /PPP IPCP .*Configuration Ack/)
      assert.match(seen, auth === 'pap' ? /Peer-ID='bob', Password='\*{6}'/ : /CHAP .*Response/)
      for (const name of ['record', 'pcap']) assert.doesNotMatch(readFileSync(file(name), 'latin1'), /sesame/)
    })
  }
}

function run(command: string, ...args: string[]): string {
  const ran = spawnSync(command, args, { encoding: 'utf8' })
  assert.equal(ran.status, 0, `${command}: ${ran.stderr}`)
  return ran.stdout
}
