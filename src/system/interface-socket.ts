/**
 * Sockets that go through one interface and no other, whatever the routes say (SO_BINDTODEVICE, socket(7)): a TCP connection
 * that only shows whether one can be made, and questions by UDP. In the network namespace that is current. For `link/check/`.
 */

import { endianness } from 'node:os'
import { ipv6Bytes } from '../base/ipv6.ts'
import {
  AF_INET,
  AF_INET6,
  checked,
  close,
  connectSocket,
  EINPROGRESS,
  getsockopt,
  recv,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  sendto,
  setsockopt,
  socket,
  systemError,
} from './libc.ts'
import type { IpAddress } from './netlink.ts'
import { formatAddress } from './netlink-addresses.ts'
import { type FdWatch, watchFd } from './poll.ts'

const SO_ERROR = 4
const SO_BINDTODEVICE = 25
const LARGEST_DATAGRAM_BYTES = 4096
const LITTLE = endianness() === 'LE'

export interface Destination {
  readonly interfaceName: string
  /** A number is an IPv4 address, a bigint an IPv6 one. */
  readonly address: IpAddress
  readonly port: number
}

/** Resolves when the other end accepted a connection, which is closed at once. Rejects with the kernel's words, or the signal's reason. */
export async function reachByTcp(destination: Destination, signal: AbortSignal): Promise<void> {
  const what = `cannot reach ${described(destination)}`
  await withSocket<void>(destination, SOCK_STREAM, what, signal, (fd, resolve, reject) => {
    const look = () => {
      const errno = pendingError(fd)
      if (errno === 0) resolve()
      else reject(systemError(-errno, what))
    }
    const watch = watchFd(fd, { writable: look, error: look })
    watch.wantWritable(true)
    return watch
  })
}

/** Sends the question and resolves with the first datagram from there that `answer` makes something of. Rejects as `reachByTcp`. */
export async function askByUdp<T>(
  destination: Destination,
  question: Uint8Array,
  answer: (datagram: Uint8Array) => T | undefined,
  signal: AbortSignal,
): Promise<T> {
  const what = `no answer from ${described(destination)}`
  return await withSocket<T>(destination, SOCK_DGRAM, what, signal, (fd, resolve, reject) => {
    const inbox = new Uint8Array(LARGEST_DATAGRAM_BYTES)
    const read = () => {
      const count = recv(fd, inbox, inbox.length, 0)
      if (count < 0) return reject(systemError(count, what))
      const taken = answer(inbox.subarray(0, count))
      if (taken !== undefined) resolve(taken)
    }
    checked(sendto(fd, question, question.length, 0, null, 0), what)
    return watchFd(fd, { readable: read, error: () => reject(systemError(-pendingError(fd), what)) })
  })
}

type Begin<T> = (fd: number, resolve: (value: T) => void, reject: (error: Error) => void) => FdWatch

/** The socket is closed whatever happens. */
async function withSocket<T>(
  destination: Destination,
  type: number,
  what: string,
  signal: AbortSignal,
  begin: Begin<T>,
): Promise<T> {
  signal.throwIfAborted()
  const fd = openTowards(destination, type, what)
  let watch: FdWatch | undefined
  let onAbort = () => {}
  try {
    return await new Promise<T>((resolve, reject) => {
      onAbort = () => reject(signal.reason)
      signal.addEventListener('abort', onAbort, { once: true })
      watch = begin(fd, resolve, reject)
    })
  } finally {
    signal.removeEventListener('abort', onAbort)
    watch?.close()
    close(fd)
  }
}

/** Its way is looked up now: an interface without one is told at once. */
function openTowards(destination: Destination, type: number, what: string): number {
  const { interfaceName, address, port } = destination
  const family = typeof address === 'bigint' ? AF_INET6 : AF_INET
  const fd = checked(socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), what)
  try {
    const device = new TextEncoder().encode(`${interfaceName}\0`)
    checked(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, device.length), what)
    const name = socketAddress(address, port)
    const answer = connectSocket(fd, name, name.length)
    if (answer !== -EINPROGRESS) checked(answer, what)
    return fd
  } catch (error) {
    close(fd)
    throw error
  }
}

/** A sockaddr_in or sockaddr_in6. */
function socketAddress(address: IpAddress, port: number): Uint8Array {
  const name = new Uint8Array(typeof address === 'bigint' ? 28 : 16)
  const view = new DataView(name.buffer)
  view.setUint16(0, typeof address === 'bigint' ? AF_INET6 : AF_INET, LITTLE)
  view.setUint16(2, port)
  if (typeof address === 'bigint') name.set(ipv6Bytes(address), 8)
  else view.setUint32(4, address)
  return name
}

/** Asking takes it away from the socket. 0: none. */
function pendingError(fd: number): number {
  const value = new Int32Array(1)
  const length = new Uint32Array([value.byteLength])
  checked(
    getsockopt(fd, SOL_SOCKET, SO_ERROR, new Uint8Array(value.buffer), new Uint8Array(length.buffer)),
    'cannot ask a socket',
  )
  return value[0]!
}

function described({ interfaceName, address, port }: Destination): string {
  const host = typeof address === 'bigint' ? `[${formatAddress(address)}]` : formatAddress(address)
  return `${host}:${port} through ${interfaceName}`
}
