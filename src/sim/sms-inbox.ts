/**
 * How messages come from the operator into a virtual modem (3GPP TS 27.005 §3.4.1): into its memory with +CMTI, or straight to the
 * host with +CMT, as +CNMI says; what finds no room waits at the operator. While the modem is plugged; part of `modem-state.ts`.
 */

import type { IncomingPdu, MemoryName, SmsStore } from './sms-store.ts'

/** +CNMI. */
export interface Routing {
  readonly mt: number
  readonly ds: number
}

/** A line, or a line and its PDU, for the ports that want such news. */
export type SayMessage = (line: string, wanted: (routing: Routing) => boolean, nowMs: number) => void

export interface SmsInboxOptions {
  readonly store: SmsStore
  readonly say: SayMessage
  /** Registered: the operator can deliver. */
  isReachable(): boolean
}

export class SmsInbox {
  readonly store: SmsStore
  readonly #options: SmsInboxOptions
  /** +CPMS. */
  memories: { read: MemoryName; write: MemoryName; receive: MemoryName } = { read: 'SM', write: 'SM', receive: 'SM' }
  /** +CMGF: 0 PDU, 1 text. */
  format: 0 | 1 = 0
  /** +CSMS=1: +CMT and +CDS are acknowledged by +CNMA. */
  service: 0 | 1 = 0
  /** Said with +CMT and not acknowledged. */
  unacknowledged: IncomingPdu | undefined
  routing: Routing = { mt: 0, ds: 0 }

  /** The operator tries again then. */
  fetchAtMs: number | undefined

  constructor(options: SmsInboxOptions) {
    this.#options = options
    this.store = options.store
  }

  /** Takes what waits at the operator as far as there is room. Called when one comes, and when room was made. */
  fetch(nowMs: number): void {
    this.fetchAtMs = undefined
    while (this.unacknowledged === undefined && this.#options.isReachable()) {
      const [next, ...rest] = this.store.waiting
      if (!next || !this.#take(next, nowMs)) return
      this.store.waiting = rest
    }
  }

  /** The host has it (or does not want it, §3.4.4). */
  acknowledge(nowMs: number): boolean {
    const wasDue = this.unacknowledged !== undefined
    this.unacknowledged = undefined
    this.fetch(nowMs)
    return wasDue
  }

  /** false: no room. */
  #take(pdu: IncomingPdu, nowMs: number): boolean {
    const { hex, tpduBytes, isReport } = pdu
    if (isReport && this.routing.ds === 0) return true
    const isDirect = isReport ? this.routing.ds === 1 : this.routing.mt === 2 || pdu.messageClass === 0
    if (isDirect) {
      const head = isReport ? `+CDS: ${tpduBytes}` : `+CMT: ,${tpduBytes}`
      this.#options.say(`${head}\r\n${hex}`, ({ mt, ds }) => (isReport ? ds === 1 : mt > 0), nowMs)
      if (this.service === 1) this.unacknowledged = pdu
      return true
    }
    const memory = this.memories.receive
    const index = this.store.put(memory, { status: 0, hex, tpduBytes })
    if (index === undefined) return false
    this.#options.say(
      `${isReport ? '+CDSI' : '+CMTI'}: "${memory}",${index}`,
      ({ mt, ds }) => (isReport ? ds === 2 : mt === 1),
      nowMs,
    )
    return true
  }
}
