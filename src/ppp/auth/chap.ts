/**
 * The Challenge Handshake Authentication Protocol (RFC 1994), both sides, for every algorithm (`chap-algorithm.ts`). Made by
 * `methods.ts`, run by `authentication.ts`.
 */

import { ByteReader, ByteWriter, equalBytes, printable } from '../../base/bytes.ts'
import { RateLimit } from '../control/rate-limit.ts'
import { type ControlPacket, controlBytes } from '../wire/packets.ts'
import { CHAP } from '../wire/protocols.ts'
import type { ChapAlgorithm, ChapExchange } from './chap-algorithm.ts'
import { authLimits } from './limits.ts'
import type { AuthHost, AuthMachine } from './method.ts'
import { admits, fromUtf8, loginSecret, utf8 } from './secrets.ts'

const CHALLENGE = 1
const RESPONSE = 2
const SUCCESS = 3
const FAILURE = 4
const CHALLENGE_ALARM = 'CHAP challenge'
const RESPONSE_ALARM = 'CHAP response'

export interface ValueAndName {
  readonly value: Uint8Array
  readonly name: Uint8Array
}

/** Value-Size, Value, Name: the data of a Challenge and of a Response, here and in EAP (RFC 3748 §5.4). */
export function parseValue(data: Uint8Array): ValueAndName | undefined {
  const reader = new ByteReader(data)
  const value = reader.take(reader.u8() || -1)
  return value && { value, name: reader.rest() }
}

export function valueBytes(value: Uint8Array, name: string): Uint8Array {
  return new ByteWriter().u8(value.length).bytes(value).bytes(utf8(name)).done()
}

interface Answered {
  readonly exchange: ChapExchange
  readonly response: Uint8Array
}

/**
 * Answers every challenge, repeated and later ones too; the wait for the first is the session's. A response is repeated until
 * its verdict comes: the Success may have been lost, and nobody sends it unasked (RFC 1994 §4.2).
 */
export class ChapClient implements AuthMachine {
  readonly #host: AuthHost
  readonly #algorithm: ChapAlgorithm
  readonly #replies = new RateLimit(10, 5)
  #answered: Answered | undefined
  #isVerdictOut = false
  #hasPassed = false

  constructor(host: AuthHost, algorithm: ChapAlgorithm) {
    this.#host = host
    this.#algorithm = algorithm
  }

  start(): void {}

  stop(): void {
    this.#isVerdictOut = false
    this.#host.alarms.cancel(RESPONSE_ALARM)
  }

  receive(packet: ControlPacket): void {
    if (packet.code === CHALLENGE) this.#answer(packet)
    else if (packet.code === SUCCESS || packet.code === FAILURE) this.#verdict(packet)
  }

  #answer({ id, data }: ControlPacket): void {
    const challenge = parseValue(data)
    if (!challenge || !this.#algorithm.takesChallenge(challenge.value.length)) {
      this.#host.dropped('malformed')
      return
    }
    if (this.#host.isOwnChallenge(challenge.value)) {
      this.#host.dropped('unexpected')
      return
    }
    if (!this.#replies.allows(this.#host.alarms.nowMs)) {
      this.#host.dropped('flood')
      return
    }
    const challenger = fromUtf8(challenge.name)
    const secret = loginSecret(this.#host.settings, challenger)
    if (secret === undefined) {
      this.stop()
      this.#host.refused(`no secret for a ${this.#algorithm.label} log-in at "${printable(challenger)}"`)
      return
    }
    const { settings, random } = this.#host
    const exchange = { id, challenge: challenge.value, name: utf8(settings.user), secret }
    if (!this.#isRepeated(exchange)) this.#answered = { exchange, response: this.#algorithm.respond(exchange, random) }
    this.#isVerdictOut = true
    this.#send(1)
  }

  /** A second, different answer to one challenge would make the verdict on the first one wrong. */
  #isRepeated({ id, challenge }: ChapExchange): boolean {
    const last = this.#answered?.exchange
    return last !== undefined && last.id === id && equalBytes(last.challenge, challenge)
  }

