/**
 * A question to the kernel over a route socket, and its answer (rtnetlink(7)). `netlink.ts` opens one; links, addresses and
 * routes beside it put their questions through it. The kernel answers within the send, so that nothing waits.
 */

import {
  AF_NETLINK,
  checked,
  close,
  recv,
  SOCK_CLOEXEC,
  SOCK_RAW,
  SOL_SOCKET,
  sendto,
  setSocketOption,
  setsockopt,
  socket,
  systemError,
} from './libc.ts'
import {
  MessageBuilder,
  messagesOf,
  type NetlinkMessage,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  verdictOf,
} from './netlink-message.ts'

const NETLINK_ROUTE = 0
const SOL_NETLINK = 270
const NETLINK_CAP_ACK = 10
const NETLINK_EXT_ACK = 11
const SO_RCVTIMEO = 20

const RECEIVE_BYTES = 65_536
const ANSWER_SECONDS = 2n

const receiveBuffer = new Uint8Array(RECEIVE_BYTES)

export class NetlinkSocket {
  readonly #fd: number
  #sequence = 0
  #isClosed = false

  /** Of the network namespace that is current. Throws ModemdError. */
  constructor() {
    const fd = checked(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), 'cannot open a route socket')
    // Older kernels know neither; then errors only lack the kernel's sentence.
    setSocketOption(fd, SOL_NETLINK, NETLINK_EXT_ACK, 1)
    setSocketOption(fd, SOL_NETLINK, NETLINK_CAP_ACK, 1)
    // Never needed unless the kernel breaks its promise; then an error instead of a daemon that hangs.
    const timeout = new Uint8Array(new BigInt64Array([ANSWER_SECONDS, 0n]).buffer)
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeout, timeout.length)
    this.#fd = fd
  }

  /** A message to fill in, for `ask`. */
  request(type: number, flags: number): MessageBuilder {
    return new MessageBuilder(type, NLM_F_REQUEST | flags, ++this.#sequence)
  }

  /** Every message of the answer, up to its end. Throws a ModemdError with the kernel's words. */
  ask(request: MessageBuilder, what: string): NetlinkMessage[] {
    const bytes = request.done()
    checked(sendto(this.#fd, bytes, bytes.length, 0, null, 0), what)
    const answer: NetlinkMessage[] = []
    for (;;) {
      const count = checked(recv(this.#fd, receiveBuffer, RECEIVE_BYTES, 0), what)
      // A copy: the next datagram comes into the same buffer.
      for (const message of messagesOf(receiveBuffer.slice(0, count))) {
        // The rest of an answer that was given up on.
        if (message.sequence !== request.sequence) continue
        if (message.type === NLMSG_DONE) return answer
        if (message.type !== NLMSG_ERROR) answer.push(message)
        else if (accept(message, what)) return answer
      }
    }
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    close(this.#fd)
  }
}

/** An NLMSG_ERROR with errno 0 is the acknowledgement. */
function accept(message: NetlinkMessage, what: string): true {
  const { answer, text } = verdictOf(message)
  if (answer === 0) return true
  throw systemError(answer, text === undefined ? what : `${what}: ${text}`)
}
