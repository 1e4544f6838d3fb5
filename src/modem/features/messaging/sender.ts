/** A text on its way out: parts, prompts, references, and what the network says to each. Used by `messaging.ts`. */

import { errorText, ModemdError } from '../../../base/errors.ts'
import { sleep } from '../../../base/ports.ts'
import type { AtReply } from '../../at/channel.ts'
import { parseCmgs } from '../../at/replies/cmti.ts'
import { parseCsca } from '../../at/replies/csca.ts'
import { emitSubmit } from '../../sms/pdu.ts'
import { type Segmentation, segment } from '../../sms/segment.ts'
import { timestampText } from '../../sms/timestamp.ts'
import { emitUserData } from '../../sms/user-data.ts'
import type { FeatureContext } from '../feature.ts'
import { failureOfReply, isPassing, withoutServiceCentre } from './failures.ts'
import type { MessageBook } from './message-book.ts'
import type { Attempt, ModemStore } from './modem-store.ts'
import type { SendOptions } from './snapshot.ts'

/** Congestion passes, or it does not. */
const RETRY_MS = 3000
const LONGEST_TEXT_MODE = 160

export interface PreparedMessage {
  readonly id: string
  readonly to: string
  readonly text: string
  readonly cut: Segmentation
  readonly options: SendOptions
}

export class Sender {
  readonly #modem: FeatureContext
  readonly #store: ModemStore
  readonly #book: MessageBook
  readonly #tell: () => void
  #lastReference: number

  constructor(modem: FeatureContext, store: ModemStore, book: MessageBook, tell: () => void) {
    this.#modem = modem
    this.#store = store
    this.#book = book
    this.#tell = tell
    // Whoever restarts must not go on with the numbers that the recipient saw last.
    this.#lastReference = Number(modem.clock.wallUs() / 1_000_000n) & 0xff
  }

  /** It is in the book as `sending`. Throws a ModemdError InvalidArgs. */
  prepare(to: string, text: string, options: SendOptions): PreparedMessage {
    const cut = segment(text)
    if (!cut) throw new ModemdError('InvalidArgs', 'The text is too long for a message.')
    const id = this.#book.addOwn({
      state: 'sending',
      content: { number: to, text },
      timestamp: undefined,
      parts: cut.parts.length,
      partsHere: 0,
      encoding: cut.encoding,
      isFlash: options.isFlash === true,
      awaited: [],
    })
    return { id, to, text, cut, options }
  }

  /** Resolves when the network has taken all parts. */
  async send(message: PreparedMessage): Promise<void> {
    const { id } = message
    try {
      if (this.#store.format === undefined) await this.#store.open(this.#attempt)
      if (this.#store.format === 'text') await this.#sendText(message)
      else await this.#sendParts(message)
      const timestamp = timestampText({ epochMs: Number(this.#modem.clock.wallUs() / 1000n), zoneMinutes: 0 })
      // A report may have been quicker than the last part's answer.
      const state = this.#book.own(id)?.state
      this.#book.changeOwn(id, { timestamp, ...(state === 'sending' ? { state: 'sent' } : {}) })
    } catch (error) {
      this.#book.changeOwn(id, { state: 'failed' })
      this.#modem.logger.warn(`A message was not sent: ${errorText(error)}`, { modem: this.#modem.snapshot.id })
      throw error
    } finally {
      this.#tell()
    }
  }

  get #attempt(): Attempt {
    return (text, options) => this.#modem.attempt(text, options)
  }

  async #sendParts(message: PreparedMessage): Promise<void> {
    const { to, cut, options } = message
    const total = cut.parts.length
    const reference = this.#nextReference()
    // Keeps the link open between the parts, where the modem can.
    if (total > 1) await this.#attempt('AT+CMMS=1')
    for (const [index, part] of cut.parts.entries()) {
      const concatenation = total > 1 ? { reference, isWide: false, total, sequence: index + 1 } : undefined
      const submit = emitSubmit({
        to,
        encoding: cut.encoding,
        messageClass: options.isFlash ? 0 : undefined,
        validityMinutes: options.validityMinutes,
        wantsReport: options.wantsReport === true,
        data: emitUserData(cut.encoding, part, { languages: cut.languages, concatenation }),
      })
      try {
        const reply = await this.#persistently(() => this.#store.sendPdu(this.#attempt, submit))
        if (!reply.isOk) throw await this.#refusal(`AT+CMGS=${submit.tpduBytes}`, reply)
        this.#notePart(message, reply)
      } catch (error) {
        throw index === 0 ? error : afterParts(error, index, total)
      }
    }
  }

  /** A modem without PDU mode sends what its own alphabet has, in one piece. */
  async #sendText(message: PreparedMessage): Promise<void> {
    const { to, text } = message
    if (!/^[\x20-\x7e]*$/.test(text) || /[@$[\]\\^{|}~_`]/.test(text) || text.length > LONGEST_TEXT_MODE)
      throw new ModemdError(
        'Unsupported',
        `This modem has no PDU mode: it sends at most ${LONGEST_TEXT_MODE} plain letters, digits and signs.`,
      )
    const reply = await this.#persistently(() => this.#store.sendText(this.#attempt, to, text))
    if (!reply.isOk) throw await this.#refusal('AT+CMGS', reply)
    this.#notePart(message, reply)
  }

  /** The commonest reason is one that few modems name: nobody told the SIM where its messages go. */
  async #refusal(command: string, reply: AtReply): Promise<ModemdError> {
    const refusal = failureOfReply(command, reply)
    const centre = await this.#attempt('AT+CSCA?').catch(() => undefined)
    return centre?.isOk && parseCsca(centre.lines) === '' ? withoutServiceCentre(refusal) : refusal
  }

  #notePart({ id, options }: PreparedMessage, reply: AtReply): void {
    const own = this.#book.own(id)
    if (!own) return
    const reference = options.wantsReport ? parseCmgs(reply.lines) : undefined
    const awaited = reference === undefined ? own.awaited : [...own.awaited, reference]
    this.#book.changeOwn(id, { partsHere: own.partsHere + 1, awaited })
    this.#tell()
  }

  async #persistently(attempt: () => Promise<AtReply>): Promise<AtReply> {
    const reply = await attempt()
    if (reply.isOk || !isPassing(reply)) return reply
    await sleep(this.#modem.clock, RETRY_MS)
    return attempt()
  }

  #nextReference(): number {
    this.#lastReference = (this.#lastReference + 1) & 0xff
    return this.#lastReference
  }
}

/** What was sent stays sent: whoever sends the rest again should know. */
function afterParts(error: unknown, sentParts: number, total: number): unknown {
  if (!(error instanceof ModemdError)) return error
  const { code, message, failureCause } = error
  return new ModemdError(code, `${message} ${sentParts} of ${total} parts were sent before.`, failureCause)
}
