/** A chat(8) script in words, a line a step, for `--dry-run`. Pure. Secrets are not shown. */

import { fromLatin1 } from '../base/bytes.ts'
import { expectParts, type Substitutions, sendSteps, unescapeExpect, unescapeSend, upToNul } from './escapes.ts'
import { type Keyword, leadingInteger } from './keywords.ts'
import { isSecret, outline, type ScriptStep } from './outline.ts'
import type { PlacedWord } from './script.ts'
import { fileOfSend, resolveSend } from './send-word.ts'
import { visible } from './visible.ts'
import { WatchedStrings } from './watched-strings.ts'

export interface DescribeOptions extends Substitutions {
  readonly timeoutMs?: number | undefined
}

const DEFAULT_TIMEOUT_MS = 45_000
const IF_NOT = '; if it does not come, '
const SECRET = 'send ?????? (a secret)'

export function describeScript(words: readonly PlacedWord[], options: DescribeOptions): string[] {
  return new Description(options).lines(outline(words))
}

interface Line {
  /** '' for a step without effect. */
  readonly text: string
  readonly isLast?: boolean
}

class Description {
  readonly #options: DescribeOptions
  readonly #aborts = new WatchedStrings('ABORT')
  #abortCount = 0
  #timeoutMs: number

  constructor(options: DescribeOptions) {
    this.#options = options
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS
  }

  lines(steps: readonly ScriptStep[]): string[] {
    const lines: string[] = []
    for (const step of steps) {
      const { text, isLast } = this.#step(step)
      if (text) lines.push(text)
      if (isLast) return lines
    }
    return [...lines, 'end with exit code 0']
  }

  #step(step: ScriptStep): Line {
    switch (step.type) {
      case 'broken':
        return { text: `end with exit code 1: ${step.message}`, isLast: true }
      case 'expect':
        return { text: this.#expect(step.word) }
      case 'send':
        return { text: step.isSecret ? SECRET : this.#send(step.word) }
      case 'set':
        return step.argument === undefined ? { text: '' } : this.#set(step.keyword, step.argument)
    }
  }

  #set(keyword: Keyword, argument: string): Line {
    const text = unescapeExpect(argument, this.#options)
    switch (keyword) {
      case 'ABORT': {
        const refusal = this.#aborts.add(argument, text)
        if (refusal) return { text: `end with exit code ${refusal.exitCode}: ${refusal.message}`, isLast: true }
        return { text: `from now on end with exit code ${4 + this.#abortCount++} when ${quoted(text)} comes` }
      }
      case 'CLR_ABORT': {
        const removed = this.#aborts.remove('CLR_ABORT', argument, text)
        if (typeof removed === 'object')
          return { text: `end with exit code ${removed.exitCode}: ${removed.message}`, isLast: true }
        this.#abortCount -= removed
        return { text: `no longer end when ${quoted(text)} comes; the exit codes of later ABORT strings move down` }
      }
      case 'REPORT':
        return { text: `report ${quoted(text)} and the rest of its line when it comes` }
      case 'CLR_REPORT':
        return { text: `no longer report ${quoted(text)}` }
      case 'TIMEOUT': {
        const seconds = leadingInteger(text)
        this.#timeoutMs = seconds > 0 ? seconds * 1000 : DEFAULT_TIMEOUT_MS
        return { text: `from now on wait ${this.#limit()}` }
      }
      case 'ECHO':
        return { text: `${argument === 'ON' ? 'show' : 'no longer show'} on standard error what is received` }
      case 'SAY':
        return { text: `say ${quoted(upToNul(unescapeSend(argument, this.#options).text))} on standard error` }
      case 'HANGUP':
        return { text: argument === 'OFF' ? 'ignore a hang-up of the line' : 'end when the line hangs up' }
    }
  }

  /** '' for one that never waits. */
  #expect(word: string): string {
    const parts = expectParts(word)
    const clauses: string[] = []
    let lead = ''
    for (let part = 0; part < parts.length; part += 2) {
      const text = unescapeExpect(parts[part]!, this.#options)
      if (text === '') break
      clauses.push(`${lead}wait ${this.#limit()} for ${quoted(text)}`)
      const reply = parts[part + 1]
      if (reply === undefined) return [...clauses, 'end with exit code 3'].join(IF_NOT)
      lead = `${isSecret(reply, '') ? SECRET : this.#send(reply)}, then `
    }
    if (lead) clauses.push(`${lead}go on`)
    return clauses.join(IF_NOT)
  }

  #limit(): string {
    return Number.isFinite(this.#timeoutMs) ? `up to ${this.#timeoutMs / 1000} s` : 'without limit'
  }

  #send(word: string): string {
    const file = fileOfSend(word)
    if (file !== undefined) return `send the content of the file ${visible(file)}`
    const content = resolveSend(word, undefined) as string
    const steps = sendSteps(unescapeSend(content, this.#options).text).map((step) => {
      if (step.type === 'bytes') return `send ${quoted(fromLatin1(step.bytes))}`
      return step.type === 'break' ? 'send a break' : `wait ${step.ms / 1000} s`
    })
    return steps.join(', ') || 'send nothing'
  }
}

function quoted(text: string): string {
  return `"${visible(text)}"`
}
