/** `record FILE` and `pcap FILE`: read by Debian's pppdump and by tshark, and without a password of PAP in them. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Recording } from '../../../src/ppp/command/record-wire.ts'
import { DEFAULT_FRAMING, HdlcEncoder } from '../../../src/ppp/wire/hdlc-encoder.ts'
import { IPCP, LCP, PAP } from '../../../src/ppp/wire/protocols.ts'
import { needs } from '../../support/needs.ts'

const directory = mkdtempSync(join(tmpdir(), 'modemd-record-'))
after(() => rmSync(directory, { recursive: true, force: true }))

const COMPRESSED = { accm: 0, pfc: true, acfc: true }
const encoder = new HdlcEncoder()
const frame = (protocol: number, info: readonly number[], framing = DEFAULT_FRAMING) => {
  encoder.framing = framing
  return encoder.encode(protocol, Uint8Array.from(info)).slice()
}
const text = (value: string) => [value.length, ...Buffer.from(value)]
const papRequest = (password: string, id = 1) => {
  const data = [...text('alice'), ...text(password)]
  return [1, id, 0, data.length + 4, ...data]
}

/** A wire of which the test is the other side. */
function taps(name: string, startMs = 1_700_000_000_000) {
  const recordFile = join(directory, `${name}.record`)
  const pcapFile = join(directory, `${name}.pcap`)
  const notices: string[] = []
  let nowMs = startMs
  const clock = { nowMs: () => nowMs, wallUs: () => BigInt(nowMs) * 1000n }
  const recording = new Recording({ recordFile, pcapFile }, clock as never, (line) => notices.push(line))
  let listener: { data(bytes: Uint8Array): void } | undefined
  const sent: Uint8Array[] = []
  const wire = recording.wrap({
    isClosed: false,
    listen: (given: typeof listener) => {
      listener = given
    },
    write: (bytes: Uint8Array) => sent.push(bytes) > 0,
  } as never)
  const heard: Uint8Array[] = []
  wire.listen({ data: (bytes) => heard.push(bytes), drain: () => {}, closed: () => {} })
  return {
    recordFile,
    pcapFile,
    notices,
    recording,
    wire,
    heard,
    sent,
    receive: (bytes: Uint8Array) => listener!.data(bytes),
    wait: (ms: number) => {
      nowMs += ms
    },
  }
}

function shown(program: string, ...args: string[]): string {
  const ran = spawnSync(program, args, { encoding: 'utf8' })
  assert.equal(ran.status, 0, ran.stderr)
  return ran.stdout
}

test('pppdump reads what was recorded: packets, directions, times', needs('pppd'), () => {
  const line = taps('plain')
  line.wait(250)
  line.wire.write(frame(LCP, [1, 1, 0, 4]))
  line.wait(1300)
  line.receive(frame(LCP, [2, 1, 0, 4]))
  line.wait(60_000)
  line.receive(frame(IPCP, [1, 1, 0, 4], COMPRESSED))
  line.recording.close()
  const dump = shown('pppdump', '-p', line.recordFile)
  assert.match(
    dump,
    /^time {2}0\.2s\nsent {2}ff 03 c0 21 01 .*\ntime {2}1\.3s\nrcvd {2}ff 03 c0 21 02 .*\ntime {2}60\.0s\nrcvd {2}80 21 01/m,
  )
  assert.doesNotMatch(dump, /bad fcs|BAD/i)
  assert.equal(statSync(line.recordFile).mode & 0o777, 0o600)
  assert.equal(statSync(line.pcapFile).mode & 0o777, 0o600)
})

test('a second run is appended to the first', needs('pppd'), () => {
  for (let run = 0; run < 2; run++) {
    const line = taps('twice')
    line.wire.write(frame(LCP, [1, run, 0, 4]))
    line.recording.close()
  }
  assert.equal(shown('pppdump', '-p', join(directory, 'twice.record')).match(/^sent {2}ff 03 c0 21/gm)?.length, 2)
})

test('what passes is untouched, in both directions', () => {
  const line = taps('through')
  const bytes = Uint8Array.from([0x41, ...frame(PAP, papRequest('sesame')), 0x7e, 0x01])
  line.wire.write(bytes)
  line.receive(bytes)
  assert.deepEqual([line.sent, line.heard], [[bytes], [bytes]])
  line.recording.close()
})

