/**
 * tshark judges our bytes: whole sessions of a client and a server of ours, from the first Configure-Request to the last Terminate-Ack,
 * with its own dissectors and its own frame check.
 */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { parseIpv4 } from '../../src/base/ipv4.ts'
import type { AuthProtocol } from '../../src/ppp/settings.ts'
import { HdlcEncoder } from '../../src/ppp/wire/hdlc-encoder.ts'
import { isRunning, type PppCable, pair } from '../pair/ends.ts'
import { needs } from '../support/needs.ts'
import { run } from '../system/run.ts'

/** "PPP in HDLC-like framing": frames without flags and escapes, with their FCS. */
const LINKTYPE_PPP_HDLC = 50
const FCS_GOOD = '1'
/** What tshark says of every EAP-MD5 request. */
const EAP_REMARK = '|1||Vulnerable to MITM attacks. If possible, change EAP type.'

const folder = mkdtempSync(join(tmpdir(), 'modemd-tshark-'))
after(() => rmSync(folder, { recursive: true }))

/** Not with our decoder: that might share a mistake with the encoder. */
function framesOf(pieces: readonly Uint8Array[]): number[][] {
  const frames: number[][] = []
  let frame: number[] = []
  let isEscaped = false
  for (const octet of Buffer.concat(pieces)) {
    if (octet === 0x7e) {
      if (frame.length > 0) frames.push(frame)
      frame = []
    } else if (octet === 0x7d) isEscaped = true
    else {
      frame.push(isEscaped ? octet ^ 0x20 : octet)
      isEscaped = false
    }
  }
  return frames
}

function pcap(frames: readonly (readonly number[])[]): Uint8Array {
  const head = Buffer.alloc(24)
  head.writeUInt32LE(0xa1b2c3d4, 0)
  head.writeUInt16LE(2, 4)
  head.writeUInt16LE(4, 6)
  head.writeUInt32LE(0xffff, 16)
  head.writeUInt32LE(LINKTYPE_PPP_HDLC, 20)
  const records = frames.flatMap((frame, index) => {
    const record = Buffer.alloc(16)
    record.writeUInt32LE(index, 0)
    record.writeUInt32LE(frame.length, 8)
    record.writeUInt32LE(frame.length, 12)
    return [record, Buffer.from(frame)]
  })
  return Buffer.concat([head, ...records])
}

/** A line a frame, its fields separated by `|`, several values of one by `,`. */
async function judged(
  frames: readonly (readonly number[])[],
  fields: readonly string[],
  filter = '',
): Promise<string[]> {
  const file = join(folder, 'frames.pcap')
  writeFileSync(file, pcap(frames))
  const { status, output } = await run(
    'tshark',
    ...['-n', '-r', file, '-o', 'ppp.fcs_type:16-Bit', '-T', 'fields', '-E', 'separator=|'],
    ...fields.flatMap((field) => ['-e', field]),
    ...(filter ? ['-Y', filter] : []),
  )
  assert.equal(status, 0, output)
  return output.split('\n').filter((line) => line !== '' && !line.startsWith('Running as user'))
}

/** No frame is malformed, each has a good FCS, and tshark finds nothing to warn of. */
async function isFlawless(frames: readonly (readonly number[])[]): Promise<void> {
  assert.ok(frames.length > 0)
  const found = await judged(frames, ['frame.number', 'ppp.fcs.status', '_ws.malformed', '_ws.expert.message'], '')
  assert.deepEqual(
    found.filter((line) => !line.endsWith(EAP_REMARK)),
    frames.map((_, index) => `${index + 1}|${FCS_GOOD}||`).filter((_, index) => !found[index]?.endsWith(EAP_REMARK)),
  )
}

function session(auth: AuthProtocol | 'none', clientAccm = 0): PppCable {
  const requiresAuth = auth === 'none' ? [] : [auth]
  const answersAuth = auth === 'none' ? [] : [auth]
  const cable = pair({ accm: clientAccm, ipv6: true, answersAuth }, { ipv6: true, requiresAuth }).open()
  for (let limitMs = 200; limitMs < 20_000 && !isRunning(cable.b); limitMs += 200) cable.run(limitMs)
  cable.run(cable.nowMs + 1000)
  assert.ok(isRunning(cable.a) && isRunning(cable.b), `no session with ${auth}`)
  return cable
}

/** An ICMP echo request with right checksums, so that nothing but our framing can be blamed. */
function echoRequest(bytes: number): Uint8Array {
  const packet = Buffer.alloc(bytes)
  for (let i = 28; i < bytes; i++) packet[i] = i & 0xff
  packet.set([0x45, 0, bytes >>> 8, bytes & 0xff, 0, 1, 0, 0, 64, 1])
  packet.writeUInt32BE(parseIpv4('10.64.0.2')!, 12)
  packet.writeUInt32BE(parseIpv4('10.64.0.1')!, 16)
  packet[20] = 8
  packet.writeUInt16BE(checksum(packet.subarray(0, 20)), 10)
  packet.writeUInt16BE(checksum(packet.subarray(20)), 22)
  return packet
}

