/**
 * The option negotiation automaton of RFC 1661 §4, run by the table in `table.ts`. One for each control protocol; `session.ts`
 * owns them. What the RFC leaves open is bounded here: a peer that naks, refuses or renegotiates for ever, and floods.
 */

import { equalBytes, fromLatin1, latin1, printable } from '../../base/bytes.ts'
import type { Failure } from '../../base/cause.ts'
import {
  CODE,
  type ControlPacket,
  controlBytes,
  HEADER_BYTES,
  optionBytes,
  parseControl,
  parseOptions,
} from '../wire/packets.ts'
import type { Alarms } from './alarms.ts'
import { type Answer, answerTo, isPartOf } from './answer.ts'
import { NakPace } from './nak-pace.ts'
import { type ReplyKind, ReplyLimits } from './rate-limit.ts'
import type { AutomatonHost, AutomatonLimits, ControlRules } from './rules.ts'
import { type Action, type AutomatonEvent, isAtRest, isNegotiating, type State, transition } from './table.ts'

/** After a Terminate-Ack: time for it to leave. The RFC's whole restart period would only delay the next call. */
const LINGER_MS = 250
const MIN_NEGOTIATION_MS = 40_000
const STABLE_MS = 10_000
const MAX_RENEGOTIATIONS = 10

interface Context {
  /** What we answer to. */
  readonly packet?: ControlPacket
  readonly answer?: Answer
  readonly reply?: { readonly replyCode: number; readonly data: Uint8Array }
  readonly failure?: Failure
}

export class Automaton {
  readonly #rules: ControlRules
  readonly #limits: AutomatonLimits
  readonly #alarms: Alarms
  readonly #host: AutomatonHost
  readonly #replyLimits = new ReplyLimits()
  #state: State = 'Initial'
  #restartCount = 0
  #lastId = 0
  /** Our last Configure-Request. */
  #sent: { readonly id: number; readonly bytes: Uint8Array; answered: boolean } | undefined
  #terminateId: number | undefined
  /** Why the layer will finish, where it is the automaton that knows. */
  #failureSeen: Failure | undefined
  #closeText = ''
  #requestsSent = 0
  #packetsReceived = 0
  #naksTaken = 0
  readonly #pace = new NakPace()
  #naksSent = 0
  #refusalsSent = 0
  #openedAtMs = 0
  #renegotiations = 0

  constructor(rules: ControlRules, limits: AutomatonLimits, alarms: Alarms, host: AutomatonHost) {
    this.#rules = rules
    this.#limits = limits
    this.#alarms = alarms
    this.#host = host
  }

  get state(): State {
    return this.#state
  }

