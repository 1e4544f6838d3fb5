/**
 * The Extensible Authentication Protocol (RFC 3748), both sides, as far as pppd has it without certificates: Identity,
 * Notification, Nak and MD5-Challenge. Made by `methods.ts`, run by `authentication.ts`.
 */

import { concat, equalBytes, printable } from '../../base/bytes.ts'
import { RateLimit } from '../control/rate-limit.ts'
import { type ControlPacket, controlBytes } from '../wire/packets.ts'
import { EAP } from '../wire/protocols.ts'
import { parseValue, valueBytes } from './chap.ts'
import { CHAP_MD5 } from './chap-algorithm.ts'
import { authLimits } from './limits.ts'
import type { AuthHost, AuthMachine } from './method.ts'
import { admits, fromUtf8, loginSecret, utf8 } from './secrets.ts'

const REQUEST = 1
const RESPONSE = 2
const SUCCESS = 3
const FAILURE = 4

/** RFC 3748 §5. */
const IDENTITY = 1
const NOTIFICATION = 2
const NAK = 3
const MD5_CHALLENGE = 4

const ALARM = 'EAP request'
const NOTHING = new Uint8Array(0)
/** What an Identity request asks for, in words that may be shown to a person (§5.1). */
const PROMPT = 'Name'

function typed(code: number, id: number, type: number, data: Uint8Array): Uint8Array {
  return controlBytes(code, id, concat([Uint8Array.of(type), data]))
}

/** The repeating is all the peer's (§4.1); a verdict is never repeated, so what comes after it stands for a lost one. */
export class EapClient implements AuthMachine {
  readonly #host: AuthHost
  readonly #replies = new RateLimit(10, 5)
  /** The last request that we answered, and the answer. */
  #last: { readonly id: number; readonly request: Uint8Array; readonly response: Uint8Array } | undefined
  #hasProven = false
  #hasPassed = false

  constructor(host: AuthHost) {
    this.#host = host
  }

  start(): void {}

  stop(): void {}

  receive(packet: ControlPacket): void {
    if (packet.code === REQUEST) this.#answer(packet)
    else if (packet.code === SUCCESS) this.#succeeded(packet)
    else if (packet.code === FAILURE) this.#failed()
  }

  wentOn(): void {
    if (this.#hasProven) this.#pass()
  }

  /** A repeated request gets its answer again, without another look (§4.1). */
  #answer({ id, data }: ControlPacket): void {
    if (!this.#replies.allows(this.#host.alarms.nowMs)) {
      this.#host.dropped('flood')
      return
    }
    const isRepeated = this.#last?.id === id && equalBytes(this.#last.request, data)
    const response = isRepeated ? this.#last?.response : this.#responseTo(id, data)
    if (!response) return
    this.#last = { id, request: data.slice(), response }
    this.#host.send(EAP, response)
  }

  #responseTo(id: number, data: Uint8Array): Uint8Array | undefined {
    const [type] = data
    switch (type) {
      case undefined:
      case 0:
        this.#host.dropped('malformed')
        return undefined
      case IDENTITY:
        return typed(RESPONSE, id, IDENTITY, utf8(this.#host.settings.user))
      case NOTIFICATION:
        return typed(RESPONSE, id, NOTIFICATION, NOTHING)
      case NAK:
        this.#host.dropped('unexpected')
        return undefined
      case MD5_CHALLENGE:
        return this.#prove(id, data.subarray(1))
      default:
        return typed(RESPONSE, id, NAK, Uint8Array.of(MD5_CHALLENGE))
    }
  }

  #prove(id: number, data: Uint8Array): Uint8Array | undefined {
    const challenge = parseValue(data)
    if (!challenge) {
      this.#host.dropped('malformed')
      return undefined
    }
    if (this.#host.isOwnChallenge(challenge.value)) {
      this.#host.dropped('unexpected')
      return undefined
    }
    const { settings, random } = this.#host
    const challenger = fromUtf8(challenge.name)
    const secret = loginSecret(settings, challenger)
    if (secret === undefined) {
      this.#host.refused(`no secret for an EAP log-in at "${printable(challenger)}"`)
      return undefined
    }
    this.#hasProven = true
    const exchange = { id, challenge: challenge.value, name: utf8(settings.user), secret }
    return typed(RESPONSE, id, MD5_CHALLENGE, valueBytes(CHAP_MD5.respond(exchange, random), settings.user))
  }

  /** Its identifier is that of the response it is about (§4.2); who asked for nothing cannot have been satisfied. */
  #succeeded({ id }: ControlPacket): void {
    if (!this.#hasProven || id !== this.#last?.id) {
      this.#host.dropped('unexpected')
      return
    }
    this.#pass()
  }

  #pass(): void {
    if (this.#hasPassed) return
    this.#hasPassed = true
    this.#host.passed()
  }

  /** Whatever its identifier, against §4.2: pppd counts on by one or two, and a peer that wants us out gets its way in any case. */
  #failed(): void {
    if (!this.#last) {
      this.#host.dropped('unexpected')
      return
    }
    this.#host.refused(`the peer refused the EAP log-in of "${printable(this.#host.settings.user)}"`)
  }
}

