/** A modem's messages as the bus sees them, changed by tests at will. */

import { ModemdError } from '../../src/base/errors.ts'
import type { Cancel } from '../../src/base/ports.ts'
import type {
  MessageContent,
  MessageSnapshot,
  Messaging,
  MessagingSnapshot,
  SendOptions,
} from '../../src/modem/features/messaging/snapshot.ts'

export const RECEIVED_MESSAGE: MessageSnapshot = {
  id: '1',
  state: 'received',
  timestamp: '2026-11-22T17:42:30+02:00',
  parts: 2,
  partsHere: 2,
  encoding: 'ucs2',
  isFlash: false,
  isStored: true,
}

export class FakeMessaging implements Messaging {
  snapshot: MessagingSnapshot = { messages: [], memory: { name: 'SM', used: 3, total: 20 }, isFull: false }
  readonly contents = new Map<string, MessageContent>()
  readonly #log: string[]
  readonly #changed = new Set<(next: MessagingSnapshot, previous: MessagingSnapshot) => void>()
  readonly #received = new Set<(id: string) => void>()

  constructor(log: string[]) {
    this.#log = log
  }

  /** A message comes. */
  receive(content: MessageContent, change: Partial<MessageSnapshot> = {}): void {
    const message = { ...RECEIVED_MESSAGE, ...change }
    this.contents.set(message.id, content)
    this.change({ messages: [...this.snapshot.messages, message] })
    for (const listener of [...this.#received]) listener(message.id)
  }

  change(changes: Partial<MessagingSnapshot>): void {
    const previous = this.snapshot
    this.snapshot = { ...previous, ...changes }
    for (const listener of [...this.#changed]) listener(this.snapshot, previous)
  }

  onChange(listener: (next: MessagingSnapshot, previous: MessagingSnapshot) => void): Cancel {
    this.#changed.add(listener)
    return () => this.#changed.delete(listener)
  }

  onReceived(listener: (id: string) => void): Cancel {
    this.#received.add(listener)
    return () => this.#received.delete(listener)
  }

  async send(to: string, text: string, options?: SendOptions): Promise<string> {
    this.#log.push(`sms(${to}, ${text}, ${JSON.stringify(options ?? {})})`)
    if (text === 'no network') throw new ModemdError('NoNetwork', 'There is no network.', 'no-network')
    this.receive({ number: to, text }, { id: '7', state: 'sent', parts: 1, partsHere: 1, isStored: false })
    return '7'
  }

  read(id: string): MessageContent {
    const content = this.contents.get(id)
    if (!content) throw new ModemdError('NotFound', 'There is no such message.')
    return content
  }

  async delete(id: string): Promise<void> {
    this.#log.push(`delete(${id})`)
    this.change({ messages: this.snapshot.messages.filter((message) => message.id !== id) })
  }

  countParts(text: string): { readonly parts: number; readonly encoding: 'gsm7' | 'ucs2' } {
    return { parts: Math.ceil(text.length / 160), encoding: 'gsm7' }
  }
}
