/** What carries the frames: a serial line, or (later) a PPPoE session, which has neither escapes nor address fields (RFC 2516 §7). */

import type { Framing } from '../wire/hdlc-encoder.ts'

export interface Carrier {
  /** ACCM and header compression mean something here. */
  readonly isAsync: boolean
  readonly maxMtuBytes: number
  send(protocol: number, info: Uint8Array): void
  /** LCP was opened (or left that state: the defaults). `receiveAccm` is what the peer escapes for us. */
  reframe(framing: Framing, receiveAccm: number): void
  /** What else came in, for a failure's detail: `3 damaged frames`; empty: nothing to tell. */
  evidence(): string
  /** Only where packets pass beside the session (the kernel's): since the last of them; undefined: not known now. */
  idleMs?(): number | undefined
}
