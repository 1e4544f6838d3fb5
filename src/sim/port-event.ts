/** What a virtual modem's ports ask of `simulated-modem.ts`, which has the ttys and the operator. */

import type { DeviceFault } from './fault-table.ts'
import type { Fault } from './faults.ts'
import type { PdpContext } from './modem-state.ts'

export type PortEvent =
  /** Another port of this modem has something to say. */
  | { readonly type: 'wake' }
  /** What happens to the device now. */
  | { readonly type: 'fault'; readonly fault: Fault<DeviceFault> }
  /** CONNECT was said: the operator's end may talk. */
  | { readonly type: 'call'; readonly context: PdpContext }
  /** From the host to the operator. */
  | { readonly type: 'uplink'; readonly bytes: Uint8Array }
  /** `downlink` takes bytes again. */
  | { readonly type: 'drained' }
  /** The call is over here; `finishCall` is no more needed. */
  | { readonly type: 'call-over'; readonly reason: string }
  | { readonly type: 'reboot' }
