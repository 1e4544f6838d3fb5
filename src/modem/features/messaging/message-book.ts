/**
 * All messages of one modem, received, drafts and sent, as one list: what was read from the modem or sent becomes the next snapshots.
 * No I/O; told the time. Used by `messaging.ts`.
 */

import { parseCclk } from '../../at/replies/cclk.ts'
import type { StoredMessage } from '../../at/replies/cmgl.ts'
import { toAddress } from '../../sms/address.ts'
import { type Assembled, Assembler, isWhole, type Place, textOf } from '../../sms/assembly.ts'
import { type Deliver, deliveryOf, parsePdu, type StatusReport, type Submit } from '../../sms/pdu.ts'
import { type Timestamp, timestampText } from '../../sms/timestamp.ts'
import type { MessageContent, MessageSnapshot, MessageState } from './snapshot.ts'

/** A part that has not come for so long does not come any more, or comes as a surprise. */
const MISSING_PARTS_MS = 5 * 60_000
/** Sent ones and flashes are nowhere but here: the oldest go. */
const MOST_FLEETING = 500

/** What was sent, or waits in the modem as a draft, or is a report for one that nobody remembers. */
export interface OwnMessage {
  readonly id: string
  readonly state: MessageState
  readonly content: MessageContent
  readonly timestamp: string | undefined
  readonly parts: number
  readonly partsHere: number
  readonly encoding: MessageSnapshot['encoding']
  readonly isFlash: boolean
  /** TP-MR of each part that awaits its report. */
  readonly awaited: readonly number[]
  /** Of one that is in the modem. */
  readonly stored?: { readonly source: string; readonly place: Place } | undefined
}

/** What reading a place brought. */
export type Noted =
  | { readonly kind: 'message'; readonly id: string; readonly isNew: boolean }
  /** Its news are in the message that it is about: the place may be cleared. */
  | { readonly kind: 'settled-report' }
  | { readonly kind: 'nothing' }

/** Ids are unique in the process: all modems' messages are side by side on the bus. */
let lastId = 0

function nextId(): string {
  return String(++lastId)
}

export class MessageBook {
  readonly #assembler = new Assembler()
  /** Of received messages, by the assembler's number. */
  readonly #ids = new Map<number, string>()
  readonly #own = new Map<string, OwnMessage>()
  /** Told as received, or as incomplete. */
  readonly #told = new Map<string, 'received' | 'incomplete'>()

  /** A message at a place of the modem, or (without one) straight from the network. */
  note(message: StoredMessage, place: Place | undefined, nowMs: number): Noted {
    const pdu = pduOf(message)
    const source = sourceOf(message)
    if (place) this.#forgetOther(place, source)
    if (!pdu) return { kind: 'nothing' }
    if (pdu.type === 'status-report') return this.#noteReport(pdu, source, place)
    if (pdu.type === 'submit') return this.#noteSubmit(pdu, message, source, place)
    const { message: assembled, kind } = this.#assembler.add(pdu, source, place, nowMs)
    const id = this.#ids.get(assembled.number) ?? nextId()
    this.#ids.set(assembled.number, id)
    this.#limit()
    return { kind: 'message', id, isNew: kind !== 'known' }
  }

