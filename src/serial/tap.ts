/** A wire that tells what passes over it: for traces and recordings. Whoever taps says what of it may be shown. */

import { fromLatin1, printable } from '../base/bytes.ts'
import type { Clock } from '../base/ports.ts'
import type { Wire, WireListener } from './wire.ts'
import { WireDecorator } from './wire-decorator.ts'

export type Direction = 'received' | 'sent'

export interface TapRecord {
  readonly direction: Direction
  /** Already redacted; a copy. */
  readonly bytes: Uint8Array
  /** Microseconds since 1970. */
  readonly atUs: bigint
}

export interface TapOptions {
  readonly clock: Clock
  /** Takes secrets out (DESIGN §7.2), given what one read or write carried. Nothing to hide: answers the same bytes. */
  redact(direction: Direction, bytes: Uint8Array): Uint8Array
  onRecord(record: TapRecord): void
}

export class TappedWire extends WireDecorator {
  readonly #options: TapOptions

  constructor(wire: Wire, options: TapOptions) {
    super(wire)
    this.#options = options
  }

  override listen(listener: WireListener | undefined): void {
    this.wire.listen(
      listener && {
        data: (bytes) => {
          this.#record('received', bytes)
          listener.data(bytes)
        },
        drain: () => listener.drain(),
        closed: (reason) => listener.closed(reason),
      },
    )
  }

  override write(bytes: Uint8Array): boolean {
    if (!this.isClosed) this.#record('sent', bytes)
    return this.wire.write(bytes)
  }

  #record(direction: Direction, bytes: Uint8Array): void {
    const shown = this.#options.redact(direction, bytes)
    this.#options.onRecord({ direction, bytes: shown.slice(), atUs: this.#options.clock.wallUs() })
  }
}

/** One line for a log: `> AT+CSQ\x0d`, `< \x0d\x0aOK\x0d\x0a`. */
export function recordLine({ direction, bytes }: TapRecord): string {
  return `${direction === 'sent' ? '>' : '<'} ${printable(fromLatin1(bytes))}`
}
