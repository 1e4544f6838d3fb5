/** What a PPP engine is to the supervisor and the simulator: bytes of a wire on one side, a network interface on the other. */

import type { Failure } from '../../base/cause.ts'
import type { Wire } from '../../serial/wire.ts'
import type { NetworkName } from '../control/networks.ts'
import type { PacketTrace } from '../session-events.ts'
import type { Ip4Address, PppPhase, PppSettings } from '../settings.ts'

export type EngineName = 'builtin' | 'kernel' | 'pppd'

/** IPv6 addresses are 128-bit numbers inside (base/ipv6.ts). */
export interface Ip6Address {
  /** Both link-local; `peer` 0n: it named none. */
  readonly local: bigint
  readonly peer: bigint
  /** What the peer's router advertisements (or the settings) gave beyond that; undefined: nothing yet. */
  readonly global?: { readonly address: bigint; readonly prefixLength: number; readonly gateway: bigint } | undefined
}

/** What the interface has; at least one of the two. */
export interface LinkAddress {
  readonly ip4: Ip4Address | undefined
  readonly ip6: Ip6Address | undefined
  readonly mtuBytes: number
}

export type PppLinkEvent =
  /** `failure`: why it is `terminate`; undefined: `down` will tell. */
  | { readonly type: 'phase'; readonly phase: PppPhase; readonly failure?: Failure | undefined }
  /** The interface is there, up and addressed. Comes again, without a phase between, when it got more: the other protocol, a global address. */
  | { readonly type: 'up'; readonly interfaceName: string; readonly address: LinkAddress }
  /** One of two network protocols will not come, or comes no more; until the peer negotiates anew the link goes on without. Perhaps before `up`. pppd does not tell. */
  | { readonly type: 'stopped'; readonly network: NetworkName }
  /** The last event. The interface is gone; the wire is open unless the line itself ended, and its owner hangs up. `exitCode` is pppd's (0 to 21). */
  | { readonly type: 'down'; readonly failure: Failure; readonly exitCode: number }

export interface PppLinkOptions {
  readonly settings: PppSettings
  /** `ppp%d` or a fixed name; undefined: `ppp%d`. */
  readonly interfaceName?: string | undefined
  /** undefined: no default route. */
  readonly defaultRouteMetric?: number | undefined
  /** More words for pppd, as in one of its option files; the pppd engine alone looks at them. */
  readonly pppdOptions?: string | undefined
  /** Each control packet, for debug logs and modem-ppp's lines; undefined: nobody asks. */
  readonly trace?: PacketTrace | undefined
  /** The interface exists, which may be long before `up` (the kernel engine makes it first); it has no address yet. */
  readonly onInterface?: ((interfaceName: string) => void) | undefined
  /** The interface gets these addresses when this resolves, and goes up unless IPv6 has it up already (pppd's ip-pre-up). Never rejects. */
  readonly beforeUp?: ((interfaceName: string, ip4: Ip4Address) => Promise<void>) | undefined
}

export interface PppLink {
  /** Bytes of network packets through the interface since up. */
  counters(): { readonly rxBytes: bigint; readonly txBytes: bigint }
  /** Terminate-Request and so on; `down` follows with this failure, at the latest after 2 × restart timer. Idempotent. */
  terminate(failure: Failure): void
  /** Somebody else knows that the call is over: `down` follows without a word to the peer. Idempotent. */
  lost(detail: string): void
  /** What the peer called itself when it logged in; as it came, not cleaned. */
  readonly peerName?: string | undefined
}

export interface PppEngine {
  readonly name: EngineName
  open(wire: Wire, options: PppLinkOptions, onEvent: (event: PppLinkEvent) => void): PppLink
}
