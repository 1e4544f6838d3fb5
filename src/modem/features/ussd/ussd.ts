/**
 * USSD: codes to the network and its answers, in sessions (+CUSD, 3GPP TS 27.007 §7.15; the services, TS 22.090). One session at a
 * time, as the standard has it. Called over D-Bus; reports come from `modem.ts`.
 */

import { printable } from '../../../base/bytes.ts'
import { ModemdError } from '../../../base/errors.ts'
import { Listeners } from '../../../base/listeners.ts'
import { type Cancel, sleep } from '../../../base/ports.ts'
import { parseCscs } from '../../at/replies/cops.ts'
import { parseCusd, type UssdReply } from '../../at/replies/cusd.ts'
import { errorOf } from '../../at/session.ts'
import { prefixOf } from '../../at/unsolicited.ts'
import type { UssdForm } from '../../drivers/driver.ts'
import { obstacleToNetwork } from '../../network-search.ts'
import type { FeatureContext, FeatureRound, ModemFeature } from '../feature.ts'
import { checkCode, checkResponse, encodeUssd } from './codes.ts'
import type { Ussd, UssdMessageKind, UssdState } from './snapshot.ts'

/** A network takes up to half a minute; its own limit for an open question is some minutes (3GPP TS 24.090 leaves it open). */
const ANSWER_MS = 60_000
const SESSION_MS = 300_000
/** Some modems say OK only behind the network's answer. */
const COMMAND_MS = 45_000
const CANCEL_MS = 5000
/** Reports are switched on when nothing more urgent is to be done. */
const ROUND_PAUSE_MS = 3000
const LONGEST_TEXT = 1000

interface Waiting {
  resolve(reply: UssdReply): void
  reject(error: ModemdError): void
}

export class UssdSession implements Ussd, ModemFeature {
  readonly #modem: FeatureContext
  readonly #changed = new Listeners<[UssdState]>()
  readonly #messages = new Listeners<[UssdMessageKind]>()
  #state: UssdState = 'idle'
  #lastText: string | undefined
  #waiting: Waiting | undefined
  /** The form that this modem took. */
  #form: UssdForm | undefined
  #cancelLimit: Cancel = () => {}

  constructor(modem: FeatureContext) {
    this.#modem = modem
  }

  get state(): UssdState {
    return this.#state
  }

  get lastText(): string | undefined {
    return this.#lastText
  }

  onChange(listener: (state: UssdState) => void): Cancel {
    return this.#changed.add(listener)
  }

  onMessage(listener: (kind: UssdMessageKind) => void): Cancel {
    return this.#messages.add(listener)
  }

