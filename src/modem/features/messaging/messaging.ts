/**
 * Short messages of one modem (3GPP TS 27.005): reads what is there, hears of what comes, sends, and deletes only what a person
 * deletes. Steps that choose a memory and then use it run one after the other. Made by `modem.ts`.
 */

import { isDeepStrictEqual } from 'node:util'
import { errorText, ModemdError } from '../../../base/errors.ts'
import { Listeners } from '../../../base/listeners.ts'
import { type Cancel, sleep } from '../../../base/ports.ts'
import { recipientFault } from '../../../base/recipient.ts'
import { Turns } from '../../../base/turns.ts'
import type { StoredMessage } from '../../at/replies/cmgl.ts'
import { parseCds, parseCmt, parseCmti } from '../../at/replies/cmti.ts'
import { prefixOf } from '../../at/unsolicited.ts'
import { isPortBusy } from '../../procedure.ts'
import { simError } from '../../sim.ts'
import type { Place } from '../../sms/assembly.ts'
import { segment } from '../../sms/segment.ts'
import type { FeatureContext, FeatureRound, ModemFeature } from '../feature.ts'
import { MessageBook, sourceOf } from './message-book.ts'
import { type Attempt, ModemStore } from './modem-store.ts'
import { Sender } from './sender.ts'
import type { MessageContent, MessageMemory, Messaging, MessagingSnapshot, SendOptions } from './snapshot.ts'

const START_DELAY_MS = 500
/** For a modem that does not tell by itself. */
const POLL_MS = 30_000
/** A place that was announced before it can be read. */
const SECOND_LOOK_MS = 500

const DIRECT = ['+CMT', '+CDS', '+CBM']

export class ModemMessaging implements ModemFeature, Messaging {
  readonly #modem: FeatureContext
  readonly #book = new MessageBook()
  readonly #store = new ModemStore()
  readonly #sender: Sender
  readonly #listeners = new Listeners<[next: MessagingSnapshot, previous: MessagingSnapshot]>()
  readonly #receivedListeners = new Listeners<[id: string]>()
  #snapshot: MessagingSnapshot = { messages: [], isFull: false }
  #memory: MessageMemory | undefined
  readonly #turns = new Turns()
  /** The head of a report whose body is the next line. */
  #head: string | undefined
  #cancelDeadline: Cancel | undefined
  #hasRead = false
  #isGone = false

  constructor(modem: FeatureContext) {
    this.#modem = modem
    this.#sender = new Sender(modem, this.#store, this.#book, () => this.#tell())
  }

  get snapshot(): MessagingSnapshot {
    return this.#snapshot
  }

  onChange(listener: (next: MessagingSnapshot, previous: MessagingSnapshot) => void): Cancel {
    return this.#listeners.add(listener)
  }

  onReceived(listener: (id: string) => void): Cancel {
    return this.#receivedListeners.add(listener)
  }

