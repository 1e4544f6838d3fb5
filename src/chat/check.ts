/**
 * Finds what is wrong with a chat(8) script before it is used: what ends it, what has no effect, what can never come, and words
 * that are never reached. It walks through the script as the engine would if each expect were met. Pure; for `--check`.
 */

import { expectParts, type Substitutions, sendSteps, unescapeExpect, unescapeSend } from './escapes.ts'
import { isKeyword, leadingInteger } from './keywords.ts'
import { outline, type ScriptStep } from './outline.ts'
import type { PlacedWord } from './script.ts'
import { fileOfSend, type ReadFile, resolveSend } from './send-word.ts'
import { WatchedStrings } from './watched-strings.ts'

export interface Fault {
  /** Of the word in the script. */
  readonly index: number
  readonly message: string
}

export interface CheckOptions extends Substitutions {
  readonly timeoutMs?: number | undefined
  readonly readFile?: ReadFile | undefined
  /** Why everybody may read the file (its mode), for secrets in it; undefined: they may not. */
  readonly openTo?: ((path: string) => string | undefined) | undefined
  /** The script itself, where it is a file. */
  readonly scriptFile?: string | undefined
}

const DEFAULT_TIMEOUT_MS = 45_000
const LONGEST_EXPECT = 1024

type Step<Type> = Extract<ScriptStep, { readonly type: Type }>

export function checkScript(words: readonly PlacedWord[], options: CheckOptions): Fault[] {
  return new Check(words, options).run()
}

class Check {
  readonly #words: readonly PlacedWord[]
  readonly #options: CheckOptions
  readonly #faults: Fault[] = []
  readonly #strings = { ABORT: new WatchedStrings('ABORT'), REPORT: new WatchedStrings('REPORT') }
  #aborts: string[] = []
  #reports: string[] = []
  #timeoutMs: number
  /** The script surely ends with the word of this index. */
  #endsAt: number | undefined

  constructor(words: readonly PlacedWord[], options: CheckOptions) {
    this.#words = words
    this.#options = options
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS
  }

