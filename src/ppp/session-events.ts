/** What a PPP session tells its owner: `session.ts` and `serial-session.ts` emit these, engines and tests read them. */

import type { Failure } from '../base/cause.ts'
import type { NetworkName } from './control/networks.ts'
import type { PppAddress, PppPhase } from './settings.ts'

export type SessionEvent =
  /** `failure`: why it is `terminate`. */
  | { readonly type: 'phase'; readonly phase: PppPhase; readonly failure?: Failure | undefined }
  /**
   * Packets flow. `address` is all that is agreed by now: it comes again when another network protocol opened, or one of two
   * closed; and after the peer renegotiated, when the phase left `running` between.
   */
  | { readonly type: 'up'; readonly address: PppAddress }
  /** One of two network protocols failed, or the peer does not take it; the link goes on without. */
  | { readonly type: 'stopped'; readonly network: NetworkName; readonly failure: Failure }
  /** An IPv4 or IPv6 packet from the peer; the bytes stay what they are. */
  | { readonly type: 'packet'; readonly bytes: Uint8Array }
  /** The last event. `exitCode` is pppd's. */
  | { readonly type: 'down'; readonly failure: Failure; readonly exitCode: number }

export interface SessionCounters {
  /** Network packets, and their bytes without any framing. */
  rxPackets: number
  rxBytes: number
  txPackets: number
  txBytes: number
  /** Given to `sendPacket` while the link was not running, or longer than the peer takes. */
  txDrops: number
  /** Received and dropped: lengths that lie; not expected in this phase or state; more than is answered. */
  malformed: number
  unexpected: number
  flood: number
  /** Unknown protocols that were answered by a Protocol-Reject. */
  rejected: number
}

/** For debug logs: each control packet; `printPacket` makes it a line. */
export type PacketTrace = (direction: 'sent' | 'rcvd', protocol: number, info: Uint8Array) => void
