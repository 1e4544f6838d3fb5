/**
 * Descriptors that were inherited: their open file description is shared with whoever started us, so O_NONBLOCK must not be set
 * on it. Here readiness is asked for first, and waited for through an epoll descriptor of our own.
 */

import {
  checked,
  close,
  EAGAIN,
  EINTR,
  EPERM,
  epollControl,
  epollCreate,
  fcntl,
  O_CLOEXEC,
  O_NONBLOCK,
  poll,
  systemError,
  write,
} from './libc.ts'
import { type FdWatch, watchFd } from './poll.ts'

const POLLIN = 1
const POLLOUT = 4
const F_GETFL = 3
const F_SETFL = 4
const EPOLL_CTL_ADD = 1
const EVENT_BYTES = 16
const FOREVER = -1

export type Direction = 'in' | 'out'

/** Also where a read or write would fail at once. */
export function isReady(fd: number, direction: Direction): boolean {
  return pollOne(fd, direction, 0)
}

/** A struct pollfd, one for all: it is asked before every byte. */
const request = new Int16Array(4)
const requestBytes = new Uint8Array(request.buffer)
const requestFd = new Int32Array(request.buffer, 0, 1)

function pollOne(fd: number, direction: Direction, timeoutMs: number): boolean {
  requestFd[0] = fd
  request[2] = maskOf(direction)
  return poll(requestBytes, 1, timeoutMs) > 0
}

/** Whoever started us set O_NONBLOCK. */
export function isNonBlocking(fd: number): boolean {
  const flags = fcntl(fd, F_GETFL, 0)
  return flags >= 0 && (flags & O_NONBLOCK) !== 0
}

export function setBlocking(fd: number): void {
  const flags = fcntl(fd, F_GETFL, 0)
  if (flags >= 0) fcntl(fd, F_SETFL, flags & ~O_NONBLOCK)
}

export function setNonBlocking(fd: number): void {
  const flags = fcntl(fd, F_GETFL, 0)
  if (flags >= 0) fcntl(fd, F_SETFL, flags | O_NONBLOCK)
}

/** Both are one open file description: what is set on one shows on the other. */
export function areOneOpening(fd: number, other: number): boolean {
  if (isNonBlocking(other)) return isNonBlocking(fd)
  const flags = fcntl(fd, F_GETFL, 0)
  fcntl(fd, F_SETFL, flags | O_NONBLOCK)
  const isShared = isNonBlocking(other)
  fcntl(fd, F_SETFL, flags)
  return isShared
}

/** Waits where it must. Answers 0 or a negative errno. */
export function writeAll(fd: number, bytes: Uint8Array): number {
  for (let rest = bytes; rest.length > 0; ) {
    const count = write(fd, rest, rest.length)
    if (count >= 0) rest = rest.subarray(count)
    else if (count === -EAGAIN) pollOne(fd, 'out', FOREVER)
    else if (count !== -EINTR) return count
  }
  return 0
}

/** Tells when a shared descriptor is ready; only while it is wanted. */
export class ReadyWatch {
  /** undefined: a file on a disk, which epoll refuses because it is always ready. */
  readonly #watch: FdWatch | undefined
  readonly #onReady: () => void

  constructor(fd: number, direction: Direction, onReady: () => void) {
    this.#onReady = onReady
    const epoll = checked(epollCreate(O_CLOEXEC), 'cannot make an epoll descriptor')
    const event = new Uint8Array(EVENT_BYTES)
    new DataView(event.buffer).setUint32(0, maskOf(direction), true)
    const answer = epollControl(epoll, EPOLL_CTL_ADD, fd, event)
    if (answer < 0) close(epoll)
    if (answer < 0 && answer !== -EPERM) throw systemError(answer, `cannot watch file descriptor ${fd}`)
    this.#watch = answer < 0 ? undefined : watchFd(epoll, { readable: onReady })
    this.#watch?.pauseReading()
  }

  want(on: boolean): void {
    if (!this.#watch) {
      if (on) setImmediate(this.#onReady)
    } else if (on) this.#watch.resumeReading()
    else this.#watch.pauseReading()
  }
}

function maskOf(direction: Direction): number {
  return direction === 'in' ? POLLIN : POLLOUT
}
