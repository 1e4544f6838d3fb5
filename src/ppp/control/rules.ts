/**
 * What one control protocol (LCP, IPCP, and later IPV6CP) supplies to the automaton that all share: its options, and what it
 * thinks of the peer's. And what the automaton asks of the session around it.
 */

import type { Cause, Failure } from '../../base/cause.ts'
import type { ConfigOption, ControlPacket } from '../wire/packets.ts'

/** `ack`, `reject`, or the value that the peer should ask for instead (Configure-Nak). */
export type Judgement = 'ack' | 'reject' | ConfigOption

/** What becomes of a code above 7: a reply that only an opened protocol sends, nothing, or a Code-Reject. */
export type ExtraCode = 'ignored' | 'unknown' | { readonly replyCode: number; readonly data: Uint8Array }

export interface ControlRules {
  readonly name: string
  readonly protocol: number
  /** What a negotiation without agreement is called. */
  readonly cause: Cause
  /** How many Configure-Naks and -Rejects of ours one negotiation may take from the peer. */
  readonly maxNaksTaken: number
  /** A reason to end at once, found in what the peer said; looked at after each packet. */
  readonly objection: Failure | undefined
  /** A negotiation starts: forget what the last one agreed. */
  begin(): void
  /** Our own Configure-Request as it should be now. */
  request(): ConfigOption[]
  /** The peer acknowledged the last `request()`. */
  acked(): void
  naked(option: ConfigOption): void
  rejected(option: ConfigOption): void
  judge(option: ConfigOption): Judgement
  /** Options that the peer's request lacks and should have; asked for by Nak, and never insisted on. */
  missing(present: ReadonlySet<number>): ConfigOption[]
  /** Is never Rejected after Max-Failure, but Naked on. */
  insistsOn(type: number): boolean
  /** We acknowledge this request of the peer's. */
  accepted(options: readonly ConfigOption[]): void
  extraCode(packet: ControlPacket, isOpened: boolean): ExtraCode
  /** The peer does not know a code above 7. */
  codeRejected(code: number): void
}

export type DropReason = 'malformed' | 'unexpected' | 'flood'

export interface AutomatonHost {
  /** A negotiation that nobody answers waits for the peer, in Stopped, and does not finish (RFC 1661 §4.1, mark p). */
  readonly isPassive?: boolean
  /** How long a packet the peer takes now. */
  peerMruBytes(): number
  send(protocol: number, info: Uint8Array): void
  layerUp(): void
  layerDown(): void
  /** The end. `failure` is missing where the host knows more: it closed itself, or the peer sent a Terminate-Request. */
  layerFinished(failure: Failure | undefined): void
  /** A Terminate-Request came; `message` is cleaned. An opened layer goes down now, another goes on trying. */
  terminateRequested(message: string, wasOpened: boolean): void
  /** The bounds of a negotiation are passed, or the rules object: the host closes. */
  gaveUp(failure: Failure): void
  dropped(reason: DropReason): void
}

/** RFC 1661 §4.6. */
export interface AutomatonLimits {
  readonly restartMs: number
  readonly maxConfigure: number
  readonly maxTerminate: number
  readonly maxFailure: number
}
