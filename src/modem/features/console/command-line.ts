/**
 * A command line of ITU-T V.250 §5.2–5.4 taken apart: `ATE0;+CSQ;D*99#` is three commands. Pure; more is taken for a command
 * than a modem would take, never less. Used by `refusals.ts`.
 */

export interface LineCommand {
  /** Upper case: `E`, `&F`, `S3`, `D`, `+CFUN`. */
  readonly name: string
  /** What follows the name: `0`, `=1,1`, `?`, `=?`, `*99#`. */
  readonly rest: string
}

const EXTENDED = /^[+^*#$%_!@][A-Z0-9._%/:-]*/
const BASIC = /^(?:S\d+|[&\\]?[A-Z])/

export function splitLine(line: string): LineCommand[] {
  const body = line.replace(/ /g, '').replace(/^AT/i, '')
  const commands: LineCommand[] = []
  for (let rest = body; rest !== ''; ) {
    if (rest.startsWith(';')) {
      rest = rest.slice(1)
      continue
    }
    const { command, length } = firstOf(rest)
    commands.push(command)
    rest = rest.slice(length)
  }
  return commands
}

function firstOf(text: string): { readonly command: LineCommand; readonly length: number } {
  const upper = text.toUpperCase()
  const extended = EXTENDED.exec(upper)?.[0]
  if (extended !== undefined) return untilSemicolon(text, extended)
  const basic = BASIC.exec(upper)?.[0]
  if (basic === undefined) return { command: { name: text[0]!, rest: '' }, length: 1 }
  if (basic === 'D') return untilSemicolon(text, basic)
  const value = /^(?:=\?|\?|=?\d*)/.exec(text.slice(basic.length))?.[0] ?? ''
  return { command: { name: basic, rest: value }, length: basic.length + value.length }
}

/** A semicolon between quotes is part of the value. */
function untilSemicolon(text: string, name: string) {
  let isQuoted = false
  let end = name.length
  for (; end < text.length && (isQuoted || text[end] !== ';'); end++) if (text[end] === '"') isQuoted = !isQuoted
  return { command: { name, rest: text.slice(name.length, end) }, length: end }
}
