/**
 * Descriptors that are open already as a wire: a tty, a socket, a pair of pipes. They are non-blocking and their owner (`line.ts`)
 * closes them. Reading and writing are system calls on the spot.
 */

import type { Wire, WireListener } from '../../serial/wire.ts'
import { EAGAIN, EINTR, EIO, errnoText, read, write } from '../../system/libc.ts'
import { type FdWatch, watchFd } from '../../system/poll.ts'

const READ_BYTES = 65_536
/** Of our own queue, beside the kernel's. */
const HIGH_WATER_BYTES = 16_384
/** The reason after `close`. */
export const OUR_CLOSE = 'closed'

/** One for all: what is handed out is a copy. */
const readBuffer = new Uint8Array(READ_BYTES)

export interface FdWireOptions {
  readonly path: string
  readonly readFd: number
  readonly writeFd: number
  readonly isTty: boolean
}

export class FdWire implements Wire {
  readonly path: string
  readonly #options: FdWireOptions
  readonly #reader: FdWatch
  /** The same where it is one descriptor. */
  readonly #writer: FdWatch
  #listener: WireListener | undefined
  #unsent: Uint8Array[] = []
  #unsentBytes = 0
  #owesDrain = false
  #isReading = false
  #readSize = READ_BYTES
  #closedReason: string | undefined

  /** Throws ModemdError where there is nothing to wait for (a file on a disk). */
  constructor(options: FdWireOptions) {
    this.path = options.path
    this.#options = options
    const reading = { readable: () => this.#read(), error: () => this.#failed() }
    const writing = { writable: () => this.#flush(), error: () => this.#failed() }
    const { readFd, writeFd } = options
    this.#reader = watchFd(readFd, readFd === writeFd ? { ...reading, ...writing } : reading)
    this.#reader.pauseReading()
    this.#writer = readFd === writeFd ? this.#reader : watchFd(writeFd, writing)
  }

  get isClosed(): boolean {
    return this.#closedReason !== undefined
  }

  /** Why it is closed, in words for people. */
  get closedReason(): string | undefined {
    return this.#closedReason
  }

  get fd(): number | undefined {
    return this.#options.isTty && !this.isClosed ? this.#options.readFd : undefined
  }

  listen(listener: WireListener | undefined): void {
    this.#listener = listener
    this.#isReading = listener !== undefined && !this.isClosed
    if (!listener) this.#reader.pauseReading()
    else if (this.isClosed) queueMicrotask(() => this.#tellClosed())
    else this.#reader.resumeReading()
  }

  write(bytes: Uint8Array): boolean {
    if (this.isClosed || bytes.length === 0) return true
    let rest = bytes
    if (this.#unsent.length === 0) {
      const count = this.#send(bytes)
      if (count === undefined || count === bytes.length) return true
      rest = bytes.subarray(count)
    }
    // Copied: what the caller does with its buffer afterwards must not reach the line.
    this.#unsent.push(rest.slice())
    this.#unsentBytes += rest.length
    this.#writer.wantWritable(true)
    this.#owesDrain ||= this.#unsentBytes > HIGH_WATER_BYTES
    return !this.#owesDrain
  }

  async setBaud(): Promise<void> {}
  async setLines(): Promise<void> {}
  async sendBreak(): Promise<void> {}
  async flush(): Promise<void> {}

  setReadSize(bytes: number): void {
    this.#readSize = Math.min(bytes, READ_BYTES)
  }

  /** Lets go of the descriptors; they stay open. */
  async close(): Promise<void> {
    this.#end(OUR_CLOSE)
  }

  /** Until nothing is left, but not for ever: other descriptors wait too. */
  #read(): void {
    for (let budgetBytes = READ_BYTES; budgetBytes > 0 && this.#isReading; ) {
      const count = read(this.#options.readFd, readBuffer, this.#readSize)
      if (count === -EAGAIN || count === -EINTR) return
      if (count <= 0) {
        this.#end(count === 0 || count === -EIO ? 'hung up' : errnoText(count))
        return
      }
      budgetBytes -= count
      this.#listener?.data(readBuffer.slice(0, count))
      // A short read: there is no more.
      if (count < this.#readSize) return
    }
  }

  /** The watch reports an error or a hang-up: only reading tells which. */
  #failed(): void {
    const isReading = this.#isReading
    if (isReading) this.#read()
    if (isReading && !this.isClosed) this.#end('hung up')
  }

  /** Bytes taken; undefined: the line is gone. */
  #send(bytes: Uint8Array): number | undefined {
    const count = write(this.#options.writeFd, bytes, bytes.length)
    if (count >= 0) return count
    if (count === -EAGAIN || count === -EINTR) return 0
    // Told later: who writes must not be told inside of it.
    queueMicrotask(() => this.#end(count === -EIO ? 'hung up' : errnoText(count)))
    return undefined
  }

  #flush(): void {
    while (this.#unsent.length > 0) {
      const [first] = this.#unsent as [Uint8Array]
      const count = this.#send(first)
      if (count === undefined) return
      this.#unsentBytes -= count
      if (count < first.length) {
        this.#unsent[0] = first.subarray(count)
        return
      }
      this.#unsent.shift()
    }
    this.#writer.wantWritable(false)
    if (!this.#owesDrain) return
    this.#owesDrain = false
    this.#listener?.drain()
  }

  #end(reason: string): void {
    if (this.isClosed) return
    this.#closedReason = reason
    this.#isReading = false
    this.#unsent = []
    this.#reader.close()
    this.#writer.close()
    this.#tellClosed()
  }

  #tellClosed(): void {
    const listener = this.#listener
    this.#listener = undefined
    if (listener && this.#closedReason !== undefined) listener.closed(this.#closedReason)
  }
}
