/** Rows under headings, and names beside values. Widths are columns of the terminal, not characters. */

import { cut, pad, widthOf, wrap } from './text.ts'

export interface Column {
  readonly title: string
  /** The narrowest it may become where the terminal is narrow; absent: never cut. */
  readonly minWidth?: number
  /** Only where cutting the others was not enough. */
  readonly isCutLast?: boolean
}

/** A cell's text and, where it has a meaning, its colour. The text is clean. */
export interface Cell {
  readonly text: string
  readonly paint?: ((text: string) => string) | undefined
}

const GAP = '  '

export function table(columns: readonly Column[], rows: readonly (readonly Cell[])[], width: number): string[] {
  const widths = columns.map((column, index) =>
    Math.max(widthOf(column.title), ...rows.map((row) => widthOf(row[index]?.text ?? ''))),
  )
  narrow(columns, widths, width)
  const headings = columns.map((column) => ({ text: column.title }))
  return [headings, ...rows].map((row) => renderRow(row, widths))
}

/** Takes one column after the other from the widest that may be cut, until all fits or none can give more. */
function narrow(columns: readonly Column[], widths: number[], width: number): void {
  const total = () => widths.reduce((sum, each) => sum + each, GAP.length * (widths.length - 1))
  while (total() > width) {
    const able = columns.flatMap((column, index) => (widths[index]! > (column.minWidth ?? Infinity) ? [index] : []))
    const first = able.filter((index) => !columns[index]!.isCutLast)
    const [widest] = (first.length > 0 ? first : able).sort((a, b) => widths[b]! - widths[a]!)
    if (widest === undefined) return
    widths[widest]!--
  }
}

function renderRow(row: readonly Cell[], widths: readonly number[]): string {
  const cells = widths.map((columns, index) => {
    const { text, paint } = row[index] ?? { text: '' }
    const shown = cut(text, columns)
    const padding = index === widths.length - 1 ? '' : ' '.repeat(columns - widthOf(shown))
    return (paint && shown !== '' ? paint(shown) : shown) + padding
  })
  return cells.join(GAP).trimEnd()
}

/** A name and its values, one a line; a pair without value is left out. */
export type Pair = readonly [name: string, value: string | readonly string[] | undefined]

/** `  name  value`, long values wrapped under their beginning. Values are clean. */
export function pairs(list: readonly Pair[], width: number, indent = '  '): string[] {
  const known = list.flatMap(([name, value]) => {
    const lines = typeof value === 'string' ? [value] : (value ?? [])
    return lines.some((line) => line !== '') ? [{ name, lines }] : []
  })
  const nameWidth = Math.max(0, ...known.map(({ name }) => widthOf(name)))
  const rest = Math.max(20, width - indent.length - nameWidth - GAP.length)
  return known.flatMap(({ name, lines }) =>
    lines
      .flatMap((line) => wrap(line, rest))
      .map((line, index) => `${indent}${pad(index === 0 ? name : '', nameWidth)}${GAP}${line}`.trimEnd()),
  )
}
