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
import { type AtToken, AtTokenizer } from './tokenizer.ts'
import { answerPrefixOf, hasBody, isReport } from './unsolicited.ts'

export interface AtCommand {
  /** The line without its end: `AT+CSQ`. No control characters. */
  readonly text: string
  readonly timeoutMs: number
  /** Heads of the lines wanted beside the command's own; then any other headed line is a report. */
  readonly expects?: readonly string[] | undefined
  /** Sent with ^Z behind it when the modem shows its prompt. */
  readonly afterPrompt?: string | undefined
  /** CR where left out; '' for the escape sequence `+++`. */
  readonly lineEnd?: string | undefined
}

export interface AtReply {
  readonly isOk: boolean
  /** Without the final result. */
  readonly lines: readonly string[]
  /** `OK`, `+CME ERROR: 10`, `NO CARRIER`. */
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

export const RESYNC_TIMES: ProbeTimes = [0, 500, 1500, 3000]

/** How long no further final result must come before the two sides agree again, at least and at most. */
const QUIET_MIN_MS = 50
const QUIET_MAX_MS = 500
const MAX_REPLY_LINES = 2000

/**
 * Answered with a line of values or with an error. A bare OK is the one before, doubled on the way, until no other final result
 * came for a while.
 */
const NEEDS_LINE = /^AT\+(CSQ|CPIN\?|C[GE]?REG\?|COPS\?|CFUN\?)$/i
const BARE_OK_MS = 1000

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
      /** A bare OK came, and counts from then on. */
      bareOkUntilMs: number | undefined
    }
  | {
      readonly kind: 'probing'
      readonly startedMs: number
      readonly times: ProbeTimes
      sent: number
      lastSentMs: number
      /** Commands whose final result has not come. */
      open: number
      quietUntilMs: number | undefined
    }
  | { readonly kind: 'deaf' }
  | { readonly kind: 'closed' }

export class AtChannel implements Machine<ChannelEvent> {
  readonly #tokenizer = new AtTokenizer()
  readonly #outputs: Output<ChannelEvent>[] = []
  readonly #queue: Waiting[] = []
  #state: State = { kind: 'idle' }
  #lastId = 0
  #previousText = ''
  #typicalReplyMs = 0
  /** Final results that may still come of what was given up without a probe. */
  #owed = 0
  #bodyIsDue = false

