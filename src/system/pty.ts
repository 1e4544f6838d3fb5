/**
 * A pseudo-terminal (pty(7)) whose master side is ours: what the simulator's modems and the tests' programs are on. The slave
 * is in raw mode, as a modem's tty is once it has been opened.
 */

import { ModemdError } from '../base/errors.ts'
import {
  checked,
  close,
  EAGAIN,
  ioctl,
  ioctlNumber,
  O_CLOEXEC,
  O_NOCTTY,
  O_NONBLOCK,
  O_RDWR,
  open,
  read,
  write,
} from './libc.ts'
import { type FdWatch, watchFd } from './poll.ts'
import { setRaw } from './termios.ts'

const TIOCGPTN = 0x80045430
const TIOCSPTLCK = 0x40045431
const TIOCGPTPEER = 0x5441

const EXCLUSIVE_PAUSE_MS = 10
const READ_BYTES = 65_536
/** Unsent bytes above which `write` answers false. */
const HIGH_WATER_BYTES = 16_384

export interface Pty {
  readonly masterFd: number
  /** e.g. `/dev/pts/7`. */
  readonly slavePath: string
  /** What was written to the slave; the bytes belong to the listener. Replaces the listener before; reading starts with the first. */
  onData(listener: (bytes: Uint8Array) => void): void
  /** The queue is empty again after `write` answered false. */
  onDrain(listener: () => void): void
  /** Nobody has the slave open any more; nothing more is read until `holdSlave`. Never with `keepSlaveOpen`. */
  onSlaveClosed(listener: () => void): void
  /** After `onSlaveClosed`: we hold the slave again, raw, until the next program has written to it. Throws ModemdError. */
  holdSlave(): void
  /** Queues the bytes for the slave's reader; false: wait for `onDrain`. */
  write(bytes: Uint8Array): boolean
  pauseReading(): void
  resumeReading(): void
  /** Closes the master: who has the slave open reads the end of the file and gets SIGHUP, as when a modem is unplugged. Unsent bytes are lost. Idempotent. */
  hangUp(): void
  /** The same as `hangUp`. */
  close(): void
}

export interface PtyOptions {
  /** The master outlives programs that open and close the slave, as a modem does; default true. */
  readonly keepSlaveOpen?: boolean
}

export function openPty(options: PtyOptions = {}): Pty {
  const { masterFd, slaveFd, slavePath } = openPtyPair(O_NONBLOCK)
  try {
    return new OpenPty(masterFd, slaveFd, slavePath, options.keepSlaveOpen ?? true)
  } catch (error) {
    close(slaveFd)
    close(masterFd)
    throw error
  }
}

export interface PtyPair {
  readonly masterFd: number
  readonly slaveFd: number
  readonly slavePath: string
}

/** Both ends as descriptors, for who gives one to a child; the slave is raw. Throws ModemdError. */
export function openPtyPair(masterFlags = 0): PtyPair {
  const masterFd = checked(open('/dev/ptmx', O_RDWR | O_NOCTTY | masterFlags), 'cannot make a pseudo-terminal')
  try {
    checked(ioctl(masterFd, TIOCSPTLCK, new Uint8Array(4)), 'cannot unlock the pseudo-terminal')
    const number = new Uint32Array(1)
    checked(ioctl(masterFd, TIOCGPTN, new Uint8Array(number.buffer)), 'cannot number the pseudo-terminal')
    return { masterFd, slaveFd: openSlave(masterFd), slavePath: `/dev/pts/${number[0]}` }
  } catch (error) {
    close(masterFd)
    throw error
  }
}

function openSlave(masterFd: number): number {
  const flags = O_RDWR | O_NOCTTY | O_CLOEXEC
  const slaveFd = checked(ioctlNumber(masterFd, TIOCGPTPEER, flags), 'cannot open the slave of the pseudo-terminal')
  setRaw(slaveFd)
  return slaveFd
}

/** One for all: what is handed out is a copy. */
const readBuffer = new Uint8Array(READ_BYTES)

class OpenPty implements Pty {
  readonly masterFd: number
  readonly slavePath: string
  readonly #watch: FdWatch
  readonly #keepSlaveOpen: boolean
  /** -1: given away. While it is open the master never reads the end of the file. */
  #slaveFd: number
  #isClosed = false
  #isSlaveClosed = false
  #isReading = false
  #unsent: Uint8Array[] = []
  #unsentBytes = 0
  #owesDrain = false
  #onData: (bytes: Uint8Array) => void = () => {}
  #onDrain = () => {}
  #onSlaveClosed = () => {}