  run(): Fault[] {
    for (const step of outline(this.#words)) {
      this.#check(step)
      if (this.#endsAt !== undefined) break
    }
    const next = this.#endsAt === undefined ? undefined : this.#words[this.#endsAt + 1]
    if (next) this.#fault(this.#endsAt! + 1, 'never reached, nor is anything behind it: the script ends before')
    this.#words.forEach(({ word }, index) => {
      if (typeof word === 'string' && word.endsWith('\r'))
        this.#fault(
          index,
          'ends with a CR, which belongs to the word: this is a DOS text file (sed -i "s/\\r$//" FILE)',
        )
    })
    return this.#faults.sort((a, b) => a.index - b.index)
  }

  #check(step: ScriptStep): void {
    switch (step.type) {
      case 'broken':
        this.#end(step.index, `${step.message}: the script ends here with exit code 1`)
        break
      case 'set':
        this.#checkKeyword(step)
        break
      case 'expect':
        this.#checkExpect(step)
        break
      case 'send':
        this.#checkSend(step)
        break
    }
  }

  #checkKeyword({ index, keyword, argument }: Step<'set'>): void {
    if (argument === undefined) {
      this.#fault(index, `${keyword} without an argument has no effect`)
      return
    }
    switch (keyword) {
      case 'ABORT':
        this.#checkWatched(index + 1, 'ABORT', argument, this.#aborts)
        break
      case 'REPORT':
        this.#checkWatched(index + 1, 'REPORT', argument, this.#reports)
        break
      case 'CLR_ABORT':
        this.#aborts = this.#checkCleared(index + 1, 'ABORT', argument, this.#aborts)
        break
      case 'CLR_REPORT':
        this.#reports = this.#checkCleared(index + 1, 'REPORT', argument, this.#reports)
        break
      case 'TIMEOUT':
        this.#checkTimeout(index + 1, argument)
        break
      case 'ECHO':
      case 'HANGUP':
        if (argument !== 'ON' && argument !== 'OFF')
          this.#fault(index + 1, `${keyword} wants ON or OFF; this is taken for ${keyword === 'ECHO' ? 'OFF' : 'ON'}`)
        break
      case 'SAY':
        break
    }
  }

  #checkWatched(index: number, keyword: 'ABORT' | 'REPORT', argument: string, known: string[]): void {
    const text = unescapeExpect(argument, this.#options)
    const refusal = this.#strings[keyword].add(argument, text)
    if (refusal) {
      this.#end(index, `${refusal.message}: the script ends here with exit code ${refusal.exitCode}`)
      return
    }
    const earlier = known.findIndex((other) => text.includes(other))
    if (/[\x80-\xff]/.test(text)) this.#fault(index, 'can never come: received bytes have seven bits')
    else if (text === '') this.#fault(index, `an empty ${keyword} string comes with the first byte, whatever that is`)
    else if (earlier >= 0 && keyword === 'ABORT')
      this.#fault(index, `can never decide: another ABORT string, with exit code ${earlier + 4}, is found in it first`)
    known.push(text)
  }

  #checkCleared(index: number, keyword: 'ABORT' | 'REPORT', argument: string, known: string[]): string[] {
    const text = unescapeExpect(argument, this.#options)
    const removed = this.#strings[keyword].remove(keyword, argument, text)
    if (typeof removed === 'object')
      this.#end(index, `${removed.message}: the script ends here with exit code ${removed.exitCode}`)
    else if (removed === 0) this.#fault(index, `has no effect: there is no such ${keyword} string here`)
    return known.filter((each) => each !== text)
  }

  #checkTimeout(index: number, argument: string): void {
    const seconds = leadingInteger(unescapeExpect(argument, this.#options))
    if (seconds <= 0) this.#fault(index, 'is no number of seconds above 0: the limit becomes 45 seconds')
    this.#timeoutMs = seconds > 0 ? seconds * 1000 : DEFAULT_TIMEOUT_MS
  }

  #checkExpect({ index, word }: Step<'expect'>): void {
    if (isKeyword(word.toUpperCase()))
      this.#fault(index, `is waited for as a text: the keyword is ${word.toUpperCase()}`)
    this.#checkVariables(index, word)
    const parts = expectParts(word)
    for (let part = 0; part < parts.length; part += 2) {
      const text = unescapeExpect(parts[part]!, this.#options)
      if (text === '') {
        if (part + 1 < parts.length)
          this.#fault(index, 'an empty part is found at once: the parts behind it are never used')
        return
      }
      const never = this.#whyNever(text)
      if (text.length > LONGEST_EXPECT || (never?.exitCode ?? 0) >= 4) {
        this.#end(index, never!.message)
        return
      }
      if (never) {
        this.#fault(index, never.message)
        if (part === parts.length - 1) this.#endsAt = index
      }
      const reply = parts[part + 1]
      if (reply !== undefined) this.#checkSendWord(index, reply, false)
    }
  }

  #whyNever(text: string): { readonly exitCode: number; readonly message: string } | undefined {
    if (text.length > LONGEST_EXPECT)
      return { exitCode: 1, message: `expect string is too long (${text.length} bytes, 1024 at most): exit code 1` }
    const abort = this.#aborts.findIndex((each) => text.slice(0, -1).includes(each))
    if (abort >= 0)
      return {
        exitCode: 4 + abort,
        message: `can never be met: an ABORT string, with exit code ${4 + abort}, is found in it first`,
      }
    return /[\x80-\xff]/.test(text)
      ? { exitCode: 3, message: 'can never be met: received bytes have seven bits' }
      : undefined
  }

  #checkSend({ index, word, isSecret }: Step<'send'>): void {
    if (isKeyword(word))
      this.#fault(index, `is sent to the modem as a text: ${word} is a keyword only where something is expected`)
    this.#checkSendWord(index, word, isSecret)
  }

  #checkSendWord(index: number, word: string, isSecret: boolean): void {
    const { scriptFile, readFile } = this.#options
    const file = fileOfSend(word)
    if (isSecret) this.#checkSecret(index, file ?? scriptFile)
    const content = resolveSend(word, readFile)
    if (typeof content === 'symbol') return
    if (typeof content === 'object') {
      this.#end(index, `${content.message}: the script ends here with exit code 1`)
      return
    }
    if (file === undefined) this.#checkVariables(index, word)
    this.#checkEscapes(index, content)
    this.#checkDelays(index, content)
  }

  #checkSecret(index: number, file: string | undefined): void {
    const mode = file === undefined ? undefined : this.#options.openTo?.(file)
    if (mode !== undefined)
      this.#fault(index, `a password in a file that everybody may read: chmod 600 ${file} (now ${mode})`)
  }

  #checkEscapes(index: number, word: string): void {
    const { phoneNumber, phoneNumber2 } = this.#options
    const escapes = [...word.matchAll(/\\(.)/gs)]
    for (const { 1: letter, index: at } of escapes) {
      if (letter === 'c' && at + 2 < word.length)
        this.#fault(index, 'a \\c that is not the end of the word is the letter c; a CR is sent')
      if (letter === 'T' && phoneNumber === undefined) this.#fault(index, '\\T is the letter T here: there is no -T')
      if (letter === 'U' && phoneNumber2 === undefined) this.#fault(index, '\\U is the letter U here: there is no -U')
    }
  }

  #checkDelays(index: number, word: string): void {
    let delayMs = 0
    for (const step of sendSteps(unescapeSend(word, this.#options).text)) {
      if (step.type === 'delay') delayMs += step.ms
      if (step.type !== 'bytes' || delayMs < this.#timeoutMs) continue
      this.#end(
        index,
        `cannot be sent within the limit of ${this.#timeoutMs / 1000} seconds: its delays take ${delayMs / 1000}`,
      )
      return
    }
  }

  #checkVariables(index: number, word: string): void {
    const { env } = this.#options
    if (!env) return
    for (const [, name = ''] of word.matchAll(/(?<!\\)\$([A-Za-z0-9_]*)/g))
      if (name === '') this.#fault(index, '$ without a name stands for nothing (with -E)')
      else if (env(name) === undefined) this.#fault(index, `$${name} is not set and stands for nothing`)
  }

  #fault(index: number, message: string): void {
    this.#faults.push({ index, message })
  }

  #end(index: number, message: string): void {
    this.#fault(index, message)
    this.#endsAt ??= index
  }
}
