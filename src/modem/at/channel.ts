/**
 * One AT port in command mode: a queue of commands, one on the line at a time, replies told from echoes and unsolicited
 * reports (ITU-T V.250 §5). A pure machine; `session.ts` runs it and gives it promises.
 *
 * A reply that comes after its command's time-out must not answer the next command. So after a time-out the channel probes with
 * `AT` and counts: when as many final results came as commands are open, or none came for a while behind the first, the
 * two sides agree again. A modem that answers no probe is deaf: what waits fails, and the next command starts with a probe.
 */

import { latin1 } from '../../base/bytes.ts'
import type { Deadline, Input, Machine, Output } from '../../base/machine.ts'
import { isDial, listsText, mayLackResult, needsLine, numericResult } from './commands.ts'
import { EchoFilter, isNoise } from './echo.ts'
import { splitAtHead } from './glued.ts'
import { isReportOfLines, ReportGatherer } from './report-gatherer.ts'
import { type AtToken, AtTokenizer, tokensOf } from './tokenizer.ts'
import { answerPrefixesOf, isReport } from './unsolicited.ts'

export interface AtCommand {
  /** The line without its end: `AT+CSQ`. No control characters. */
  readonly text: string
  readonly timeoutMs: number
  /** Heads of the lines wanted beside the command's own; then any other headed line is a report. */
  readonly expects?: readonly string[] | undefined
  /** Sent with ^Z behind it when the modem shows its prompt. */
  readonly afterPrompt?: string | undefined
  /** A prompt that nobody has a text for is answered with ESC, which leaves it (3GPP TS 27.005 §3.5.1). */
  readonly cancelsPrompt?: boolean | undefined
  /** CR where left out; '' for the escape sequence `+++`. */
  readonly lineEnd?: string | undefined
}

export interface AtReply {
  readonly isOk: boolean
  /** Without the final result. */
  readonly lines: readonly string[]
  /** `OK`, `+CME ERROR: 10`, `NO CARRIER`; '' where the answer came and its result did not. */
  readonly final: string
}

export type ChannelEvent =
  | { readonly type: 'reply'; readonly id: number; readonly reply: AtReply }
  /** No final result in time, or not even an answer to `AT`. */
  | { readonly type: 'silent'; readonly id: number; readonly waitedMs: number }
  | { readonly type: 'report'; readonly text: string }
  | { readonly type: 'probed'; readonly answers: boolean }
  | { readonly type: 'closed'; readonly reason: string }

/** When probes are sent, in ms from the start; the last number is the time to give up. */
export type ProbeTimes = readonly number[]

const RESYNC_TIMES: ProbeTimes = [0, 500, 1500, 3000]

/** How long no further final result must come before the two sides agree again, at least and at most. */
const QUIET_MIN_MS = 50
const QUIET_MAX_MS = 500
const ONE_BREATH_MS = 2
const MAX_REPLY_LINES = 2000

/** How long a bare OK is not believed where values belong, and values wait for their result. */
const BARE_OK_MS = 1000
const NO_RESULT_MS = 1500

/** More answers than this are not waited for when a deaf modem hears again. */
const MAX_OWED = 6

/** A modem that says a result more than it should is let finish before it is asked again. */
const SETTLE_MS = 25
/** Commands without one after which it is trusted again. */
const SETTLE_COMMANDS = 20

interface Waiting {
  readonly id: number
  readonly command: AtCommand
}

type State =
  | { readonly kind: 'idle' }
  | {
      readonly kind: 'busy'
      readonly id: number
      readonly command: AtCommand
      readonly lines: string[]
      readonly sentMs: number
      /** Heads of the lines that are the answer. */
      readonly prefixes: readonly string[]
      /** A bare OK came, or values without a result, and counts from then on. */
      doneUntilMs: number | undefined
    }
  | { readonly kind: 'settling'; readonly untilMs: number }
  | {
      readonly kind: 'probing'
      readonly startedMs: number
      readonly times: ProbeTimes
      sent: number
      lastSentMs: number
      /** Commands whose final result has not come. */
      open: number
      quietUntilMs: number | undefined
      lastFinalMs: number
    }
  | { readonly kind: 'deaf' }
  | { readonly kind: 'closed' }

