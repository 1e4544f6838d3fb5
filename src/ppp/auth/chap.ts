/**
 * The Challenge Handshake Authentication Protocol (RFC 1994), both sides. The algorithm is data, so that MS-CHAP can be
 * another one. Made by `methods.ts`, run by `session.ts`.
 */

import { createHash } from 'node:crypto'
import { ByteReader, ByteWriter, concat, printable } from '../../base/bytes.ts'
import { RateLimit } from '../control/rate-limit.ts'
import { type ControlPacket, controlBytes } from '../wire/packets.ts'
import { CHAP } from '../wire/protocols.ts'
import type { AuthHost, AuthMachine } from './method.ts'
import { fromUtf8, inWords, sameSecret, utf8 } from './secrets.ts'

export interface ChapAlgorithm {
  /** As it stands in LCP's option. */
  readonly number: number
  readonly challengeBytes: number
  respond(id: number, secret: Uint8Array, challenge: Uint8Array): Uint8Array
}

/** The identifier is the first octet hashed (RFC 1994 §4.1). */
export const CHAP_MD5: ChapAlgorithm = {
  number: 5,
  challengeBytes: 16,
  respond: (id, secret, challenge) =>
    createHash('md5')
      .update(concat([Uint8Array.of(id), secret, challenge]))
      .digest(),
}

const CHALLENGE = 1
const RESPONSE = 2
const SUCCESS = 3
const FAILURE = 4
const CHALLENGE_ALARM = 'CHAP challenge'
const RESPONSE_ALARM = 'CHAP response'

interface ValueAndName {
  readonly value: Uint8Array
  readonly name: Uint8Array
}

function parseValue(data: Uint8Array): ValueAndName | undefined {
  const reader = new ByteReader(data)
  const value = reader.take(reader.u8() || -1)
  return value && { value, name: reader.rest() }
}

function valueBytes(value: Uint8Array, name: string): Uint8Array {
  return new ByteWriter().u8(value.length).bytes(value).bytes(utf8(name)).done()
}

/**
 * Answers every challenge, repeated and later ones too; the wait for the first is the session's. A response is repeated until
 * its verdict comes: the Success may have been lost, and nobody sends it unasked (RFC 1994 §4.2).
 */
export class ChapClient implements AuthMachine {
  readonly #host: AuthHost
  readonly #algorithm: ChapAlgorithm
  readonly #replies = new RateLimit(10, 5)
  /** The identifier of our last response, while its verdict is out. */
  #openId: number | undefined
  #hasPassed = false

  constructor(host: AuthHost, algorithm: ChapAlgorithm) {
    this.#host = host
    this.#algorithm = algorithm
  }

  start(): void {}

  stop(): void {
    this.#openId = undefined
    this.#host.alarms.cancel(RESPONSE_ALARM)
  }

  receive(packet: ControlPacket): void {
    if (packet.code === CHALLENGE) this.#answer(packet)
    else if (packet.code === SUCCESS || packet.code === FAILURE) this.#verdict(packet)
  }

  #answer({ id, data }: ControlPacket): void {
    const challenge = parseValue(data)
    if (!challenge) {
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
    const { user, password } = this.#host.settings
    const response = this.#algorithm.respond(id, utf8(password), challenge.value)
    this.#openId = id
    this.#send(controlBytes(RESPONSE, id, valueBytes(response, user)), 1)
  }

  #send(response: Uint8Array, times: number): void {
    const { settings, alarms } = this.#host
    if (times > settings.maxConfigure) {
      this.#host.unanswered(`no verdict on ${times - 1} CHAP responses`)
      return
    }
    this.#host.send(CHAP, response)
    alarms.set(RESPONSE_ALARM, settings.restartMs, () => this.#send(response, times + 1))
  }

  /** A Success that no response of ours earned does not count. */
  #verdict({ code, id, data }: ControlPacket): void {
    if (id !== this.#openId) {
      this.#host.dropped('unexpected')
      return
    }
    this.stop()
    if (code === FAILURE) {
      const { user } = this.#host.settings
      this.#host.refused(`the peer refused the CHAP log-in of "${printable(user)}" ${inWords(data)}`)
      return
    }
    if (this.#hasPassed) return
    this.#hasPassed = true
    this.#host.passed()
  }
}

/** Sends a random challenge until there is a response, and gives a repeated response the same verdict. */
export class ChapExaminer implements AuthMachine {
  readonly challenge: Uint8Array
  readonly #host: AuthHost
  readonly #algorithm: ChapAlgorithm
  readonly #replies = new RateLimit(10, 5)
  readonly #id: number
  #challengesSent = 0
  #verdict: Uint8Array | undefined

  constructor(host: AuthHost, algorithm: ChapAlgorithm) {
    this.#host = host
    this.#algorithm = algorithm
    this.challenge = host.random.bytes(algorithm.challengeBytes)
    this.#id = host.random.bytes(1)[0]!
  }

  start(): void {
    const { settings, alarms } = this.#host
    if (this.#challengesSent >= settings.maxConfigure) {
      this.#host.unanswered(`no answer to ${this.#challengesSent} CHAP challenges`)
      return
    }
    this.#challengesSent++
    this.#host.send(CHAP, controlBytes(CHALLENGE, this.#id, valueBytes(this.challenge, settings.user)))
    alarms.set(CHALLENGE_ALARM, settings.restartMs, () => this.start())
  }

  stop(): void {
    this.#host.alarms.cancel(CHALLENGE_ALARM)
  }

  receive({ code, id, data }: ControlPacket): void {
    if (code !== RESPONSE) return
    const response = parseValue(data)
    if (!response) {
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
    if (this.#verdict) this.#host.send(CHAP, this.#verdict)
    else this.#judge(response)
  }

  #judge(response: ValueAndName): void {
    this.stop()
    const name = fromUtf8(response.name)
    const secret = this.#host.settings.secretOf?.(name)
    const isRight =
      secret !== undefined &&
      sameSecret(this.#algorithm.respond(this.#id, utf8(secret), this.challenge), response.value)
    const text = utf8(isRight ? 'Access granted' : 'Access denied')
    this.#verdict = controlBytes(isRight ? SUCCESS : FAILURE, this.#id, text)
    this.#host.send(CHAP, this.#verdict)
    if (isRight) this.#host.passed(name)
    else this.#host.refused(`the CHAP log-in of "${printable(name)}" has a wrong name or password`)
  }
}
