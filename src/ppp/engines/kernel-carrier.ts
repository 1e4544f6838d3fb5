/**
 * The kernel as a carrier of control frames: which descriptor of /dev/ppp takes which, and how the kernel frames them. Called by
 * `kernel.ts`.
 */

import type { FrameHandlers, PppChannel, PppUnit } from '../../system/ppp-device.ts'
import type { Carrier } from '../control/carrier.ts'
import type { Framing } from '../wire/hdlc-encoder.ts'

/** The kernel routes what comes by this border too (RFC 1661 §2: the link's own protocols). */
const FIRST_LINK_PROTOCOL = 0xc000
/** CCP of one link of a bundle. */
const LINK_CCP = 0x80fb

export class KernelCarrier implements Carrier {
  readonly isAsync = true
  readonly maxMtuBytes = 0xffff
  readonly #channel: PppChannel
  readonly #unit: PppUnit
  readonly #damaged: () => bigint

  /** `damaged`: the frames that came damaged. */
  constructor(channel: PppChannel, unit: PppUnit, damaged: () => bigint) {
    this.#channel = channel
    this.#unit = unit
    this.#damaged = damaged
  }

  send(protocol: number, info: Uint8Array): void {
    const frame = new Uint8Array(2 + info.length)
    frame[0] = protocol >>> 8
    frame[1] = protocol
    frame.set(info, 2)
    const isOfLink = protocol >= FIRST_LINK_PROTOCOL || protocol === LINK_CCP
    const file = isOfLink ? this.#channel : this.#unit
    file.write(frame)
  }

  reframe({ accm, pfc, acfc }: Framing, receiveAccm: number): void {
    this.#channel.setTransmitAccm(accm)
    this.#channel.setHeaderCompression({ pfc, acfc })
    this.#channel.setReceiveAccm(receiveAccm)
  }

  evidence(): string {
    const damaged = this.#damaged()
    return damaged > 0n ? `${damaged} damaged frames` : ''
  }

  idleMs(): number | undefined {
    return this.#unit.idleMs()
  }
}

/** `info` is a copy. What is too short to have a protocol is left out. */
export function frameHandlers(receive: (protocol: number, info: Uint8Array) => void, ended: () => void): FrameHandlers {
  return {
    frame: (bytes) => {
      // A protocol's first octet is even; an odd one is a compressed protocol, which older kernels pass on as it came.
      const first = bytes[0] ?? 0
      if (bytes.length > 0 && first & 1) receive(first, bytes.slice(1))
      else if (bytes.length >= 2) receive((first << 8) | bytes[1]!, bytes.slice(2))
    },
    ended,
  }
}
