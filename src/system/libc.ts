/**
 * The C library by koffi: the system calls that Node lacks. Everything else in `system/` goes through here. Each call answers
 * what the kernel answers, and a negative errno where it fails (`-EAGAIN`), so that the packet path throws and allocates nothing;
 * `checked` makes a ModemdError of a failure where one is in order.
 */

import { constants } from 'node:os'
import { getSystemErrorMap } from 'node:util'
import koffi from 'koffi'
import type { Cause } from '../base/cause.ts'
import { type ErrorCode, ModemdError } from '../base/errors.ts'

/** Linux's numbers, the same on x86, ARM and RISC-V. */
export const O_RDONLY = 0
export const O_RDWR = 2
export const O_NOCTTY = 0o400
export const O_NONBLOCK = 0o4000
export const O_CLOEXEC = 0o2000000

export const AF_UNIX = 1
export const AF_INET = 2
export const AF_INET6 = 10
export const AF_NETLINK = 16
export const SOCK_STREAM = 1
export const SOCK_DGRAM = 2
export const SOCK_RAW = 3
export const SOCK_NONBLOCK = O_NONBLOCK
export const SOCK_CLOEXEC = O_CLOEXEC
export const SOL_SOCKET = 1
export const SO_REUSEADDR = 2
export const MSG_DONTWAIT = 0x40

export const { EAGAIN, EBADF, EEXIST, EINPROGRESS, EINTR, EINVAL, EIO, ENOBUFS, ENODEV, EPERM } = constants.errno

type Call<A extends readonly unknown[]> = (...args: A) => number

/** The symbols of the process itself: glibc and musl alike. */
const library = koffi.load(null)

/** `-1` and errno become one negative number. */
function bind<A extends readonly unknown[]>(name: string, result: string, parameters: string[]): Call<A> {
  const raw = library.func(name, result, parameters) as unknown as Call<A>
  return (...args) => {
    const answer = raw(...args)
    return answer === -1 ? -koffi.errno() : answer
  }
}

type Transfer = (fd: number, bytes: Uint8Array, count: number) => number

/** `bind` for the two calls that are made for each packet: without a list of arguments, nothing is allocated. */
function bindTransfer(name: 'read' | 'write'): Transfer {
  const raw = library.func(name, 'long', ['int', 'void *', 'size_t']) as unknown as Transfer
  return (fd, bytes, count) => {
    const answer = raw(fd, bytes, count)
    return answer === -1 ? -koffi.errno() : answer
  }
}

const openFile = bind<[string, number, number]>('open', 'int', ['str', 'int', 'int'])

/** Always close-on-exec: no child of ours inherits a device. */
export function open(path: string, flags: number): number {
  return openFile(path, flags | O_CLOEXEC, 0)
}

export const close = bind<[number]>('close', 'int', ['int'])
export const read = bindTransfer('read')
export const write = bindTransfer('write')
export const pipe2 = bind<[Int32Array, number]>('pipe2', 'int', ['void *', 'int'])
export const epollCreate = bind<[number]>('epoll_create1', 'int', ['int'])
export const epollControl = bind<[number, number, number, Uint8Array]>('epoll_ctl', 'int', [
  'int',
  'int',
  'int',
  'void *',
])
export const epollWait = bind<[number, Uint8Array, number, number]>('epoll_wait', 'int', [
  'int',
  'void *',
  'int',
  'int',
])

/** For requests whose argument is a structure in memory. */
export const ioctl = bind<[number, number, Uint8Array]>('ioctl', 'int', ['int', 'unsigned long', 'void *'])
/** For requests whose argument is a number. */
export const ioctlNumber = bind<[number, number, number]>('ioctl', 'int', ['int', 'unsigned long', 'long'])

export const socket = bind<[number, number, number]>('socket', 'int', ['int', 'int', 'int'])
export const bindSocket = bind<[number, Uint8Array, number]>('bind', 'int', ['int', 'void *', 'uint32_t'])
export const listen = bind<[number, number]>('listen', 'int', ['int', 'int'])
export const setsockopt = bind<[number, number, number, Uint8Array, number]>('setsockopt', 'int', [
  'int',
  'int',
  'int',
  'void *',
  'uint32_t',
])
export const connectSocket = bind<[number, Uint8Array, number]>('connect', 'int', ['int', 'void *', 'uint32_t'])
export const getsockopt = bind<[number, number, number, Uint8Array, Uint8Array]>('getsockopt', 'int', [
  'int',
  'int',
  'int',
  'void *',
  'void *',
])
/** For options whose value is an int. */
export function setSocketOption(fd: number, level: number, option: number, value: number): number {
  const int = new Uint8Array(new Int32Array([value]).buffer)
  return setsockopt(fd, level, option, int, int.length)
}

