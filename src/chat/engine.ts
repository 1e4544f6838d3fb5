/**
 * chat(8) as a pure machine: carries a script out against a modem. The modem's dialling runs one over the leased port;
 * the program modem-chat will run the same. What it does is Debian's chat 2.4.9, held to it by
 * `test/chat/debian-chat.test.ts`; but it sends without chat's pause of 10 ms before each byte, and a report is not cut.
 */

import { latin1 } from '../base/bytes.ts'
import type { Deadline, Input, Machine, Output } from '../base/machine.ts'
import { expectParts, sendSteps, unescapeExpect, unescapeSend, upToNul } from './escapes.ts'
import { ExpectLog } from './expect-log.ts'
import { Expectation } from './expectation.ts'
import { Inbox } from './inbox.ts'
import { isKeyword, type Keyword, leadingInteger } from './keywords.ts'
import type { ChatEvent, ChatOptions } from './options.ts'
import { Reports } from './reports.ts'
import type { ScriptWord } from './script.ts'
import { resolveSend } from './send-word.ts'
import { Sending } from './sending.ts'
import { echoed, visible } from './visible.ts'
import { WatchedStrings } from './watched-strings.ts'

export type { ChatEvent, ChatOptions } from './options.ts'

type ChatEnd = Extract<ChatEvent, { type: 'end' }>

type State =
  | { readonly at: 'unopened' | 'between' | 'ended' }
  | { readonly at: 'expecting'; readonly expectation: Expectation; readonly log: ExpectLog | undefined }
  | { readonly at: 'sending'; readonly sending: Sending }
  /** All is over but for the end of a report that is being gathered. */
  | { readonly at: 'finishing'; readonly end: ChatEnd; dueMs: number }

type StateAt<At> = Extract<State, { readonly at: At }>

const DEFAULT_TIMEOUT_MS = 45_000
const LONGEST_EXPECT = 1024
const LONGEST_MESSAGE = 1023
/** For the rest of a report at the end of the script, each byte. */
const REPORT_BYTE_MS = 1000

export class ChatEngine implements Machine<ChatEvent> {
  readonly #options: ChatOptions
  readonly #words: Iterator<ScriptWord>
  readonly #aborts = new WatchedStrings('ABORT')
  readonly #reports = new Reports()
  #state: State = { at: 'unopened' }
  #nowMs = 0
  #outputs: Output<ChatEvent>[] = []
  #timeoutMs: number
  #isEchoing: boolean
  #owesLineEnd = false
  #isSendPlace = false
  #keyword: Keyword | undefined
  /** Of the expect word at hand; `#part` is the expect that runs or is next. */
  #parts: readonly string[] = []
  #part = 0
  /** A delay in a send ran into the time limit. As in chat the next expect that finds nothing to read is then over at once. */
  #mustNotWait = false
  readonly #inbox = new Inbox()
  #closedReason: string | undefined

  constructor(options: ChatOptions) {
    this.#options = options
    this.#words = options.words[Symbol.iterator]()
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS
    this.#isEchoing = options.echo ?? false
  }

  handle(input: Input, nowMs: number): void {
    this.#nowMs = nowMs
    if (input.type === 'open' && this.#state.at === 'unopened') this.#state = { at: 'between' }
    if (input.type === 'close') this.#closedReason ??= input.reason
    if (input.type === 'data') this.#inbox.add(input.bytes)
    this.#run()
    if (input.type === 'data') this.#inbox.keep()
  }

  poll(): Output<ChatEvent> | undefined {
    return this.#outputs.shift()
  }

  deadline(): Deadline | undefined {
    const state = this.#state
    if (state.at === 'expecting') return deadlineAt(state.expectation.dueMs, 'expect')
    if (state.at === 'sending') return deadlineAt(state.sending.dueMs, 'send')
    return state.at === 'finishing' ? deadlineAt(state.dueMs, 'rest of a report') : undefined
  }

  /** Ends the script at once with exit code 2, as a signal does; `name` is logged (`SIGTERM`). */
  interrupt(name: string, nowMs: number): void {
    this.#nowMs = nowMs
    if (this.#state.at === 'ended') return
    // A second end does not wait for the first one's report.
    if (this.#state.at === 'finishing') this.#reports.end()
    this.#fatal(2, name)
    this.#run()
  }

  /** After the end: what was received and not used. It belongs to whoever uses the line next. */
  unread(): Uint8Array {
    return this.#inbox.all()
  }

  #run(): void {
    for (let goesOn = true; goesOn; ) {
      const state = this.#state
      switch (state.at) {
        case 'between':
          this.#nextStep()
          break
        case 'expecting':
          goesOn = this.#expect(state)
          break
        case 'sending':
          goesOn = this.#send(state.sending)
          break
        case 'finishing':
          goesOn = this.#gatherRest(state)
          break
        default:
          return
      }
    }
  }

  /** The rest of a dashed word, or the next word: expect and send in turn, over the whole script. */
  #nextStep(): void {
    if (this.#part < this.#parts.length) {
      this.#startExpect(this.#parts[this.#part]!)
      return
    }
    const next = this.#words.next()
    if (next.done) {
      this.#finish({ type: 'end', exitCode: 0, message: '' })
      return
    }
    const word = next.value
    if (typeof word !== 'string') {
      this.#fatal(1, word.message)
      return
    }
    this.#isSendPlace = !this.#isSendPlace
    if (!this.#isSendPlace) this.#sendWord(word)
    else if (isKeyword(word)) this.#keyword = word
    else this.#setParts(expectParts(word))
  }

  #setParts(parts: readonly string[]): void {
    this.#parts = parts
    this.#part = 0
  }

  #sendWord(word: string): void {
    const keyword = this.#keyword
    this.#keyword = undefined
    if (keyword) this.#obey(keyword, word)
    else this.#startSend(word)
  }

