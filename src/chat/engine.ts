/**
 * chat(8) as a pure machine: carries a script out against a modem. The modem's dialling runs one over the leased port;
 * the program modem-chat runs the same over its standard input and output. What it does is Debian's chat 2.4.9, held to it by
 * `test/chat/debian-chat.test.ts`; but it sends without chat's pause of 10 ms before each byte, and a report is not cut.
 *
 * It is run in one of two ways. Over a leased port it is given whatever comes and keeps what it does not use (`unread`). A
 * program that must not read a byte too many runs it `pulled`: it reads a byte when `isReading` says so, tells what its reads
 * and writes came to (`readFailed`, `sent`, `sendFailed`), and the script waits for that.
 */

import type { Deadline, Input, Machine, Output } from '../base/machine.ts'
import type { State, StateAt } from './engine-state.ts'
import { expectParts, sendSteps, unescapeExpect, unescapeSend, upToNul } from './escapes.ts'
import { ExpectLog } from './expect-log.ts'
import { Expectation } from './expectation.ts'
import { Inbox } from './inbox.ts'
import { isKeyword, type Keyword } from './keywords.ts'
import type { ChatEnd, ChatEvent, ChatOptions } from './options.ts'
import { Outputs } from './outputs.ts'
import { type Received, Receiver } from './receiver.ts'
import { NOT_YET, type NotYet, type ScriptWord } from './script.ts'
import { resolveSend } from './send-word.ts'
import { Sending } from './sending.ts'
import { Settings } from './settings.ts'
import { visible } from './visible.ts'

export type { ChatEvent, ChatOptions } from './options.ts'

const LONGEST_EXPECT = 1024
/** For the rest of a report at the end of the script, each byte. */
const REPORT_BYTE_MS = 1000

