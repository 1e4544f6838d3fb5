/** What the keywords of a chat(8) script set: the strings that are watched for, the time limit, and whether received bytes are shown. */

import { latin1 } from '../base/bytes.ts'
import { unescapeExpect, unescapeSend, upToNul } from './escapes.ts'
import { type Keyword, leadingInteger } from './keywords.ts'
import type { ChatOptions } from './options.ts'
import type { Outputs } from './outputs.ts'
import { Reports } from './reports.ts'
import { visible } from './visible.ts'
import { type Refusal, WatchedStrings } from './watched-strings.ts'

const DEFAULT_TIMEOUT_MS = 45_000

export class Settings {
  readonly aborts = new WatchedStrings('ABORT')
  readonly reports: Reports
  readonly #options: ChatOptions
  readonly #outputs: Outputs
  #timeoutMs: number
  #isEchoing: boolean

  constructor(options: ChatOptions, outputs: Outputs) {
    this.#options = options
    this.#outputs = outputs
    this.reports = new Reports(options.longestReport)
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS
    this.#isEchoing = options.echo ?? false
  }

  get timeoutMs(): number {
    return this.#timeoutMs
  }

  get isEchoing(): boolean {
    return this.#isEchoing
  }

  /** A refusal ends the script. */
  obey(keyword: Keyword, argument: string): Refusal | undefined {
    switch (keyword) {
      case 'ABORT':
        return this.#watch(this.aborts, argument, 'abort on')
      case 'REPORT':
        return this.#watch(this.reports.strings, argument, 'report')
      case 'CLR_ABORT':
        return this.#unwatch(this.aborts, 'CLR_ABORT', argument, 'clear abort on')
      case 'CLR_REPORT':
        // Its message says REPORT.
        return this.#unwatch(this.reports.strings, 'REPORT', argument, 'clear report')
      case 'TIMEOUT':
        this.#limit(leadingInteger(unescapeExpect(argument, this.#options)))
        break
      case 'ECHO':
        this.#isEchoing = argument === 'ON'
        break
      case 'SAY':
        this.#outputs.emit({ type: 'say', bytes: latin1(upToNul(unescapeSend(argument, this.#options).text)) })
        break
      case 'HANGUP':
        this.#outputs.emit({ type: 'hangup', ignore: argument === 'OFF' })
        break
    }
    return undefined
  }

  #limit(seconds: number): void {
    this.#timeoutMs = seconds > 0 ? seconds * 1000 : DEFAULT_TIMEOUT_MS
    this.#outputs.logVerbose(`timeout set to ${this.#timeoutMs / 1000} seconds`)
  }

  #watch(strings: WatchedStrings, argument: string, logged: string): Refusal | undefined {
    const refusal = strings.add(argument, unescapeExpect(argument, this.#options))
    if (!refusal) this.#outputs.logVerbose(`${logged} (${visible(argument)})`)
    return refusal
  }

  #unwatch(strings: WatchedStrings, keyword: string, argument: string, logged: string): Refusal | undefined {
    const removed = strings.remove(keyword, argument, unescapeExpect(argument, this.#options))
    if (typeof removed === 'object') return removed
    for (let count = removed; count > 0; count--) this.#outputs.logVerbose(`${logged} (${visible(argument)})`)
    return undefined
  }
}