function checksum(bytes: Buffer): number {
  let sum = 0
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

for (const auth of ['none', 'pap', 'chap', 'mschap', 'mschapv2', 'eap'] as const)
  test(`a whole session, ${auth}: no frame malformed, every FCS good`, needs('tshark'), async () => {
    const cable = session(auth, auth === 'pap' ? 0xffffffff : 0)
    for (const bytes of [28, 29, 100, 1500]) cable.a.machine.sendPacket(echoRequest(bytes), cable.nowMs)
    cable.drain(cable.a)
    cable.a.machine.terminate({ cause: 'user-request', detail: 'asked for' }, cable.nowMs)
    cable.drain(cable.a)
    cable.run(cable.nowMs + 20_000)
    const frames = [...framesOf(cable.a.sent), ...framesOf(cable.b.sent)]
    await isFlawless(frames)
    const fields = ['frame.protocols', 'ip.src', 'ip.dst', 'ip.len', 'icmp.checksum.status']
    const dissected = await judged(frames, fields)
    for (const protocol of ['ppp:lcp', 'ppp:ipcp', 'ppp:ipv6cp'])
      assert.ok(
        dissected.some((line) => line.startsWith(`${protocol}|`)),
        protocol,
      )
    assert.deepEqual(
      dissected.filter((line) => line.includes(':icmp')).map((line) => line.replace(/^[^|]*\|/, '')),
      [28, 29, 100, 1500].map((bytes) => `10.64.0.2|10.64.0.1|${bytes}|1`),
    )
  })

test('the options are what we mean', needs('tshark'), async () => {
  const cable = session('chap')
  const [a, b] = [cable.a, cable.b].map((end) => framesOf(end.sent)) as [number[][], number[][]]
  const [first] = await judged(a, ['lcp.opt.type', 'lcp.opt.mru', 'lcp.opt.asyncmap', 'ppp.code'], 'lcp')
  // Maximum-Receive-Unit is left out: 1500 is its default (RFC 1661 §6.1).
  assert.equal(first, '2,5,7,8||0x00000000|1')
  const [request] = await judged(
    b,
    ['lcp.opt.type', 'lcp.opt.auth_protocol', 'lcp.opt.algorithm'],
    'lcp && ppp.code == 1',
  )
  assert.match(request!, /^2,3,5,7,8\|0xc223\|5$/)
  const [wish] = await judged(
    a,
    ['ipcp.opt.ip_address', 'ipcp.opt.pri_dns_address', 'ipcp.opt.sec_dns_address'],
    'ipcp && ppp.code == 1',
  )
  assert.equal(wish, '0.0.0.0|0.0.0.0|0.0.0.0')
  const [nak] = await judged(
    b,
    ['ipcp.opt.ip_address', 'ipcp.opt.pri_dns_address', 'ipcp.opt.sec_dns_address'],
    'ipcp && ppp.code == 3',
  )
  assert.equal(nak, '10.64.0.2|10.64.0.53|10.64.0.54')
  const names = await judged(a, ['chap.name', 'chap.value_size'], 'chap.code == 2')
  assert.deepEqual(names, ['demo|16'])
  const identifiers = await judged(a, ['ipv6cp.interface_identifier'], 'ipv6cp && ppp.code == 1')
  assert.equal(identifiers.length, 1)
})

test('what we refuse and answer is well-formed too', needs('tshark'), async () => {
  const cable = session('none')
  const before = cable.b.sent.length
  const peer = new HdlcEncoder()
  const give = (protocol: number, info: readonly number[]) =>
    cable.input(cable.b, { type: 'data', bytes: peer.encode(protocol, Uint8Array.from(info)).slice() })
  // Two unknown protocols, an unknown code, an echo request, and Van Jacobson compression.
  give(0x80fd, [1, 1, 0, 8, 26, 4, 0x78, 0])
  give(0xc021, [14, 7, 0, 6, 1, 2])
  give(0xc021, [9, 8, 0, 8, 0, 0, 0, 0])
  give(0x8031, [1, 1, 0, 4])
  give(0x8021, [1, 9, 0, 10, 2, 6, 0, 0x2d, 15, 1])
  cable.run(cable.nowMs + 200)
  const answers = framesOf(cable.b.sent.slice(before))
  await isFlawless(answers)
  const codes = await judged(answers, ['ppp.code'], 'ppp.code')
  for (const code of ['7', '8', '10'])
    assert.ok(
      codes.some((line) => line.split(',')[0] === code),
      `code ${code} in ${codes}`,
    )
  assert.ok((await judged(answers, ['lcp.rej_proto'], 'lcp.rej_proto')).length >= 2)
})

test('the judge sees one damaged octet', needs('tshark'), async () => {
  const frames = framesOf(session('none').a.sent)
  frames[0]![6]! ^= 1
  await assert.rejects(isFlawless(frames))
})
