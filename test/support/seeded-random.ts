/** A small seeded generator (xorshift32), so that a failing run can be repeated from its seed. */

import type { Random } from '../../src/base/ports.ts'

export class SeededRandom implements Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0 || 1
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.#next() & 0xff)
  }

  #next(): number {
    this.#state ^= this.#state << 13
    this.#state ^= this.#state >>> 17
    this.#state ^= this.#state << 5
    return this.#state >>> 8
  }
}
