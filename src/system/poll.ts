/**
 * Readiness of file descriptors in Node's own loop: the Poller (uv_poll) of @serialport/bindings-cpp, which serialport brings
 * anyway. A private path of that package, so its version is pinned, nothing else imports it, and `testPoller` runs at start.
 *
 * What the Poller is like (src/poller.cpp): one shot, so each event must be asked for anew; its mask of interests only grows, so
 * each call here names the whole mask again; its callback is never collected, so there is one Poller for a descriptor's number,
 * kept and used again; it aborts the process in a worker thread and when a callback throws.
 */

import { isMainThread } from 'node:worker_threads'
import bindings from '@serialport/bindings-cpp/dist/serialport-bindings.js'
import { ModemdError } from '../base/errors.ts'
import type { Cancel } from '../base/ports.ts'
import { systemClock } from './clock.ts'
import { checked, close, epollControl, epollCreate, O_CLOEXEC, O_NONBLOCK, pipe2, write } from './libc.ts'

const UV_READABLE = 1
const UV_WRITABLE = 2

interface NativePoller {
  poll(events: number): void
}

const NativePoller = bindings.binding.Poller as new (
  fd: number,
  callback: (error: Error | null, events: number) => void,
) => NativePoller

export interface FdHandlers {
  /** Level-triggered: comes again as long as there is something to read. */
  readable?(): void
  writable?(): void
  /** The kernel reports an error or the device is gone. Nothing more comes unless `resumeReading` is called. */
  error?(error: Error): void
}

export interface FdWatch {
  pauseReading(): void
  resumeReading(): void
  wantWritable(on: boolean): void
  /** Idempotent; does not close the descriptor. Call it before closing that. */
  close(): void
}

/** Keeps the process alive until closed or paused with nothing to write. `fd` must be O_NONBLOCK. */
export function watchFd(fd: number, handlers: FdHandlers): FdWatch {
  if (!isMainThread) throw new ModemdError('Unsupported', 'file descriptors can only be watched on the main thread')
  requirePollable(fd)
  const slot = slots.get(fd) ?? new Slot(fd)
  if (slot.watch) throw new ModemdError('Internal', `file descriptor ${fd} is already watched`)
  return new Watch(slot, handlers)
}

const EPOLL_CTL_ADD = 1

/** The loop aborts the process over a descriptor that epoll refuses: a closed one, or a file on a disk. */
function requirePollable(fd: number): void {
  const epoll = checked(epollCreate(O_CLOEXEC), 'cannot make an epoll descriptor')
  const answer = epollControl(epoll, EPOLL_CTL_ADD, fd, new Uint8Array(16))
  close(epoll)
  checked(answer, `cannot watch file descriptor ${fd}`)
}

const slots = new Map<number, Slot>()

class Slot {
  readonly native: NativePoller
  watch: Watch | undefined

  constructor(fd: number) {
    this.native = new NativePoller(fd, (error, events) => this.#happened(error, events))
    slots.set(fd, this)
  }

  #happened(error: Error | null, events: number): void {
    const { watch } = this
    try {
      if (error) watch?.failed(error)
      else watch?.ready(events)
    } catch (thrown) {
      // Through the Poller it would abort the process, past every uncaughtException listener.
      setImmediate(() => {
        throw thrown
      })
    }
    // The handlers may have closed this watch, and even opened another on the same number.
    if (this.watch) this.watch.arm()
    else this.native.poll(0)
  }
}

class Watch implements FdWatch {
  readonly #slot: Slot
  readonly #handlers: FdHandlers
  #mask = 0

  constructor(slot: Slot, handlers: FdHandlers) {
    this.#slot = slot
    this.#handlers = handlers
    slot.watch = this
    if (handlers.readable) this.resumeReading()
  }

  ready(events: number): void {
    if (events & this.#mask & UV_READABLE) this.#handlers.readable?.()
    if (events & this.#mask & UV_WRITABLE) this.#handlers.writable?.()
  }

  failed(error: Error): void {
    this.#mask = 0
    this.#handlers.error?.(error)
  }

  arm(): void {
    this.#slot.native.poll(this.#mask)
  }

  pauseReading(): void {
    this.#want(this.#mask & ~UV_READABLE)
  }

  resumeReading(): void {
    this.#want(this.#mask | UV_READABLE)
  }

  wantWritable(on: boolean): void {
    this.#want(on ? this.#mask | UV_WRITABLE : this.#mask & ~UV_WRITABLE)
  }

  close(): void {
    if (this.#slot.watch !== this) return
    this.#want(0)
    this.#slot.watch = undefined
  }

  #want(mask: number): void {
    if (mask === this.#mask || this.#slot.watch !== this) return
    this.#mask = mask
    this.arm()
  }
}

/** Does the Poller of the installed version still do what is said above? Rejects with a ModemdError; takes well under a millisecond. */
export async function testPoller(): Promise<void> {
  const ends = new Int32Array(2)
  checked(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 'cannot make a pipe')
  const [readEnd = -1, writeEnd = -1] = ends
  let watch: FdWatch | undefined
  let cancel: Cancel | undefined
  try {
    await new Promise<void>((resolve, reject) => {
      const silent = () => reject(new ModemdError('Internal', 'the Poller of @serialport/bindings-cpp is silent'))
      cancel = systemClock.at(systemClock.nowMs() + 1000, silent)
      // Twice, because the second one shows that it was asked for anew.
      let seen = 0
      watch = watchFd(readEnd, {
        readable: () => ++seen === 2 && resolve(),
        error: reject,
      })
      checked(write(writeEnd, new Uint8Array(1), 1), 'cannot write to a pipe')
    })
  } finally {
    cancel?.()
    watch?.close()
    close(readEnd)
    close(writeEnd)
  }
}
