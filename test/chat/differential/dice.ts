/** Choices from a seed. */

import { SeededRandom } from '../../support/seeded-random.ts'

export class Dice {
  readonly #random: SeededRandom

  constructor(seed: number) {
    // Neighbouring seeds must not begin alike.
    this.#random = new SeededRandom(Math.imul(seed + 1, 0x9e3779b1))
    this.#random.bytes(8)
  }

  /** From 0 to `limit` - 1, for limits far below 65536. */
  below(limit: number): number {
    const [high, low] = this.#random.bytes(2) as unknown as [number, number]
    return Math.floor(((high * 256 + low) / 65_536) * limit)
  }

  chance(probability: number): boolean {
    return this.below(10_000) < probability * 10_000
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!
  }
}
