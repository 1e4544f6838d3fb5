/** The daemon's network interface without a kernel: a test sends pings through it and sees the answers. */

import { ByteWriter, concat } from '../../src/base/bytes.ts'
import type { Tun } from '../../src/system/tun.ts'

const ICMP = 1
const ECHO_REPLY = 0
const ECHO_REQUEST = 8

export class ClientTun implements Tun {
  readonly name: string
  readonly drops = 0
  isOpen = true
  /** Echo replies that came back, by sequence number. */
  readonly answered = new Set<number>()
  #onPacket: (packet: Uint8Array) => void = () => {}
  #turnEnded: () => void = () => {}

  constructor(name: string) {
    this.name = name
  }

  /** Out of the interface, as if a program had sent it. */
  ping(from: number, to: number, sequence: number): void {
    this.#onPacket(echoRequest(from, to, sequence))
    this.#turnEnded()
  }

  onPacket(listener: (packet: Uint8Array) => void, turnEnded: () => void = () => {}): void {
    this.#onPacket = listener
    this.#turnEnded = turnEnded
  }

  write(packet: Uint8Array): void {
    const isReply = packet[0] === 0x45 && packet[9] === ICMP && packet[20] === ECHO_REPLY
    if (isReply) this.answered.add(packet[26]! * 256 + packet[27]!)
  }

  close(): void {
    this.isOpen = false
    this.#onPacket = () => {}
    this.#turnEnded = () => {}
  }

  onGone(): void {}
  pause(): void {}
  resume(): void {}
}

function echoRequest(from: number, to: number, sequence: number): Uint8Array {
  const message = new ByteWriter().u8(ECHO_REQUEST).u8(0).u16(0).u16(1).u16(sequence).done()
  const header = new ByteWriter()
    .u16(0x4500)
    .u16(20 + message.length)
    .u16(sequence)
    .u16(0x4000)
    .u8(64)
    .u8(ICMP)
    .u16(0)
    .u32(from)
    .u32(to)
    .done()
  return concat([withChecksum(header, 10), withChecksum(message, 2)])
}

/** RFC 1071. */
function withChecksum(bytes: Uint8Array, at: number): Uint8Array {
  let sum = 0
  for (let index = 0; index < bytes.length; index += 2) sum += bytes[index]! * 256 + (bytes[index + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  bytes.set([(~sum >>> 8) & 0xff, ~sum & 0xff], at)
  return bytes
}