  async onRound(round: FeatureRound): Promise<void> {
    if (simError(round.snapshot.sim.status)) return
    // Whoever wants to dial at once goes first.
    await sleep(round.clock, START_DELAY_MS, round.signal)
    const attempt: Attempt = (text, options) => round.attempt(text, options)
    await this.#turns.take(() => this.#store.open(attempt))
    await this.#readAll(attempt)
    // What was there when the daemon began is no news.
    if (!this.#hasRead) this.#book.takeNews(this.#nowMs)
    this.#hasRead = true
    this.#tell()
    if (!this.#store.hasNews) void this.#poll(round)
  }

  onReport(line: string): boolean {
    if (this.#head !== undefined) {
      const lines = [this.#head, line]
      this.#head = undefined
      this.#onDirect(lines)
      return true
    }
    const prefix = prefixOf(line) ?? ''
    if (prefix === '+CMTI' || prefix === '+CDSI') {
      const news = parseCmti([line])
      const memory = news?.storage ?? this.#memory?.name
      if (news && memory !== undefined) this.#soon(() => this.#readPlace({ memory, index: news.index }))
      return true
    }
    if (!DIRECT.includes(prefix)) return false
    const lines = line.split('\n')
    if (lines.length > 1) this.#onDirect(lines)
    else this.#head = line
    return true
  }

  /** With one port nothing was heard of what came meanwhile. */
  onCallEnded(): void {
    const ports = this.#modem.snapshot.ports.filter(({ role }) => role === 'at' || role === 'data')
    if (ports.length > 1 || !this.#hasRead) return
    this.#readAll(this.#attempt).then(
      () => this.#tell(),
      (error) => this.#complain(error),
    )
  }

  onGone(): void {
    this.#isGone = true
    this.#cancelDeadline?.()
  }

  async send(to: string, text: string, options: SendOptions = {}): Promise<string> {
    const fault = recipientFault(to)
    if (fault !== undefined) throw new ModemdError('InvalidArgs', `The number ${fault}.`)
    if (this.#isGone) throw new ModemdError('ModemGone', 'The modem is gone.', 'modem-gone')
    const obstacle = simError(this.#modem.snapshot.sim.status)
    if (obstacle) throw obstacle
    const message = this.#sender.prepare(to, text, options)
    this.#tell()
    await this.#turns.take(() => this.#sender.send(message))
    return message.id
  }

  read(id: string): MessageContent {
    const content = this.#book.content(id)
    if (!content) throw noSuchMessage()
    return content
  }

  async delete(id: string): Promise<void> {
    await this.#turns.take(() => this.#delete(id))
  }

  countParts(text: string): { readonly parts: number; readonly encoding: 'gsm7' | 'ucs2' } {
    const cut = segment(text)
    if (!cut) throw new ModemdError('InvalidArgs', 'The text is too long for a message.')
    return { parts: cut.parts.length, encoding: cut.encoding }
  }

  get #nowMs(): number {
    return this.#modem.clock.nowMs()
  }

  get #attempt(): Attempt {
    return (text, options) => this.#modem.attempt(text, options)
  }

  /** In pieces: a dial may pass in between. */
  async #readAll(attempt: Attempt): Promise<void> {
    for (const memory of this.#store.memories) await this.#turns.take(() => this.#readMemory(attempt, memory))
    await this.#turns.take(() => this.#readUse(attempt))
  }

  async #readMemory(attempt: Attempt, memory: string): Promise<void> {
    const messages = await this.#store.list(attempt, memory)
    if (!messages) return
    const settled: Place[] = []
    const indices = new Set<number>()
    for (const message of messages) {
      if (message.index === undefined) continue
      indices.add(message.index)
      const place = { memory, index: message.index }
      if (this.#book.note(message, place, this.#nowMs).kind === 'settled-report') settled.push(place)
    }
    this.#book.keepOnly(memory, indices)
    for (const place of settled) await this.#clearReport(attempt, place)
  }

  async #readPlace(place: Place): Promise<void> {
    const attempt = this.#attempt
    let message = await this.#store.read(attempt, place).catch((error) => {
      if (isPortBusy(error)) throw error
      return undefined
    })
    if (!message) {
      await sleep(this.#modem.clock, SECOND_LOOK_MS)
      message = await this.#store.read(attempt, place)
    }
    if (!message) {
      this.#modem.logger.warn(`A new message at ${place.memory} ${place.index} could not be read.`, this.#logFields)
      return
    }
    const noted = this.#book.note(message, place, this.#nowMs)
    this.#tell()
    if (noted.kind === 'settled-report') await this.#clearReport(attempt, place)
    await this.#readUse(attempt)
    this.#tell()
  }

  /** What a report said is in its message; of messages nothing is ever deleted here. */
  async #clearReport(attempt: Attempt, place: Place): Promise<void> {
    try {
      await this.#store.delete(attempt, place)
    } catch (error) {
      if (isPortBusy(error)) throw error
      this.#modem.logger.debug(`A delivery report stays in the modem: ${errorText(error)}`, this.#logFields)
    }
  }