  /** What was there is not any more: somebody else deleted it. */
  keepOnly(memory: string, indices: ReadonlySet<number>): void {
    for (const place of this.#assembler.placesInUse(memory)) if (!indices.has(place.index)) this.forget(place)
    for (const { id, stored } of this.#own.values())
      if (stored?.place.memory === memory && !indices.has(stored.place.index)) this.#own.delete(id)
  }

  forget(place: Place): void {
    const left = this.#assembler.forget(place)
    if (left?.parts.length === 0) this.#drop(left.number)
    for (const { id, stored } of this.#own.values()) if (stored && isSame(stored.place, place)) this.#own.delete(id)
  }

  addOwn(message: Omit<OwnMessage, 'id'>): string {
    const id = nextId()
    this.#own.set(id, { ...message, id })
    this.#limit()
    return id
  }

  changeOwn(id: string, change: Partial<Omit<OwnMessage, 'id'>>): void {
    const message = this.#own.get(id)
    if (message) this.#own.set(id, { ...message, ...change })
  }

  own(id: string): OwnMessage | undefined {
    return this.#own.get(id)
  }

  remove(id: string): void {
    this.#own.delete(id)
    const number = this.#numberOf(id)
    if (number === undefined) return
    this.#assembler.remove(number)
    this.#drop(number)
  }

  content(id: string): MessageContent | undefined {
    const received = this.#assembledOf(id)
    if (received) return { number: received.parts[0]!.pdu.from.text, text: textOf(received) }
    return this.#own.get(id)?.content
  }

  /** Where it is in the modem, and what must be there. */
  placesOf(id: string): readonly { readonly place: Place; readonly source: string }[] {
    const received = this.#assembledOf(id)
    if (received) return received.parts.flatMap(({ places, source }) => places.map((place) => ({ place, source })))
    const stored = this.#own.get(id)?.stored
    return stored ? [stored] : []
  }

  /** The oldest first. */
  snapshots(nowMs: number): readonly MessageSnapshot[] {
    const received = [...this.#assembler.messages].map((each) => this.#snapshotOf(each, nowMs))
    const own = [...this.#own.values()].map(ownSnapshot)
    return [...received, ...own].sort((a, b) => Number(a.id) - Number(b.id))
  }

  /** Each id once when its message is whole, and once when it is given up on. */
  takeNews(nowMs: number): readonly string[] {
    const news: string[] = []
    for (const message of this.#assembler.messages) {
      const { id, state } = this.#snapshotOf(message, nowMs)
      const told = this.#told.get(id)
      const isNews = state === 'received' ? told !== state : state === 'incomplete' && told === undefined
      if (!isNews) continue
      this.#told.set(id, state === 'received' ? state : 'incomplete')
      news.push(id)
    }
    return news
  }

  /** When a message that misses parts becomes incomplete; undefined: none waits. */
  deadlineMs(nowMs: number): number | undefined {
    const due = [...this.#assembler.messages]
      .filter((message) => !isWhole(message) && nowMs < message.lastMs + MISSING_PARTS_MS)
      .map(({ lastMs }) => lastMs + MISSING_PARTS_MS)
    return due.length === 0 ? undefined : Math.min(...due)
  }

  #snapshotOf(message: Assembled, nowMs: number): MessageSnapshot {
    const { pdu } = message.parts[0]!
    const { encoding } = pdu.data
    const isLate = nowMs >= message.lastMs + MISSING_PARTS_MS
    return {
      id: this.#ids.get(message.number)!,
      state: isWhole(message) ? 'received' : isLate ? 'incomplete' : 'receiving',
      timestamp: textOfTime(pdu.at),
      parts: message.total,
      partsHere: message.parts.length,
      encoding: encoding === 'compressed' ? undefined : encoding,
      isFlash: pdu.data.messageClass === 0,
      isStored: message.parts.some(({ places }) => places.length > 0),
    }
  }

  #noteSubmit(pdu: Submit, message: StoredMessage, source: string, place: Place | undefined): Noted {
    if (!place) return { kind: 'nothing' }
    const known = this.#storedAt(place)
    if (known) return { kind: 'message', id: known.id, isNew: false }
    const { encoding, text, bytes, messageClass } = pdu.data
    const id = this.addOwn({
      state: message.status === 'stored-sent' ? 'sent' : 'unsent',
      content: { number: pdu.to.text, text: text ?? Buffer.from(bytes).toString('hex') },
      timestamp: undefined,
      parts: 1,
      partsHere: 1,
      encoding: encoding === 'compressed' ? undefined : encoding,
      isFlash: messageClass === 0,
      awaited: [],
      stored: { source, place },
    })
    return { kind: 'message', id, isNew: true }
  }

  /** Into the message that it is about; one that nobody remembers is a message of its own where the modem keeps it. */
  #noteReport(report: StatusReport, source: string, place: Place | undefined): Noted {
    const delivery = deliveryOf(report.status)
    const about = [...this.#own.values()].findLast(
      ({ awaited, content }) => awaited.includes(report.reference) && isSameNumber(content.number, report.to.text),
    )
    if (about) {
      if (delivery === 'pending') return { kind: 'settled-report' }
      const awaited = about.awaited.filter((reference) => reference !== report.reference)
      const isOver = about.state === 'undelivered' || (awaited.length > 0 && delivery === 'delivered')
      const state = isOver ? about.state : delivery === 'delivered' ? 'delivered' : 'undelivered'
      this.changeOwn(about.id, { awaited, state })
      return { kind: 'settled-report' }
    }
    if (!place) return { kind: 'nothing' }
    const known = this.#storedAt(place)
    if (known) return { kind: 'message', id: known.id, isNew: false }
    const id = this.addOwn({
      state: 'report',
      content: { number: report.to.text, text: `Delivery report: ${delivery}` },
      timestamp: textOfTime(report.doneAt),
      parts: 1,
      partsHere: 1,
      encoding: undefined,
      isFlash: false,
      awaited: [],
      stored: { source, place },
    })
    return { kind: 'message', id, isNew: true }
  }

  #storedAt(place: Place): OwnMessage | undefined {
    return [...this.#own.values()].find(({ stored }) => stored && isSame(stored.place, place))
  }

  /** The place has another message now than the one that was read there. */
  #forgetOther(place: Place, source: string): void {
    const isOther = [...this.#assembler.messages].some(({ parts }) =>
      parts.some((part) => part.source !== source && part.places.some((each) => isSame(each, place))),
    )
    const own = this.#storedAt(place)
    if (isOther || (own && own.stored?.source !== source)) this.forget(place)
  }

  #assembledOf(id: string): Assembled | undefined {
    const number = this.#numberOf(id)
    return number === undefined ? undefined : this.#assembler.get(number)
  }

  #numberOf(id: string): number | undefined {
    for (const [number, each] of this.#ids) if (each === id) return number
    return undefined
  }

  #drop(number: number): void {
    this.#told.delete(this.#ids.get(number) ?? '')
    this.#ids.delete(number)
  }

