/**
 * Finding strings in a stream in one step a byte, however many strings there are: Aho and Corasick's automaton for the
 * ABORT and REPORT strings, Knuth, Morris and Pratt's for the one that is expected. Bytes have seven bits here (chat
 * clears the eighth), so a string with a higher one is never found.
 */

const SYMBOLS = 128

/** Which strings end at the last byte taken. The table is walked by the engine itself, for speed. */
export interface PatternTable {
  /** `next[node + byte]` is the next node; nodes are multiples of 128, the first is 0. */
  readonly next: Int32Array
  /** By `node / 128`: the numbers of the strings that end here, rising; undefined for none. */
  readonly hits: readonly (readonly number[] | undefined)[]
}

export function patternTable(patterns: readonly string[]): PatternTable {
  const longest = patterns.reduce((sum, pattern) => sum + pattern.length, 1)
  const next = new Int32Array(longest * SYMBOLS)
  const hits: (number[] | undefined)[] = [undefined]
  for (const [index, pattern] of patterns.entries()) {
    if (/[^\0-\x7f]/.test(pattern)) continue
    let node = 0
    for (let at = 0; at < pattern.length; at++) {
      const edge = node + pattern.charCodeAt(at)
      if (next[edge] === 0) {
        next[edge] = hits.length * SYMBOLS
        hits.push(undefined)
      }
      node = next[edge]!
    }
    hits[node / SYMBOLS] = [...(hits[node / SYMBOLS] ?? []), index]
  }
  closeTable(next, hits)
  return { next, hits }
}

/** Breadth first: what a node lacks, the node of its longest proper suffix has. */
function closeTable(next: Int32Array, hits: (number[] | undefined)[]): void {
  const suffixOf = new Int32Array(hits.length)
  const queue = [0]
  for (const node of queue) {
    const suffix = suffixOf[node / SYMBOLS]!
    if (node !== 0) hits[node / SYMBOLS] = union(hits[node / SYMBOLS], hits[suffix / SYMBOLS])
    for (let symbol = 0; symbol < SYMBOLS; symbol++) {
      const child = next[node + symbol]!
      const fallback = node === 0 ? 0 : next[suffix + symbol]!
      if (child === 0) next[node + symbol] = fallback
      else {
        suffixOf[child / SYMBOLS] = fallback
        queue.push(child)
      }
    }
  }
}

function union(own: number[] | undefined, inherited: number[] | undefined): number[] | undefined {
  if (!own || !inherited) return own ?? inherited
  return [...own, ...inherited].sort((a, b) => a - b)
}

/** By length of what matches so far: the length of its longest proper suffix that begins the pattern too. */
export function borders(pattern: Uint8Array): Int32Array {
  const border = new Int32Array(pattern.length + 1)
  for (let at = 1, length = 0; at < pattern.length; at++) {
    while (length > 0 && pattern[at] !== pattern[length]) length = border[length]!
    if (pattern[at] === pattern[length]) length++
    border[at + 1] = length
  }
  return border
}