  get isIdle(): boolean {
    return this.#queue.length === 0 && (this.#state.kind === 'idle' || this.#state.kind === 'deaf')
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
    if (this.#state.kind === 'idle' || this.#state.kind === 'deaf') this.#startProbing(times, nowMs)
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
    const state = this.#state
    if (state.kind === 'busy') {
      const lateMs = state.sentMs + state.command.timeoutMs
      return { atMs: Math.min(lateMs, state.bareOkUntilMs ?? lateMs), why: 'the reply to a command is late' }
    }
    if (state.kind !== 'probing') return undefined
    if (state.quietUntilMs !== undefined) return { atMs: state.quietUntilMs, why: 'the line has been quiet' }
    return { atMs: state.startedMs + state.times[state.sent]!, why: 'the modem has not answered AT' }
  }

  #onData(bytes: Uint8Array, nowMs: number): void {
    for (const token of this.#tokenizer.push(bytes)) this.#onToken(token, nowMs)
    // Only now: a doubled OK in the same read is the old command's, not the next one's.
    this.#sendNext(nowMs)
  }

  #onToken(token: AtToken, nowMs: number): void {
    switch (token.type) {
      case 'line':
        this.#onLine(token.text)
        break
      case 'final':
        this.#onFinal(token.text, token.isOk, nowMs)
        break
      case 'call':
        if (this.#state.kind === 'busy' && isDial(this.#state.command.text))
          this.#onFinal(token.text, token.text.startsWith('CONNECT'), nowMs)
        else this.#emit({ type: 'report', text: token.text })
        break
      case 'prompt':
        if (this.#state.kind === 'busy') this.#send(`${this.#state.command.afterPrompt ?? ''}\x1a`)
        this.#tokenizer.isPromptExpected = false
    }
  }

  #onLine(text: string): void {
    if (this.#isEcho(text)) return
    const isBody = this.#bodyIsDue
    this.#bodyIsDue = false
    const state = this.#state
    const command = state.kind === 'busy' ? state.command : undefined
    const own = command && answerPrefixOf(command.text)
    const expected = [...(own ? [own] : []), ...(command?.expects ?? [])]
    if (state.kind === 'busy' && !isBody && !isReport(text, expected, command?.expects !== undefined)) {
      if (state.lines.length < MAX_REPLY_LINES) state.lines.push(text)
      return
    }
    // Without a command the rest of a late reply looks like a report; who reads reports ignores what it does not know.
    this.#bodyIsDue = !isBody && hasBody(text)
    this.#emit({ type: 'report', text })
  }

  #onFinal(text: string, isOk: boolean, nowMs: number): void {
    const state = this.#state
    if (state.kind === 'busy') {
      const isBare = isOk && state.lines.length === 0 && NEEDS_LINE.test(state.command.text)
      if (isBare && state.bareOkUntilMs === undefined) {
        state.bareOkUntilMs = nowMs + BARE_OK_MS
        return
      }
      this.#noteReplyTime(nowMs - state.sentMs)
      this.#state = { kind: 'idle' }
      this.#tokenizer.isPromptExpected = false
      this.#emit({ type: 'reply', id: state.id, reply: { isOk, lines: state.lines, final: text } })
    } else if (state.kind === 'probing') {
      state.open--
      if (state.open <= 0) {
        this.#endProbing(true)
        return
      }
      const quietMs = Math.max(this.#typicalReplyMs, nowMs - state.lastSentMs) * 2
      state.quietUntilMs = nowMs + Math.min(Math.max(quietMs, QUIET_MIN_MS), QUIET_MAX_MS)
    }
  }

  #onTimeout(nowMs: number): void {
    const state = this.#state
    if (state.kind === 'busy' && state.bareOkUntilMs !== undefined) this.#onFinal('OK', true, nowMs)
    else if (state.kind === 'busy') {
      this.#emit({ type: 'silent', id: state.id, waitedMs: state.command.timeoutMs })
      this.#tokenizer.isPromptExpected = false
      this.#owed++
      // Whoever sends `+++` has his own way to find out where he is.
      if (state.command.lineEnd === '') this.#state = { kind: 'idle' }
      else this.#startProbing(RESYNC_TIMES, nowMs)
    } else if (state.kind === 'probing') {
      if (state.quietUntilMs !== undefined) this.#endProbing(true)
      else if (state.sent < state.times.length - 1) this.#sendProbe(nowMs)
      else this.#endProbing(false)
    }
    this.#sendNext(nowMs)
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
    }
    this.#sendProbe(nowMs)
  }

  #sendProbe(nowMs: number): void {
    if (this.#state.kind !== 'probing') return
    this.#state.sent++
    this.#state.open++
    this.#state.lastSentMs = nowMs
    this.#previousText = 'AT'
    this.#send('AT\r')
  }

  #endProbing(answers: boolean): void {
    const times = this.#state.kind === 'probing' ? this.#state.times : RESYNC_TIMES
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
      bareOkUntilMs: undefined,
    }
    this.#tokenizer.isPromptExpected = next.command.afterPrompt !== undefined
    this.#previousText = next.command.text
    this.#send(`${next.command.text}${next.command.lineEnd ?? '\r'}`)
  }

  /** The whole line, or its end where the modem was not yet listening at its start. */
  #isEcho(line: string): boolean {
    return /^A?T/i.test(line) && this.#previousText.toUpperCase().endsWith(line.toUpperCase())
  }

  #noteReplyTime(ms: number): void {
    this.#typicalReplyMs = Math.max(ms, this.#typicalReplyMs * 0.8)
  }

  #send(text: string): void {
    this.#outputs.push({ type: 'send', bytes: latin1(text) })
  }

  #emit(event: ChannelEvent): void {
    this.#outputs.push({ type: 'event', event })
  }
}

function isDial(text: string): boolean {
  return /^AT[DAO]/i.test(text)
}
