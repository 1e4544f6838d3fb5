/** recvmsg(2) with the sender's address and the ancillary data; the structures are laid out once. For `uevents.ts` and `router-socket.ts`. */

import { endianness } from 'node:os'
import { addressOf, MSG_DONTWAIT, POINTER_BYTES, recvmsg } from './libc.ts'

const LITTLE = endianness() === 'LE'
const CONTROL_BYTES = 64
/** struct msghdr: name, its length, vector, its length, control, its length, flags. */
const HEADER_FIELDS = 7
/** struct cmsghdr: size_t, int, int. */
const CONTROL_HEADER_BYTES = POINTER_BYTES + 8

export class MessageReceiver {
  /** Of the message that was received last. */
  readonly data: Uint8Array
  readonly name: Uint8Array
  readonly #fd: number
  readonly #control = new Uint8Array(CONTROL_BYTES)
  readonly #vector = new Uint8Array(2 * POINTER_BYTES)
  readonly #header = new Uint8Array(HEADER_FIELDS * POINTER_BYTES)

  constructor(fd: number, dataBytes: number, nameBytes: number) {
    this.#fd = fd
    this.data = new Uint8Array(dataBytes)
    this.name = new Uint8Array(nameBytes)
    putPointers(this.#vector, [addressOf(this.data), BigInt(dataBytes)])
  }

  /** How many bytes `data` has now, or a negative errno. Never waits. */
  receive(): number {
    this.#control.fill(0)
    // All of it each time: the kernel writes back how much of name and control it used.
    putPointers(this.#header, [
      addressOf(this.name),
      BigInt(this.name.length),
      addressOf(this.#vector),
      1n,
      addressOf(this.#control),
      BigInt(this.#control.length),
      0n,
    ])
    return recvmsg(this.#fd, this.#header, MSG_DONTWAIT)
  }

  /** What came beside the last message, if that is its first ancillary datum. */
  ancillary(level: number, type: number): Uint8Array | undefined {
    const view = new DataView(this.#control.buffer)
    const length = view.getUint32(0, LITTLE)
    const isIt = view.getInt32(POINTER_BYTES, LITTLE) === level && view.getInt32(POINTER_BYTES + 4, LITTLE) === type
    return isIt && length <= CONTROL_BYTES ? this.#control.subarray(CONTROL_HEADER_BYTES, length) : undefined
  }
}

function putPointers(bytes: Uint8Array, values: readonly bigint[]): void {
  if (POINTER_BYTES === 8) new BigUint64Array(bytes.buffer).set(values)
  else new Uint32Array(bytes.buffer).set(values.map(Number))
}
