/**
 * A tty for node-serialport's stream: its native calls (open, speed, lines, drain) without its Linux port, whose four defects this
 * has not. A read of 0 bytes (the tty was hung up) is the end, where the original asks again for ever at full load. A write that
 * waits does not switch readiness to read off. A closed port leaves nothing behind, where the original's Poller is kept for ever.
 * Reading can be held back, so that not one byte too many leaves the tty. Reads and writes are synchronous on the non-blocking
 * descriptor, as quick as a thread-pool call is slow. `serialport-wire.ts` puts it under a SerialPortStream.
 */

import { readSync, writeSync } from 'node:fs'
import type { LinuxOpenOptions, PortStatus } from '@serialport/bindings-cpp'
import {
  asyncClose,
  asyncDrain,
  asyncFlush,
  asyncGet,
  asyncGetBaudRate,
  asyncOpen,
  asyncSet,
  asyncUpdate,
} from '@serialport/bindings-cpp/dist/load-bindings.js'
import { type FdWatch, watchFd } from '../system/poll.ts'

/** Readiness calls every trouble the same; only the read or write that follows tells what it is. */
interface Waiter {
  resolve(trouble: Error | null): void
  reject(error: Error): void
}

/** What the native calls ask for beside what the caller named (8N1, no flow control, TIOCEXCL). */
const DEFAULTS = {
  vmin: 1,
  vtime: 0,
  dataBits: 8,
  lock: true,
  stopBits: 1,
  parity: 'none',
  rtscts: false,
  xon: false,
  xoff: false,
  xany: false,
  hupcl: true,
} as const

type OpenOptions = Required<LinuxOpenOptions>

export class CuredPort {
  readonly openOptions: OpenOptions
  readonly #watch: FdWatch
  #fd: number | undefined
  #readSize = Number.POSITIVE_INFINITY
  #isHeldBack = false
  #reader: Waiter | undefined
  #writer: Waiter | undefined

  static async open(options: LinuxOpenOptions): Promise<CuredPort> {
    const openOptions = { ...DEFAULTS, ...options } as OpenOptions
    const fd: number = await asyncOpen(openOptions.path, openOptions)
    try {
      return new CuredPort(fd, openOptions)
    } catch (error) {
      await asyncClose(fd)
      throw error
    }
  }

  private constructor(fd: number, openOptions: OpenOptions) {
    this.#fd = fd
    this.openOptions = openOptions
    this.#watch = watchFd(fd, {
      readable: () => this.#readable(null),
      writable: () => this.#writable(null),
      error: (error) => {
        this.#readable(error)
        this.#writable(error)
      },
    })
    this.#watch.pauseReading()
  }

  get fd(): number | undefined {
    return this.#fd
  }

  get isOpen(): boolean {
    return this.#fd !== undefined
  }

  setReadSize(bytes: number): void {
    this.#readSize = bytes
  }

  /** While held back nothing is read, and a hang-up goes unnoticed. */
  holdBack(on: boolean): void {
    this.#isHeldBack = on
    this.#arm()
  }

  async read(buffer: Buffer, offset: number, length: number): Promise<{ buffer: Buffer; bytesRead: number }> {
    for (;;) {
      const trouble = await new Promise<Error | null>((resolve, reject) => {
        this.#reader = { resolve, reject }
        this.#arm()
      })
      if (this.#isHeldBack && !trouble) continue
      const bytesRead = withoutWaiting(() =>
        readSync(this.#openFd(), buffer, offset, Math.min(length, this.#readSize), null),
      )
      if (bytesRead === 0) throw disconnected(new Error('hung up'))
      if (bytesRead !== undefined) return { buffer, bytesRead }
      if (trouble) throw disconnected(trouble)
    }
  }

  async write(buffer: Buffer): Promise<void> {
    let offset = 0
    let trouble: Error | null = null
    while (offset < buffer.length) {
      const written = withoutWaiting(() => writeSync(this.#openFd(), buffer, offset))
      offset += written ?? 0
      if (written !== undefined) continue
      if (trouble) throw disconnected(trouble)
      trouble = await new Promise<Error | null>((resolve, reject) => {
        this.#writer = { resolve, reject }
        this.#arm()
      })
    }
  }

  async close(): Promise<void> {
    const fd = this.#openFd()
    this.#watch.close()
    this.#fd = undefined
    this.#reader?.reject(closedPort())
    this.#writer?.reject(closedPort())
    await asyncClose(fd)
  }

  async update(options: { baudRate: number }): Promise<void> {
    await asyncUpdate(this.#openFd(), options)
  }

  async set(options: object): Promise<void> {
    await asyncSet(this.#openFd(), options)
  }

  async get(): Promise<PortStatus> {
    return asyncGet(this.#openFd())
  }

  async getBaudRate(): Promise<{ baudRate: number }> {
    return asyncGetBaudRate(this.#openFd())
  }

  async flush(): Promise<void> {
    await asyncFlush(this.#openFd())
  }

  async drain(): Promise<void> {
    await asyncDrain(this.#openFd())
  }

  #openFd(): number {
    if (this.#fd === undefined) throw closedPort()
    return this.#fd
  }

  #readable(trouble: Error | null): void {
    const reader = this.#reader
    this.#reader = undefined
    // Nobody has asked for what is there: not told again before somebody does.
    if (reader) reader.resolve(trouble)
    else this.#watch.pauseReading()
  }

  #writable(trouble: Error | null): void {
    const writer = this.#writer
    this.#writer = undefined
    this.#watch.wantWritable(false)
    writer?.resolve(trouble)
  }

  #arm(): void {
    if (!this.isOpen) {
      this.#reader?.reject(closedPort())
      this.#writer?.reject(closedPort())
      return
    }
    if (this.#isHeldBack) this.#watch.pauseReading()
    else if (this.#reader) this.#watch.resumeReading()
    if (this.#writer) this.#watch.wantWritable(true)
  }
}

function closedPort(): Error {
  return Object.assign(new Error('the port is closed'), { canceled: true })
}

/** undefined: the call would have had to wait. */
function withoutWaiting(call: () => number): number | undefined {
  try {
    return call()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EAGAIN' || code === 'EINTR') return undefined
    throw disconnected(error as Error)
  }
}

function disconnected(error: Error): Error {
  return 'canceled' in error ? error : Object.assign(error, { disconnect: true })
}
