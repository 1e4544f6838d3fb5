/**
 * One open tty of a modem: the lease on it, the PIN guard before it, and the AT session while no call has it. Made by
 * `port-probe.ts`, owned by the modem then.
 */

import type { Clock } from '../base/ports.ts'
import { type Hold, Lease } from '../serial/lease.ts'
import type { Wire } from '../serial/wire.ts'
import { AtSession } from './at/session.ts'
import { GuardedWire, PinGuard } from './pin-guard.ts'
import type { PortRole } from './snapshot.ts'

const AT_OWNER = 'modemd (at)'
const CHAT_OWNER = 'modemd (chat)'
const PPP_OWNER = 'modemd (ppp)'

export type PortHint = 'data' | 'at'

export interface PortOptions {
  readonly number: number
  readonly hint?: PortHint | undefined
  readonly clock: Clock
}

export class ModemPort {
  /** `/dev/ttyUSB0` */
  readonly path: string
  /** USB interface number; 0 for a plain UART. */
  readonly number: number
  readonly guard = new PinGuard()
  /** What the table of known devices says of it. */
  readonly hint: PortHint | undefined
  role: PortRole = 'at'
  onReport: (line: string) => void = () => {}
  /** The line ended, whoever had it. */
  onClosed: (reason: string) => void = () => {}
  onOwner: () => void = () => {}
  readonly #clock: Clock
  readonly #lease: Lease
  #hold: Hold
  #session: AtSession | undefined

  constructor(wire: Wire, { number, hint, clock }: PortOptions) {
    this.path = wire.path
    this.number = number
    this.hint = hint
    this.#clock = clock
    this.#lease = new Lease(new GuardedWire(wire, this.guard, (reason) => this.onClosed(reason)))
    this.#lease.onOwnerChange(() => this.onOwner())
    this.#hold = this.#lease.take(AT_OWNER)
    this.#session = this.#startSession()
  }

  /** undefined while a call has the port. */
  get session(): AtSession | undefined {
    return this.#session
  }

  get owner(): string {
    return this.#lease.owner
  }

  /** For the chat script. What the AT side had not read is dropped: it answers nothing that the script asks. */
  toChat(): Hold {
    this.#session?.stop()
    this.#session = undefined
    this.#hold = this.#hold.handOver(CHAT_OWNER)
    return this.#hold
  }

  /** CONNECT came: from here on the bytes are PPP's and nobody looks at them. */
  toPpp(unread: Uint8Array): Hold {
    this.guard.isDataMode = true
    this.#hold = this.#hold.handOver(PPP_OWNER, unread)
    return this.#hold
  }

  /** Back to command mode, as far as we are concerned. */
  toAt(): AtSession {
    if (this.#session) return this.#session
    this.guard.isDataMode = false
    this.guard.onRefused = undefined
    this.#hold = this.#hold.handOver(AT_OWNER)
    this.#session = this.#startSession()
    return this.#session
  }

  /** DTR off and on again, which ends a call where the device has the line. */
  async setDtr(on: boolean): Promise<void> {
    await this.#hold.setLines({ dtr: on }).catch(() => {})
  }

  async close(): Promise<void> {
    await this.#hold.close().catch(() => {})
  }

  #startSession(): AtSession {
    return new AtSession(this.#hold, { clock: this.#clock, onReport: (line) => this.onReport(line) })
  }
}
