/** What the log-in protocols (PAP, CHAP with its kinds, EAP) are to the session: one machine for each side of a log-in. */

import type { Random } from '../../base/ports.ts'
import type { Alarms } from '../control/alarms.ts'
import type { DropReason } from '../control/rules.ts'
import type { AuthProtocol, PppSettings } from '../settings.ts'
import type { ControlPacket } from '../wire/packets.ts'

export interface AuthHost {
  readonly alarms: Alarms
  readonly random: Random
  readonly settings: PppSettings
  send(protocol: number, info: Uint8Array): void
  /** `peerName` is what an examined peer called itself. */
  passed(peerName?: string): void
  /** A clear no; `detail` says whose and in which words, without a secret. */
  refused(detail: string): void
  /** Nobody answered. */
  unanswered(detail: string): void
  dropped(reason: DropReason): void
  /** Is this a challenge that we sent to the peer ourselves? A peer must not have it answered by us. */
  isOwnChallenge(value: Uint8Array): boolean
}

export interface AuthMachine {
  start(): void
  /** Gets every packet of its protocol and takes those for its side. */
  receive(packet: ControlPacket): void
  /** No alarm of it is left. */
  stop(): void
  /** The challenge that is out. */
  readonly challenge?: Uint8Array | undefined
  /** The peer has gone on to its network protocols: a verdict that is still out was lost (RFC 3748 §3.4). */
  wentOn?(): void
}

export interface AuthMethod {
  readonly name: AuthProtocol
  readonly protocol: number
  /** The value of LCP's Authentication-Protocol option. */
  readonly option: Uint8Array
  /** Our side of a log-in at the peer. */
  logIn(host: AuthHost): AuthMachine
  /** The side that checks the peer. */
  examine(host: AuthHost): AuthMachine
}
