/**
 * The grammar of our INI files, line by line (docs/man/modemd.conf.5): what is a comment, a section, a name and its value, and on which
 * line. The package `ini` then parses what passed, with every text shielded: on its own it cuts values at `#` and `;`, nests
 * `[a.b]`, turns `true` into a boolean and lets the last of two equal names win. `config.ts` reads files with it,
 * `config-writer.ts` changes them.
 */

import { parse } from 'ini'

export interface Fault {
  readonly file: string
  /** From 1; 0: the file as a whole. */
  readonly line: number
  readonly reason: string
}

export interface IniValue {
  readonly text: string
  readonly line: number
  /** Where the value stands in its line, for one who replaces it. */
  readonly start: number
  readonly end: number
}

export interface IniSection {
  /** `device` of `[device "tty:/dev/ttyS1"]`. */
  readonly kind: string
  /** `tty:/dev/ttyS1`, without its quotation marks. */
  readonly argument: string | undefined
  readonly line: number
  readonly values: ReadonlyMap<string, IniValue>
}

export interface IniFile {
  readonly sections: readonly IniSection[]
  readonly faults: readonly Fault[]
}

const COMMENT_LINE = /^\s*(?:[;#].*)?$/s
const SECTION = /^\s*\[\s*([A-Za-z0-9._-]+)(?:\s+"([^"]*)")?\s*\]\s*(?:\s;.*)?$/s
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/
/** A value in quotation marks keeps its blanks and ` ;`; a doubled mark in it stands for one. */
const QUOTED = /^"((?:[^"]|"")*)"\s*(?:\s;.*)?$/s
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/

interface ScannedSection {
  readonly kind: string
  readonly argument: string | undefined
  readonly line: number
  readonly values: Map<string, IniValue>
}

export function readIni(text: string, file: string): IniFile {
  const sections: ScannedSection[] = []
  const faults: Fault[] = []

  splitLines(text).forEach((lineText, index) => {
    const line = index + 1
    const reason = scanLine(lineText, line, sections)
    if (reason) faults.push({ file, line, reason })
  })
  return { sections: throughIni(sections), faults }
}

/** Without a byte order mark and without the CR of a file from elsewhere. */
export function splitLines(text: string): string[] {
  return text.replace(/^\ufeff/, '').split(/\r?\n/)
}

/** Adds to `sections`, or answers what is wrong. */
function scanLine(lineText: string, line: number, sections: ScannedSection[]): string | undefined {
  if (CONTROL.test(lineText)) return 'has a control character; save the file as plain text'
  if (COMMENT_LINE.test(lineText)) return undefined

  const heading = SECTION.exec(lineText)
  if (heading) return startSection(heading[1]!, heading[2], line, sections)
  if (/^\s*\[/.test(lineText)) return 'is not a section heading: write [name], or [name "what"]'

  const equals = lineText.indexOf('=')
  if (equals < 0) return 'has no `=`: write name = value, or put ; before a comment'
  const name = lineText.slice(0, equals).trim()
  if (!NAME.test(name)) return `has no valid name before its \`=\`: letters, digits, dots, underscores and hyphens`
  const section = sections.at(-1)
  if (!section) return `stands before the first section: put [profile] or [daemon] above ${name}`
  const earlier = section.values.get(name)
  if (earlier) return `${name} is given twice, first in line ${earlier.line}: keep one`
  section.values.set(name, { line, ...scanValue(lineText, equals + 1) })
  return undefined
}

function startSection(
  kind: string,
  argument: string | undefined,
  line: number,
  sections: ScannedSection[],
): string | undefined {
  const earlier = sections.find((section) => section.kind === kind && section.argument === argument)
  sections.push({ kind, argument, line, values: new Map() })
  return earlier && `this section begins twice, first in line ${earlier.line}: keep one`
}

function scanValue(lineText: string, from: number): { text: string; start: number; end: number } {
  const rest = lineText.slice(from)
  const start = from + rest.length - rest.trimStart().length
  const quoted = QUOTED.exec(lineText.slice(start))
  if (quoted) return { text: quoted[1]!.replaceAll('""', '"'), start, end: start + quoted[1]!.length + 2 }

  const comment = rest.search(/\s;/)
  const text = (comment < 0 ? rest : rest.slice(0, comment)).trim()
  return text === '' ? { text, start: from, end: from } : { text, start, end: start + text.length }
}

/** How `text` stands in a file so that it reads the same. It has no control character. */
export function iniText(text: string): string {
  const plain = scanValue(` ${text}`, 0)
  return plain.text === text ? text : `"${text.replaceAll('"', '""')}"`
}

/** Through `ini`, with names and values shielded from its own ideas. */
function throughIni(sections: readonly ScannedSection[]): IniSection[] {
  const shielded = sections.map((section, index) => {
    const lines = [...section.values].map(([name, value]) => `${shield(name)}=${shield(value.text)}`)
    return [`[${index}]`, ...lines].join('\n')
  })
  const parsed: Record<string, Record<string, unknown>> = parse(shielded.join('\n'))

  return sections.map((section, index) => {
    const values = new Map<string, IniValue>()
    for (const [name, text] of Object.entries(parsed[index] ?? {})) {
      const scanned = section.values.get(unshield(name))
      if (scanned) values.set(unshield(name), { ...scanned, text: unshield(String(text)) })
    }
    return { ...section, values }
  })
}

/** Letters, digits and hyphens as they are, every other UTF-16 unit as `_` and four hexadecimal digits, and `_` before it all. */
function shield(text: string): string {
  return `_${text.replace(/[^A-Za-z0-9-]/g, (unit) => `_${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)}`
}

function unshield(text: string): string {
  return text.slice(1).replace(/_([0-9a-f]{4})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