export class AtChannel implements Machine<ChannelEvent> {
  readonly #tokenizer = new AtTokenizer()
  readonly #outputs: Output<ChannelEvent>[] = []
  readonly #queue: Waiting[] = []
  #state: State = { kind: 'idle' }
  #lastId = 0
  readonly #gatherer = new ReportGatherer()
  /** Lines that were neither answer nor report: what is left of a call, or a line at the wrong speed. */
  droppedLines = 0
  readonly #echo = new EchoFilter()
  #typicalReplyMs = 0
  /** Final results that may still come of what was given up without a probe. */
  #owed = 0
  /** Commands that are still followed by a pause. */
  #settleCommands = 0

  get isIdle(): boolean {
    return this.#queue.length === 0 && ['idle', 'deaf', 'settling'].includes(this.#state.kind)
  }

  submit(command: AtCommand, nowMs: number): number {
    const id = ++this.#lastId
    this.#queue.push({ id, command })
    if (this.#state.kind === 'deaf' && command.lineEnd === '') this.#state = { kind: 'idle' }
    if (this.#state.kind === 'deaf') this.#startProbing(RESYNC_TIMES, nowMs)
    else this.#sendNext(nowMs)
    return id
  }

  /** Asks with `AT` until the modem answers or the times run out; `probed` tells. Not while a command is on the line. */
  probe(times: ProbeTimes, nowMs: number): void {
    if (['idle', 'deaf', 'settling'].includes(this.#state.kind)) this.#startProbing(times, nowMs)
  }

  handle(input: Input, nowMs: number): void {
    if (input.type === 'data') this.#onData(input.bytes, nowMs)
    else if (input.type === 'timeout') this.#onTimeout(nowMs)
    else if (input.type === 'close') {
      this.#state = { kind: 'closed' }
      this.#queue.length = 0
      this.#emit({ type: 'closed', reason: input.reason })
    }
  }

  poll(): Output<ChannelEvent> | undefined {
    return this.#outputs.shift()
  }

  deadline(): Deadline | undefined {
    const own = this.#stateDeadline()
    const { untilMs } = this.#gatherer
    if (untilMs === undefined || (own && own.atMs <= untilMs)) return own
    return { atMs: untilMs, why: 'the rest of a report is late' }
  }

  #stateDeadline(): Deadline | undefined {
    const state = this.#state
    if (state.kind === 'settling') return { atMs: state.untilMs, why: 'a result too many may come' }
    if (state.kind === 'busy') {
      const lateMs = state.sentMs + state.command.timeoutMs
      return { atMs: Math.min(lateMs, state.doneUntilMs ?? lateMs), why: 'the reply to a command is late' }
    }
    if (state.kind !== 'probing') return undefined
    if (state.quietUntilMs !== undefined) return { atMs: state.quietUntilMs, why: 'the line has been quiet' }
    return { atMs: state.startedMs + state.times[state.sent]!, why: 'the modem has not answered AT' }
  }

  #onData(bytes: Uint8Array, nowMs: number): void {
    this.#onTokens(this.#tokenizer.push(bytes), nowMs)
    // Only now: a doubled OK in the same read is the old command's, not the next one's.
    this.#sendNext(nowMs)
  }

  #onTokens(tokens: readonly AtToken[], nowMs: number): void {
    for (const token of tokens) this.#onToken(token, nowMs)
  }

  #onToken(token: AtToken, nowMs: number): void {
    switch (token.type) {
      case 'line':
        this.#onLine(token.text, nowMs)
        break
      case 'final':
        this.#flushReport()
        this.#onFinal(token.text, token.isOk, nowMs)
        break
      case 'call':
        if (this.#state.kind === 'busy' && isDial(this.#state.command.text))
          this.#onFinal(token.text, token.text.startsWith('CONNECT'), nowMs)
        else this.#emit({ type: 'report', text: token.text })
        break
      case 'prompt':
        // One that comes when its command was given up: what the modem takes for text now is left, too.
        this.#send(this.#state.kind === 'busy' ? answerToPrompt(this.#state.command) : '\x1b')
    }
  }

  #onLine(text: string, nowMs: number): void {
    const gathered = this.#gatherer.take(text, nowMs)
    if (gathered !== undefined) {
      if (gathered !== '') this.#emit({ type: 'report', text: gathered })
      return
    }
    if (this.#echo.isEcho(text)) return
    const rest = this.#echo.behindEcho(text)
    if (rest !== undefined) this.#onTokens(tokensOf(rest), nowMs)
    else if (isNoise(text)) this.droppedLines++
    else this.#sortLine(text, nowMs)
  }

  /** To the command that waits, or aside. */
  #sortLine(text: string, nowMs: number): void {
    const state = this.#state
    if (state.kind === 'probing' && text === '0') {
      // The OK of a modem that was told ATV0; this command is already answered in words.
      this.#echo.noteSent('ATV1')
      this.#send('ATV1\r')
      return
    }
    if (state.kind !== 'busy') {
      // Without a command the rest of a late reply looks like a report; who reads reports ignores what it does not know.
      this.#report(text, nowMs)
      return
    }
    const { command, lines, prefixes } = state
    const result = numericResult(command.text, text)
    if (result !== undefined) {
      this.#reply(result, result === 'OK', nowMs)
      // Where it is told to use words.
      this.#startProbing(RESYNC_TIMES, nowMs)
      return
    }
    if (lines.length === 0 || !listsText(command.text)) {
      const parts = prefixes.map((prefix) => splitAtHead(text, prefix)).find((each) => each !== undefined)
      if (parts) {
        this.#onTokens(parts.flatMap(tokensOf), nowMs)
        return
      }
    }
    if (isReport(text, prefixes, command.expects !== undefined)) this.#report(text, nowMs)
    else if (lines.length < MAX_REPLY_LINES) lines.push(text)
    if (mayLackResult(command.text) && lines.length > 0) {
      // What came before was not this command's result.
      if (state.doneUntilMs !== undefined && lines.length === 1) this.#noteExtraFinal()
      state.doneUntilMs = nowMs + NO_RESULT_MS
    }
  }

