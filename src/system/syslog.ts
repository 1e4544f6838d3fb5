/** syslog(3) through /dev/log (RFC 3164's form, as the C library writes it). Used by modem-chat. */

import { latin1 } from '../base/bytes.ts'
import type { Clock } from '../base/ports.ts'
import { type DatagramSocket, openDatagram } from './datagram.ts'
import { timeStamp } from './local-time.ts'

const SOCKET = '/dev/log'
const LOCAL2 = 18
const SEVERITIES = { error: 3, info: 6 } as const
/** A log daemon that takes nothing for so long is left alone. */
const PATIENCE_MS = 1000

export class Syslog {
  readonly #ident: string
  readonly #clock: Clock
  #socket: DatagramSocket | undefined

  /** Facility local2. Without a log daemon nothing happens. */
  constructor(ident: string, clock: Clock) {
    this.#ident = ident
    this.#clock = clock
    try {
      this.#socket = openDatagram(SOCKET, { patienceMs: PATIENCE_MS })
    } catch {
      // No sockets here: there is nobody to tell.
    }
  }

  /** `text` is a string of bytes. */
  log(level: keyof typeof SEVERITIES, text: string): void {
    const priority = LOCAL2 * 8 + SEVERITIES[level]
    const stamp = timeStamp(this.#clock.wallUs(), ' ')
    try {
      const isTaken = this.#socket?.send(latin1(`<${priority}>${stamp} ${this.#ident}[${process.pid}]: ${text}`))
      if (isTaken === false) this.#socket = undefined
    } catch {
      // The log daemon is away; it may come back.
    }
  }
}
