/** What a send's word stands for before its escapes: `@name` is a file's content, EOT and BREAK a byte and a break, with no CR. */

import { fromLatin1 } from '../base/bytes.ts'
import { upToNul } from './escapes.ts'
import { NOT_YET, type NotYet, type ScriptError } from './script.ts'

export const LONGEST_FILE = 1023

/** The content of a file (its first 1023 bytes are enough), or the system's text for why it cannot be opened. */
export type ReadFile = (path: string) => Uint8Array | string | NotYet

/** Without `readFile` no file can be opened. The content is not looked at for `@` again. */
export function resolveSend(word: string, readFile: ReadFile | undefined): string | ScriptError | NotYet {
  const name = fileOfSend(word)
  if (name === undefined) return withoutReturn(word)
  const content = readFile?.(name) ?? 'Operation not permitted'
  if (content === NOT_YET) return NOT_YET
  if (typeof content === 'string') return { message: `${name} -- open failed: ${content}` }
  return withoutReturn(upToNul(fromLatin1(content.subarray(0, LONGEST_FILE)).replace(/\n$/, '')))
}

/** The name in `@name`. */
export function fileOfSend(word: string): string | undefined {
  return /^@[ \t]*([^ \t].*)/s.exec(word)?.[1]
}

function withoutReturn(word: string): string {
  if (word === 'EOT') return '^D\\c'
  return word === 'BREAK' ? '\\K\\c' : word
}