for (const [name, framing] of [
  ['plain', DEFAULT_FRAMING],
  ['compressed', COMPRESSED],
] as const) {
  test(`a PAP password is stars in both files, wherever reads cut it, ${name} headers`, needs('pppd', 'tshark'), () => {
    const bytes = Uint8Array.from([
      ...frame(PAP, papRequest('open\u0001sesame}~'), framing),
      ...frame(LCP, [9, 1, 0, 8, 0, 0, 0, 0]),
    ])
    for (let cut = 0; cut <= bytes.length; cut++) {
      const line = taps(`pap-${name}-${cut}`)
      line.receive(bytes.subarray(0, cut))
      line.receive(bytes.subarray(cut))
      line.wire.write(bytes)
      line.recording.close()
      const record = readFileSync(line.recordFile).toString('latin1')
      assert.doesNotMatch(record, /sesame|open/, `cut at ${cut}`)
      assert.equal(record.split('alice').length - 1, 2)
      assert.equal(record.split('*'.repeat(13)).length - 1, 2)
      assert.doesNotMatch(readFileSync(line.pcapFile).toString('latin1'), /sesame|open/)
      if (cut % 8 === 0) assert.doesNotMatch(shown('pppdump', '-p', line.recordFile), /bad fcs|BAD/i)
    }
    const password = ['-e', 'pap.peer_id', '-e', 'pap.password']
    assert.equal(
      shown('tshark', '-r', join(directory, `pap-${name}-3.pcap`), '-Y', 'pap', '-T', 'fields', ...password),
      `alice\t${'*'.repeat(13)}\n`.repeat(2),
    )
  })
}

test('a password is hidden in damaged frames, in lying lengths, and where the line ends within it', () => {
  const good = frame(PAP, papRequest('sesame'))
  const damaged = Uint8Array.from(good)
  damaged[damaged.length - 3]! ^= 1
  const request = papRequest('sesame')
  const cases: [string, Uint8Array[]][] = [
    ['wrong checksum', [damaged]],
    ['cut off', [good.subarray(0, -4)]],
    ['no flag between two', [frame(LCP, [1, 1, 0, 4]).subarray(0, -1), good.subarray(1)]],
    ['the length of the password is a lie', [frame(PAP, request.with(10, 200))]],
    ['the length of the name is a lie', [frame(PAP, request.with(4, 250))]],
    ['the length of the name swallows the password', [frame(PAP, request.with(4, 3))]],
  ]
  for (const [name, pieces] of cases) {
    const line = taps(`hidden ${name}`)
    for (const piece of pieces) line.receive(piece)
    line.recording.close()
    for (const file of [line.recordFile, line.pcapFile])
      assert.doesNotMatch(readFileSync(file).toString('latin1'), /sesame/, `${name}: ${file}`)
  }
})

test('what is no PPP is recorded as it came', needs('pppd'), () => {
  const line = taps('chat')
  line.receive(Buffer.from('CONNECT 115200\r\n'))
  line.receive(new Uint8Array(200_000).fill(0x55))
  line.recording.close()
  assert.ok(readFileSync(line.recordFile).length > 200_016)
  assert.match(shown('pppdump', line.recordFile), /CONNECT 115200/)
})

test('a file that cannot be made is a notice, and the line goes on', () => {
  const notices: string[] = []
  const clock = { wallUs: () => 0n, nowMs: () => 0 }
  const recording = new Recording({ recordFile: directory, pcapFile: undefined }, clock as never, (each) =>
    notices.push(each),
  )
  const wire = {} as never
  assert.equal(recording.wrap(wire), wire)
  assert.deepEqual(notices, [`Couldn't create record file ${directory}: Is a directory`])
})

test('a full disk ends the recording, not the line', () => {
  const notices: string[] = []
  const clock = { wallUs: () => 0n, nowMs: () => 0 }
  const recording = new Recording({ recordFile: '/dev/full', pcapFile: undefined }, clock as never, (each) =>
    notices.push(each),
  )
  let written = 0
  const wire = recording.wrap({ isClosed: false, write: () => ++written > 0 } as never)
  wire.write(frame(LCP, [1, 1, 0, 4]))
  wire.write(frame(LCP, [1, 1, 0, 4]))
  assert.equal(written, 2)
  assert.deepEqual(notices, ['recording to /dev/full ends: No space left on device'])
})
