/** Medians and a table of them, for the benchmarks. */

export interface Row {
  readonly what: string
  readonly samples: readonly number[]
  readonly unit: string
  /** The number it is held against, or the peer's median. */
  readonly against: string
}

export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

export function printTable(title: string, rows: readonly Row[]): void {
  const cells = rows.map(({ what, samples, unit, against }) => {
    const range = samples.length > 1 ? `${round(Math.min(...samples))}–${round(Math.max(...samples))}` : ''
    return [what, `${round(median(samples))} ${unit}`, range, String(samples.length), against]
  })
  const header = ['what', 'median', 'range', 'runs', 'against']
  const widths = header.map((head, column) => Math.max(head.length, ...cells.map((row) => row[column]!.length)))
  const line = (row: string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd()
  console.log(`\n${title}\n${line(header)}\n${line(widths.map((width) => '-'.repeat(width)))}`)
  for (const row of cells) console.log(line(row))
}

function round(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2)
}
