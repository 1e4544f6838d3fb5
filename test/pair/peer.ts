/**
 * A peer that a test plays by hand, packet by packet: it decodes what a session sends and answers what the test says. For habits
 * and malice that our own other end does not have.
 */

import type { Input, Machine, Output } from '../../src/base/machine.ts'
import { HdlcDecoder } from '../../src/ppp/wire/hdlc-decoder.ts'
import { HdlcEncoder } from '../../src/ppp/wire/hdlc-encoder.ts'
import {
  CODE,
  type ConfigOption,
  type ControlPacket,
  controlBytes,
  optionBytes,
  parseControl,
  parseOptions,
} from '../../src/ppp/wire/packets.ts'

export interface Heard extends ControlPacket {
  readonly protocol: number
  readonly options: readonly ConfigOption[]
}

export class ScriptedPeer implements Machine<never> {
  readonly heard: Heard[] = []
  readonly #encoder = new HdlcEncoder()
  readonly #decoder: HdlcDecoder
  readonly #outputs: Output<never>[] = []
  /** Answers one packet; what it does not want to answer it leaves. */
  onPacket: (packet: Heard) => void = () => {}
  onOpen: () => void = () => {}

  constructor() {
    this.#decoder = new HdlcDecoder(4000, { frame: (protocol, info) => this.#take(protocol, info), junk() {} })
    this.#decoder.accm = 0
  }

  send(protocol: number, code: number, id: number, data: Uint8Array = new Uint8Array(0)): void {
    this.sendRaw(this.#encoder.encode(protocol, controlBytes(code, id, data)))
  }

  sendOptions(protocol: number, code: number, id: number, options: readonly ConfigOption[]): void {
    this.send(protocol, code, id, optionBytes(options))
  }

  sendInfo(protocol: number, info: Uint8Array): void {
    this.sendRaw(this.#encoder.encode(protocol, info))
  }

  sendRaw(bytes: Uint8Array): void {
    this.#outputs.push({ type: 'send', bytes })
  }

  /** Acknowledges what it is asked. */
  ack({ protocol, id, data }: Heard): void {
    this.send(protocol, CODE.configureAck, id, data)
  }

  handle(input: Input): void {
    if (input.type === 'open') this.onOpen()
    if (input.type === 'data') this.#decoder.push(input.bytes)
  }

  poll(): Output<never> | undefined {
    return this.#outputs.shift()
  }

  deadline(): undefined {}

  #take(protocol: number, info: Uint8Array): void {
    const packet = parseControl(info)
    if (!packet) return
    const options = packet.code <= CODE.configureReject ? (parseOptions(packet.data) ?? []) : []
    const heard = { ...packet, protocol, options }
    this.heard.push(heard)
    this.onPacket(heard)
  }
}
