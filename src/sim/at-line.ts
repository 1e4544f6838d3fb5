/**
 * The command line as a modem reads it (ITU-T V.250 §5.2 and §5.4): characters up to CR with editing, then the commands
 * in it. Used by `at-port.ts`; the opposite side of `modem/at`, on purpose written apart from it.
 */

export interface AtCommand {
  /** `+CPIN`, `E`, `&F`, `D`; upper case. */
  readonly name: string
  readonly form: 'execute' | 'set' | 'read' | 'test'
  /** Between commas, without the quotes. For `D` one argument: the dial string. */
  readonly args: readonly string[]
  /** As typed, with the name in upper case: `+CPIN?`. */
  readonly text: string
}

const FORM_MARK = { execute: '', set: '=', read: '?', test: '=?' } as const

/** Name and form without arguments, `+CPIN=`: what timings and statistics go by. Basic commands have no form. */
export function commandKey({ name, form }: AtCommand): string {
  return /^[A-Z&]/.test(name) ? name : name + FORM_MARK[form]
}

/** V.250 asks for 40 at least; modems take a few hundred. What is longer is answered by ERROR. */
export const MAX_LINE_CHARS = 1024

const CR = 13
const LF = 10
const BACKSPACE = 8

export class LineEditor {
  #line = ''
  #isTooLong = false

  /** Takes one character; the finished line at CR, `too-long` where it was cut. */
  take(char: number): { readonly line: string } | 'too-long' | undefined {
    if (char === CR) return this.#finish()
    if (char === LF) return undefined
    if (char === BACKSPACE) this.#line = this.#line.slice(0, -1)
    else if (this.#line.length < MAX_LINE_CHARS) this.#line += String.fromCharCode(char)
    else this.#isTooLong = true
    return undefined
  }

  #finish(): { readonly line: string } | 'too-long' {
    const line = this.#line
    const wasTooLong = this.#isTooLong
    this.#line = ''
    this.#isTooLong = false
    return wasTooLong ? 'too-long' : { line }
  }
}

/** What follows the first `AT`, so that noise before it does no harm; undefined: all is noise and gets no answer. */
export function bodyOf(line: string): string | undefined {
  return /^.*?at(.*)$/is.exec(line)?.[1]
}

/** undefined: it breaks the grammar. */
export function parseBody(body: string): readonly AtCommand[] | undefined {
  const commands: AtCommand[] = []
  let rest = body.trim()
  while (rest.length > 0) {
    const next = takeCommand(rest)
    if (!next) return undefined
    commands.push(next.command)
    rest = next.rest.trimStart()
  }
  return commands
}

interface Taken {
  readonly command: AtCommand
  readonly rest: string
}

function takeCommand(text: string): Taken | undefined {
  if (/^d/i.test(text)) return takeDial(text)
  if (/^[a-z&]/i.test(text)) return takeBasic(text)
  return takeExtended(text)
}

/** The dial string takes all of the line (§6.3.1); a `;` at its end means voice. */
function takeDial(text: string): Taken {
  return { command: { name: 'D', form: 'set', args: [text.slice(1).trim()], text: text.toUpperCase() }, rest: '' }
}

function takeBasic(text: string): Taken | undefined {
  const match = /^(S\d+|&?[A-Z])(?:(=?\?)|=?(\d*))/i.exec(text)
  if (!match?.[1]) return undefined
  const [whole, name, query, digits] = match
  const rest = text.slice(whole.length).replace(/^;/, '')
  const form = query === '?' ? 'read' : query ? 'test' : digits ? 'set' : 'execute'
  return { command: { name: name.toUpperCase(), form, args: digits ? [digits] : [], text: whole.toUpperCase() }, rest }
}

function takeExtended(text: string): Taken | undefined {
  const end = endOfExtended(text)
  const match = /^([+^$%*#!_][A-Z0-9_-]+)\s*(.*)$/is.exec(text.slice(0, end))
  if (!match?.[1]) return undefined
  const name = match[1].toUpperCase()
  const rest = text.slice(end + 1)
  const tail = (match[2] ?? '').trim()
  const typed = `${name}${tail}`
  if (tail === '') return { command: { name, form: 'execute', args: [], text: typed }, rest }
  if (tail === '?') return { command: { name, form: 'read', args: [], text: typed }, rest }
  if (tail === '=?') return { command: { name, form: 'test', args: [], text: typed }, rest }
  if (!tail.startsWith('=')) return undefined
  return { command: { name, form: 'set', args: splitArguments(tail.slice(1)), text: typed }, rest }
}

/** At the first `;` outside quotes. */
function endOfExtended(text: string): number {
  let isQuoted = false
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"') isQuoted = !isQuoted
    else if (text[at] === ';' && !isQuoted) return at
  }
  return text.length
}

function splitArguments(text: string): string[] {
  const args = ['']
  let isQuoted = false
  for (const char of text) {
    if (char === '"') isQuoted = !isQuoted
    else if (char === ',' && !isQuoted) args.push('')
    else args[args.length - 1] += char
  }
  return args.map((arg) => arg.trim())
}
