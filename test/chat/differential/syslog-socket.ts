/** A log daemon in the place of syslogd: keeps what programs log on /dev/log, by their pids. Only in a namespace with a /dev of its own. */

import { unixAddress } from '../../../src/system/datagram.ts'
import {
  AF_UNIX,
  bindSocket,
  checked,
  recv,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  socket,
} from '../../../src/system/libc.ts'
import { watchFd } from '../../../src/system/poll.ts'

export class SyslogSocket {
  readonly #fd: number
  readonly #messages: { readonly pid: number; readonly text: string }[] = []
  readonly #watch

  constructor(path: string) {
    this.#fd = checked(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), 'cannot open a log socket')
    const address = unixAddress(path)
    checked(bindSocket(this.#fd, address, address.length), `cannot listen on ${path}`)
    this.#watch = watchFd(this.#fd, { readable: () => this.#read(), error() {} })
  }

  /** What this process has logged; its number is taken out. */
  take(pid: number): string[] {
    this.#read()
    return this.#messages.filter((message) => message.pid === pid).map(({ text }) => text.replace(`[${pid}]`, '[pid]'))
  }

  get count(): number {
    return this.#messages.length
  }

  close(): void {
    this.#watch.close()
  }

  #read(): void {
    const buffer = new Uint8Array(8192)
    for (;;) {
      const count = recv(this.#fd, buffer, buffer.length, 0)
      if (count < 0) return
      const text = Buffer.from(buffer.subarray(0, count)).toString('latin1')
      this.#messages.push({ pid: Number(/\[(\d+)\]/.exec(text)?.[1] ?? 0), text })
    }
  }
}
