/**
 * Holds scanned files to the schema: unknown sections and keys (with what was probably meant), bad values, each with its line. Pure;
 * `config.ts` and `config-profile.ts` use it.
 */

import type { Fault, IniFile, IniValue } from './config-scanner.ts'
import { fileWithSection, type Keys, type SectionSchema, type Values } from './config-schema.ts'
import { devicePattern } from './config-values.ts'

/** A value and the file it came from: drop-ins override what earlier files said. */
export type PlacedValue = IniValue & { readonly file: string }

export interface CheckedSection {
  readonly kind: string
  /** As a device pattern is compared. */
  readonly argument: string | undefined
  readonly file: string
  readonly line: number
  readonly values: Map<string, PlacedValue>
}

/** Sections of one or more files, laid over each other in their order. */
export function layered(
  files: readonly (IniFile & { readonly file: string })[],
  schema: readonly SectionSchema[],
): { readonly sections: readonly CheckedSection[]; readonly faults: readonly Fault[] } {
  const sections: CheckedSection[] = []
  const faults: Fault[] = []

  for (const { file, sections: read, faults: scanFaults } of files) {
    faults.push(...scanFaults)
    const begun: { readonly section: CheckedSection; readonly written: string | undefined; readonly line: number }[] =
      []
    for (const { kind, argument: written, line, values } of read) {
      const argument = written && devicePattern(written)
      const reason = sectionFault(kind, argument, schema)
      if (reason) {
        faults.push({ file, line, reason })
        continue
      }
      let merged = sections.find((each) => each.kind === kind && each.argument === argument)
      if (!merged) {
        merged = { kind, argument, file, line, values: new Map() }
        sections.push(merged)
      }
      // The scanner sees those that are written alike.
      const twin = begun.find((each) => each.section === merged && each.written !== written)
      if (twin) faults.push({ file, line, reason: `this section begins twice, first in line ${twin.line}: keep one` })
      begun.push({ section: merged, written, line })
      for (const [name, value] of values) merged.values.set(name, { ...value, file })
    }
  }
  return { sections, faults }
}

function sectionFault(
  kind: string,
  argument: string | undefined,
  schema: readonly SectionSchema[],
): string | undefined {
  const known = schema.find((section) => section.kind === kind)
  if (!known) {
    const home = fileWithSection(kind)
    if (home) return `there is no section [${kind}] here: it belongs into ${home}`
    const kinds = schema.map((section) => section.kind)
    return `there is no section [${kind}]${meant(kind, kinds, '[', ']')}`
  }
  if (known.hasArgument && argument === undefined) return `must say which: [${kind} "tty:/dev/ttyS1"]`
  if (!known.hasArgument && argument !== undefined) return `must be just [${kind}]`
  return undefined
}

export interface Checked<K extends Keys> {
  /** Defaults where a key is absent or faulty. */
  readonly values: Values<K>
  readonly faults: readonly Fault[]
  /** Values that this version does not do, as `key = value` with their lines. */
  readonly unsupported: readonly Fault[]
}

/** `section` undefined: all defaults. `schema` is where a misplaced key is looked for. */
export function checkSection<K extends Keys>(
  keys: K,
  section: CheckedSection | undefined,
  schema: readonly SectionSchema[],
): Checked<K> {
  const faults: Fault[] = []
  const unsupported: Fault[] = []
  const values: Record<string, unknown> = {}

  for (const [name, { file, line }] of section?.values ?? []) {
    if (!Object.hasOwn(keys, name)) faults.push({ file, line, reason: unknownKey(name, section!.kind, keys, schema) })
  }
  for (const [name, key] of Object.entries(keys)) {
    const placed = section?.values.get(name)
    const parsed = key.type.parse(placed?.text ?? key.default)
    if (parsed.ok) {
      values[name] = parsed.value
      if (placed && key.isUnsupported(parsed.value))
        unsupported.push({ file: placed.file, line: placed.line, reason: `${name} = ${placed.text}` })
      continue
    }
    // Never the value itself: it may be a secret with a typing error in it.
    faults.push({ file: placed?.file ?? '', line: placed?.line ?? 0, reason: `${name} ${parsed.reason}` })
    const standard = key.type.parse(key.default)
    if (standard.ok) values[name] = standard.value
  }
  return { values: values as Values<K>, faults, unsupported }
}

function unknownKey(name: string, kind: string, keys: Keys, schema: readonly SectionSchema[]): string {
  const home = schema.find((section) => section.kind !== kind && Object.hasOwn(section.keys, name))
  if (home) return `${name} belongs into [${home.kind}], not into [${kind}]`
  return `there is no key ${name} in [${kind}]${meant(name, Object.keys(keys))}`
}

function meant(typed: string, known: readonly string[], before = '', after = ''): string {
  const ranked = known
    .map((word) => ({ word, steps: editDistance(typed.toLowerCase(), word) }))
    .sort((a, b) => a.steps - b.steps)
  const nearest = ranked[0]
  const isNear = nearest && nearest.steps <= Math.max(1, Math.floor(Math.min(typed.length, nearest.word.length) / 3))
  if (isNear) return `: did you mean ${before}${nearest.word}${after}?`
  const startsAlike = known.find((word) => typed.length >= 3 && word.startsWith(typed))
  return startsAlike ? `: did you mean ${before}${startsAlike}${after}?` : ''
}

/** Letters inserted, removed, replaced or swapped with their neighbour. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)]
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const change = a[row - 1] === b[column - 1] ? 0 : 1
      const isSwap = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      current[column] = Math.min(
        rows[row - 1]![column]! + 1,
        current[column - 1]! + 1,
        rows[row - 1]![column - 1]! + change,
        isSwap ? rows[row - 2]![column - 2]! + 1 : Number.POSITIVE_INFINITY,
      )
    }
    rows.push(current)
  }
  return rows[a.length]![b.length]!
}
