/** AF_UNIX datagrams (unix(7)), which Node lacks: for sd_notify(3) and /dev/log. */

import { ModemdError } from '../base/errors.ts'
import {
  AF_UNIX,
  checked,
  close,
  EAGAIN,
  POINTER_BYTES,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  sendto,
  setsockopt,
  socket,
  systemError,
} from './libc.ts'

/** `sun_path`. */
const LONGEST_PATH_BYTES = 108

export interface DatagramSocket {
  /** False: the receiver is not reading at the moment, the datagram is dropped. Throws ModemdError. */
  send(bytes: Uint8Array): boolean
  close(): void
}

export interface DatagramOptions {
  /** How long `send` may wait for a receiver that is not reading; not at all unless told. */
  readonly patienceMs?: number
}

/** `path` with a leading `@`: an abstract address. */
export function openDatagram(path: string, { patienceMs = 0 }: DatagramOptions = {}): DatagramSocket {
  const address = unixAddress(path)
  const waiting = patienceMs > 0 ? 0 : SOCK_NONBLOCK
  const fd = checked(socket(AF_UNIX, SOCK_DGRAM | waiting | SOCK_CLOEXEC, 0), 'cannot open a datagram socket')
  if (patienceMs > 0) limitSending(fd, patienceMs)
  let isOpen = true
  return {
    send: (bytes) => {
      if (!isOpen) return false
      const sent = sendto(fd, bytes, bytes.length, 0, address, address.length)
      if (sent >= 0) return true
      if (sent === -EAGAIN) return false
      throw systemError(sent, `cannot send to ${path}`)
    },
    close: () => {
      if (isOpen) close(fd)
      isOpen = false
    },
  }
}

const SO_SNDTIMEO = 21

/** A struct timeval: two C longs. */
function limitSending(fd: number, patienceMs: number): void {
  const value = new Uint8Array(2 * POINTER_BYTES)
  const view = new DataView(value.buffer)
  const put = (at: number, number: number) =>
    POINTER_BYTES === 8 ? view.setBigInt64(at, BigInt(number), true) : view.setInt32(at, number, true)
  put(0, Math.floor(patienceMs / 1000))
  put(POINTER_BYTES, (patienceMs % 1000) * 1000)
  checked(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, value, value.length), 'cannot limit the sending of a socket')
}

/** A sockaddr_un. */
export function unixAddress(path: string): Uint8Array {
  const name = Buffer.from(path)
  if (path === '' || path.includes('\0') || name.length >= LONGEST_PATH_BYTES)
    throw new ModemdError('InvalidArgs', `${JSON.stringify(path)} is no address of a local socket`)
  const isAbstract = path.startsWith('@')
  if (isAbstract) name[0] = 0
  const family = new Uint8Array(Uint16Array.of(AF_UNIX).buffer)
  // An abstract name ends with the address, a path with a NUL.
  return Buffer.concat([family, name, Buffer.alloc(isAbstract ? 0 : 1)])
}