  #obey(keyword: Keyword, argument: string): void {
    switch (keyword) {
      case 'ABORT':
        this.#watch(this.#aborts, argument, 'abort on')
        break
      case 'REPORT':
        this.#watch(this.#reports.strings, argument, 'report')
        break
      case 'CLR_ABORT':
        this.#unwatch(this.#aborts, 'CLR_ABORT', argument, 'clear abort on')
        break
      case 'CLR_REPORT':
        // Its message says REPORT.
        this.#unwatch(this.#reports.strings, 'REPORT', argument, 'clear report')
        break
      case 'TIMEOUT': {
        const seconds = leadingInteger(unescapeExpect(argument, this.#options))
        this.#timeoutMs = seconds > 0 ? seconds * 1000 : DEFAULT_TIMEOUT_MS
        this.#logVerbose(`timeout set to ${this.#timeoutMs / 1000} seconds`)
        break
      }
      case 'ECHO':
        this.#isEchoing = argument === 'ON'
        break
      case 'SAY':
        this.#emit({ type: 'say', bytes: latin1(upToNul(unescapeSend(argument, this.#options).text)) })
        break
      case 'HANGUP':
        this.#emit({ type: 'hangup', ignore: argument === 'OFF' })
        break
    }
  }

  #watch(strings: WatchedStrings, argument: string, logged: string): void {
    const refusal = strings.add(argument, unescapeExpect(argument, this.#options))
    if (refusal) this.#fatal(refusal.exitCode, refusal.message)
    else this.#logVerbose(`${logged} (${visible(argument)})`)
  }

  #unwatch(strings: WatchedStrings, keyword: string, argument: string, logged: string): void {
    const removed = strings.remove(keyword, argument, unescapeExpect(argument, this.#options))
    if (typeof removed === 'object') this.#fatal(removed.exitCode, removed.message)
    else for (let count = removed; count > 0; count--) this.#logVerbose(`${logged} (${visible(argument)})`)
  }

  #startExpect(part: string): void {
    const text = unescapeExpect(part, this.#options)
    this.#logVerbose(`expect (${visible(text)})`)
    if (text.length > LONGEST_EXPECT) {
      this.#log('info', 'expect string is too long')
      this.#fail(1)
      return
    }
    if (text.length === 0) {
      this.#logVerbose('got it')
      this.#setParts([])
      return
    }
    const dueMs = this.#nowMs + this.#timeoutMs
    this.#state = {
      at: 'expecting',
      expectation: new Expectation(text, this.#reports.strings.table, this.#aborts.table, dueMs),
      log: this.#options.verbose ? new ExpectLog((message) => this.#log('info', message), text.length) : undefined,
    }
  }

  #expect(state: StateAt<'expecting'>): boolean {
    for (let bytes = this.#inbox.first; bytes; bytes = this.#inbox.first) {
      this.#inbox.take(this.#match(state, bytes))
      if (this.#state !== state) return true
    }
    // The end of the line counts as a timeout, at once.
    if (this.#closedReason === undefined && !this.#mustNotWait) {
      if (this.#nowMs < state.expectation.dueMs) return false
      this.#logVerbose('alarm')
    }
    this.#mustNotWait = false
    this.#expectFailed()
    return true
  }

  /** Takes bytes until the expect is decided, and answers how many. Reports are looked for first, then the expect, then aborts. */
  #match({ expectation, log }: StateAt<'expecting'>, bytes: Uint8Array): number {
    const isShown = this.#isEchoing || this.#options.echoReceived || log
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]! & 0x7f
      if (isShown) this.#show(byte, log)
      expectation.take(byte)
      this.#report(byte, expectation.reportsFound)
      if (expectation.isMet) {
        log?.matched()
        this.#setParts([])
        this.#state = { at: 'between' }
        return at + 1
      }
      const aborts = expectation.abortsFound
      if (aborts) {
        log?.aborted()
        this.#fail(4 + aborts[0]!, this.#aborts.text(aborts[0]!))
        return at + 1
      }
      log?.slide()
    }
    return bytes.length
  }

  #show(byte: number, log: ExpectLog | undefined): void {
    const shown = echoed(byte)
    if (this.#isEchoing && shown) {
      this.#emit({ type: 'echo', bytes: latin1(shown) })
      this.#owesLineEnd = shown !== '\n'
    }
    log?.received(byte)
    if (this.#options.echoReceived && shown) this.#emit({ type: 'echo', bytes: latin1(shown) })
  }

  /** The byte that ends a report begins no other. */
  #report(byte: number, found: readonly number[] | undefined): void {
    if (!this.#reports.isGathering) {
      if (found) this.#reports.begin(found, this.#nowMs)
    } else if (this.#reports.take(byte)) this.#endReport()
  }

  #endReport(): void {
    const report = this.#reports.end()
    if (report) this.#emit({ type: 'report', ...report })
  }

