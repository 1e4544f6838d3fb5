/** AF_UNIX datagrams (unix(7)), which Node lacks: for sd_notify(3) and /dev/log. */

import { ModemdError } from '../base/errors.ts'
import {
  AF_UNIX,
  checked,
  close,
  EAGAIN,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  sendto,
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

/** `path` with a leading `@`: an abstract address. */
export function openDatagram(path: string): DatagramSocket {
  const address = unixAddress(path)
  const fd = checked(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), 'cannot open a datagram socket')
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
