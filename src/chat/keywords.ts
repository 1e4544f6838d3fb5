/** chat(8)'s words with a meaning in the expect place, and how it reads a number. */

const KEYWORDS = ['ABORT', 'CLR_ABORT', 'REPORT', 'CLR_REPORT', 'TIMEOUT', 'ECHO', 'SAY', 'HANGUP'] as const

export type Keyword = (typeof KEYWORDS)[number]

export function isKeyword(word: string): word is Keyword {
  return (KEYWORDS as readonly string[]).includes(word)
}

/** C's atoi as glibc has it: leading white space, a sign, digits; 0 without; beyond 64 bits held at the limit, then cut to 32. */
export function leadingInteger(text: string): number {
  const digits = /^[ \t\n\v\f\r]*([+-]?\d+)/.exec(text)?.[1]
  if (digits === undefined) return 0
  const limit = 2n ** 63n
  const value = BigInt(digits.replace('+', ''))
  return Number(BigInt.asIntN(32, value >= limit ? limit - 1n : value < -limit ? -limit : value))
}
