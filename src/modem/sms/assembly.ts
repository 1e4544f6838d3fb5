/**
 * Parts of long messages put together (3GPP TS 23.040 §9.2.3.24.1): in any order, some twice, some never. Pure: told the time. What
 * is known of each message is one immutable `Assembled`. Used by `features/messaging`.
 */

import type { Deliver } from './pdu.ts'
import type { Concatenation } from './user-data.ts'

/** Where the modem keeps a part. */
export interface Place {
  /** `SM`, `ME`. */
  readonly memory: string
  readonly index: number
}

export interface MessagePart {
  readonly sequence: number
  readonly pdu: Deliver
  /** As the modem gave it: what is the same is the same message, sent or stored twice. */
  readonly source: string
  /** None: it came past the store. */
  readonly places: readonly Place[]
}

export interface Assembled {
  /** From 1; of this assembler. */
  readonly number: number
  readonly total: number
  /** By sequence; those that are here. */
  readonly parts: readonly MessagePart[]
  /** When the last part came. */
  readonly lastMs: number
}

export interface Addition {
  readonly message: Assembled
  /** `known`: nothing new, a second copy or a place that was read before. */
  readonly kind: 'new' | 'more' | 'known'
}

/**
 * A sender counts its references round in 256 messages. The service centre notes when it got a part from its sender, however late
 * it delivers it: parts that were sent so far apart are not of one message.
 */
const LONGEST_SPAN_MS = 3600_000
const MISSING = ' […] '

export class Assembler {
  readonly #messages = new Map<number, Assembled>()
  #lastNumber = 0

  get messages(): Iterable<Assembled> {
    return this.#messages.values()
  }

  get(number: number): Assembled | undefined {
    return this.#messages.get(number)
  }

  add(pdu: Deliver, source: string, place: Place | undefined, nowMs: number): Addition {
    const known = this.#withPart((part) => part.source === source)
    if (known) return { message: this.#addPlace(known, source, place), kind: 'known' }
    const { concatenation } = pdu.data
    const sequence = concatenation?.sequence ?? 1
    const part: MessagePart = { sequence, pdu, source, places: place ? [place] : [] }
    const open = concatenation && this.#openFor(pdu, concatenation)
    if (!open) return { message: this.#begin(part, concatenation?.total ?? 1, nowMs), kind: 'new' }
    const parts = [...open.parts, part].sort((a, b) => a.sequence - b.sequence)
    return { message: this.#keep({ ...open, parts, lastMs: nowMs }), kind: 'more' }
  }

  remove(number: number): void {
    this.#messages.delete(number)
  }

  /** The store has something else there now, or nothing. What was only there is given back. */
  forget(place: Place): Assembled | undefined {
    const owner = this.#withPart((part) => part.places.some((each) => isSame(each, place)))
    if (!owner) return undefined
    const parts = owner.parts
      .map((part) => ({ ...part, places: part.places.filter((each) => !isSame(each, place)) }))
      .filter((part) => part.places.length > 0)
    if (parts.length > 0) return this.#keep({ ...owner, parts })
    this.#messages.delete(owner.number)
    return { ...owner, parts }
  }

  placesInUse(memory: string): readonly Place[] {
    return [...this.#messages.values()]
      .flatMap(({ parts }) => parts.flatMap(({ places }) => places))
      .filter((place) => place.memory === memory)
  }

  #begin(part: MessagePart, total: number, nowMs: number): Assembled {
    return this.#keep({ number: ++this.#lastNumber, total, parts: [part], lastMs: nowMs })
  }

  #keep(message: Assembled): Assembled {
    this.#messages.set(message.number, message)
    return message
  }

  #addPlace(message: Assembled, source: string, place: Place | undefined): Assembled {
    if (!place) return message
    const parts = message.parts.map((part) =>
      part.source !== source || part.places.some((each) => isSame(each, place))
        ? part
        : { ...part, places: [...part.places, place] },
    )
    return this.#keep({ ...message, parts })
  }

  #withPart(fits: (part: MessagePart) => boolean): Assembled | undefined {
    for (const message of this.#messages.values()) if (message.parts.some(fits)) return message
    return undefined
  }

  /** The newest that waits for just this part. */
  #openFor(pdu: Deliver, wanted: Concatenation): Assembled | undefined {
    return [...this.#messages.values()].findLast(({ parts }) => {
      const first = parts[0]!.pdu
      const of = first.data.concatenation
      return (
        of !== undefined &&
        of.reference === wanted.reference &&
        of.isWide === wanted.isWide &&
        of.total === wanted.total &&
        first.from.text === pdu.from.text &&
        isNear(first, pdu) &&
        !parts.some(({ sequence }) => sequence === wanted.sequence)
      )
    })
  }
}

export function isWhole({ parts, total }: Assembled): boolean {
  return parts.length === total
}

/** What is missing shows as `[…]`; of data that is no text the octets, in hexadecimal. */
export function textOf({ parts, total }: Assembled): string {
  let text = ''
  let expected = 1
  for (const { sequence, pdu } of parts) {
    if (sequence !== expected) text += MISSING
    const { data } = pdu
    text += data.text ?? Buffer.from(data.bytes).toString('hex')
    expected = sequence + 1
  }
  return expected <= total ? text + MISSING : text
}

function isNear(a: Deliver, b: Deliver): boolean {
  return !a.at || !b.at || Math.abs(a.at.epochMs - b.at.epochMs) <= LONGEST_SPAN_MS
}

function isSame(a: Place, b: Place): boolean {
  return a.memory === b.memory && a.index === b.index
}
