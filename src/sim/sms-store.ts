/**
 * The messages of a virtual modem: its memories, the operator's service centre behind it with what waits there while the memory
 * is full, and what was sent. It outlives plugs, as a SIM does. Pure: told the time. PDUs by the production codec.
 */

import { emitDeliver, emitStatusReport, parsePdu, type Submit } from '../modem/sms/pdu.ts'
import { segment } from '../modem/sms/segment.ts'
import type { Timestamp } from '../modem/sms/timestamp.ts'
import { emitUserData } from '../modem/sms/user-data.ts'

/** 3GPP TS 27.005 §3.1: received unread and read, stored unsent and sent. */
export type StoredStatus = 0 | 1 | 2 | 3

export interface StoredPdu {
  readonly status: StoredStatus
  readonly hex: string
  readonly tpduBytes: number
}

export type MemoryName = 'SM' | 'ME'

/** What goes wrong on a message's way in. */
export interface Mishap {
  /** This part never comes. */
  readonly lostPart?: number
  readonly isTwice?: boolean
  readonly isReversed?: boolean
}

export interface SentMessage {
  readonly to: string
  readonly text: string
}

export interface IncomingPdu {
  readonly hex: string
  readonly tpduBytes: number
  readonly messageClass: number | undefined
  readonly isReport: boolean
}

const CAPACITY: Readonly<Record<MemoryName, number>> = { SM: 20, ME: 50 }
const SERVICE_CENTRE = '+35840000000'
const REMEMBERED = 100
/** What a service centre keeps for one that does not fetch. */
const LONGEST_QUEUE = 1000
const DELIVERED = 0x00
const ZONE_MINUTES = 120

export class SmsStore {
  readonly #memories: Readonly<Record<MemoryName, Map<number, StoredPdu>>> = { SM: new Map(), ME: new Map() }
  readonly #wallMs: () => number
  /** At the operator's. */
  waiting: IncomingPdu[] = []
  serviceCentre = SERVICE_CENTRE
  sent: SentMessage[] = []
  #lastReference = 0
  #lastConcatenation = 0

  constructor(wallMs: () => number) {
    this.#wallMs = wallMs
  }

  used(memory: MemoryName): number {
    return this.#memories[memory].size
  }

  capacity(memory: MemoryName): number {
    return CAPACITY[memory]
  }

  entries(memory: MemoryName): readonly (readonly [index: number, entry: StoredPdu])[] {
    return [...this.#memories[memory]].sort(([a], [b]) => a - b)
  }

  get(memory: MemoryName, index: number): StoredPdu | undefined {
    return this.#memories[memory].get(index)
  }

  /** The place; undefined: full. */
  put(memory: MemoryName, entry: StoredPdu): number | undefined {
    const places = this.#memories[memory]
    for (let index = 0; index < CAPACITY[memory]; index++) {
      if (places.has(index)) continue
      places.set(index, entry)
      return index
    }
    return undefined
  }

  markRead(memory: MemoryName, index: number): void {
    const entry = this.get(memory, index)
    if (entry?.status === 0) this.#memories[memory].set(index, { ...entry, status: 1 })
  }

  delete(memory: MemoryName, index: number): void {
    this.#memories[memory].delete(index)
  }

  /** Somebody sends `text`; it waits here until the modem takes it. How many parts came of it. */
  incoming(from: string, text: string, messageClass?: number, mishap: Mishap = {}): number {
    const cut = segment(text)
    if (!cut) return 0
    const { encoding, languages, parts } = cut
    this.#lastConcatenation = (this.#lastConcatenation + 1) & 0xff
    const reference = this.#lastConcatenation
    const at = this.#now()
    const pdus = parts.flatMap((part, index): IncomingPdu[] => {
      if (mishap.lostPart === index + 1) return []
      const concatenation =
        parts.length > 1 ? { reference, isWide: false, total: parts.length, sequence: index + 1 } : undefined
      const data = emitUserData(encoding, part, { languages, concatenation })
      const pdu = emitDeliver({ serviceCentre: SERVICE_CENTRE, from, at, encoding, messageClass, data })
      return Array(mishap.isTwice ? 2 : 1).fill({ ...pdu, messageClass, isReport: false })
    })
    this.queue(mishap.isReversed ? pdus.reverse() : pdus)
    return parts.length
  }

  queue(pdus: readonly IncomingPdu[]): void {
    this.waiting = [...this.waiting, ...pdus].slice(0, LONGEST_QUEUE)
  }

  /** The host sends: the network's reference, or undefined for what is no message. A report, where one is asked for, waits then. */
  submit(hex: string, tpduBytes: number): number | undefined {
    const pdu = parsePdu(hex, tpduBytes)
    if (pdu?.type !== 'submit' || pdu.faults.length > 0 || pdu.to.text === '') return undefined
    return this.#accept(pdu)
  }

  #accept(pdu: Submit): number {
    this.#lastReference = (this.#lastReference + 1) & 0xff
    const reference = this.#lastReference
    const text = pdu.data.text ?? Buffer.from(pdu.data.bytes).toString('hex')
    this.sent = [...this.sent.slice(1 - REMEMBERED), { to: pdu.to.text, text }]
    if (!pdu.wantsReport) return reference
    const at = this.#now()
    const report = emitStatusReport({
      serviceCentre: SERVICE_CENTRE,
      reference,
      to: pdu.to.text,
      sentAt: at,
      doneAt: at,
      status: DELIVERED,
    })
    this.queue([{ ...report, messageClass: undefined, isReport: true }])
    return reference
  }

  #now(): Timestamp {
    return { epochMs: Math.floor(this.#wallMs() / 1000) * 1000, zoneMinutes: ZONE_MINUTES }
  }
}
