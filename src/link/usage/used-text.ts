/** What is used of a limit, in words. Pure; for `ledger.ts`. */

const UNITS = [
  { name: 'MB', bytes: 1e6 },
  { name: 'kB', bytes: 1e3 },
] as const
const SMALLEST = { name: 'B', bytes: 1 } as const

/** Both in one unit, the largest that the limit has one of, so that they can be compared: `5003 MB of 5000 MB`. */
export function usedText(usedBytes: bigint, limitBytes: bigint, month: string): string {
  const unit = UNITS.find(({ bytes }) => limitBytes >= bytes) ?? SMALLEST
  const amount = (bytes: bigint) => `${Number((Number(bytes) / unit.bytes).toFixed(1))} ${unit.name}`
  return `${amount(usedBytes)} of ${amount(limitBytes)} are used in ${month}`
}
