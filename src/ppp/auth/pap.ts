/** The Password Authentication Protocol (RFC 1334 §2), both sides. Made by `methods.ts`, run by `session.ts`. */

import { ByteReader, ByteWriter, printable } from '../../base/bytes.ts'
import { RateLimit } from '../control/rate-limit.ts'
import { type ControlPacket, controlBytes } from '../wire/packets.ts'
import { PAP } from '../wire/protocols.ts'
import { authLimits } from './limits.ts'
import type { AuthHost, AuthMachine } from './method.ts'
import { admits, fromUtf8, inWords, sameSecret, utf8 } from './secrets.ts'

const REQUEST = 1
const ACK = 2
const NAK = 3
const ALARM = 'PAP log-in'
const MAX_FIELD_BYTES = 255

/** Sends name and password until there is an answer. Each request has a new identifier; the answer to any of them counts. */
export class PapClient implements AuthMachine {
  readonly #host: AuthHost
  readonly #sentIds = new Set<number>()
  #requestsSent = 0
  #isOver = false

  constructor(host: AuthHost) {
    this.#host = host
  }

  start(): void {
    const { settings, alarms } = this.#host
    const { restartMs, maxRequests } = authLimits(settings, 'pap')
    if (this.#requestsSent >= maxRequests) {
      this.#isOver = true
      this.#host.unanswered(`no answer to ${this.#requestsSent} PAP log-in requests`)
      return
    }
    const id = ++this.#requestsSent & 0xff
    this.#sentIds.add(id)
    const name = utf8(settings.user).subarray(0, MAX_FIELD_BYTES)
    const password = utf8(settings.password).subarray(0, MAX_FIELD_BYTES)
    const data = new ByteWriter().u8(name.length).bytes(name).u8(password.length).bytes(password).done()
    this.#host.send(PAP, controlBytes(REQUEST, id, data))
    alarms.set(ALARM, restartMs, () => this.start())
  }

  receive({ code, id, data }: ControlPacket): void {
    if (code !== ACK && code !== NAK) return
    if (this.#isOver || !this.#sentIds.has(id)) {
      this.#host.dropped('unexpected')
      return
    }
    this.stop()
    if (code === ACK) {
      this.#host.passed()
      return
    }
    const { user } = this.#host.settings
    this.#host.refused(`the peer refused the PAP log-in of "${printable(user)}" ${inWords(message(data))}`)
  }

  stop(): void {
    this.#isOver = true
    this.#host.alarms.cancel(ALARM)
  }
}

/** Message-Length and message; some modems send neither. */
function message(data: Uint8Array): Uint8Array {
  return data.subarray(1, 1 + (data[0] ?? 0))
}

/** Waits for the peer's request; its time limit is the session's. One wrong password ends it. */
export class PapExaminer implements AuthMachine {
  readonly #host: AuthHost
  readonly #replies = new RateLimit(10, 5)
  #verdict: typeof ACK | typeof NAK | undefined

  constructor(host: AuthHost) {
    this.#host = host
  }

  start(): void {}

  stop(): void {}

  /** Requests that come after the verdict get the same one (RFC 1334 §2.2.1). */
  receive({ code, id, data }: ControlPacket): void {
    if (code !== REQUEST) return
    const request = parseRequest(data)
    if (!request) {
      this.#host.dropped('malformed')
      return
    }
    if (!this.#replies.allows(this.#host.alarms.nowMs)) {
      this.#host.dropped('flood')
      return
    }
    if (this.#verdict !== undefined) {
      this.#reply(this.#verdict, id)
      return
    }
    const name = fromUtf8(request.name)
    const isAdmitted = this.#admits(name, request.password)
    this.#verdict = isAdmitted ? ACK : NAK
    this.#reply(this.#verdict, id)
    if (isAdmitted) this.#host.passed(name)
    else this.#host.refused(`the PAP log-in of "${printable(name)}" has a wrong name or password`)
  }

  #admits(name: string, password: Uint8Array): boolean {
    const { settings } = this.#host
    if (settings.checkPassword) return settings.checkPassword(name, fromUtf8(password)) || settings.admitsAnyone
    return admits(settings, name, (secret) => sameSecret(utf8(secret), password))
  }

  #reply(code: typeof ACK | typeof NAK, id: number): void {
    const text = utf8(code === ACK ? 'Login ok' : 'Login incorrect')
    this.#host.send(PAP, controlBytes(code, id, new ByteWriter().u8(text.length).bytes(text).done()))
  }
}

function parseRequest(data: Uint8Array): { name: Uint8Array; password: Uint8Array } | undefined {
  const reader = new ByteReader(data)
  const name = reader.take(reader.u8() ?? -1)
  const password = name && reader.take(reader.u8() ?? -1)
  return name && password && { name, password }
}
