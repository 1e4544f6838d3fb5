/** A chat(8) script as steps, for `check.ts` and `describe.ts`: which word is a keyword, its argument, an expect or a send. The engine does not use it: it takes words as they come. */

import { isKeyword, type Keyword } from './keywords.ts'
import type { PlacedWord } from './script.ts'

/** `index` is that of the word in the script. */
export type ScriptStep =
  | { readonly type: 'set'; readonly index: number; readonly keyword: Keyword; readonly argument: string | undefined }
  | { readonly type: 'expect'; readonly index: number; readonly word: string }
  | { readonly type: 'send'; readonly index: number; readonly word: string; readonly isSecret: boolean }
  /** The script ends here with exit code 1. */
  | { readonly type: 'broken'; readonly index: number; readonly message: string }

export function outline(words: readonly PlacedWord[]): ScriptStep[] {
  const steps: ScriptStep[] = []
  for (let index = 0; index < words.length; ) {
    const first = words[index]!.word
    const second = words[index + 1]?.word
    if (typeof first !== 'string') return [...steps, { type: 'broken', index, message: first.message }]
    const isSet = isKeyword(first)
    if (!isSet) steps.push({ type: 'expect', index, word: first })
    if (second !== undefined && typeof second !== 'string')
      return [...steps, { type: 'broken', index: index + 1, message: second.message }]
    if (isSet) steps.push({ type: 'set', index, keyword: first, argument: second })
    else if (second !== undefined)
      steps.push({ type: 'send', index: index + 1, word: second, isSecret: isSecret(second, first) })
    index += 2
  }
  return steps
}

const ASKS_FOR_SECRET = /word|pass(?:wd|code)|\bpin\b|secret/i
const GIVES_SECRET = /\\q|\+CPIN=|\+CLCK=|\+CPWD=|AUTHDATA=|CGAUTH=|\$\w*(?:PASS|PIN|SECRET)/i

/** Hidden by `\q`, a PIN or password by its command, or the answer to a question for one. */
export function isSecret(send: string, expect: string): boolean {
  return GIVES_SECRET.test(send) || (ASKS_FOR_SECRET.test(expect) && send !== '' && !/^\\[cdr]$/.test(send))
}