  constructor(masterFd: number, slaveFd: number, slavePath: string, keepSlaveOpen: boolean) {
    this.masterFd = masterFd
    this.slavePath = slavePath
    this.#slaveFd = slaveFd
    this.#keepSlaveOpen = keepSlaveOpen
    this.#watch = watchFd(masterFd, {
      readable: () => this.#read(),
      writable: () => this.#writable(),
      error: () => this.#slaveClosed(),
    })
    this.#watch.pauseReading()
  }

  onData(listener: (bytes: Uint8Array) => void): void {
    this.#onData = listener
    this.resumeReading()
  }

  onDrain(listener: () => void): void {
    this.#onDrain = listener
  }

  onSlaveClosed(listener: () => void): void {
    this.#onSlaveClosed = listener
  }

  holdSlave(): void {
    if (this.#isClosed || !this.#isSlaveClosed) return
    try {
      this.#slaveFd = openSlave(this.masterFd)
    } catch (error) {
      if (!(error instanceof ModemdError && error.code === 'Busy')) throw error
      // The next program has it already, for itself alone (TIOCEXCL). A pause: one that had set that may also be gone.
      setTimeout(() => this.#goOn(), EXCLUSIVE_PAUSE_MS).unref()
      return
    }
    this.#goOn()
  }

  #goOn(): void {
    if (this.#isClosed) return
    this.#isSlaveClosed = false
    this.resumeReading()
  }

  write(bytes: Uint8Array): boolean {
    if (this.#isClosed || this.#isSlaveClosed) return true
    // Copied: what the caller does with its buffer afterwards must not reach the line.
    this.#unsent.push(bytes.slice())
    this.#unsentBytes += bytes.length
    if (this.#unsent.length === 1) this.#flush()
    this.#owesDrain ||= this.#unsentBytes > HIGH_WATER_BYTES
    return !this.#owesDrain
  }

  pauseReading(): void {
    this.#isReading = false
    this.#watch.pauseReading()
  }

  resumeReading(): void {
    if (this.#isSlaveClosed) return
    this.#isReading = true
    this.#watch.resumeReading()
  }

  hangUp(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#watch.close()
    this.#unsent = []
    this.#releaseSlave()
    close(this.masterFd)
  }

  close(): void {
    this.hangUp()
  }

  /** Until nothing is left, but not for ever: other descriptors wait too. */
  #read(): void {
    for (let budgetBytes = READ_BYTES; budgetBytes > 0 && this.#isReading && !this.#isClosed; ) {
      const count = read(this.masterFd, readBuffer, READ_BYTES)
      if (count === -EAGAIN) return
      if (count > 0) this.#received(readBuffer.slice(0, count))
      // EIO: the last program that had the slave open has closed it.
      else this.#slaveClosed()
      budgetBytes -= count
    }
  }

  #received(bytes: Uint8Array): void {
    if (!this.#keepSlaveOpen) this.#releaseSlave()
    this.#onData(bytes)
  }

  #writable(): void {
    const unsentBytes = this.#unsentBytes
    this.#flush()
    // The kernel calls a line writable that nobody has open, and takes nothing.
    if (this.#unsentBytes === unsentBytes && !this.#keepSlaveOpen) this.#slaveClosed()
  }

  #flush(): void {
    while (this.#unsent.length > 0 && this.#sendFirst());
    this.#watch.wantWritable(this.#unsent.length > 0)
    if (this.#unsent.length > 0 || !this.#owesDrain) return
    this.#owesDrain = false
    this.#onDrain()
  }

  /** False: the line takes no more now. */
  #sendFirst(): boolean {
    const [first] = this.#unsent as [Uint8Array]
    const count = write(this.masterFd, first, first.length)
    if (count === -EAGAIN) return false
    // Any other error: nobody will ever read them.
    const sent = count < 0 ? first.length : count
    this.#unsentBytes -= sent
    if (sent < first.length) this.#unsent[0] = first.subarray(sent)
    else this.#unsent.shift()
    return true
  }

  #slaveClosed(): void {
    if (this.#isSlaveClosed) return
    this.#isSlaveClosed = true
    this.pauseReading()
    this.#unsent = []
    this.#unsentBytes = 0
    this.#flush()
    this.#onSlaveClosed()
  }

  /** Given away with the first byte that another program writes; before that its settings would be lost with the last close. */
  #releaseSlave(): void {
    if (this.#slaveFd >= 0) close(this.#slaveFd)
    this.#slaveFd = -1
  }
}