export const sendto = bind<[number, Uint8Array, number, number, Uint8Array | null, number]>('sendto', 'long', [
  'int',
  'void *',
  'size_t',
  'int',
  'void *',
  'uint32_t',
])
export const recv = bind<[number, Uint8Array, number, number]>('recv', 'long', ['int', 'void *', 'size_t', 'int'])
export const recvmsg = bind<[number, Uint8Array, number]>('recvmsg', 'long', ['int', 'void *', 'int'])

export const unshare = bind<[number]>('unshare', 'int', ['int'])
export const setns = bind<[number, number]>('setns', 'int', ['int', 'int'])

export const prctl = bind<[number, number, number, number, number]>('prctl', 'int', [
  'int',
  'unsigned long',
  'unsigned long',
  'unsigned long',
  'unsigned long',
])

export const POINTER_BYTES = koffi.sizeof('void *')

/** Where a buffer lies, for structures that hold pointers. The caller keeps the buffer alive. */
export function addressOf(buffer: Uint8Array): bigint {
  return koffi.address(buffer)
}

/** `fds`: struct pollfd, eight bytes each. */
export const poll = bind<[Uint8Array, number, number]>('poll', 'int', ['void *', 'unsigned long', 'int'])
export const dup2 = bind<[number, number]>('dup2', 'int', ['int', 'int'])
export const fcntl = bind<[number, number, number]>('fcntl', 'int', ['int', 'int', 'long'])
/** 0 for `handler`: the default effect, which Node takes from some signals. */
export const signal = bind<[number, number]>('signal', 'intptr_t', ['int', 'intptr_t'])
/** Ends the process now: Node would wait for its threads and put a terminal's settings back. */
export const exitAtOnce = bind<[number]>('_exit', 'void', ['int'])

const ioctlInThread = library.func('ioctl', 'int', ['int', 'unsigned long', 'long'])

/** `ioctlNumber` for requests that take their time. Never rejects. */
export function ioctlSlowly(fd: number, request: number, argument: number): Promise<void> {
  return new Promise((resolve) => ioctlInThread.async(fd, request, argument, () => resolve()))
}

const M_ARENA_MAX = -8

/**
 * The threads of this process share one heap of the C library: each would keep one of its own, most of it unused (5 MiB in all).
 * Counts for threads that have not allocated yet. Does nothing where the C library has no such choice (musl).
 */
export function shareOneArena(): void {
  try {
    library.func('mallopt', 'int', ['int', 'int'])(M_ARENA_MAX, 1)
  } catch {
    return
  }
}

const strerror = library.func('strerror', 'str', ['int']) as (errno: number) => string

/** The C library's words for an error, as other programs print them (`No such file or directory`). */
export function errnoText(negativeErrno: number): string {
  return strerror(-negativeErrno)
}

const CODES: Partial<Record<string, readonly [ErrorCode, Cause?]>> = {
  EPERM: ['NotAuthorized', 'permission'],
  EACCES: ['NotAuthorized', 'permission'],
  EBUSY: ['Busy'],
  EEXIST: ['Busy'],
  ENODEV: ['NotFound'],
  ENOENT: ['NotFound'],
  ENXIO: ['NotFound'],
  ENOSYS: ['Unsupported', 'engine-missing'],
  EAFNOSUPPORT: ['Unsupported', 'engine-missing'],
  EOPNOTSUPP: ['Unsupported', 'engine-missing'],
  EPROTONOSUPPORT: ['Unsupported', 'engine-missing'],
}

/** `what` is the start of a sentence: `cannot open /dev/net/tun` becomes `cannot open /dev/net/tun: permission denied (EACCES)`. */
export function systemError(negativeErrno: number, what: string): ModemdError {
  const [name, text] = getSystemErrorMap().get(negativeErrno) ?? [`errno ${-negativeErrno}`, 'unknown error']
  const [code, cause] = CODES[name] ?? ['Internal']
  return new ModemdError(code, `${what}: ${text} (${name})`, cause)
}

/** The answer of a call that must not fail. */
export function checked(answer: number, what: string): number {
  if (answer < 0) throw systemError(answer, what)
  return answer
}
