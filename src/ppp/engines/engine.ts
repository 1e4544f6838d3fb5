/** What a PPP engine is to the supervisor and the simulator: bytes of a wire on one side, a network interface on the other. */

import type { Failure } from '../../base/cause.ts'
import type { Wire } from '../../serial/wire.ts'
import type { PppAddress, PppPhase, PppSettings } from '../settings.ts'

export type EngineName = 'builtin' | 'kernel' | 'pppd'

export type PppLinkEvent =
  | { readonly type: 'phase'; readonly phase: PppPhase }
  /** The interface is there, up and addressed. */
  | { readonly type: 'up'; readonly interfaceName: string; readonly address: PppAddress }
  /** The last event. The interface is gone; the wire is open unless the line itself ended, and its owner hangs up. `exitCode` is pppd's (0 to 21). */
  | { readonly type: 'down'; readonly failure: Failure; readonly exitCode: number }

export interface PppLinkOptions {
  readonly settings: PppSettings
  /** `ppp%d` or a fixed name; undefined: `ppp%d`. */
  readonly interfaceName?: string | undefined
  /** undefined: no default route. */
  readonly defaultRouteMetric?: number | undefined
}

export interface PppLink {
  /** Bytes of network packets through the interface since up. */
  counters(): { readonly rxBytes: bigint; readonly txBytes: bigint }
  /** Terminate-Request and so on; `down` follows with this failure, at the latest after 2 × restart timer. Idempotent. */
  terminate(failure: Failure): void
}

export interface PppEngine {
  readonly name: EngineName
  open(wire: Wire, options: PppLinkOptions, onEvent: (event: PppLinkEvent) => void): PppLink
}