export class ChatEngine implements Machine<ChatEvent> {
  readonly #options: ChatOptions
  readonly #words: Iterator<ScriptWord | NotYet>
  readonly #outputs: Outputs
  readonly #settings: Settings
  readonly #receiver: Receiver
  #state: State = { at: 'unopened' }
  #nowMs = 0
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
    this.#outputs = new Outputs(options.verbose ?? false)
    this.#settings = new Settings(options, this.#outputs)
    this.#receiver = new Receiver(options, this.#settings, this.#outputs)
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
    return this.#outputs.poll()
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
    const isSecondEnd = this.#state.at === 'finishing'
    if (isSecondEnd) this.#settings.reports.end()
    this.#fatal(2, name, isSecondEnd)
    this.#run()
  }

  /** As an alarm signal from outside does: a wait ends, a send has no more time. */
  alarm(nowMs: number): void {
    this.#nowMs = nowMs
    const state = this.#state
    if (state.at === 'unopened' || state.at === 'ended') return
    if (state.at === 'sending') {
      state.sending.endTime(nowMs)
      this.#limitPassed()
    } else {
      this.#outputs.logVerbose('alarm')
      if (state.at === 'expecting') this.#expectFailed()
      else if (state.at === 'finishing') this.#conclude(state.end)
      else this.#mustNotWait = true
    }
    this.#run()
  }

  /** Pulled: a byte is wanted. No more than one may be given before this is asked again. */
  get isReading(): boolean {
    return this.#state.at === 'expecting' || this.#state.at === 'finishing'
  }

  /** Pulled: bytes were put out and are not yet known to be sent. */
  get isWriting(): boolean {
    return this.#state.at === 'sending' && this.#state.pending === 'bytes'
  }

  /** Pulled: if nothing is there to be read, `readFailed` must be called instead of waiting. */
  get mustNotWait(): boolean {
    return this.#mustNotWait
  }

  /** Pulled: nothing can be read now, which counts as a timeout. `warning` is logged. */
  readFailed(nowMs: number, warning?: string): void {
    if (!this.isReading) return
    this.#nowMs = nowMs
    if (warning !== undefined) this.#outputs.log('info', warning)
    this.#mustNotWait = false
    if (this.#state.at === 'finishing') this.#conclude(this.#state.end)
    else this.#expectFailed()
    this.#run()
  }

  /** Pulled: the bytes or the break last put out are on their way. */
  sent(nowMs: number): void {
    if (this.#state.at !== 'sending') return
    this.#nowMs = nowMs
    this.#state.pending = undefined
    this.#run()
  }

  /** Pulled: the time limit has passed while bytes were being written: `sendFailed` is due unless they must be waited for. */
  get mustNotSend(): boolean {
    return this.#state.at === 'sending' && this.#state.sending.isOutOfTime
  }

  /** Pulled: the bytes were not written; `why` is the system's text, without it their time is up. */
  sendFailed(nowMs: number, why?: string): void {
    if (this.#state.at !== 'sending') return
    this.#nowMs = nowMs
    this.#writeFailed(why)
    this.#run()
  }

  /** What was `NOT_YET` there when it was last asked for (a word, a file) is worth asking for again. */
  resume(nowMs: number): void {
    if (this.#state.at !== 'waiting') return
    this.#nowMs = nowMs
    const { word } = this.#state
    this.#state = { at: 'between' }
    if (word !== undefined) this.#startSend(word)
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
          goesOn = this.#send(state)
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
    if (word === NOT_YET) {
      this.#state = { at: 'waiting' }
      return
    }
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
    if (!keyword) this.#startSend(word)
    else {
      const refusal = this.#settings.obey(keyword, word)
      if (refusal) this.#fatal(refusal.exitCode, refusal.message)
    }
  }

  #startExpect(part: string): void {
    const text = unescapeExpect(part, this.#options)
    this.#outputs.logVerbose(`expect (${visible(text)})`)
    if (text.length > LONGEST_EXPECT) {
      this.#outputs.log('info', 'expect string is too long')
      this.#fail(1)
      return
    }
    if (text.length === 0) {
      this.#outputs.logVerbose('got it')
      this.#setParts([])
      return
    }
    const dueMs = this.#nowMs + this.#settings.timeoutMs
    this.#state = {
      at: 'expecting',
      expectation: new Expectation(text, this.#settings.reports.strings.table, this.#settings.aborts.table, dueMs),
      log: this.#options.verbose
        ? new ExpectLog((message) => this.#outputs.log('info', message), text.length)
        : undefined,
    }
  }

  #expect(state: StateAt<'expecting'>): boolean {
    for (let bytes = this.#inbox.first; bytes; bytes = this.#inbox.first) {
      const { used, decided } = this.#receiver.take(bytes, state.expectation, state.log, this.#nowMs)
      this.#inbox.take(used)
      if (decided) {
        this.#decided(decided)
        return true
      }
    }
    // The end of the line counts as a timeout, at once.
    if (this.#closedReason === undefined && (this.#options.pulled || !this.#mustNotWait)) {
      if (this.#nowMs < state.expectation.dueMs) return false
      this.#outputs.logVerbose('alarm')
    }
    this.#mustNotWait = false
    this.#expectFailed()
    return true
  }

  #decided(decided: NonNullable<Received['decided']>): void {
    if (decided !== 'met') {
      this.#fail(4 + decided.abortIndex, this.#settings.aborts.text(decided.abortIndex))
      return
    }
    this.#setParts([])
    this.#state = { at: 'between' }
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
    if (content === NOT_YET) {
      this.#state = { at: 'waiting', word }
      return
    }
    if (typeof content !== 'string') {
      this.#fatal(1, content.message)
      return
    }
    const { text, isQuiet } = unescapeSend(content, this.#options)
    this.#outputs.logVerbose(`send (${isQuiet ? '??????' : visible(upToNul(text))})`)
    this.#state = {
      at: 'sending',
      sending: new Sending(sendSteps(text, this.#options.paceMs), this.#nowMs + this.#settings.timeoutMs),
    }
  }

  /** Nothing is read while sending. */
  #send(state: StateAt<'sending'>): boolean {
    const { sending } = state
    if (state.pending && this.#nowMs < sending.dueMs) return false
    const step = sending.next(this.#nowMs)
    switch (step.type) {
      case 'wait':
        return false
      case 'done':
        this.#state = { at: 'between' }
        break
      case 'limit':
        this.#limitPassed()
        break
      case 'break':
        this.#outputs.emit({ type: 'break' })
        if (this.#options.pulled) state.pending = 'break'
        else sending.pauseForBreak(this.#nowMs)
        break
      case 'bytes':
        if (sending.isOutOfTime) this.#writeFailed(undefined)
        else if (this.#closedReason !== undefined) this.#writeFailed(this.#closedReason)
        else {
          this.#outputs.send(step.bytes)
          if (this.#options.pulled) state.pending = 'bytes'
        }
        break
      case 'delay':
        break
    }
    return true
  }

  #limitPassed(): void {
    this.#mustNotWait = true
    this.#outputs.logVerbose('alarm')
  }

  #writeFailed(why: string | undefined): void {
    this.#outputs.logVerbose(why === undefined ? ' -- write timed out' : ` -- write failed: ${why}`)
    this.#fatal(1, 'Failed')
  }

  #fail(exitCode: number, abortString?: string): void {
    const message = abortString === undefined ? 'Failed' : `Failed (${abortString})`
    this.#outputs.log('info', message)
    this.#finish({ type: 'end', exitCode, message, ...(abortString !== undefined && { abortString }) })
  }

  #fatal(exitCode: number, message: string, isSecondEnd = false): void {
    this.#outputs.log('error', message)
    this.#finish({ type: 'end', exitCode, message, ...(isSecondEnd && { isSecondEnd: true }) })
  }

  #finish(end: ChatEnd): void {
    this.#receiver.endEcho()
    if (this.#settings.reports.isGathering) this.#state = { at: 'finishing', end, dueMs: this.#nowMs + REPORT_BYTE_MS }
    else this.#conclude(end)
  }

  /** Reads on to the end of the report that was begun: these bytes are neither shown nor looked at. */
  #gatherRest(state: StateAt<'finishing'>): boolean {
    for (let bytes = this.#inbox.first; bytes; bytes = this.#inbox.first) {
      const last = bytes.findIndex((byte) => this.#settings.reports.takeRest(byte & 0x7f))
      this.#inbox.take(last < 0 ? bytes.length : last + 1)
      if (last >= 0) {
        this.#conclude(state.end)
        return false
      }
      state.dueMs = this.#nowMs + REPORT_BYTE_MS
    }
    if (this.#closedReason === undefined) {
      if (this.#nowMs < state.dueMs) return false
      this.#outputs.logVerbose('alarm')
    }
    this.#conclude(state.end)
    return false
  }

  #conclude(end: ChatEnd): void {
    this.#receiver.endReport()
    this.#state = { at: 'ended' }
    this.#outputs.emit(end)
  }
}

function deadlineAt(atMs: number, why: string): Deadline | undefined {
  return Number.isFinite(atMs) ? { atMs, why } : undefined
}
