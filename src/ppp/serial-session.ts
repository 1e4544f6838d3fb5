/**
 * PPP on a serial line: the session of `session.ts` behind the framing of RFC 1662. Run over a wire by `serial/pump.ts`, for the
 * builtin engine and the simulator's operator.
 */

import type { Failure } from '../base/cause.ts'
import type { Deadline, Input, Machine, Output } from '../base/machine.ts'
import type { Random } from '../base/ports.ts'
import type { Carrier } from './control/carrier.ts'
import { DEFAULT_MRU_BYTES } from './control/lcp.ts'
import { PppSession } from './session.ts'
import type { PacketTrace, SessionCounters, SessionEvent } from './session-events.ts'
import type { PppSettings } from './settings.ts'
import { type FrameCounters, HdlcDecoder } from './wire/hdlc-decoder.ts'
import { type Framing, HdlcEncoder } from './wire/hdlc-encoder.ts'
import { mayEndInNoCarrier, saysNoCarrier } from './wire/line-text.ts'

/** Address, control, protocol and FCS, and some padding. */
const FRAME_EXTRA_BYTES = 64
/** No line pauses so long inside a frame: what ends in NO CARRIER then was a frame that the hang-up cut off. */
const CUT_FRAME_MS = 5000
const CUT_FRAME = 'NO CARRIER in an unfinished frame'
const NO_CARRIER = 'the modem reported NO CARRIER'

export class SerialSession implements Machine<SessionEvent> {
  readonly #session: PppSession
  readonly #encoder = new HdlcEncoder()
  readonly #decoder: HdlcDecoder
  readonly #onPacket: ((packet: Uint8Array) => void) | undefined
  #outputs: Output<SessionEvent>[] = []
  /** Frames that follow each other in memory, and go out in one piece behind `#outputs`. */
  #unsent: Uint8Array | undefined
  #unsentFrom = 0
  #unsentTo = 0
  /** The frame was a packet, and `onPacket` has had it. */
  #isFrameDone = false
  #nextOutput = 0
  #nowMs = 0
  #cutFrameAtMs: number | undefined