  #expectFailed(): void {
    const reply = this.#parts[this.#part + 1]
    if (reply === undefined) {
      this.#fail(3)
      return
    }
    this.#part += 2
    this.#startSend(reply)
  }

  #startSend(word: string): void {
    const content = resolveSend(word, this.#options.readFile)
    if (typeof content !== 'string') {
      this.#fatal(1, content.message)
      return
    }
    const { text, isQuiet } = unescapeSend(content, this.#options)
    this.#logVerbose(`send (${isQuiet ? '??????' : visible(upToNul(text))})`)
    this.#state = { at: 'sending', sending: new Sending(sendSteps(text), this.#nowMs + this.#timeoutMs) }
  }

  /** Nothing is read while sending. */
  #send(sending: Sending): boolean {
    const step = sending.next(this.#nowMs)
    switch (step.type) {
      case 'wait':
        return false
      case 'done':
        this.#state = { at: 'between' }
        break
      case 'limit':
        this.#mustNotWait = true
        this.#logVerbose('alarm')
        break
      case 'break':
        this.#emit({ type: 'break' })
        break
      case 'bytes':
        if (sending.isOutOfTime) this.#sendFailed(' -- write timed out')
        else if (this.#closedReason !== undefined) this.#sendFailed(` -- write failed: ${this.#closedReason}`)
        else this.#outputs.push({ type: 'send', bytes: step.bytes })
        break
      case 'delay':
        break
    }
    return true
  }

  #sendFailed(message: string): void {
    this.#logVerbose(message)
    this.#fatal(1, 'Failed')
  }

  #fail(exitCode: number, abortString?: string): void {
    const message = abortString === undefined ? 'Failed' : `Failed (${abortString})`
    this.#log('info', message)
    this.#finish({ type: 'end', exitCode, message, ...(abortString !== undefined && { abortString }) })
  }

  #fatal(exitCode: number, message: string): void {
    this.#log('error', message)
    this.#finish({ type: 'end', exitCode, message })
  }

  #finish(end: ChatEnd): void {
    if (this.#owesLineEnd) this.#emit({ type: 'echo', bytes: latin1('\n') })
    this.#owesLineEnd = false
    if (this.#reports.isGathering) this.#state = { at: 'finishing', end, dueMs: this.#nowMs + REPORT_BYTE_MS }
    else this.#conclude(end)
  }

  /** Reads on to the end of the report that was begun: these bytes are neither shown nor looked at. */
  #gatherRest(state: StateAt<'finishing'>): boolean {
    for (let bytes = this.#inbox.first; bytes; bytes = this.#inbox.first) {
      const last = bytes.findIndex((byte) => this.#reports.take(byte & 0x7f) || this.#reports.isFull)
      this.#inbox.take(last < 0 ? bytes.length : last + 1)
      if (last >= 0) {
        this.#conclude(state.end)
        return false
      }
      state.dueMs = this.#nowMs + REPORT_BYTE_MS
    }
    if (this.#closedReason === undefined) {
      if (this.#nowMs < state.dueMs) return false
      this.#logVerbose('alarm')
    }
    this.#conclude(state.end)
    return false
  }

  #conclude(end: ChatEnd): void {
    this.#endReport()
    this.#state = { at: 'ended' }
    this.#emit(end)
  }

  #logVerbose(message: string): void {
    if (this.#options.verbose) this.#log('info', message)
  }

  #log(level: 'error' | 'info', message: string): void {
    this.#emit({ type: 'log', level, text: message.slice(0, LONGEST_MESSAGE) })
  }

  #emit(event: ChatEvent): void {
    this.#outputs.push({ type: 'event', event })
  }
}

function deadlineAt(atMs: number, why: string): Deadline | undefined {
  return Number.isFinite(atMs) ? { atMs, why } : undefined
}
