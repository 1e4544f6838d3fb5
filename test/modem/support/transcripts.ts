/** The golden transcripts of test/transcripts/at: Markdown, a case a heading; see the README there for the form. */

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface Transcript {
  readonly title: string
  readonly bytes: Uint8Array
  /** Asked before the bytes come. */
  readonly command?: { readonly text: string; readonly expects?: readonly string[]; readonly afterPrompt?: string }
  readonly wanted: readonly string[]
}

const FOLDER = fileURLToPath(new URL('../../transcripts/at/', import.meta.url))

export function readTranscripts(): Transcript[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.md') && name !== 'README.md')
    .flatMap((name) => transcriptsOf(name, readFileSync(FOLDER + name, 'utf8')))
}

function transcriptsOf(file: string, text: string): Transcript[] {
  const found: Transcript[] = []
  let title = ''
  let command: Transcript['command']
  let bytes: Uint8Array | undefined
  for (const match of text.matchAll(/^## (.*)$|^```(\w+)\n([\s\S]*?)\n```$/gm)) {
    const [, heading, kind, body = ''] = match
    if (heading) title = heading
    else if (kind === 'command') command = commandOf(body)
    else if (kind === 'bytes') bytes = bytesOf(body)
    else if (bytes && (kind === 'tokens' || kind === 'reply')) {
      const wanted = body.split('\n')
      found.push({ title: `${file}: ${title}`, bytes, wanted, ...(kind === 'reply' && command ? { command } : {}) })
      bytes = undefined
      command = undefined
    }
  }
  return found
}

function commandOf(body: string): NonNullable<Transcript['command']> {
  const [, text = '', expects, then] = /^(\S+)(?: expects (\S+))?(?: then (\S+))?$/.exec(body)!
  return { text, ...(expects ? { expects: expects.split(',') } : {}), ...(then ? { afterPrompt: then } : {}) }
}

const ESCAPES: Readonly<Record<string, number>> = { r: 13, n: 10, t: 9, '0': 0, '\\': 92 }

function bytesOf(body: string): Uint8Array {
  const values: number[] = []
  for (const [, hex, letter, char] of body.replace(/\n/g, '').matchAll(/\\x([0-9a-f]{2})|\\(.)|([\s\S])/g)) {
    if (hex) values.push(Number.parseInt(hex, 16))
    else if (letter) values.push(ESCAPES[letter]!)
    else values.push(char!.charCodeAt(0))
  }
  return Uint8Array.from(values)
}
