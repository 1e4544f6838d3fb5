/** Our packet printer beside pppd's own: both see the same packets, over a pty, and must say the same of them. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { concat, latin1 } from '../../src/base/bytes.ts'
import { HdlcDecoder } from '../../src/ppp/wire/hdlc-decoder.ts'
import { HdlcEncoder } from '../../src/ppp/wire/hdlc-encoder.ts'
import { controlBytes } from '../../src/ppp/wire/packets.ts'
import { printPacket } from '../../src/ppp/wire/printing.ts'
import { CCP, CHAP, EAP, ECP, IPCP, IPV6CP, LCP, PAP } from '../../src/ppp/wire/protocols.ts'
import { PtyWire } from '../interop/pty-wire.ts'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { until } from '../system/until.ts'

const SHIM = fileURLToPath(new URL('../interop/pppd-shim/pppd-shim', import.meta.url))

const options = (...list: readonly (readonly [number, ...number[]])[]) =>
  Uint8Array.from(list.flatMap(([type, ...data]) => [type, data.length + 2, ...data]))
const bytes = (...parts: (string | number | readonly number[] | Uint8Array)[]) =>
  concat(
    parts.map((part) =>
      typeof part === 'string' ? latin1(part) : typeof part === 'number' ? Uint8Array.of(part) : Uint8Array.from(part),
    ),
  )
const packet = (protocol: number, code: number, data: Uint8Array, padding: readonly number[] = []) =>
  [protocol, concat([controlBytes(code, 0x1f, data), Uint8Array.from(padding)])] as const

/** What is printed alike. Nothing that makes pppd 2.4.9 itself fall over, as it does on some malformed packets. */
const PACKETS: readonly (readonly [number, Uint8Array])[] = [
  packet(LCP, 1, options([1, 5, 0x78], [2, 0, 10, 0, 0], [5, 0, 0, 0x12, 0xab], [7], [8])),
  packet(LCP, 2, options([1, 5], [2, 0, 10, 0], [5, 1, 2, 3, 4, 5], [7, 1], [8, 2, 3])),
  packet(LCP, 3, options([3, 0xc0, 0x23], [3, 0xc2, 0x23, 5], [3, 0xc2, 0x23, 0x80], [3, 0xc2, 0x23, 0x81])),
  packet(LCP, 3, options([3, 0xc2, 0x27], [3, 0xc2, 0x23, 6], [3, 0xc2, 0x23], [3, 0x12, 0x34, 9], [3, 1])),
  packet(LCP, 4, options([4, 0xc0, 0x25, 0, 0, 0, 100], [4, 1, 2], [4], [13, 6], [13, 0], [13, 5, 1], [13, 9], [13])),
  packet(LCP, 4, options([17, 5, 0xdc], [18], [18, 1], [19, 0], [19, 1, 65, 66, 67], [19, 2, 10, 0, 0, 1])),
  packet(LCP, 4, options([19, 4, 1, 2, 3, 4, 5, 6, 7, 8], [19, 9, 1, 2, 3, 4, 5, 6, 7, 8], [19, 0, 1], [19, 6])),
  packet(LCP, 4, options([19, 1, ...new Array(22).fill(7)])),
  packet(LCP, 4, options([19, 3, 0, 1, 2, 3, 4, 5], [19, 5, 1, 2, 3], [19], [9, 2], [10, 6], [15], [28, 0, 0, 0, 0])),
  packet(LCP, 1, options([0, 1, 2, 3], [23, 4], [255])),
  packet(LCP, 1, bytes(options([7]), [5, 6, 1]), [0xaa, 0xbb]),
  packet(LCP, 1, bytes([1, 0, 5])),
  packet(LCP, 6, bytes('said "no" \\ \n\r\t\x07 \x80\xff')),
  packet(LCP, 6, bytes('\x00\x01')),
  packet(LCP, 6, bytes()),
  packet(LCP, 8, bytes([0x80, 0xfd], 'x'.repeat(60))),
  packet(LCP, 9, bytes([0, 0, 0, 9], 'hello')),
  packet(LCP, 10, bytes([0x12, 0x34, 0x56, 0x78])),
  packet(LCP, 10, bytes([1, 2])),
  packet(LCP, 11, bytes([0, 0, 0, 0], [1, 2, 3])),
  packet(LCP, 12, bytes([0, 0, 0, 0], 'MSRASV5.10')),
  packet(LCP, 12, bytes([0, 0, 0, 1])),
  packet(LCP, 13, bytes([0, 0, 0, 0, 0, 1, 0, 0], 'soon')),
  packet(LCP, 13, bytes([0, 0, 0, 0, 0])),
  packet(LCP, 77, bytes([1, 2, 3])),
  [LCP, Uint8Array.of(1, 2)],
  [LCP, Uint8Array.of(1, 2, 0, 99, 5)],
  packet(IPCP, 1, options([1, 10, 0, 0, 1, 10, 0, 0, 2], [2, 0, 0x2d, 15, 1], [2, 0, 0x37, 1], [2, 0x12, 0x34], [2])),
  packet(
    IPCP,
    3,
    options([3, 10, 64, 0, 2], [129, 1, 2, 3, 4], [130, 0, 0, 0, 0], [131, 5, 6, 7, 8], [132, 9, 9, 9, 9]),
  ),
  packet(IPCP, 4, options([3, 1], [144, 255, 255, 255, 0])),
  packet(IPCP, 5, bytes('bye')),
  packet(IPCP, 7, bytes([9, 1, 0, 4])),
  packet(IPCP, 9, bytes([1, 2, 3])),
  packet(
    IPV6CP,
    1,
    options([1, 0, 0, 0, 0, 0, 0, 0, 5], [1, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0], [1, 2], [2, 0, 0x61]),
  ),
  packet(IPV6CP, 3, options([2, 0, 0x61, 1, 2], [77])),
  packet(IPV6CP, 6, bytes()),
  packet(CCP, 1, options([26, 0x78, 0], [24, 0x78, 0], [26, 0x79, 1], [21, 0x2f], [21], [1], [2])),
  packet(CCP, 1, options([18, 1, 0, 0, 0x60], [18, 0, 0, 0, 0x21], [17, 1, 2, 3])),
  packet(CCP, 14, bytes([1, 2])),
  packet(CCP, 15, bytes()),
  packet(CCP, 9, bytes([3])),
  packet(ECP, 1, options([1, 2, 3])),
  packet(PAP, 1, bytes([4], 'demo', [6], 'sesame')),
  packet(PAP, 2, bytes([8], 'Login ok')),
  packet(PAP, 3, bytes([0])),
  packet(PAP, 3, bytes()),
  packet(PAP, 2, bytes([9], 'short')),
  packet(CHAP, 1, bytes([4, 0xde, 0xad, 0, 1], 'operator')),
  packet(CHAP, 1, bytes([0])),
  packet(CHAP, 3, bytes('Welcome')),
  packet(CHAP, 4, bytes('E=691 R=0 C=00 V=3 M=x')),
  packet(EAP, 1, bytes([1], 'who?')),
  packet(EAP, 1, bytes([1])),
  packet(EAP, 1, bytes([2], 'news')),
  packet(EAP, 1, bytes([4, 4, 1, 2, 3, 4], 'server')),
  packet(EAP, 1, bytes([4, 2, 1, 2])),
  packet(EAP, 1, bytes([4, 9, 1, 2])),
  packet(EAP, 1, bytes([25])),
  packet(EAP, 2, bytes([1], 'demo')),
  packet(EAP, 2, bytes([3, 4])),
  packet(EAP, 2, bytes([3, 26])),
  packet(EAP, 3, bytes()),
  packet(EAP, 4, bytes()),
  [0x80_29, Uint8Array.of(1, 1, 0, 4)],
  [0x80_fb, bytes('y'.repeat(40))],
  [0xfd, bytes('compressed data')],
  [0xfd, bytes('short')],
]

