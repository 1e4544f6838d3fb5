/** Where a command's words go: lines or one JSON document to stdout, errors to stderr. */

import picocolors from 'picocolors'
import type { Io } from '../io.ts'
import { jsonText } from './json.ts'
import { clean, wrap } from './text.ts'

export type Colors = ReturnType<typeof picocolors.createColors>

export class Output {
  readonly json: boolean
  /** Live progress and colour may be used. */
  readonly isTerminal: boolean
  readonly colors: Colors
  readonly #io: Io

  constructor(io: Io, json: boolean) {
    this.#io = io
    this.json = json
    this.isTerminal = io.stdout.isTTY === true && io.env.TERM !== 'dumb' && !json
    this.colors = picocolors.createColors(this.isTerminal && !io.env.NO_COLOR)
  }

  /** Columns of the terminal; a file or a pipe has no end of line to keep. */
  get width(): number {
    return this.isTerminal ? this.#io.stdout.columns || 80 : Number.POSITIVE_INFINITY
  }

  /** Lines of clean text. */
  print(...lines: readonly string[]): void {
    this.#io.stdout.write(lines.map((line) => `${line}\n`).join(''))
  }

  /** Terminal control included: for live parts only. */
  raw(text: string): void {
    this.#io.stdout.write(text)
  }

  document(value: unknown): void {
    this.#io.stdout.write(`${jsonText(value)}\n`)
  }

  /** `mmctl: what happened: what to do`, and lines below it. */
  complain(message: string, details: readonly string[] = []): void {
    const { isTTY, columns } = this.#io.stderr
    const width = isTTY ? columns || 80 : Number.POSITIVE_INFINITY
    const wrapped = (line: string, indent: string) =>
      wrap(joinCommands(clean(line, 1000)), width - indent.length).map((each) => indent + each.replaceAll(JOIN, ' '))
    const lines = [...wrapped(`mmctl: ${message}`, ''), ...details.flatMap((line) => wrapped(line, '  '))]
    this.#io.stderr.write(lines.map((line) => `${line}\n`).join(''))
  }
}

/** In place of a blank that must not end a line; clean text has none. */
const JOIN = '\0'
const LONGEST_JOINED = 60

/** A command in backticks stays in one piece, to be copied. */
function joinCommands(text: string): string {
  return text.replace(/`[^`]*`/g, (command) =>
    command.length > LONGEST_JOINED ? command : command.replaceAll(' ', JOIN),
  )
}
