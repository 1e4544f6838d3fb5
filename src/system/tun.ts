/**
 * A TUN interface (Documentation/networking/tuntap.rst): IP packets to and from the kernel. It lives in the network namespace
 * that is current when it is opened, and goes with its descriptor, whatever ends the process: it is never made persistent.
 * The builtin PPP engine and the simulator's operator use it.
 */

import { ModemdError } from '../base/errors.ts'
import { interfaceRequest } from './interface-request.ts'
import { checked, close, EAGAIN, ioctl, O_NONBLOCK, O_RDWR, open, read, write } from './libc.ts'
import { type FdWatch, watchFd } from './poll.ts'

const TUNSETIFF = 0x400454ca
const IFF_TUN = 0x0001
const IFF_NO_PI = 0x1000
/** Refuses to attach to an interface that is there already (another program's persistent one). */
const IFF_TUN_EXCL = 0x8000
const NAME_PATTERN = /^(?!\.\.?$)[A-Za-z0-9_.-]{1,13}(?:%d|[A-Za-z0-9_.-]{0,2})$/

const LARGEST_PACKET_BYTES = 65_536
/** So that a flood on one interface does not keep the others waiting. */
const PACKETS_PER_TURN = 64

export interface Tun {
  /** The real one where `%d` was asked for. */
  readonly name: string
  /**
   * What the kernel sends out of the interface. The bytes are only valid during the call. Reading starts with the first listener.
   * `turnEnded`: no other packet follows at once, so that who collects them has to go on with what there is.
   */
  onPacket(listener: (packet: Uint8Array) => void, turnEnded?: () => void): void
  /** Somebody else removed the interface (`ip link del`); nothing more comes. */
  onGone(listener: () => void): void
  /** Gives the kernel one packet. One it does not take (interface down, not IP) is dropped and counted. */
  write(packet: Uint8Array): void
  readonly drops: number
  /** Packets wait in the interface's own queue meanwhile. */
  pause(): void
  resume(): void
  /** Removes the interface; takes about 13 ms. Idempotent. */
  close(): void
}

/** `name` may have one `%d` at its end, for the first free number. Throws ModemdError: NotAuthorized, Busy, NotFound, InvalidArgs. */
export function openTun(name: string): Tun {
  if (!NAME_PATTERN.test(name)) throw new ModemdError('InvalidArgs', `${JSON.stringify(name)} is no interface name`)
  const fd = checked(open('/dev/net/tun', O_RDWR | O_NONBLOCK), 'cannot open /dev/net/tun')
  try {
    const request = interfaceRequest(name, IFF_TUN | IFF_NO_PI | IFF_TUN_EXCL)
    checked(ioctl(fd, TUNSETIFF, request), `cannot make the interface ${name}`)
    return new OpenTun(fd, new TextDecoder().decode(request.subarray(0, request.indexOf(0))))
  } catch (error) {
    close(fd)
    throw error
  }
}

/** One for all: listeners copy what they keep. */
const readBuffer = new Uint8Array(LARGEST_PACKET_BYTES)
/** Its beginnings, made once: packets of a link have few lengths, and none is longer than the MTU. */
const beginnings: (Uint8Array | undefined)[] = new Array(2049).fill(undefined)

function readPacket(count: number): Uint8Array {
  if (count >= beginnings.length) return readBuffer.subarray(0, count)
  beginnings[count] ??= readBuffer.subarray(0, count)
  return beginnings[count]
}

class OpenTun implements Tun {
  readonly name: string
  readonly #fd: number
  readonly #watch: FdWatch
  #isReading = false
  #isClosed = false
  #drops = 0
  #onPacket: (packet: Uint8Array) => void = () => {}
  #onTurnEnded = () => {}
  #onGone = () => {}

  constructor(fd: number, name: string) {
    this.#fd = fd
    this.name = name
    this.#watch = watchFd(fd, { readable: () => this.#read(), error: () => this.#gone() })
    this.#watch.pauseReading()
  }

  get drops(): number {
    return this.#drops
  }

  onPacket(listener: (packet: Uint8Array) => void, turnEnded: () => void = () => {}): void {
    this.#onPacket = listener
    this.#onTurnEnded = turnEnded
    this.resume()
  }

  onGone(listener: () => void): void {
    this.#onGone = listener
  }

  write(packet: Uint8Array): void {
    if (this.#isClosed || write(this.#fd, packet, packet.length) < 0) this.#drops++
  }

  pause(): void {
    this.#isReading = false
    this.#watch.pauseReading()
  }

  resume(): void {
    if (this.#isClosed) return
    this.#isReading = true
    this.#watch.resumeReading()
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.pause()
    this.#watch.close()
    close(this.#fd)
  }

  #read(): void {
    for (let left = PACKETS_PER_TURN; left > 0 && this.#isReading; left--) {
      const count = read(this.#fd, readBuffer, LARGEST_PACKET_BYTES)
      if (count === -EAGAIN) break
      if (count > 0) this.#onPacket(readPacket(count))
      else this.#gone()
    }
    this.#onTurnEnded()
  }

  #gone(): void {
    if (this.#isClosed) return
    this.pause()
    this.#onGone()
  }
}