  /** Once in, a verdict that never comes is the peer's affair: it asks again if it wants to know. */
  #send(times: number): void {
    const { exchange, response } = this.#answered!
    const { settings, alarms } = this.#host
    const { restartMs, maxRequests } = authLimits(settings, 'chap')
    if (times > maxRequests) {
      if (!this.#hasPassed) this.#host.unanswered(`no verdict on ${times - 1} ${this.#algorithm.label} responses`)
      return
    }
    this.#host.send(CHAP, controlBytes(RESPONSE, exchange.id, valueBytes(response, settings.user)))
    alarms.set(RESPONSE_ALARM, restartMs, () => this.#send(times + 1))
  }

  /** A Success that no response of ours earned does not count. */
  #verdict({ code, id, data }: ControlPacket): void {
    const answered = this.#answered
    if (!answered || !this.#isVerdictOut || id !== answered.exchange.id) {
      this.#host.dropped('unexpected')
      return
    }
    this.stop()
    const { label } = this.#algorithm
    if (code === FAILURE) {
      const user = printable(this.#host.settings.user)
      this.#host.refused(`the peer refused the ${label} log-in of "${user}" ${this.#algorithm.reasonIn(data)}`)
      return
    }
    if (!this.#algorithm.isProof(answered.exchange, answered.response, data)) {
      this.#host.refused(`the peer accepts our ${label} log-in, but does not prove that it knows the password too`)
      return
    }
    if (this.#hasPassed) return
    this.#hasPassed = true
    this.#host.passed()
  }
}

/**
 * Sends a random challenge until there is a response, gives a repeated response the same verdict, and, where the settings say
 * so, challenges the peer anew again and again.
 */
export class ChapExaminer implements AuthMachine {
  challenge: Uint8Array | undefined
  readonly #host: AuthHost
  readonly #algorithm: ChapAlgorithm
  readonly #replies = new RateLimit(10, 5)
  #id: number
  #challengesSent = 0
  #verdict: Uint8Array | undefined
  /** Whom the first verdict let in. */
  #peerName: string | undefined

  constructor(host: AuthHost, algorithm: ChapAlgorithm) {
    this.#host = host
    this.#algorithm = algorithm
    this.#id = host.random.bytes(1)[0]!
  }

  start(): void {
    this.#id = (this.#id + 1) & 0xff
    this.challenge = this.#host.random.bytes(this.#algorithm.challengeBytes)
    this.#challengesSent = 0
    this.#verdict = undefined
    this.#ask(this.challenge)
  }

  stop(): void {
    this.#host.alarms.cancel(CHALLENGE_ALARM)
  }

  receive(packet: ControlPacket): void {
    const isResponse = packet.code === RESPONSE
    if (!isResponse && !this.#algorithm.passwordChangeCodes.includes(packet.code)) return
    if (!this.#replies.allows(this.#host.alarms.nowMs)) {
      this.#host.dropped('flood')
      return
    }
    if (isResponse) this.#respond(packet)
    else this.#refusePasswordChange(packet)
  }

  #ask(challenge: Uint8Array): void {
    const { settings, alarms } = this.#host
    const { restartMs, maxRequests } = authLimits(settings, 'chap')
    if (this.#challengesSent >= maxRequests) {
      this.#host.unanswered(`no answer to ${this.#challengesSent} ${this.#algorithm.label} challenges`)
      return
    }
    this.#challengesSent++
    this.#host.send(CHAP, controlBytes(CHALLENGE, this.#id, valueBytes(challenge, settings.ownName ?? settings.user)))
    alarms.set(CHALLENGE_ALARM, restartMs, () => this.#ask(challenge))
  }

  #respond({ id, data }: ControlPacket): void {
    const response = parseValue(data)
    if (!response) {
      this.#host.dropped('malformed')
      return
    }
    if (id !== this.#id || !this.challenge) {
      this.#host.dropped('unexpected')
      return
    }
    if (this.#verdict) this.#host.send(CHAP, this.#verdict)
    else this.#judge(response, this.challenge)
  }

  #judge({ name: nameBytes, value }: ValueAndName, challenge: Uint8Array): void {
    this.stop()
    const name = fromUtf8(nameBytes)
    const { label } = this.#algorithm
    let exchange: ChapExchange = { id: this.#id, challenge, name: nameBytes, secret: '' }
    const isAdmitted = admits(this.#host.settings, name, (secret) => {
      exchange = { ...exchange, secret }
      return this.#algorithm.isRight(exchange, value)
    })
    const isSame = this.#peerName === undefined || this.#peerName === name
    if (isAdmitted && isSame) {
      this.#conclude(SUCCESS, this.#algorithm.successText(exchange, value))
      this.#passed(name)
      return
    }
    this.#conclude(FAILURE, this.#algorithm.failureText(challenge, 'refused'))
    const fault = isSame
      ? 'has a wrong name or password'
      : `comes from a peer that logged in as "${printable(this.#peerName!)}"`
    this.#host.refused(`the ${label} log-in of "${printable(name)}" ${fault}`)
  }

  #passed(name: string): void {
    const { settings, alarms } = this.#host
    const { rechallengeMs } = authLimits(settings, 'chap')
    if (rechallengeMs > 0) alarms.set(CHALLENGE_ALARM, rechallengeMs, () => this.start())
    if (this.#peerName !== undefined) return
    this.#peerName = name
    this.#host.passed(name)
  }

  #conclude(code: number, text: string): void {
    this.#verdict = controlBytes(code, this.#id, utf8(text))
    this.#host.send(CHAP, this.#verdict)
  }

  /** RFC 2759 §7 and RFC 2433 §8: a peer may ask so after E=648 only, which we never say. */
  #refusePasswordChange({ id }: ControlPacket): void {
    if (this.#verdict || !this.challenge) {
      this.#host.dropped('unexpected')
      return
    }
    this.stop()
    this.#verdict = controlBytes(FAILURE, id, utf8(this.#algorithm.failureText(this.challenge, 'no password change')))
    this.#host.send(CHAP, this.#verdict)
    this.#host.refused(`the peer wants to change its password instead of a ${this.#algorithm.label} log-in`)
  }
}