if (inNamespace(import.meta.url, needs('pppd', 'gcc', 'tun'))) {
  test('each packet is printed as pppd prints it', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'modemd-printing-'))
    const wire = new PtyWire()
    const env = { ...process.env, FAKEPPP_SO: join(folder, 'fakeppp.so'), PPPD_DEBUG: '1' }
    const settings = [
      'none',
      'x',
      'y',
      '10.64.0.1',
      '10.64.0.2',
      '10.64.0.53',
      '10.64.0.54',
      '0',
      '0',
      'lcp-restart',
      '60',
    ]
    const pppd = spawn(SHIM, ['server', wire.path, ...settings], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    const ended = once(pppd, 'close')
    t.after(async () => {
      pppd.kill('SIGKILL')
      await ended
      await wire.close()
      rmSync(folder, { recursive: true })
    })
    let output = ''
    for (const stream of [pppd.stdout, pppd.stderr]) stream.on('data', (chunk) => (output += chunk.toString('latin1')))
    const sentByPppd: string[] = []
    const decoder = new HdlcDecoder(2000, {
      frame: (protocol, info) => sentByPppd.push(printPacket(protocol, info)),
      junk() {},
    })
    decoder.accm = 0
    wire.listen({ data: (read) => decoder.push(read), drain() {}, closed() {} })
    const linesOf = (direction: string) =>
      output.split('\n').flatMap((line) => (line.startsWith(`${direction} `) ? [line.slice(direction.length + 1)] : []))
    await until('pppd listens', () => linesOf('sent').length > 0)

    const encoder = new HdlcEncoder()
    for (const [protocol, info] of PACKETS) wire.write(encoder.encode(protocol, info))
    await until('pppd has seen all', () => linesOf('rcvd').length >= PACKETS.length || pppd.exitCode !== null)
    // Packets for the link and for the network reach pppd by two descriptors, each in order.
    const theirs = linesOf('rcvd').map((line) => line.replace('password="sesame"', 'password=<hidden>').trimEnd())
    assert.deepEqual(PACKETS.map(([protocol, info]) => printPacket(protocol, info)).sort(), theirs.sort())
    await until('all that it sent came', () => sentByPppd.length >= linesOf('sent').length)
    assert.ok(sentByPppd.length >= 3, sentByPppd.join())
    assert.deepEqual(
      sentByPppd,
      linesOf('sent').map((line) => line.trimEnd()),
    )
  })
}
