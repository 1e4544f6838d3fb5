/**
 * Readiness of file descriptors in Node's own loop: one epoll descriptor for all of them, and under it one Poller (uv_poll) of
 * @serialport/bindings-cpp, which serialport brings anyway. A private path of that package, so its version is pinned, nothing else
 * imports it, and `testPoller` runs at start.
 *
 * What the Poller is like (src/poller.cpp): one shot, so it must be asked anew after each event; neither it nor its callback is ever
 * collected, so there is one and no more; it aborts the process in a worker thread and when a callback throws.
 */

import { isMainThread } from 'node:worker_threads'
import bindings from '@serialport/bindings-cpp/dist/serialport-bindings.js'
import { ModemdError } from '../base/errors.ts'
import type { Cancel } from '../base/ports.ts'
import { systemClock } from './clock.ts'
import { checked, close, epollControl, epollCreate, epollWait, O_CLOEXEC, O_NONBLOCK, pipe2, write } from './libc.ts'

const UV_READABLE = 1

interface NativePoller {
  poll(events: number): void
}

const NativePoller = bindings.binding.Poller as new (
  fd: number,
  callback: (error: Error | null, events: number) => void,
) => NativePoller

// epoll_ctl(2).
const EPOLL_CTL_ADD = 1
const EPOLL_CTL_DEL = 2
const EPOLL_CTL_MOD = 3
const EPOLLIN = 0x01
const EPOLLOUT = 0x04
const EPOLLERR = 0x08
const EPOLLHUP = 0x10
/** struct epoll_event is packed on x86-64 alone. */
const DATA_OFFSET = process.arch === 'x64' ? 4 : 8
const EVENT_BYTES = DATA_OFFSET + 8
const EVENTS_PER_TURN = 64

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

/** Keeps the process alive until closed or paused with nothing to write. Throws ModemdError where `fd` cannot be watched. */
export function watchFd(fd: number, handlers: FdHandlers): FdWatch {
  if (!isMainThread) throw new ModemdError('Unsupported', 'file descriptors can only be watched on the main thread')
  if (watchedFds.has(fd)) throw new ModemdError('Internal', `file descriptor ${fd} is already watched`)
  set ??= new EpollSet()
  set.requirePollable(fd)
  return new Watch(set, fd, handlers)
}

const watchedFds = new Set<number>()
let set: EpollSet | undefined

/** Those watches that wait for something. */
class EpollSet {
  readonly #epoll = checked(epollCreate(O_CLOEXEC), 'cannot make an epoll descriptor')
  readonly #native = new NativePoller(this.#epoll, () => this.#happened())
  readonly #waiting = new Map<number, Watch>()
  readonly #eventBytes = new Uint8Array(EVENT_BYTES)
  readonly #event = new DataView(this.#eventBytes.buffer)
  readonly #eventsBytes = new Uint8Array(EVENT_BYTES * EVENTS_PER_TURN)
  readonly #events = new DataView(this.#eventsBytes.buffer)

  /** epoll refuses a closed descriptor, and a file on a disk. */
  requirePollable(fd: number): void {
    checked(this.#control(EPOLL_CTL_ADD, fd, 0, 0), `cannot watch file descriptor ${fd}`)
    this.#control(EPOLL_CTL_DEL, fd, 0, 0)
  }

  change(watch: Watch, before: number, after: number): void {
    const { fd, token } = watch
    // Not a mask of 0: it would report errors and hang-ups for ever.
    if (after === 0) this.#control(EPOLL_CTL_DEL, fd, 0, 0)
    else this.#control(before === 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, after, token)
    if (after === 0) this.#waiting.delete(token)
    else this.#waiting.set(token, watch)
    if ((before === 0) !== (after === 0) && this.#waiting.size <= 1) this.#arm()
  }

  #control(operation: number, fd: number, mask: number, token: number): number {
    this.#event.setUint32(0, mask, true)
    this.#event.setUint32(DATA_OFFSET, token, true)
    return epollControl(this.#epoll, operation, fd, this.#eventBytes)
  }

  #arm(): void {
    this.#native.poll(this.#waiting.size > 0 ? UV_READABLE : 0)
  }

  #happened(): void {
    const count = epollWait(this.#epoll, this.#eventsBytes, EVENTS_PER_TURN, 0)
    for (let at = 0; at < count * EVENT_BYTES; at += EVENT_BYTES) {
      // A handler before it may have closed this watch, and even opened another on the same descriptor's number.
      const watch = this.#waiting.get(this.#events.getUint32(at + DATA_OFFSET, true))
      try {
        watch?.happened(this.#events.getUint32(at, true))
      } catch (thrown) {
        // Through the Poller it would abort the process, past every uncaughtException listener.
        setImmediate(() => {
          throw thrown
        })
      }
    }
    this.#arm()
  }
}

let lastToken = 0

class Watch implements FdWatch {
  readonly fd: number
  readonly token = ++lastToken
  readonly #set: EpollSet
  readonly #handlers: FdHandlers
  #mask = 0
  #isClosed = false

  constructor(set: EpollSet, fd: number, handlers: FdHandlers) {
    this.fd = fd
    this.#set = set
    this.#handlers = handlers
    watchedFds.add(fd)
    if (handlers.readable) this.resumeReading()
  }

  happened(events: number): void {
    if (events & EPOLLERR) {
      this.#want(0)
      this.#handlers.error?.(new Error('the descriptor reports an error'))
      return
    }
    // Only the read or write that follows tells what a hang-up is.
    const ready = events & EPOLLHUP ? EPOLLIN | EPOLLOUT : events
    if (ready & this.#mask & EPOLLIN) this.#handlers.readable?.()
    if (ready & this.#mask & EPOLLOUT) this.#handlers.writable?.()
  }

  pauseReading(): void {
    this.#want(this.#mask & ~EPOLLIN)
  }

  resumeReading(): void {
    this.#want(this.#mask | EPOLLIN)
  }

  wantWritable(on: boolean): void {
    this.#want(on ? this.#mask | EPOLLOUT : this.#mask & ~EPOLLOUT)
  }

  close(): void {
    if (this.#isClosed) return
    this.#want(0)
    this.#isClosed = true
    watchedFds.delete(this.fd)
  }

  #want(mask: number): void {
    if (mask === this.#mask || this.#isClosed) return
    const before = this.#mask
    this.#mask = mask
    this.#set.change(this, before, mask)
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
