/**
 * Sessions under mutated frames: what two honest ends said to each other, changed in every way that framing still takes, in any
 * order, at any time, for every role and log-in. Used by test/property/ppp-fuzz.test.ts and, with a million frames, by
 * bench/ppp-fuzz.bench.ts.
 */

import { concat } from '../../src/base/bytes.ts'
import { SerialSession } from '../../src/ppp/serial-session.ts'
import type { SessionEvent } from '../../src/ppp/session-events.ts'
import { CLIENT_DEFAULTS, type PppSettings, SERVER_DEFAULTS } from '../../src/ppp/settings.ts'
import { HdlcDecoder } from '../../src/ppp/wire/hdlc-decoder.ts'
import { HdlcEncoder } from '../../src/ppp/wire/hdlc-encoder.ts'
import { printPacket } from '../../src/ppp/wire/printing.ts'
import { Cable } from '../pair/cable.ts'
import { SeededRandom } from './seeded-random.ts'

interface Frame {
  readonly protocol: number
  readonly info: Uint8Array
}

interface Setting {
  readonly settings: PppSettings
  /** Of an honest peer. */
  readonly peer: PppSettings
}

export interface FuzzResult extends Readonly<Tally> {
  readonly frames: number
  readonly sessions: number
}

interface Tally {
  sentFrames: number
  /** How many sessions came up with an honest peer afterwards, and how many ended with a cause. */
  cameUp: number
  ended: number
  /** Most memory that one session's outputs took between two reads. */
  mostOutputBytes: number
}

const FRAMES_A_SESSION = 100
/** The same when recorded and when fuzzed: identifiers and magic numbers fit. */
const OUR_SEED = 1
const DATA = new Uint8Array(80).fill(0x45)

const CLIENT = { ...CLIENT_DEFAULTS, user: 'demo', password: 'sesame', ipv6: true }
const SERVER = {
  ...SERVER_DEFAULTS,
  user: 'operator',
  localAddress: 0x0a400001,
  remoteAddress: 0x0a400002,
  dnsServers: [0x0a400035],
  ipv6: true,
  secretOf: () => 'sesame',
}
const SETTINGS: readonly Setting[] = [[], ['pap'], ['chap'], ['mschap'], ['mschapv2'], ['eap']].flatMap((auth) => {
  const server = { ...SERVER, requiresAuth: auth as PppSettings['requiresAuth'] }
  return [
    { settings: CLIENT, peer: server },
    { settings: server, peer: CLIENT },
  ]
})

class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0 || 1
  }

  /** 0 to `below` - 1. */
  roll(below: number): number {
    this.#state ^= this.#state << 13
    this.#state ^= this.#state >>> 17
    this.#state ^= this.#state << 5
    return (this.#state >>> 0) % below
  }

  of<T>(list: readonly T[]): T {
    return list[this.roll(list.length)]!
  }
}

/** Throws what a session throws, and where one hangs or talks without end; else tells what it did. */
export function fuzz(frames: number, seed: number): FuzzResult {
  const dice = new Dice(seed)
  const corpora = SETTINGS.map((setting) => record(setting))
  const result = { frames, sessions: 0, sentFrames: 0, cameUp: 0, ended: 0, mostOutputBytes: 0 }
  for (let done = 0; done < frames; ) {
    const which = dice.roll(SETTINGS.length)
    const session = new FuzzedSession(SETTINGS[which]!, corpora[which]!, dice, result)
    done += session.suffer(Math.min(FRAMES_A_SESSION, frames - done))
    session.recover()
    result.sessions++
  }
  return result
}

/** What the peer of such a session says to it from the beginning to the end. */
function record({ settings, peer }: Setting): Frame[] {
  const us = new SerialSession(settings, new SeededRandom(OUR_SEED))
  const them = new SerialSession(peer, new SeededRandom(2))
  const cable = new Cable<SessionEvent>(us, them)
  cable.open().run(25_000)
  them.sendPacket(DATA, cable.nowMs)
  them.renegotiate(cable.nowMs)
  cable.drain(cable.b)
  cable.run(1000)
  const frames: Frame[] = []
  const decoder = new HdlcDecoder(2000, { frame: (protocol, info) => frames.push({ protocol, info }), junk() {} })
  decoder.accm = 0
  for (const piece of cable.b.sent) decoder.push(piece)
  return frames
}

class FuzzedSession {
  readonly #setting: Setting
  readonly #corpus: readonly Frame[]
  readonly #dice: Dice
  readonly #result: Tally
  readonly #session: SerialSession
  readonly #encoder = new HdlcEncoder()
  #nowMs = 1000
  #isDown = false

  constructor(setting: Setting, corpus: readonly Frame[], dice: Dice, result: Tally) {
    this.#setting = setting
    this.#corpus = corpus
    this.#dice = dice
    this.#result = result
    const trace = (_: string, protocol: number, info: Uint8Array) => void printPacket(protocol, info)
    this.#session = new SerialSession(setting.settings, new SeededRandom(OUR_SEED), trace)
    this.#session.handle({ type: 'open' }, this.#nowMs)
    this.#drain()
  }

