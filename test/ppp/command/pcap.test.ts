/** The packet file of `pcap FILE`, with tshark as its judge. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { pcapHeader, pcapPacket } from '../../../src/ppp/command/pcap.ts'
import { needs } from '../../support/needs.ts'

const directory = mkdtempSync(join(tmpdir(), 'modemd-pcap-'))
after(() => rmSync(directory, { recursive: true, force: true }))

const LCP_REQUEST = [0xc0, 0x21, 1, 7, 0, 8, 1, 4, 0x05, 0xdc]
const PING = '4500001c0001000040010000 0a000001 0a000002 0800f7ff00000000'.replaceAll(' ', '').match(/../g)!

function tshark(packets: readonly Uint8Array[], ...fields: string[]): string[][] {
  const file = join(directory, 'test.pcap')
  writeFileSync(file, Buffer.concat([pcapHeader(), ...packets]))
  const args = ['-r', file, '-T', 'fields', ...fields.flatMap((field) => ['-e', field])]
  const ran = spawnSync('tshark', args, { encoding: 'utf8' })
  assert.equal(ran.status, 0, ran.stderr)
  return ran.stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'))
}

test('tshark sees protocols, directions, times and options, headers compressed or not', needs('tshark'), () => {
  const ip = PING.map((octet) => Number.parseInt(octet, 16))
  const packets = [
    pcapPacket('sent', Uint8Array.from([0xff, 3, ...LCP_REQUEST]), 1_700_000_000_123_456n),
    pcapPacket('received', Uint8Array.from(LCP_REQUEST), 1_700_000_001_000_000n),
    pcapPacket('received', Uint8Array.from([0x21, ...ip]), 1_700_000_002_000_000n),
    pcapPacket('sent', Uint8Array.from([0xff, 3, 0x00, 0x21, ...ip]), 1_700_000_002_000_001n),
  ]
  const rows = tshark(packets, 'frame.time_epoch', 'ppp.direction', 'ppp.protocol', 'lcp.opt.mru', 'ip.dst')
  assert.deepEqual(rows, [
    ['1700000000.123456000', '0', '0xc021', '1500', ''],
    ['1700000001.000000000', '1', '0xc021', '1500', ''],
    ['1700000002.000000000', '1', '0x0021', '', '10.0.0.2'],
    ['1700000002.000001000', '0', '0x0021', '', '10.0.0.2'],
  ])
})