  /** `silent`: wait for the peer's first packet, as pppd's option of that name does. */
  up(silent = false): void {
    if (silent && this.#state === 'Starting') this.#state = 'Stopped'
    else this.#apply('Up')
  }

  down(): void {
    this.#apply('Down')
  }

  open(): void {
    this.#apply('Open')
  }

  /** Open in Opened with the restart option (RFC 1661 §4.3, mark r): down and up again. */
  restart(): void {
    this.#apply('Down')
    this.#apply('Up')
  }

  /** `text` goes into the Terminate-Request. */
  close(text: string): void {
    this.#closeText = text
    this.#apply('Close')
  }

  /** The peer answered this protocol with a Protocol-Reject. */
  protocolRejected(): void {
    this.#apply('RXJ-', { failure: this.#failure(`the peer does not speak ${this.#rules.name} (Protocol-Reject)`) })
  }

  /** A fresh identifier, for packets of this protocol that are sent around the automaton. */
  nextId(): number {
    this.#lastId = (this.#lastId + 1) & 0xff
    return this.#lastId
  }

  receive(info: Uint8Array): void {
    if (this.#state === 'Initial' || this.#state === 'Starting') {
      this.#host.dropped('unexpected')
      return
    }
    const packet = parseControl(info)
    if (!packet) {
      this.#host.dropped('malformed')
      return
    }
    this.#packetsReceived++
    this.#take(packet)
    if (this.#rules.objection) this.#host.gaveUp(this.#rules.objection)
  }

  #take(packet: ControlPacket): void {
    switch (packet.code) {
      case CODE.configureRequest:
        this.#configureRequest(packet)
        break
      case CODE.configureAck:
        this.#configureAck(packet)
        break
      case CODE.configureNak:
      case CODE.configureReject:
        this.#configureNak(packet)
        break
      case CODE.terminateRequest:
        if (!this.#allows('terminate')) break
        this.#host.terminateRequested(printable(fromLatin1(packet.data)), this.#state === 'Opened')
        this.#apply('RTR', { packet })
        break
      case CODE.terminateAck:
        this.#apply('RTA')
        break
      case CODE.codeReject:
        this.#codeReject(packet)
        break
      default:
        this.#extraCode(packet)
    }
  }

  #configureRequest(packet: ControlPacket): void {
    const options = parseOptions(packet.data)
    if (!options) {
      this.#host.dropped('malformed')
      return
    }
    if (!this.#allows('negotiation')) return
    if (this.#state === 'Closed' || this.#state === 'Closing' || this.#state === 'Stopping') {
      this.#apply('RCR+', { packet })
      return
    }
    const maxBytes = this.#host.peerMruBytes() - HEADER_BYTES
    const answer = answerTo(options, this.#rules, this.#naksSent < this.#limits.maxFailure, maxBytes)
    if (this.#rules.objection) return
    const isAck = answer.code === CODE.configureAck
    if (!isAck && this.#refusalsSent >= 4 * this.#limits.maxFailure + 10) {
      this.#host.gaveUp(this.#failure(`the peer keeps asking for what was refused ${this.#refusalsSent} times`))
      return
    }
    this.#apply(isAck ? 'RCR+' : 'RCR-', { packet, answer })
  }

  #configureAck(packet: ControlPacket): void {
    if (!this.#answersOurs(packet) || !equalBytes(packet.data, this.#sent!.bytes)) {
      this.#host.dropped('unexpected')
      return
    }
    this.#sent!.answered = true
    if (isNegotiating(this.#state)) this.#rules.acked()
    if (!this.#rules.objection) this.#apply('RCA', { packet })
  }

  #configureNak(packet: ControlPacket): void {
    const options = parseOptions(packet.data)
    if (!options) {
      this.#host.dropped('malformed')
      return
    }
    const isReject = packet.code === CODE.configureReject
    if (!this.#answersOurs(packet) || (isReject && !isPartOf(options, parseOptions(this.#sent!.bytes)!))) {
      this.#host.dropped('unexpected')
      return
    }
    if (!this.#allows('negotiation')) return
    this.#sent!.answered = true
    if (isNegotiating(this.#state)) {
      for (const option of options) {
        if (isReject) this.#rules.rejected(option)
        else this.#rules.naked(option)
      }
      if (this.#rules.objection) return
      if (++this.#naksTaken > this.#rules.maxNaksTaken) {
        this.#host.gaveUp(this.#failure(`the peer refused ${this.#naksTaken} Configure-Requests`))
        return
      }
    }
    this.#apply('RCN', { packet })
  }

  /** An answer counts once, and only for the last request. */
  #answersOurs(packet: ControlPacket): boolean {
    return this.#sent !== undefined && !this.#sent.answered && packet.id === this.#sent.id
  }

  #codeReject(packet: ControlPacket): void {
    const code = packet.data[0]
    if (code === undefined) {
      this.#host.dropped('malformed')
      return
    }
    if (code >= CODE.configureRequest && code <= CODE.codeReject) {
      this.#apply('RXJ-', { failure: this.#failure(`the peer does not know code ${code} (Code-Reject)`) })
      return
    }
    this.#rules.codeRejected(code)
    this.#apply('RXJ+')
  }

  #extraCode(packet: ControlPacket): void {
    const reply = this.#rules.extraCode(packet, this.#state === 'Opened')
    if (reply === 'ignored') return
    if (reply === 'unknown') {
      if (this.#allows('reject')) this.#apply('RUC', { packet })
    } else if (this.#allows('echo')) {
      this.#apply('RXR', { packet, reply })
    }
  }

  #allows(kind: ReplyKind): boolean {
    if (this.#replyLimits.allows(kind, this.#alarms.nowMs)) return true
    this.#host.dropped('flood')
    return false
  }

  #timeout(): void {
    if (this.#restartCount > 0) {
      this.#apply('TO+')
      return
    }
    const evidence =
      this.#packetsReceived === 0
        ? `no reply to ${this.#requestsSent} Configure-Requests`
        : `no agreement after ${this.#requestsSent} Configure-Requests (${this.#state})`
    this.#apply('TO-', isNegotiating(this.#state) ? { failure: this.#failure(evidence) } : {})
  }

  #apply(event: AutomatonEvent, context: Context = {}): void {
    const from = this.#state
    const cell = transition(event, from)
    if (!cell) return
    if (cell.actions.includes('tld') && cell.actions.includes('scr') && !this.#mayRenegotiate()) return
    this.#state = cell.next
    if (context.failure) this.#failureSeen = context.failure
    if (!isNegotiating(cell.next)) this.#alarms.cancel(this.#negotiationAlarm)
    if (cell.next === 'Opened' || isAtRest(cell.next)) this.#alarms.cancel(this.#restartAlarm)
    for (const action of cell.actions) this.#act(action, event, from, cell.actions, context)
  }

  #act(action: Action, event: AutomatonEvent, from: State, all: readonly Action[], context: Context): void {
    switch (action) {
      case 'tlu':
        this.#openedAtMs = this.#alarms.nowMs
        this.#host.layerUp()
        break
      case 'tld':
        this.#host.layerDown()
        break
      case 'tls':
        break
      case 'tlf':
        if (this.#host.isPassive && event === 'TO-' && isNegotiating(from)) break
        this.#host.layerFinished(this.#failureSeen)
        break
      case 'irc':
        this.#restartCount = all.includes('str') ? this.#limits.maxTerminate : this.#limits.maxConfigure
        break
      case 'zrc':
        this.#restartCount = 0
        this.#arm(LINGER_MS)
        break
      case 'scr':
        this.#sendRequest(event, from)
        break
      case 'sca':
      case 'scn':
        this.#sendAnswer(context)
        break
      case 'str':
        this.#sendTerminate(event)
        break
      case 'sta':
        this.#send(CODE.terminateAck, context.packet!.id, new Uint8Array(0))
        break
      case 'scj':
        this.#sendCodeReject(context.packet!)
        break
      case 'ser':
        this.#send(context.reply!.replyCode, context.packet!.id, context.reply!.data)
    }
  }

  #sendRequest(event: AutomatonEvent, from: State): void {
    if (!isNegotiating(from)) this.#begin()
    const bytes = optionBytes(this.#rules.request())
    const isUnchanged = this.#sent !== undefined && equalBytes(this.#sent.bytes, bytes)
    if (event === 'RCN') {
      const paceMs = this.#pace.afterNak(isUnchanged)
      if (paceMs > 0) {
        this.#arm(paceMs)
        return
      }
    }
    const id = isUnchanged && !this.#sent!.answered ? this.#sent!.id : this.nextId()
    this.#sent = { id, bytes, answered: false }
    this.#requestsSent++
    this.#restartCount--
    this.#send(CODE.configureRequest, id, bytes)
    this.#arm(this.#limits.restartMs)
  }

  #begin(): void {
    this.#rules.begin()
    this.#sent = undefined
    this.#terminateId = undefined
    this.#failureSeen = undefined
    this.#requestsSent = 0
    this.#naksTaken = 0
    this.#pace.reset()
    this.#naksSent = 0
    this.#refusalsSent = 0
    const { maxConfigure, restartMs } = this.#limits
    const limitMs = Math.max(MIN_NEGOTIATION_MS, 2 * maxConfigure * restartMs)
    this.#alarms.set(this.#negotiationAlarm, limitMs, () => {
      this.#host.gaveUp(this.#failure(`no agreement within ${limitMs / 1000} s (${this.#state})`))
    })
  }

  #sendAnswer({ packet, answer }: Context): void {
    const { code, options } = answer!
    if (code === CODE.configureAck) this.#rules.accepted(options)
    else this.#refusalsSent++
    if (code === CODE.configureNak) this.#naksSent++
    this.#send(code, packet!.id, code === CODE.configureAck ? packet!.data : optionBytes(options))
  }

  #sendTerminate(event: AutomatonEvent): void {
    if (event !== 'TO+' || this.#terminateId === undefined) this.#terminateId = this.nextId()
    this.#restartCount--
    this.#send(CODE.terminateRequest, this.#terminateId, latin1(this.#closeText))
    this.#arm(this.#limits.restartMs)
  }

  #sendCodeReject({ code, id, data }: ControlPacket): void {
    const rejected = controlBytes(code, id, data)
    this.#send(CODE.codeReject, this.nextId(), rejected.subarray(0, this.#host.peerMruBytes() - HEADER_BYTES))
  }

  #send(code: number, id: number, data: Uint8Array): void {
    this.#host.send(this.#rules.protocol, controlBytes(code, id, data))
  }

  /** A peer that tears an opened layer down again and again would keep both ends busy for ever. */
  #mayRenegotiate(): boolean {
    const isStable = this.#alarms.nowMs - this.#openedAtMs >= STABLE_MS
    this.#renegotiations = isStable ? 1 : this.#renegotiations + 1
    if (this.#renegotiations <= MAX_RENEGOTIATIONS) return true
    this.#host.gaveUp(this.#failure(`the peer renegotiated ${this.#renegotiations} times without a stable link`))
    return false
  }

  #arm(delayMs: number): void {
    this.#alarms.set(this.#restartAlarm, delayMs, () => this.#timeout())
  }

  #failure(detail: string): Failure {
    return { cause: this.#rules.cause, detail: `${this.#rules.name}: ${detail}` }
  }

  get #restartAlarm(): string {
    return `${this.#rules.name} restart`
  }

  get #negotiationAlarm(): string {
    return `${this.#rules.name} negotiation`
  }
}
