/** A level over time as bars in text. Pure; `commands/signal.ts` draws it again and again. */

export interface Sample {
  readonly atMs: number
  readonly level: number
}

export interface ChartFrame {
  /** Of the bars; the scale comes to their left. */
  readonly columns: number
  readonly rows: number
  /** The time of the last column, and from one column to the next. */
  readonly nowMs: number
  readonly stepMs: number
}

/** Levels outside the scale fill it or leave it empty. 3GPP TS 27.007 §8.5: +CSQ tells from -113 to -51 dBm. */
const HIGHEST = -51
const LOWEST_RSSI = -113
const LOWEST_RSRP = -140
const BARS = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']
const SCALE_WIDTH = 6

export function chartLines(samples: readonly Sample[], frame: ChartFrame): string[] {
  const { columns, rows, stepMs } = frame
  const lowest = samples.some(({ level }) => level < LOWEST_RSSI) ? LOWEST_RSRP : LOWEST_RSSI
  const eighths = levelsByColumn(samples, frame).map((level) => heightOf(level, lowest, rows))
  const lines: string[] = []
  for (let row = 0; row < rows; row++) {
    const below = (rows - 1 - row) * 8
    const bars = eighths.map((height) => BARS[Math.max(0, Math.min(8, height - below))]).join('')
    const level = Math.round(HIGHEST - ((HIGHEST - lowest) * row) / Math.max(1, rows - 1))
    lines.push(`${String(level).padStart(SCALE_WIDTH - 2)} ┤${bars}`.trimEnd())
  }
  const first = `${Math.round((columns * stepMs) / 1000)} s ago`
  const from = first.padEnd(Math.max(first.length + 1, columns - 'now'.length))
  return [...lines, `${' '.repeat(SCALE_WIDTH)}${from}now`]
}

/** Each column shows the last level at its time; undefined before the first. */
function levelsByColumn(samples: readonly Sample[], { columns, nowMs, stepMs }: ChartFrame): (number | undefined)[] {
  return Array.from({ length: columns }, (_, column) => {
    const atMs = nowMs - (columns - 1 - column) * stepMs
    return samples.findLast((sample) => sample.atMs <= atMs)?.level
  })
}

/** In eighths of a row; a level that is known is never quite invisible. */
function heightOf(level: number | undefined, lowest: number, rows: number): number {
  if (level === undefined) return 0
  const share = (level - lowest) / (HIGHEST - lowest)
  return Math.max(1, Math.min(rows * 8, Math.round(share * rows * 8)))
}
