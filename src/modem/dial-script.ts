/**
 * The chat script of a dial as a machine: the chat engine, the evidence it leaves behind, and a limit for the whole. Run by
 * `dial.ts` over the leased port.
 */

import { fromLatin1 } from '../base/bytes.ts'
import type { Deadline, Input, Machine, Output } from '../base/machine.ts'
import { redacted } from '../base/redactor.ts'
import { ChatEngine, type ChatEvent } from '../chat/engine.ts'
import { scriptWords } from '../chat/script.ts'
import { ABORT_STRINGS, type ChatEnd } from './dial-result.ts'

export type DialEvent =
  | { readonly type: 'break' }
  /** The last. `report` is the CONNECT line; `unread` came behind it. */
  | {
      readonly type: 'end'
      readonly end: ChatEnd
      readonly report: string | undefined
      readonly unread: Uint8Array
    }

/** An error's code stands behind the word that ends the script: the rest of its line is worth this wait. */
const REST_OF_LINE_MS = 300
const KEPT_CHARS = 1024
const LF = 10

/** ABORT strings in their published order, then `'' ATDnumber CONNECT`, with CONNECT's line as the report. */
export function builtInWords(number: string): readonly string[] {
  return [...ABORT_STRINGS.flatMap((text) => ['ABORT', text]), 'REPORT', 'CONNECT', '', `ATD${number}`, 'CONNECT']
}

type ScriptEnd = Extract<ChatEvent, { type: 'end' }>

export interface DialScriptOptions {
  readonly number: string
  /** A chat(8) file's text in place of the built-in words; `\T` in it is the number. */
  readonly chatScript: string | undefined
  /** `$NAME` in that text. */
  readonly scriptVariables?: Readonly<Record<string, string>> | undefined
  readonly timeoutMs: number
  readonly nowMs: number
}

export class DialScript implements Machine<DialEvent> {
  readonly #engine: ChatEngine
  readonly #giveUpAtMs: number
  /** As it is, and as its bytes read. */
  readonly #secrets: readonly string[]
  readonly #outputs: Output<DialEvent>[] = []
  #heard = ''
  #report: string | undefined
  #end: { readonly event: ScriptEnd; readonly untilMs: number } | undefined
  #isOver = false
  #isLineGone = false

  constructor({ number, chatScript, scriptVariables = {}, timeoutMs, nowMs }: DialScriptOptions) {
    const words = chatScript === undefined ? builtInWords(number) : scriptWords(chatScript)
    // A script of one's own sets its time limits itself; ours waits as long as the dial may take.
    const own = { env: (name: string) => (Object.hasOwn(scriptVariables, name) ? scriptVariables[name] : undefined) }
    const options = chatScript === undefined ? { timeoutMs } : own
    this.#engine = new ChatEngine({ words, phoneNumber: number, ...options })
    this.#giveUpAtMs = nowMs + timeoutMs
    const { PASSWORD: password = '' } = scriptVariables
    this.#secrets = [password, fromLatin1(new TextEncoder().encode(password))]
  }

  handle(input: Input, nowMs: number): void {
    if (this.#isOver) return
    if (input.type === 'data') this.#heard = (this.#heard + fromLatin1(input.bytes)).slice(-KEPT_CHARS)
    if (input.type === 'close') this.#isLineGone = true
    if (!this.#end) {
      this.#engine.handle(input, nowMs)
      this.#drainEngine(nowMs)
    }
    if (this.#end) {
      const { event, untilMs } = this.#end
      if (nowMs >= untilMs || this.#isLineGone || this.#isLineWhole(event.abortString)) this.#finish(event)
    } else if (nowMs >= this.#giveUpAtMs) {
      this.#finish({ type: 'end', exitCode: 3, message: 'the dial took too long' })
    }
  }

  poll(): Output<DialEvent> | undefined {
    return this.#outputs.shift()
  }

  deadline(): Deadline | undefined {
    if (this.#isOver) return undefined
    if (this.#end) return { atMs: this.#end.untilMs, why: "the rest of the error's line" }
    const own: Deadline = { atMs: this.#giveUpAtMs, why: 'the dial takes too long' }
    const engine = this.#engine.deadline()
    return engine && engine.atMs < own.atMs ? engine : own
  }

  #drainEngine(nowMs: number): void {
    for (let output = this.#engine.poll(); output; output = this.#engine.poll()) {
      if (output.type === 'send') this.#outputs.push(output)
      else this.#onEngine(output.event, nowMs)
    }
  }

  #onEngine(event: ChatEvent, nowMs: number): void {
    if (event.type === 'report') this.#report ??= event.text.trim()
    else if (event.type === 'break') this.#outputs.push({ type: 'event', event: { type: 'break' } })
    else if (event.type === 'end') {
      const waits = event.exitCode >= 4 && !this.#isLineWhole(event.abortString)
      this.#end = { event, untilMs: nowMs + (waits ? REST_OF_LINE_MS : 0) }
    }
  }

  /** Has the line that ended the script ended itself? */
  #isLineWhole(abortString: string | undefined): boolean {
    return /[\r\n]/.test(this.#heard.slice(this.#heard.lastIndexOf(abortString ?? '')))
  }

  #finish(event: ScriptEnd): void {
    this.#isOver = true
    const { exitCode, abortString } = event
    const message = this.#told(event.message)
    const lines = this.#heard.split(/[\r\n]+/).flatMap((line) => (line.trim() === '' ? [] : [line.trim()]))
    const lastLine = this.#told(lines.findLast((line) => abortString === undefined || line.includes(abortString)) ?? '')
    const end: ChatEnd = { exitCode, abortString, message, lastLine, isLineGone: this.#isLineGone }
    this.#outputs.push({
      type: 'event',
      event: { type: 'end', end, report: this.#report, unread: this.#unread(exitCode) },
    })
  }

  /** The modem echoes what a script sends, a password as well, and how the dial ended everybody may read. */
  #told(text: string): string {
    return redacted(text, this.#secrets)
  }

  /** CONNECT's line may end in CR LF of which the engine takes the CR: the LF is not PPP's. */
  #unread(exitCode: number): Uint8Array {
    const unread = this.#engine.unread()
    return exitCode === 0 && unread[0] === LF ? unread.slice(1) : unread.slice()
  }
}
