/**
 * The shape of all protocol code (DESIGN §4): a machine gets inputs with the time they happened, and is drained of its
 * outputs after each. It owns no timer, clock, randomness or I/O. `serial/pump.ts` runs one over a wire; tests run two
 * back to back on virtual time.
 */

/** What happens to a machine. `bytes` are only valid during the call: a machine that keeps them copies them. */
export type Input =
  | { readonly type: 'open' }
  | { readonly type: 'data'; readonly bytes: Uint8Array }
  | { readonly type: 'timeout' }
  /** The line is gone. `reason` is for people. */
  | { readonly type: 'close'; readonly reason: string }

export type Output<E> =
  | { readonly type: 'send'; readonly bytes: Uint8Array }
  | { readonly type: 'event'; readonly event: E }

export interface Deadline {
  /** Monotonic milliseconds, on the same scale as `handle`'s `nowMs`. */
  readonly atMs: number
  readonly why: string
}

export interface Machine<E> {
  /** `nowMs` is monotonic. Never throws on what a line can bring. */
  handle(input: Input, nowMs: number): void
  /** Drain after every `handle`, until undefined. */
  poll(): Output<E> | undefined
  /** When `handle({ type: 'timeout' })` is due next; undefined: never. */
  deadline(): Deadline | undefined
}