  #report(text: string, nowMs: number): void {
    if (isReportOfLines(text)) this.#flushReport()
    const whole = this.#gatherer.begin(text, nowMs)
    if (whole !== undefined) this.#emit({ type: 'report', text: whole })
  }

  #flushReport(): void {
    const text = this.#gatherer.flush()
    if (text !== undefined) this.#emit({ type: 'report', text })
  }

  #onFinal(text: string, isOk: boolean, nowMs: number): void {
    const state = this.#state
    if (state.kind === 'busy') {
      const isBare = isOk && state.lines.length === 0 && needsLine(state.command.text)
      if (isBare) state.doneUntilMs ??= nowMs + BARE_OK_MS
      else this.#reply(text, isOk, nowMs)
    } else if (state.kind === 'probing') {
      // Two in one breath may be one that is doubled: it counts once, and quiet decides.
      if (nowMs >= state.lastFinalMs + ONE_BREATH_MS) state.open--
      state.lastFinalMs = nowMs
      if (state.open <= 0) {
        this.#endProbing(true)
        return
      }
      const quietMs = Math.max(this.#typicalReplyMs, nowMs - state.lastSentMs) * 2
      state.quietUntilMs = nowMs + Math.min(Math.max(quietMs, QUIET_MIN_MS), QUIET_MAX_MS)
    } else if (this.#owed > 0) this.#owed--
    else this.#noteExtraFinal()
  }

  #reply(final: string, isOk: boolean, nowMs: number): void {
    const state = this.#state
    if (state.kind !== 'busy') return
    this.#typicalReplyMs = Math.max(nowMs - state.sentMs, this.#typicalReplyMs * 0.8)
    const isSettling = this.#settleCommands > 0 && state.command.lineEnd !== ''
    if (isSettling) this.#settleCommands--
    this.#state = isSettling ? { kind: 'settling', untilMs: nowMs + SETTLE_MS } : { kind: 'idle' }
    this.#tokenizer.isPromptExpected = false
    this.#echo.noteReply()
    this.#emit({ type: 'reply', id: state.id, reply: { isOk, lines: state.lines, final } })
  }

  /** This modem doubles its results: from now on the second one is waited for. */
  #noteExtraFinal(): void {
    this.#settleCommands = SETTLE_COMMANDS
  }

  #onTimeout(nowMs: number): void {
    if ((this.#gatherer.untilMs ?? Infinity) <= nowMs) this.#flushReport()
    const state = this.#state
    if (state.kind === 'busy') this.#onLateReply(state, nowMs)
    else if (state.kind === 'settling') {
      if (nowMs >= state.untilMs) this.#state = { kind: 'idle' }
    } else if (state.kind === 'probing') {
      if (state.quietUntilMs !== undefined) {
        if (nowMs >= state.quietUntilMs) this.#endProbing(true)
      } else if (nowMs < state.startedMs + state.times[state.sent]!) return
      else if (state.sent < state.times.length - 1) this.#sendProbe(nowMs)
      else this.#endProbing(false)
    }
    this.#sendNext(nowMs)
  }

  #onLateReply(state: Extract<State, { kind: 'busy' }>, nowMs: number): void {
    const lateMs = state.sentMs + state.command.timeoutMs
    if (nowMs < Math.min(lateMs, state.doneUntilMs ?? lateMs)) return
    if (state.doneUntilMs !== undefined && state.lines.length === 0) {
      this.#reply('OK', true, nowMs)
      return
    }
    const isAnswered = state.doneUntilMs !== undefined
    if (isAnswered) this.#reply('', true, nowMs)
    else this.#emit({ type: 'silent', id: state.id, waitedMs: state.command.timeoutMs })
    // It never came, or was not heard: a modem that waits for text would take the probes for it.
    if (this.#tokenizer.isPromptExpected) this.#send('\x1b')
    this.#owed++
    // Whoever sends `+++` has his own way to find out where he is.
    if (state.command.lineEnd === '') this.#state = { kind: 'idle' }
    else this.#startProbing(RESYNC_TIMES, nowMs)
  }

  #startProbing(times: ProbeTimes, nowMs: number): void {
    const open = this.#owed
    this.#owed = 0
    this.#state = {
      kind: 'probing',
      startedMs: nowMs,
      times,
      sent: 0,
      lastSentMs: nowMs,
      open,
      quietUntilMs: undefined,
      lastFinalMs: Number.NEGATIVE_INFINITY,
    }
    this.#sendProbe(nowMs)
  }

  #sendProbe(nowMs: number): void {
    if (this.#state.kind !== 'probing') return
    this.#state.sent++
    this.#state.open++
    this.#state.lastSentMs = nowMs
    this.#echo.noteSent('AT')
    this.#send('AT\r')
  }

  #endProbing(answers: boolean): void {
    const times = this.#state.kind === 'probing' ? this.#state.times : RESYNC_TIMES
    // A modem that comes back may still answer what it was asked.
    if (!answers && this.#state.kind === 'probing') this.#owed = Math.min(this.#state.open, MAX_OWED)
    this.#state = answers ? { kind: 'idle' } : { kind: 'deaf' }
    this.#emit({ type: 'probed', answers })
    if (answers) return
    for (const { id } of this.#queue.splice(0)) this.#emit({ type: 'silent', id, waitedMs: times.at(-1)! })
  }

  #sendNext(nowMs: number): void {
    if (this.#state.kind !== 'idle') return
    const next = this.#queue.shift()
    if (!next) return
    this.#state = {
      kind: 'busy',
      id: next.id,
      command: next.command,
      lines: [],
      sentMs: nowMs,
      prefixes: [...answerPrefixesOf(next.command.text), ...(next.command.expects ?? [])],
      doneUntilMs: undefined,
    }
    this.#tokenizer.isPromptExpected = next.command.afterPrompt !== undefined || next.command.cancelsPrompt === true
    this.#echo.noteSent(next.command.text, next.command.afterPrompt)
    this.#send(`${next.command.text}${next.command.lineEnd ?? '\r'}`)
  }

  #send(text: string): void {
    this.#outputs.push({ type: 'send', bytes: latin1(text) })
  }

  #emit(event: ChannelEvent): void {
    this.#outputs.push({ type: 'event', event })
  }
}

function answerToPrompt({ afterPrompt }: AtCommand): string {
  return afterPrompt === undefined ? '\x1b' : `${afterPrompt}\x1a`
}
