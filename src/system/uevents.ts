/**
 * The kernel's device events (NETLINK_KOBJECT_UEVENT): hotplug without udev. The fleet listens; the simulator injects its own,
 * which the kernel lets the root of a network namespace do (Linux 4.18) and passes on to that namespace's listeners.
 */

import { ModemdError } from '../base/errors.ts'
import {
  AF_NETLINK,
  bindSocket,
  checked,
  close,
  EAGAIN,
  ENOBUFS,
  MSG_DONTWAIT,
  recv,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOL_SOCKET,
  sendto,
  setSocketOption,
  socket,
  systemError,
} from './libc.ts'
import { MessageReceiver } from './message-receiver.ts'
import {
  MessageBuilder,
  messagesOf,
  NLM_F_ACK,
  NLM_F_REQUEST,
  NLMSG_ERROR,
  readU32,
  verdictOf,
} from './netlink-message.ts'
import { watchFd } from './poll.ts'

const NETLINK_KOBJECT_UEVENT = 15
const KERNEL_GROUP = 1
const NLMSG_MIN_TYPE = 16
const SO_RCVBUF = 8
const SO_PASSCRED = 16
const SCM_CREDENTIALS = 2
const SOCKADDR_NL_BYTES = 12
/** The kernel builds its own events in 2048 bytes. */
const EVENT_BYTES = 8192
/** A hub with ten modems makes some hundred events within milliseconds. */
const QUEUE_BYTES = 1 << 20

export interface Uevent {
  /** `add`, `remove`, `change`, `bind`, … */
  readonly action: string
  /** Below /sys, e.g. `/devices/pci0000:00/…/ttyUSB0/tty/ttyUSB0`. */
  readonly devpath: string
  readonly subsystem: string
  /** Every key, those above included. */
  readonly env: Readonly<Record<string, string>>
}

export interface UeventListener {
  close(): void
}

/**
 * Events of the kernel only: no other sender has port 0, and one who injects by the kernel must be this namespace's root.
 * `onOverrun`: events were lost, look at /sys again. Throws ModemdError where there is no such socket; then watch directories.
 */
export function listenUevents(onEvent: (event: Uevent) => void, onOverrun: () => void = () => {}): UeventListener {
  const fd = openUeventSocket()
  try {
    checked(setSocketOption(fd, SOL_SOCKET, SO_PASSCRED, 1), 'cannot ask for the sender of device events')
    setSocketOption(fd, SOL_SOCKET, SO_RCVBUF, QUEUE_BYTES)
    const name = new Uint8Array(SOCKADDR_NL_BYTES)
    new Uint16Array(name.buffer)[0] = AF_NETLINK
    new Uint32Array(name.buffer)[2] = KERNEL_GROUP
    checked(bindSocket(fd, name, name.length), 'cannot listen for device events')
    return listen(fd, onEvent, onOverrun)
  } catch (error) {
    close(fd)
    throw error
  }
}

function listen(fd: number, onEvent: (event: Uevent) => void, onOverrun: () => void): UeventListener {
  const inbox = new MessageReceiver(fd, EVENT_BYTES, SOCKADDR_NL_BYTES)
  let isClosed = false
  const drain = () => {
    while (!isClosed) {
      const datagram = receiveFrom(inbox)
      if (datagram === 'empty') return
      if (datagram === 'overrun') {
        onOverrun()
        continue
      }
      const event = datagram && parseUevent(datagram)
      if (event) onEvent(event)
    }
  }
  const watch = watchFd(fd, {
    readable: drain,
    // An overrun is an error of the socket, which reading clears.
    error: () => {
      drain()
      watch.resumeReading()
    },
  })
  return {
    close() {
      if (isClosed) return
      isClosed = true
      watch.close()
      close(fd)
    },
  }
}

/** undefined: from somebody who is not the kernel. */
function receiveFrom(inbox: MessageReceiver): Uint8Array | 'empty' | 'overrun' | undefined {
  const count = inbox.receive()
  if (count === -ENOBUFS) return 'overrun'
  if (count === -EAGAIN) return 'empty'
  if (count < 0) throw systemError(count, 'cannot read device events')
  const senderPort = readU32(inbox.name, 4)
  // struct ucred {pid, uid, gid}.
  const credentials = inbox.ancillary(SOL_SOCKET, SCM_CREDENTIALS)
  const isRoot = credentials !== undefined && credentials.length >= 8 && readU32(credentials, 4) === 0
  return senderPort === 0 && isRoot ? inbox.data.subarray(0, count) : undefined
}

/** `add@/devices/…`, then `KEY=value`, each ended by NUL; undefined for anything else (udev's own messages begin `libudev`). */
export function parseUevent(datagram: Uint8Array): Uevent | undefined {
  const [head = '', ...lines] = new TextDecoder().decode(datagram).split('\0')
  if (!/^[a-z]+@\//.test(head)) return undefined
  const env: Record<string, string> = {}
  for (const line of lines) {
    const equals = line.indexOf('=')
    if (equals > 0) env[line.slice(0, equals)] = line.slice(equals + 1)
  }
  const { ACTION: action = '', DEVPATH: devpath = '', SUBSYSTEM: subsystem = '' } = env
  return action && devpath ? { action, devpath, subsystem, env } : undefined
}

/** Needs ACTION, DEVPATH and SUBSYSTEM; the kernel adds SEQNUM. Throws ModemdError: NotAuthorized outside a namespace of our own. */
export function injectUevent(env: Readonly<Record<string, string>>): void {
  const { ACTION: action, DEVPATH: devpath, SUBSYSTEM: subsystem } = env
  if (!action || !devpath || !subsystem)
    throw new ModemdError('InvalidArgs', 'a device event needs ACTION, DEVPATH and SUBSYSTEM')
  const lines = [`${action}@${devpath}`, ...Object.entries(env).map(([key, value]) => `${key}=${value}`)]
  const body = new TextEncoder().encode(`${lines.join('\0')}\0`)
  const request = new MessageBuilder(NLMSG_MIN_TYPE, NLM_F_REQUEST | NLM_F_ACK, 1, body.length).bytes(body).done()
  const fd = openUeventSocket()
  try {
    checked(sendto(fd, request, request.length, 0, null, 0), 'cannot inject a device event')
    const answer = new Uint8Array(EVENT_BYTES)
    // The kernel has answered within the send.
    const count = checked(recv(fd, answer, answer.length, MSG_DONTWAIT), 'the kernel did not take the device event')
    for (const message of messagesOf(answer.subarray(0, count)))
      if (message.type === NLMSG_ERROR) checked(verdictOf(message).answer, 'cannot inject a device event')
  } finally {
    close(fd)
  }
}

function openUeventSocket(): number {
  const type = SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK
  return checked(socket(AF_NETLINK, type, NETLINK_KOBJECT_UEVENT), 'cannot open a device event socket')
}
