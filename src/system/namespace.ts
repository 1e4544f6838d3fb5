/**
 * Network namespaces (network_namespaces(7)) without a process of their own: the simulator's operator keeps its side of the
 * link, and its web server, in one. A namespace belongs to a thread, so all of this is for the main thread and synchronous:
 * whatever `run` calls is over before anything else of the process runs.
 */

import { endianness } from 'node:os'
import { ModemdError } from '../base/errors.ts'
import { formatIpv4 } from '../base/ipv4.ts'
import { interfaceRequest } from './interface-request.ts'
import {
  AF_INET,
  bindSocket,
  checked,
  close,
  ioctl,
  listen,
  O_RDONLY,
  open,
  SO_REUSEADDR,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  setns,
  setSocketOption,
  socket,
  unshare,
} from './libc.ts'

const CLONE_NEWNET = 0x40000000
const SIOCSIFFLAGS = 0x8914
const IFF_UP = 0x1
const IFF_RUNNING = 0x40
const SOCKADDR_IN_BYTES = 16
const BACKLOG = 128
const OWN_NAMESPACE = '/proc/thread-self/ns/net'

export interface NetworkNamespace {
  /** For `nsenter --net=…`, as long as it is open. */
  readonly path: string
  /** Calls `fn` inside. Sockets, TUNs and programs made by it stay there; what it does later, asynchronously, happens outside. */
  run<T>(fn: () => T): T
  /** Lets go of it: it ends with its last socket or program. Idempotent. */
  close(): void
}

/** A new one with `lo` up. Needs CAP_SYS_ADMIN (root, or a user namespace's root). Throws ModemdError. */
export function createNetworkNamespace(): NetworkNamespace {
  const outside = checked(open(OWN_NAMESPACE, O_RDONLY), `cannot open ${OWN_NAMESPACE}`)
  try {
    checked(unshare(CLONE_NEWNET), 'cannot make a network namespace')
    const inside = open(OWN_NAMESPACE, O_RDONLY)
    enter(outside)
    const namespace = new OwnedNamespace(checked(inside, `cannot open ${OWN_NAMESPACE}`))
    namespace.run(loopbackUp)
    return namespace
  } finally {
    close(outside)
  }
}

class OwnedNamespace implements NetworkNamespace {
  readonly #fd: number
  #isClosed = false

  constructor(fd: number) {
    this.#fd = fd
  }

  get path(): string {
    return `/proc/${process.pid}/fd/${this.#fd}`
  }

  run<T>(fn: () => T): T {
    if (this.#isClosed) throw new ModemdError('Internal', 'the network namespace is closed')
    const outside = checked(open(OWN_NAMESPACE, O_RDONLY), `cannot open ${OWN_NAMESPACE}`)
    try {
      enter(this.#fd)
      return fn()
    } finally {
      enter(outside)
      close(outside)
    }
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    close(this.#fd)
  }
}

function enter(fd: number): void {
  checked(setns(fd, CLONE_NEWNET), 'cannot change the network namespace')
}

/** netdevice(7), because it is synchronous. */
function loopbackUp(): void {
  const fd = checked(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'cannot open a socket')
  const answer = ioctl(fd, SIOCSIFFLAGS, interfaceRequest('lo', IFF_UP | IFF_RUNNING))
  close(fd)
  checked(answer, 'cannot bring up lo')
}

/** A listening socket's descriptor, for `http.Server.listen({ fd })`, which then owns it. Call it inside `run` to listen in a namespace. Throws ModemdError. */
export function listenTcp(address: number, port: number): number {
  const what = `cannot listen on ${formatIpv4(address)}:${port}`
  const fd = checked(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), what)
  try {
    checked(setSocketOption(fd, SOL_SOCKET, SO_REUSEADDR, 1), what)
    const name = new DataView(new ArrayBuffer(SOCKADDR_IN_BYTES))
    name.setUint16(0, AF_INET, endianness() === 'LE')
    name.setUint16(2, port)
    name.setUint32(4, address)
    checked(bindSocket(fd, new Uint8Array(name.buffer), SOCKADDR_IN_BYTES), what)
    checked(listen(fd, BACKLOG), what)
    return fd
  } catch (error) {
    close(fd)
    throw error
  }
}
