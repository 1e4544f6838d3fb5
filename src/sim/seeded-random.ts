/** `--seed N`: chance that can be repeated (xorshift32). Never for secrets of a real link: the simulator has none. */

import type { Random } from '../base/ports.ts'

export function seededRandom(seed: number): Random {
  let state = seed | 0 || 1
  const next = () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 8) & 0xff
  }
  return { bytes: (count) => Uint8Array.from({ length: count }, next) }
}