  /** Only of what the modem does not keep, and no message under way. */
  #limit(): void {
    const sent = [...this.#own.values()].filter(({ stored, state }) => !stored && state !== 'sending')
    for (const { id } of sent.slice(0, Math.max(0, sent.length - MOST_FLEETING))) this.#own.delete(id)
    const fleeting = [...this.#assembler.messages].filter(({ parts }) =>
      parts.every(({ places }) => places.length === 0),
    )
    for (const { number } of fleeting.slice(0, Math.max(0, fleeting.length - MOST_FLEETING))) {
      this.#assembler.remove(number)
      this.#drop(number)
    }
  }
}

/** What a place holds, to know it again. */
export function sourceOf({ pdu, number, timestamp, text }: StoredMessage): string {
  return pdu ?? `${number ?? ''}\n${timestamp ?? ''}\n${text ?? ''}`
}

/** Of text mode, what a PDU would have said. */
function pduOf(message: StoredMessage): Deliver | Submit | StatusReport | undefined {
  if (message.pdu !== undefined) return parsePdu(message.pdu, message.length)
  if (message.text === undefined || message.report !== undefined) return undefined
  const { text, number = '', timestamp, status } = message
  const data = { encoding: 'gsm7', messageClass: undefined, text, bytes: new Uint8Array(), languages: {} } as const
  const common = { serviceCentre: '', protocolId: 0, data, faults: [] }
  if (status === 'stored-sent' || status === 'stored-unsent')
    return {
      ...common,
      type: 'submit',
      to: toAddress(number),
      reference: 0,
      validityMinutes: undefined,
      wantsReport: false,
    }
  return {
    ...common,
    type: 'deliver',
    from: toAddress(number),
    at: timestamp === undefined ? undefined : timeOf(timestamp),
  }
}

function timeOf(text: string): Timestamp | undefined {
  const { wallMs, offsetMinutes = 0 } = parseCclk([`+CCLK: "${text}"`]) ?? {}
  return wallMs === undefined ? undefined : { epochMs: wallMs - offsetMinutes * 60_000, zoneMinutes: offsetMinutes }
}

function textOfTime(at: Timestamp | undefined): string | undefined {
  return at && timestampText(at)
}

function ownSnapshot({ content: _, awaited: __, stored, ...rest }: OwnMessage): MessageSnapshot {
  return { ...rest, isStored: stored !== undefined }
}

/** A report may name a number with its country code that was dialled without. */
function isSameNumber(a: string, b: string): boolean {
  const tail = (text: string) => text.replace(/\D/g, '').slice(-7)
  return tail(a) === tail(b)
}

function isSame(a: Place, b: Place): boolean {
  return a.memory === b.memory && a.index === b.index
}