  #onDirect(lines: readonly string[]): void {
    const message = prefixOf(lines[0]!) === '+CDS' ? parseCds(lines) : parseCmt(lines)
    if (!message) return
    this.#soon(() => this.#takeDirect(message))
  }

  /** It is nowhere but here: first it goes where a crash does not reach it, then the network may forget it. */
  async #takeDirect(message: StoredMessage): Promise<void> {
    const noted = this.#book.note(message, undefined, this.#nowMs)
    this.#tell()
    const isFlash = noted.kind === 'message' && this.#isFlash(noted.id)
    if (noted.kind === 'message' && !isFlash && message.pdu !== undefined && message.length !== undefined) {
      const place = await this.#store.keep(this.#attempt, message.pdu, message.length)
      if (place) this.#book.note(message, place, this.#nowMs)
      else this.#modem.logger.warn('A message is not kept by the modem: it is gone when modemd ends.', this.#logFields)
      await this.#readUse(this.#attempt)
    }
    await this.#store.acknowledge(this.#attempt)
    this.#tell()
  }

  #isFlash(id: string): boolean {
    return this.#book.snapshots(this.#nowMs).some((message) => message.id === id && message.isFlash)
  }

  async #readUse(attempt: Attempt): Promise<void> {
    this.#memory = await this.#store.use(attempt)
  }

  async #delete(id: string): Promise<void> {
    if (!this.#book.content(id)) throw noSuchMessage()
    if (this.#book.own(id)?.state === 'sending')
      throw new ModemdError('WrongState', 'The message is being sent: delete it afterwards.')
    try {
      for (const { place, source } of this.#book.placesOf(id)) {
        // The place may have another, newer message by now, and that one stays.
        const there = await this.#store.read(this.#attempt, place)
        const isOther = there !== undefined && sourceOf(there) !== source
        if (there && !isOther) await this.#store.delete(this.#attempt, place)
        this.#book.forget(place)
        if (isOther) this.#book.note(there, place, this.#nowMs)
      }
      this.#book.remove(id)
    } finally {
      this.#tell()
    }
    await this.#readUse(this.#attempt)
    this.#tell()
  }

  async #poll(round: FeatureRound): Promise<void> {
    const attempt: Attempt = (text, options) => round.attempt(text, options)
    while (!round.signal.aborted) {
      await sleep(round.clock, POLL_MS, round.signal).catch(() => {})
      if (round.signal.aborted) return
      try {
        await this.#readAll(attempt)
      } catch (error) {
        this.#modem.logger.debug(`Messages could not be read: ${errorText(error)}`, this.#logFields)
      }
      this.#tell()
    }
  }

  /** For what a report started. With the only port in a call it waits: the round after the call reads everything. */
  #soon(step: () => Promise<void>): void {
    this.#turns.take(step).catch((error) => this.#complain(error))
  }

  #complain(error: unknown): void {
    if (this.#isGone || isPortBusy(error)) return
    this.#modem.logger.warn(`A message could not be taken: ${errorText(error)}`, this.#logFields)
  }

  #tell(): void {
    if (this.#isGone) return
    const previous = this.#snapshot
    const memory = this.#memory
    const isFull = memory !== undefined && memory.total > 0 && memory.used >= memory.total
    const before = new Map(previous.messages.map((message) => [message.id, message]))
    const messages = this.#book.snapshots(this.#nowMs).map((message) => {
      const known = before.get(message.id)
      return isDeepStrictEqual(known, message) ? known! : message
    })
    const next = { messages, memory, isFull }
    this.#watchDeadline()
    if (!isDeepStrictEqual(previous, next)) {
      this.#snapshot = next
      if (isFull && !previous.isFull)
        this.#modem.logger.warn(
          `The memory for messages (${memory.name}, ${memory.total}) is full: new ones wait at the operator until some are deleted.`,
          this.#logFields,
        )
      this.#listeners.emit(next, previous)
    }
    if (this.#hasRead) for (const id of this.#book.takeNews(this.#nowMs)) this.#receivedListeners.emit(id)
  }

  #watchDeadline(): void {
    this.#cancelDeadline?.()
    const atMs = this.#book.deadlineMs(this.#nowMs)
    this.#cancelDeadline = atMs === undefined ? undefined : this.#modem.clock.at(atMs, () => this.#tell())
  }

  get #logFields() {
    return { modem: this.#modem.snapshot.id }
  }
}

function noSuchMessage(): ModemdError {
  return new ModemdError('NotFound', 'There is no such message: `mmctl sms list` shows those that are there.')
}
