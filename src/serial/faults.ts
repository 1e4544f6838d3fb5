/**
 * A wire that is as bad as it is told to be: what is received comes damaged, torn or late, always the same for the same
 * seed. For tests and the simulator.
 */

import { concat } from '../base/bytes.ts'
import { type Clock, type Random, randomFraction } from '../base/ports.ts'
import type { Wire, WireListener } from './wire.ts'
import { WireDecorator } from './wire-decorator.ts'

/** Each a chance from 0 to 1, except `lateMs`. */
export interface Faults {
  /** That up to 16 bytes of noise come before what one read brings. */
  readonly garbage?: number
  /** That there is a tear after a byte: what follows comes in a later turn. */
  readonly split?: number
  /** Each piece comes up to this much later; order is kept. */
  readonly lateMs?: number
  /** That a byte is lost. */
  readonly dropped?: number
  /** That a bit is turned over. */
  readonly bitErrors?: number
}

export interface FaultsOptions {
  readonly clock: Clock
  readonly random: Random
  /** Asked for every read, so that faults can come and go. */
  faults(): Faults
}

const LONGEST_GARBAGE_BYTES = 16

export class FaultyWire extends WireDecorator {
  readonly #options: FaultsOptions
  #listener: WireListener | undefined
  /** What is under way, in order; the end of the line is its last. */
  readonly #queue: ((listener: WireListener) => void)[] = []

  constructor(wire: Wire, options: FaultsOptions) {
    super(wire)
    this.#options = options
  }

  /** With nobody listening what is under way waits. */
  override listen(listener: WireListener | undefined): void {
    this.#listener = listener
    this.wire.listen(
      listener && {
        data: (bytes) => this.#onData(bytes),
        drain: () => this.#listener?.drain(),
        closed: (reason) => this.#later(0, (last) => last.closed(reason)),
      },
    )
    if (!listener) return
    // The turns in which nobody listened are made up for.
    for (const _ of this.#queue) this.#deliverIn(0)
  }

  #onData(bytes: Uint8Array): void {
    const faults = this.#options.faults()
    for (const piece of torn(damaged(bytes, faults, this.#options.random), faults, this.#options.random)) {
      const lateMs = (faults.lateMs ?? 0) * randomFraction(this.#options.random)
      this.#later(lateMs, (listener) => listener.data(piece))
    }
  }

  #later(lateMs: number, tell: (listener: WireListener) => void): void {
    this.#queue.push(tell)
    this.#deliverIn(lateMs)
  }

  /** One piece a turn, whichever is first. */
  #deliverIn(lateMs: number): void {
    this.#options.clock.at(this.#options.clock.nowMs() + lateMs, () => {
      if (this.#listener) this.#queue.shift()?.(this.#listener)
    })
  }
}

function damaged(bytes: Uint8Array, faults: Faults, random: Random): Uint8Array {
  const { garbage = 0, dropped = 0, bitErrors = 0 } = faults
  const kept = dropped > 0 ? bytes.filter(() => randomFraction(random) >= dropped) : bytes.slice()
  if (bitErrors > 0) {
    for (let index = 0; index < kept.length * 8; index++)
      if (randomFraction(random) < bitErrors) kept[index >> 3]! ^= 1 << (index & 7)
  }
  if (garbage === 0 || randomFraction(random) >= garbage) return kept
  const noise = random.bytes(1 + Math.floor(randomFraction(random) * LONGEST_GARBAGE_BYTES))
  return concat([noise, kept])
}

function torn(bytes: Uint8Array, { split = 0 }: Faults, random: Random): Uint8Array[] {
  const pieces: Uint8Array[] = []
  let start = 0
  for (let end = 1; end <= bytes.length; end++) {
    if (end < bytes.length && (split === 0 || randomFraction(random) >= split)) continue
    pieces.push(bytes.slice(start, end))
    start = end
  }
  return pieces
}