  /** The first frames are honest, so that every state is met. Answers how many were taken until the end. */
  suffer(count: number): number {
    const dice = this.#dice
    let next = 0
    const honest = dice.roll(this.#corpus.length + 1)
    let taken = 0
    for (; taken < count && !this.#isDown; taken++) {
      const isHonest = next < honest
      const frame = isHonest ? this.#corpus[next++]! : dice.of(this.#corpus)
      this.#receive(isHonest ? this.#framed(frame) : this.#damaged(this.#framed(mutated(frame, this.#corpus, dice))))
      if (dice.roll(10) === 0) this.#session.sendPacket(DATA, this.#nowMs)
      this.#pass(dice.roll(100) === 0 ? 4000 : dice.of([0, 0, 0, 1, 10, 100]))
    }
    return taken
  }

  /** An honest peer at the other end: it comes up, or has ended with a cause. */
  recover(): void {
    if (!this.#isDown) {
      const cable = new Cable<SessionEvent>(this.#session, new SerialSession(this.#setting.peer, new SeededRandom(7)))
      cable.nowMs = this.#nowMs
      cable.input(cable.b, { type: 'open' })
      const isOver = () => cable.a.events.some(({ type }) => type === 'down') || isUp(cable.a.events)
      for (let tries = 0; tries < 120 && !isOver(); tries++) cable.run(1000)
      if (!isOver()) throw new Error('a session neither comes up nor ends after mutated frames')
      if (isUp(cable.a.events)) this.#result.cameUp++
      else this.#isDown = true
      this.#result.sentFrames += cable.a.sent.length
    }
    if (this.#isDown) this.#result.ended++
  }

  #framed({ protocol, info }: Frame): Uint8Array {
    return this.#encoder.encode(protocol, info)
  }

  #damaged(bytes: Uint8Array): Uint8Array {
    if (this.#dice.roll(6) !== 0) return bytes
    const changed = bytes.slice()
    changed[this.#dice.roll(changed.length)]! ^= 1 << this.#dice.roll(8)
    return this.#dice.roll(4) === 0 ? changed.subarray(0, this.#dice.roll(changed.length)) : changed
  }

  #receive(bytes: Uint8Array): void {
    const cut = this.#dice.roll(4) === 0 ? this.#dice.roll(bytes.length + 1) : bytes.length
    this.#session.handle({ type: 'data', bytes: bytes.subarray(0, cut) }, this.#nowMs)
    if (cut < bytes.length) this.#session.handle({ type: 'data', bytes: bytes.subarray(cut) }, this.#nowMs)
    this.#drain()
  }

  #pass(ms: number): void {
    const untilMs = this.#nowMs + ms
    for (let fired = 0; ; fired++) {
      const due = this.#session.deadline()
      if (!due || due.atMs > untilMs) break
      if (fired > 1000) throw new Error(`a session spins: ${due.why}`)
      this.#nowMs = Math.max(this.#nowMs, due.atMs)
      this.#session.handle({ type: 'timeout' }, this.#nowMs)
      this.#drain()
    }
    this.#nowMs = untilMs
  }

  #drain(): void {
    let bytes = 0
    for (let output = this.#session.poll(); output; output = this.#session.poll()) {
      if (output.type === 'send') {
        this.#result.sentFrames++
        bytes += output.bytes.length
      } else if (output.event.type === 'down') {
        if (!output.event.failure.detail) throw new Error('an end without a reason')
        this.#isDown = true
      }
    }
    this.#result.mostOutputBytes = Math.max(this.#result.mostOutputBytes, bytes)
  }
}

function isUp(events: readonly SessionEvent[]): boolean {
  const phases = events.flatMap((event) => (event.type === 'phase' ? [event.phase] : []))
  return phases.at(-1) === 'running' && events.some(({ type }) => type === 'up')
}

function mutated(frame: Frame, corpus: readonly Frame[], dice: Dice): Frame {
  let { protocol, info } = frame
  for (let changes = 1 + dice.roll(3); changes > 0; changes--) {
    const bytes = info.slice()
    const at = dice.roll(bytes.length || 1)
    switch (dice.roll(11)) {
      case 0:
        if (bytes.length > 0) bytes[at]! ^= 1 << dice.roll(8)
        break
      case 1:
        if (bytes.length > 0) bytes[at] = dice.of([0, 1, 2, 3, 4, 0x7d, 0x7e, 0x7f, 0x80, 0xff])
        break
      case 2:
        if (bytes.length > 0) bytes[0] = dice.roll(16)
        break
      case 3:
        if (bytes.length > 1) bytes[1] = dice.roll(8)
        break
      case 4:
        if (bytes.length > 3) bytes[3] = dice.roll(256)
        break
      case 5:
        info = bytes.subarray(0, at)
        continue
      case 6:
        info = concat([bytes, new Uint8Array(dice.of([1, 4, 40, 1400])).fill(dice.roll(256))])
        continue
      case 7:
        info = concat([bytes.subarray(0, at), dice.of(corpus).info])
        continue
      case 8:
        protocol = dice.of([...corpus.map((each) => each.protocol), 0x80fd, 0x57, 0x8053, 0xc025, 0xfd, 0x4e4f])
        continue
      case 9:
        // A longer packet whose Length is right.
        info = lengthened(bytes, dice)
        continue
      default:
        if (bytes.length > 5) bytes[5] = dice.roll(256)
    }
    info = bytes
  }
  return { protocol, info }
}

function lengthened(bytes: Uint8Array, dice: Dice): Uint8Array {
  if (bytes.length < 4) return bytes
  const type = dice.roll(256)
  const option = new Uint8Array(2 + dice.roll(12)).fill(dice.roll(256))
  option[0] = type
  option[1] = option.length
  const longer = concat([bytes, option])
  longer[2] = longer.length >>> 8
  longer[3] = longer.length & 0xff
  return longer
}