  /**
   * `onPacket` is given the peer's packets at once instead of as events, unless something else has to be polled before. Nothing is
   * made for them then, and the bytes are only valid during the call.
   */
  constructor(settings: PppSettings, random: Random, trace?: PacketTrace, onPacket?: (packet: Uint8Array) => void) {
    this.#onPacket = onPacket
    const longest = Math.max(DEFAULT_MRU_BYTES, settings.mruBytes) + FRAME_EXTRA_BYTES
    this.#decoder = new HdlcDecoder(longest, {
      frame: (protocol, info) => {
        this.#isFrameDone = false
        this.#session.receive(protocol, info, this.#nowMs)
      },
      isFrameDone: () => this.#isFrameDone,
      junk: (bytes) => {
        if (saysNoCarrier(bytes)) this.#session.lost(NO_CARRIER, this.#nowMs)
      },
    })
    const carrier: Carrier = {
      isAsync: true,
      maxMtuBytes: 0xffff,
      send: (protocol, info) => this.#send(protocol, info),
      reframe: (framing, receiveAccm) => this.#reframe(framing, receiveAccm),
      evidence: () => evidence(this.#decoder.counters),
    }
    this.#session = new PppSession(
      settings,
      random,
      carrier,
      (event) => this.#push({ type: 'event', event }),
      trace,
      (packet) => this.#packet(packet),
    )
  }

  get counters(): Readonly<SessionCounters & FrameCounters> {
    return { ...this.#session.counters, ...this.#decoder.counters }
  }

  /** See `PppSession`. */
  get peerName(): string | undefined {
    return this.#session.peerName
  }

  handle(input: Input, nowMs: number): void {
    this.#nowMs = nowMs
    switch (input.type) {
      case 'open':
        this.#session.open(nowMs)
        break
      case 'data':
        this.#receive(input.bytes)
        break
      case 'timeout':
        this.#timeout()
        break
      case 'close':
        this.#session.lost(`the line closed: ${input.reason}`, nowMs)
    }
  }

  /** An IPv4 or IPv6 packet for the peer. False: dropped, and counted. */
  sendPacket(packet: Uint8Array, nowMs: number): boolean {
    this.#nowMs = nowMs
    return this.#session.sendPacket(packet, nowMs)
  }

  /** See `PppSession`. */
  renegotiate(nowMs: number): void {
    this.#nowMs = nowMs
    this.#session.renegotiate(nowMs)
  }

  /** `down` follows with this failure, at the latest after Max-Terminate restart periods. Idempotent. */
  terminate(failure: Failure, nowMs: number): void {
    this.#nowMs = nowMs
    this.#session.terminate(failure, nowMs)
  }

  /** See `PppSession`. */
  lost(detail: string, nowMs: number): void {
    this.#nowMs = nowMs
    this.#session.lost(detail, nowMs)
  }

  poll(): Output<SessionEvent> | undefined {
    if (this.#nextOutput === this.#outputs.length) this.#pushUnsent()
    const output = this.#outputs[this.#nextOutput]
    if (output) {
      this.#nextOutput++
    } else if (this.#nextOutput > 0) {
      this.#outputs = []
      this.#nextOutput = 0
    }
    return output
  }

  deadline(): Deadline | undefined {
    const next = this.#session.deadline
    if (this.#cutFrameAtMs === undefined || this.#session.phase === 'dead') return next
    return next && next.atMs <= this.#cutFrameAtMs ? next : { atMs: this.#cutFrameAtMs, why: CUT_FRAME }
  }

  #receive(bytes: Uint8Array): void {
    if (!this.#session.phase || this.#session.phase === 'dead') return
    this.#decoder.push(bytes)
    const unfinished = this.#decoder.pending
    this.#cutFrameAtMs = undefined
    if (saysNoCarrier(unfinished)) this.#session.lost(NO_CARRIER, this.#nowMs)
    else if (mayEndInNoCarrier(unfinished)) this.#cutFrameAtMs = this.#nowMs + CUT_FRAME_MS
  }

  #timeout(): void {
    if (this.#cutFrameAtMs !== undefined && this.#cutFrameAtMs <= this.#nowMs) {
      this.#cutFrameAtMs = undefined
      this.#session.lost(`${NO_CARRIER} inside a frame, and then nothing`, this.#nowMs)
    }
    this.#session.timeout(this.#nowMs)
  }

  #reframe(framing: Framing, receiveAccm: number): void {
    this.#encoder.framing = framing
    this.#decoder.accm = receiveAccm
  }

  #packet(packet: Uint8Array): void {
    const isFirst = this.#nextOutput === this.#outputs.length && !this.#unsent
    this.#isFrameDone = isFirst && this.#onPacket !== undefined
    if (this.#isFrameDone) this.#onPacket?.(packet)
    else this.#push({ type: 'event', event: { type: 'packet', bytes: packet } })
  }

  #send(protocol: number, info: Uint8Array): void {
    const from = this.#encoder.append(protocol, info)
    const { chunk, end } = this.#encoder
    if (this.#unsent !== chunk || this.#unsentTo !== from) {
      this.#pushUnsent()
      this.#unsent = chunk
      this.#unsentFrom = from
    }
    this.#unsentTo = end
  }

  #push(output: Output<SessionEvent>): void {
    this.#pushUnsent()
    this.#outputs.push(output)
  }

  #pushUnsent(): void {
    if (!this.#unsent) return
    this.#outputs.push({ type: 'send', bytes: this.#unsent.subarray(this.#unsentFrom, this.#unsentTo) })
    this.#unsent = undefined
  }
}

function evidence({ damaged, tooLong, strayOctets }: FrameCounters): string {
  const parts: string[] = []
  if (damaged > 0) parts.push(`${damaged} damaged frames`)
  if (tooLong > 0) parts.push(`${tooLong} frames that were too long`)
  if (strayOctets > 0) parts.push(`${strayOctets} octets that were no frame`)
  return parts.join(', ')
}
