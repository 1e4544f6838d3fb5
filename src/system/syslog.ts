/** syslog(3) through /dev/log (RFC 3164's form, as the C library writes it). Used by modem-chat and modem-ppp. */

import { latin1 } from '../base/bytes.ts'
import type { Clock } from '../base/ports.ts'
import { type DatagramSocket, openDatagram } from './datagram.ts'
import { timeStamp } from './local-time.ts'

const SOCKET = '/dev/log'
/** Times eight, as it is sent. */
const FACILITIES = { daemon: 3, local2: 18 } as const
const SEVERITIES = { error: 3, warning: 4, notice: 5, info: 6, debug: 7 } as const

export type SyslogFacility = keyof typeof FACILITIES
export type SyslogLevel = keyof typeof SEVERITIES
/** A log daemon that takes nothing for so long is left alone. */
const PATIENCE_MS = 1000

export class Syslog {
  readonly #ident: string
  readonly #clock: Clock
  readonly #facility: number
  #socket: DatagramSocket | undefined

  /** Without a log daemon nothing happens. */
  constructor(ident: string, clock: Clock, facility: SyslogFacility) {
    this.#facility = FACILITIES[facility]
    this.#ident = ident
    this.#clock = clock
    try {
      this.#socket = openDatagram(SOCKET, { patienceMs: PATIENCE_MS })
    } catch {
      // No sockets here: there is nobody to tell.
    }
  }

  /** `text` is a string of bytes. */
  log(level: SyslogLevel, text: string): void {
    const priority = this.#facility * 8 + SEVERITIES[level]
    const stamp = timeStamp(this.#clock.wallUs(), ' ')
    try {
      const isTaken = this.#socket?.send(latin1(`<${priority}>${stamp} ${this.#ident}[${process.pid}]: ${text}`))
      if (isTaken === false) this.#socket = undefined
    } catch {
      // The log daemon is away; it may come back.
    }
  }
}
