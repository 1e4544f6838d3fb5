/** The forms of answers in test/transcripts/at (`forms` blocks); see the README there. */

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface ReplyForm {
  /** File and heading. */
  readonly title: string
  /** Name of the function that reads it. */
  readonly parser: string
  readonly lines: readonly string[]
  /** undefined: `nothing`. */
  readonly wanted: unknown
}

const FOLDER = fileURLToPath(new URL('../../transcripts/at/', import.meta.url))

export function readForms(): ReplyForm[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.md') && name !== 'README.md')
    .flatMap((name) => formsOf(name, readFileSync(FOLDER + name, 'utf8')))
}

function formsOf(file: string, text: string): ReplyForm[] {
  let title = ''
  return Array.from(text.matchAll(/^## (.*)$|^```forms (\w+)\n([\s\S]*?)\n```$/gm)).flatMap(
    ([, heading, parser, body]) => {
      if (heading) title = `${file}: ${heading}`
      return body === undefined ? [] : body.split('\n').map((line) => formOf(title, parser!, line))
    },
  )
}

function formOf(title: string, parser: string, line: string): ReplyForm {
  const at = line.lastIndexOf(' => ')
  if (at < 0) throw new Error(`${title}: no " => " in ${line}`)
  const wanted = line.slice(at + 4)
  return {
    title,
    parser,
    lines: unescaped(line.slice(0, at)).split('\n'),
    wanted: wanted === 'nothing' ? undefined : JSON.parse(wanted),
  }
}

function unescaped(text: string): string {
  return text.replace(/\\x([0-9a-f]{2})|\\[nt]|\\\\/g, (match, hex) => {
    if (hex) return String.fromCharCode(Number.parseInt(hex, 16))
    return { '\\n': '\n', '\\t': '\t' }[match] ?? '\\'
  })
}
