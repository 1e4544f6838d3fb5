// PPP without a machine around it: framing, the negotiation of two of our ends, and what many sessions weigh. The engines
// have benchmarks of their own.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { SerialSession } from '../src/ppp/serial-session.ts'
import type { SessionEvent } from '../src/ppp/session-events.ts'
import { CLIENT_DEFAULTS, type PppSettings, SERVER_DEFAULTS } from '../src/ppp/settings.ts'
import { HdlcDecoder } from '../src/ppp/wire/hdlc-decoder.ts'
import { HdlcEncoder } from '../src/ppp/wire/hdlc-encoder.ts'
import { IPV4 } from '../src/ppp/wire/protocols.ts'
import { systemRandom } from '../src/system/clock.ts'
import { printTable, type Row } from './table.ts'

const FRAME_BYTES = 1500
const FRAMES = 40_000
const RUNS = 7
const READ_BYTES = 16_384
const NEGOTIATIONS = 200
const SESSIONS = 256

const CLIENT: PppSettings = { ...CLIENT_DEFAULTS, user: 'demo', password: 'sesame' }
const SERVER: PppSettings = {
  ...SERVER_DEFAULTS,
  user: 'operator',
  localAddress: 0x0a400001,
  remoteAddress: 0x0a400002,
  dnsServers: [0x0a400035, 0x0a400036],
  secretOf: () => 'sesame',
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const rows: Row[] = []
framing('random', random(), '≥ 400 MB/s')
framing('all escaped', new Uint8Array(FRAME_BYTES).fill(0x7e), '≥ 120 MB/s')
negotiations('no log-in', CLIENT, SERVER)
negotiations('CHAP', CLIENT, { ...SERVER, requiresAuth: ['chap'] })
negotiations('MS-CHAPv2, IPv6 too', { ...CLIENT, ipv6: true }, { ...SERVER, requiresAuth: ['mschapv2'], ipv6: true })
manySessions()
printTable('PPP: framing, negotiation, sessions', rows)

function random(): Uint8Array {
  const info = new Uint8Array(FRAME_BYTES)
  let state = 1
  for (let at = 0; at < info.length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    info[at] = state >>> 24
  }
  return info
}

/** Payload bytes a second through one half of the framing; ACCM 0 as on a USB modem. */
function framing(name: string, info: Uint8Array, against: string): void {
  const encoded: number[] = []
  const decoded: number[] = []
  for (let run = 0; run <= RUNS; run++) {
    const encoder = new HdlcEncoder()
    encoder.framing = { accm: 0, pfc: true, acfc: true }
    const fromMs = performance.now()
    for (let count = 0; count < FRAMES; count++) encoder.encode(IPV4, info)
    const encodedMs = performance.now() - fromMs
    const decodedMs = decodeAll(encoder.encode(IPV4, info))
    // The first run warms up.
    if (run === 0) continue
    encoded.push((FRAMES * FRAME_BYTES) / 1000 / encodedMs)
    decoded.push((FRAMES * FRAME_BYTES) / 1000 / decodedMs)
  }
  rows.push({ what: `HDLC encode, ${name}`, samples: encoded, unit: 'MB/s', against })
  rows.push({ what: `HDLC decode, ${name}`, samples: decoded, unit: 'MB/s', against })
}

/** The same frame again and again, in reads as a tty gives them. */
function decodeAll(frame: Uint8Array): number {
  const framesARead = Math.max(1, Math.floor(READ_BYTES / frame.length))
  const read = new Uint8Array(framesARead * frame.length)
  for (let at = 0; at < framesARead; at++) read.set(frame, at * frame.length)
  let frames = 0
  const decoder = new HdlcDecoder(FRAME_BYTES + 64, {
    frame: () => {
      frames++
    },
    junk() {},
  })
  decoder.accm = 0
  const fromMs = performance.now()
  while (frames < FRAMES) decoder.push(read)
  return (performance.now() - fromMs) * (FRAMES / frames)
}

/** From the first byte to both ends running, both in this process, nothing between them. */
function negotiations(name: string, client: PppSettings, server: PppSettings): void {
  const samples: number[] = []
  for (let run = 0; run < NEGOTIATIONS; run++) {
    const fromMs = performance.now()
    connect(client, server)
    samples.push(performance.now() - fromMs)
  }
  rows.push({
    what: `negotiation, ${name}: first in this process`,
    samples: [samples[0]!],
    unit: 'ms',
    against: '≤ 30 ms',
  })
  rows.push({ what: `negotiation, ${name}`, samples: samples.slice(1), unit: 'ms', against: '≤ 30 ms' })
}

function connect(client: PppSettings, server: PppSettings): [SerialSession, SerialSession] {
  const ends: [SerialSession, SerialSession] = [
    new SerialSession(client, systemRandom),
    new SerialSession(server, systemRandom),
  ]
  const phases = ['', '']
  for (const end of ends) end.handle({ type: 'open' }, 0)
  for (let isBusy = true; isBusy; ) {
    isBusy = false
    for (const [index, end] of ends.entries()) {
      for (let output = end.poll(); output; output = end.poll()) {
        isBusy = true
        if (output.type === 'send') ends[1 - index]!.handle({ type: 'data', bytes: output.bytes }, 0)
        else phases[index] = phaseOf(output.event) ?? phases[index]!
      }
    }
  }
  if (phases.join() !== 'running,running') throw new Error(`the ends are ${phases.join(' and ')}`)
  return ends
}

function phaseOf(event: SessionEvent): string | undefined {
  return event.type === 'phase' ? event.phase : undefined
}

/** What a session keeps once it runs and has carried packets both ways. */
function manySessions(): void {
  const packet = new Uint8Array(1400).fill(0x45)
  const held: [SerialSession, SerialSession][] = []
  collectGarbage()
  const before = process.memoryUsage()
  for (let count = 0; count < SESSIONS / 2; count++) {
    const ends = connect(CLIENT, { ...SERVER, requiresAuth: ['chap'] })
    for (let packets = 0; packets < 40; packets++) {
      for (const [index, end] of ends.entries()) {
        end.sendPacket(packet, 0)
        for (let output = end.poll(); output; output = end.poll()) {
          if (output.type === 'send') ends[1 - index]!.handle({ type: 'data', bytes: output.bytes.slice() }, 0)
        }
      }
    }
    for (const end of ends) while (end.poll()) {}
    held.push(ends)
  }
  collectGarbage()
  const after = process.memoryUsage()
  const bytes = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers
  rows.push({
    what: `memory of one of ${2 * held.length} running sessions (heap and buffers)`,
    samples: [bytes / 1024 / SESSIONS],
    unit: 'KiB',
    against: '≤ 100 KiB',
  })
}
