/**
 * node-serialport's Linux port with four defects cured. A read of 0 bytes (the tty was hung up) is the end, where the original asks
 * again for ever at full load. A write that waits no longer switches readiness to read off, and the Poller never runs free on events
 * nobody waits for. A closed port is collected, where the original is kept for ever. Reading can be held back, so that not one byte
 * too many leaves the tty. Reads and writes are synchronous on the non-blocking descriptor, as quick as a thread-pool call is slow.
 * `serialport-wire.ts` puts it under a SerialPortStream.
 */

import { readSync, writeSync } from 'node:fs'

/** What is used of `LinuxPortBinding` of @serialport/bindings-cpp. */
export interface RawPort<Options, Status> {
  readonly openOptions: Required<Options>
  readonly poller: {
    poll(events: number): void
    on(event: 'readable' | 'writable', listener: (error: Error | null) => void): unknown
    removeAllListeners(): unknown
  }
  readonly fd: number | null
  readonly isOpen: boolean
  close(): Promise<void>
  update(options: { baudRate: number }): Promise<void>
  set(options: object): Promise<void>
  get(): Promise<Status>
  getBaudRate(): Promise<{ baudRate: number }>
  flush(): Promise<void>
  drain(): Promise<void>
}

const READABLE = 1
const WRITABLE = 2

/** The Poller calls every trouble `bad file descriptor`; only the read or write that follows tells what it is. */
interface Waiter {
  resolve(trouble: Error | null): void
  reject(error: Error): void
}

export class CuredPort<Options, Status> {
  readonly #raw: RawPort<Options, Status>
  #readSize = Number.POSITIVE_INFINITY
  #isHeldBack = false
  #reader: Waiter | undefined
  #writer: Waiter | undefined

  constructor(raw: RawPort<Options, Status>) {
    this.#raw = raw
    raw.poller.on('readable', (error) => {
      const waiter = this.#reader
      this.#reader = undefined
      this.#wake(waiter, error)
    })
    raw.poller.on('writable', (error) => {
      const waiter = this.#writer
      this.#writer = undefined
      this.#wake(waiter, error)
    })
  }

  get openOptions(): Required<Options> {
    return this.#raw.openOptions
  }

  get fd(): number | undefined {
    return this.#raw.fd ?? undefined
  }

  get isOpen(): boolean {
    return this.#raw.isOpen
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
        readSync(this.#descriptor(), buffer, offset, Math.min(length, this.#readSize), null),
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
      const written = withoutWaiting(() => writeSync(this.#descriptor(), buffer, offset))
      offset += written ?? 0
      if (written !== undefined) continue
      if (trouble) throw disconnected(trouble)
      trouble = await new Promise<Error | null>((resolve, reject) => {
        this.#writer = { resolve, reject }
        this.#arm()
      })
    }
  }

  close(): Promise<void> {
    const closing = this.#raw.close()
    // A native Poller and its callback are never collected: nothing of ours may hang on it.
    this.#raw.poller.removeAllListeners()
    return closing
  }

  update(options: { baudRate: number }): Promise<void> {
    return this.#raw.update(options)
  }

  set(options: object): Promise<void> {
    return this.#raw.set(options)
  }

  get(): Promise<Status> {
    return this.#raw.get()
  }

  getBaudRate(): Promise<{ baudRate: number }> {
    return this.#raw.getBaudRate()
  }

  flush(): Promise<void> {
    return this.#raw.flush()
  }

  drain(): Promise<void> {
    return this.#raw.drain()
  }

  #descriptor(): number {
    if (this.#raw.fd === null) throw closedPort()
    return this.#raw.fd
  }

  #wake(waiter: Waiter | undefined, error: Error | null): void {
    if (error && 'canceled' in error) {
      waiter?.reject(error)
      return
    }
    waiter?.resolve(error)
    if (!error) this.#arm()
  }

  /**
   * The Poller adds up all it was ever asked for and goes on watching it by itself: it must be told exactly what is
   * wanted after each of its events.
   */
  #arm(): void {
    if (!this.#raw.isOpen) {
      this.#reader?.reject(closedPort())
      this.#writer?.reject(closedPort())
      return
    }
    this.#raw.poller.poll((this.#reader && !this.#isHeldBack ? READABLE : 0) | (this.#writer ? WRITABLE : 0))
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