  async initiate(code: string): Promise<string> {
    checkCode(code)
    if (this.#state === 'active') throw new ModemdError('Busy', 'The network has not answered the last code yet.')
    if (this.#state === 'user-response')
      throw new ModemdError(
        'WrongState',
        'A USSD session waits for an answer: give one with `mmctl ussd --respond`, or end it with `mmctl ussd --cancel`.',
      )
    return this.#exchange(code)
  }

  async respond(text: string): Promise<string> {
    checkResponse(text)
    if (this.#state !== 'user-response')
      throw new ModemdError(
        'WrongState',
        'No USSD session waits for an answer: begin with a code, as `mmctl ussd "*100#"`.',
      )
    return this.#exchange(text)
  }

  async cancel(): Promise<void> {
    if (this.#state === 'idle') return
    this.#end(new ModemdError('WrongState', 'The USSD session was cancelled.'))
    const { isOk, final } = await this.#modem.attempt('AT+CUSD=2', { timeoutMs: CANCEL_MS })
    if (!isOk)
      this.#modem.logger.debug(`AT+CUSD=2 was answered ${printable(final)}`, { modem: this.#modem.snapshot.id })
  }

  onReport(line: string): boolean {
    if (prefixOf(line) !== '+CUSD') return false
    const reply = parseCusd([line])
    if (reply) this.#onReply(reply)
    return true
  }

  /** So that the network can begin, too. */
  async onRound(round: FeatureRound): Promise<void> {
    await sleep(round.clock, ROUND_PAUSE_MS, round.signal)
    if (this.#state === 'idle') await round.attempt('AT+CUSD=1')
  }

  onGone(reason: string): void {
    this.#end(new ModemdError('ModemGone', `The modem is gone (${printable(reason)}).`, 'modem-gone'))
  }

  async #exchange(text: string): Promise<string> {
    const obstacle = obstacleToNetwork(this.#modem.snapshot)
    if (obstacle) throw obstacle
    const before = this.#state
    this.#enter('active')
    this.#limit(ANSWER_MS)
    let waiting: Waiting | undefined
    const answer = new Promise<UssdReply>((resolve, reject) => {
      waiting = { resolve, reject }
    })
    this.#waiting = waiting
    try {
      // The answer may come on another port than OK, and before it.
      return textOf(await Promise.race([answer, this.#send(text, () => this.#waiting === waiting).then(() => answer)]))
    } catch (error) {
      // What never left leaves the network's question open.
      const isUnsent = error instanceof ModemdError && error.failureCause === 'port-busy'
      if (this.#waiting === waiting) this.#enter(isUnsent ? before : 'idle')
      throw error
    } finally {
      if (this.#waiting === waiting) this.#waiting = undefined
    }
  }

  /** In the form that the modem takes: an error costs nothing, so the next is tried. An answer before OK counts as one behind it. */
  async #send(text: string, isWanted: () => boolean): Promise<void> {
    let refused: ModemdError | undefined
    for (const form of await this.#forms()) {
      if (!isWanted()) return
      const { string, dcs } = encodeUssd(text, form)
      const reply = await this.#modem.attempt(`AT+CUSD=1,"${string}",${dcs}`, { timeoutMs: COMMAND_MS })
      const answer = parseCusd(reply.lines)
      if (!reply.isOk && !answer) {
        refused ??= errorOf('AT+CUSD', reply)
        continue
      }
      this.#form = form
      if (answer) this.#onReply(answer)
      return
    }
    throw refused!
  }

  async #forms(): Promise<readonly UssdForm[]> {
    if (this.#form) return [this.#form]
    const { lines } = await this.#modem.attempt('AT+CSCS?')
    const byCharset: readonly UssdForm[] = parseCscs(lines)[0] === 'UCS2' ? ['ucs2'] : []
    return [...new Set([...byCharset, ...(this.#modem.driver.ussdForms ?? []), 'plain', 'packed'] as const)]
  }

  #onReply(reply: UssdReply): void {
    if (reply.text !== undefined) this.#lastText = reply.text
    const waiting = this.#waiting
    const wasOpen = this.#state === 'user-response'
    this.#enter(reply.status === 'reply-wanted' ? 'user-response' : 'idle')
    if (this.#state === 'user-response') this.#limit(SESSION_MS)
    if (waiting) {
      this.#waiting = undefined
      waiting.resolve(reply)
    } else if (this.#state === 'user-response') this.#messages.emit('request')
    else if (reply.text !== undefined || wasOpen) this.#messages.emit('notification')
  }

  /** A session that nobody ends does not stay open for ever. */
  #limit(ms: number): void {
    const { clock, logger, snapshot } = this.#modem
    this.#cancelLimit()
    this.#cancelLimit = clock.at(clock.nowMs() + ms, () => {
      this.#end(new ModemdError('Timeout', `The network did not answer the USSD code within ${ms / 1000} s.`))
      this.#modem
        .attempt('AT+CUSD=2', { timeoutMs: CANCEL_MS })
        .catch(() => logger.debug('The USSD session could not be ended.', { modem: snapshot.id }))
    })
  }

  #end(error: ModemdError): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    this.#enter('idle')
    waiting?.reject(error)
  }

  #enter(state: UssdState): void {
    if (state === 'idle') this.#cancelLimit()
    if (state === this.#state) return
    this.#state = state
    this.#changed.emit(state)
  }
}

/** The answer, or why there is none: `+CUSD: 2` to `5` (27.007 §7.15). A text that comes with an end is the answer all the same. */
function textOf({ status, text }: UssdReply): string {
  if (text !== undefined && text !== '') return text.slice(0, LONGEST_TEXT)
  switch (status) {
    case 'terminated':
      throw new ModemdError('NoNetwork', 'The network ended the USSD session without an answer.')
    case 'other-client':
      throw new ModemdError('Busy', 'Another program of the modem answered the network.')
    case 'unsupported':
      throw new ModemdError('Unsupported', 'The network or the modem does not know this USSD code.')
    case 'network-timeout':
      throw new ModemdError('Timeout', 'The network answered the USSD code with a time-out of its own.')
    default:
      return ''
  }
}
