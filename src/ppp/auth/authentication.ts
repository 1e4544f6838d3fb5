/**
 * The authentication phase (RFC 1661 §3.5): up to one log-in in each direction, as LCP agreed. It is over when none is left;
 * later challenges are still answered. Owned by `session.ts`.
 */

import { equalBytes } from '../../base/bytes.ts'
import type { Cause, Failure } from '../../base/cause.ts'
import type { Random } from '../../base/ports.ts'
import type { Alarms } from '../control/alarms.ts'
import type { DropReason } from '../control/rules.ts'
import type { AuthProtocol, PppSettings } from '../settings.ts'
import { parseControl } from '../wire/packets.ts'
import { protocolName } from '../wire/protocols.ts'
import type { AuthHost, AuthMachine, AuthMethod } from './method.ts'
import { AUTH_METHODS } from './methods.ts'

const ALARM = 'log-in time limit'

/** `login`: we prove who we are. `examination`: the peer does. */
type Side = 'login' | 'examination'

/** A log-in without an answer may be a lost line or a server that is down: that is not for ever, as a refusal is. */
const CAUSES: Readonly<Record<Side, { readonly refused: Cause; readonly unanswered: Cause }>> = {
  login: { refused: 'auth-refused', unanswered: 'lcp-timeout' },
  examination: { refused: 'peer-auth-refused', unanswered: 'peer-auth-refused' },
}

interface Running {
  readonly method: AuthMethod
  readonly machine: AuthMachine
}

export interface AuthenticationHost {
  send(protocol: number, info: Uint8Array): void
  authenticated(): void
  failed(failure: Failure): void
  dropped(reason: DropReason): void
}

export class Authentication {
  /** What the peer called itself when it passed. */
  peerName: string | undefined
  readonly #settings: PppSettings
  readonly #random: Random
  readonly #alarms: Alarms
  readonly #host: AuthenticationHost
  readonly #running = new Map<Side, Running>()
  readonly #waiting = new Set<Side>()

  constructor(settings: PppSettings, random: Random, alarms: Alarms, host: AuthenticationHost) {
    this.#settings = settings
    this.#random = random
    this.#alarms = alarms
    this.#host = host
  }

  /** At least one of the two. */
  start(login: AuthProtocol | undefined, examination: AuthProtocol | undefined): void {
    this.stop()
    this.peerName = undefined
    if (login) {
      const method = AUTH_METHODS[login]
      this.#running.set('login', { method, machine: method.logIn(this.#hostOf('login')) })
    }
    if (examination) {
      const method = AUTH_METHODS[examination]
      this.#running.set('examination', { method, machine: method.examine(this.#hostOf('examination')) })
    }
    for (const side of this.#running.keys()) this.#waiting.add(side)
    this.#alarms.set(ALARM, this.#settings.authTimeoutMs, () => this.#timedOut())
    for (const { machine } of this.#running.values()) machine.start()
  }

  stop(): void {
    this.#alarms.cancel(ALARM)
    for (const { machine } of this.#running.values()) machine.stop()
    this.#running.clear()
    this.#waiting.clear()
  }

  receive(protocol: number, info: Uint8Array): void {
    const takers = [...this.#running.values()].filter(({ method }) => method.protocol === protocol)
    const packet = parseControl(info)
    if (takers.length === 0 || !packet) {
      this.#host.dropped(packet ? 'unexpected' : 'malformed')
      return
    }
    for (const { machine } of takers) machine.receive(packet)
  }

  /** The peer speaks of the network already. */
  peerWentOn(): void {
    this.#running.get('login')?.machine.wentOn?.()
  }

  /** The peer answered a packet of ours with a Protocol-Reject. */
  protocolRejected(protocol: number): void {
    for (const side of this.#waiting) {
      if (this.#running.get(side)?.method.protocol !== protocol) continue
      this.#fail(
        CAUSES[side].refused,
        `the peer agreed to ${protocolName(protocol)} and now rejects it (Protocol-Reject)`,
      )
      return
    }
  }

  #hostOf(side: Side): AuthHost {
    return {
      alarms: this.#alarms,
      random: this.#random,
      settings: this.#settings,
      send: (protocol, info) => this.#host.send(protocol, info),
      passed: (peerName) => this.#passed(side, peerName),
      refused: (detail) => this.#fail(CAUSES[side].refused, detail),
      unanswered: (detail) => this.#fail(CAUSES[side].unanswered, detail),
      dropped: (reason) => this.#host.dropped(reason),
      isOwnChallenge: (value) => {
        const own = this.#running.get('examination')?.machine.challenge
        return own !== undefined && equalBytes(own, value)
      },
    }
  }

  #passed(side: Side, peerName: string | undefined): void {
    if (peerName !== undefined) this.peerName = peerName
    if (!this.#waiting.delete(side) || this.#waiting.size > 0) return
    this.#alarms.cancel(ALARM)
    this.#host.authenticated()
  }

  #timedOut(): void {
    const seconds = `${this.#settings.authTimeoutMs / 1000} s`
    const login = this.#waiting.has('login') && this.#running.get('login')
    if (login) {
      this.#fail('lcp-timeout', `no verdict on our ${protocolName(login.method.protocol)} log-in within ${seconds}`)
      return
    }
    this.#fail('peer-auth-refused', `the peer did not log in within ${seconds}`)
  }

  #fail(cause: Cause, detail: string): void {
    this.#host.failed({ cause, detail })
  }
}