/** Asks for a name, then for its proof by MD5; later, where the settings say so, for the proof again. */
export class EapExaminer implements AuthMachine {
  challenge: Uint8Array | undefined
  readonly #host: AuthHost
  readonly #replies = new RateLimit(10, 5)
  #id: number
  #asked: typeof IDENTITY | typeof MD5_CHALLENGE = IDENTITY
  #request: Uint8Array = NOTHING
  #requestsSent = 0
  #identity: Uint8Array = NOTHING
  #verdict: Uint8Array | undefined
  /** Whom the first verdict let in. */
  #peerName: string | undefined

  constructor(host: AuthHost) {
    this.#host = host
    this.#id = host.random.bytes(1)[0]!
  }

  start(): void {
    this.#ask(IDENTITY, utf8(PROMPT))
  }

  stop(): void {
    this.#host.alarms.cancel(ALARM)
  }

  receive({ code, id, data }: ControlPacket): void {
    if (code !== RESPONSE) return
    const [type] = data
    if (type === undefined) {
      this.#host.dropped('malformed')
      return
    }
    if (id !== this.#id) {
      this.#host.dropped('unexpected')
      return
    }
    if (!this.#replies.allows(this.#host.alarms.nowMs)) {
      this.#host.dropped('flood')
      return
    }
    if (this.#verdict) this.#host.send(EAP, this.#verdict)
    else if (type === this.#asked) this.#take(data.subarray(1))
    else if (type === NAK && this.#asked === MD5_CHALLENGE) this.#refusedMd5(data.subarray(1))
    else this.#host.dropped('unexpected')
  }

  #take(data: Uint8Array): void {
    if (this.#asked === MD5_CHALLENGE) {
      this.#judge(data)
      return
    }
    this.#identity = data.slice()
    this.#challenge()
  }

  #challenge(): void {
    this.challenge = this.#host.random.bytes(CHAP_MD5.challengeBytes)
    const { ownName, user } = this.#host.settings
    this.#ask(MD5_CHALLENGE, valueBytes(this.challenge, ownName ?? user))
  }

  #ask(type: typeof IDENTITY | typeof MD5_CHALLENGE, data: Uint8Array): void {
    this.#id = (this.#id + 1) & 0xff
    this.#asked = type
    this.#request = typed(REQUEST, this.#id, type, data)
    this.#requestsSent = 0
    this.#verdict = undefined
    this.#send()
  }

  /** Repeated under the same identifier (§4.1). */
  #send(): void {
    const { settings, alarms } = this.#host
    const { restartMs, maxRequests } = authLimits(settings, 'eap')
    if (this.#requestsSent >= maxRequests) {
      this.#host.unanswered(`no answer to ${this.#requestsSent} EAP requests`)
      return
    }
    this.#requestsSent++
    this.#host.send(EAP, this.#request)
    alarms.set(ALARM, restartMs, () => this.#send())
  }

  /** The name in the proof counts; an Identity proves nothing (§5.1), and only stands in for a proof without a name. */
  #judge(data: Uint8Array): void {
    const response = parseValue(data)
    if (!response) {
      this.#host.dropped('malformed')
      return
    }
    const nameBytes = response.name.length > 0 ? response.name : this.#identity
    const name = fromUtf8(nameBytes)
    const exchange = { id: this.#id, challenge: this.challenge!, name: nameBytes }
    const isAdmitted = admits(this.#host.settings, name, (secret) =>
      CHAP_MD5.isRight({ ...exchange, secret }, response.value),
    )
    if (!isAdmitted) this.#refuse(`the EAP log-in of "${printable(name)}" has a wrong name or password`)
    else if (this.#peerName !== undefined && this.#peerName !== name)
      this.#refuse(
        `the EAP log-in of "${printable(name)}" comes from a peer that logged in as "${printable(this.#peerName)}"`,
      )
    else this.#passed(name)
  }

  #passed(name: string): void {
    const { settings, alarms } = this.#host
    this.#conclude(SUCCESS)
    const { rechallengeMs } = authLimits(settings, 'eap')
    if (rechallengeMs > 0) alarms.set(ALARM, rechallengeMs, () => this.#challenge())
    if (this.#peerName !== undefined) return
    this.#peerName = name
    this.#host.passed(name)
  }

  #refusedMd5([wanted]: Uint8Array): void {
    const wish = wanted ? `asks for EAP type ${wanted}` : 'names no other'
    this.#refuse(`the peer refuses to log in by EAP's MD5-Challenge and ${wish} (Nak)`)
  }

  #refuse(detail: string): void {
    this.#conclude(FAILURE)
    this.#host.refused(detail)
  }

  #conclude(code: typeof SUCCESS | typeof FAILURE): void {
    this.stop()
    this.#verdict = controlBytes(code, this.#id, NOTHING)
    this.#host.send(EAP, this.#verdict)
  }
}
