/** Promises over an AT channel: what the multi-step procedures of `src/modem` are written with. */

import { printable } from '../../base/bytes.ts'
import { ModemdError } from '../../base/errors.ts'
import type { Clock } from '../../base/ports.ts'
import { Pump } from '../../serial/pump.ts'
import type { Wire } from '../../serial/wire.ts'
import { carriesPin, PIN_GUARD_MESSAGE } from '../pin-guard.ts'
import { AtChannel, type AtReply, type ChannelEvent, type ProbeTimes } from './channel.ts'
import { explainError } from './replies/cme.ts'

export interface CommandOptions {
  /** 3000 where left out. */
  readonly timeoutMs?: number
  /** Heads of the wanted lines beside the command's own; see `channel.ts`. */
  readonly expects?: readonly string[]
  readonly afterPrompt?: string
  /** Leaves a prompt that comes unasked for. */
  readonly cancelsPrompt?: boolean
  readonly lineEnd?: string
  /** The PIN guard lets this line through; only `pin.ts` says so, with the ledger written. */
  readonly isPinTry?: boolean
}

export interface SessionOptions {
  readonly clock: Clock
  /** An unsolicited line, or news about a call. */
  onReport(line: string): void
}

interface Pending {
  readonly text: string
  resolve(reply: AtReply): void
  reject(error: ModemdError): void
}

const DEFAULT_TIMEOUT_MS = 3000
/** User and password of a context, in each maker's way. */
const LOG_IN = /(?:CGAUTH|AUTHDATA|QCPDPP|QICSGP|PDPAUTH|UAUTHREQ)=(?!\?)/i
const PRELUDE_TIMEOUT_MS = 15_000

export class AtSession {
  readonly #wire: Wire
  readonly #clock: Clock
  readonly #options: SessionOptions
  readonly #channel = new AtChannel()
  readonly #pump: Pump<ChannelEvent>
  readonly #pending = new Map<number, Pending>()
  #idleWaiters: (() => void)[] = []
  #probeWaiters: ((answers: boolean) => void)[] = []
  #prelude: readonly string[] = []
  #end: ModemdError | undefined

  constructor(wire: Wire, options: SessionOptions) {
    this.#wire = wire
    this.#clock = options.clock
    this.#options = options
    this.#pump = new Pump(wire, this.#channel, { clock: options.clock, onEvent: (event) => this.#onEvent(event) })
  }

  /** Before the next command, whatever the modem says to it: a port that nobody uses is asked nothing. */
  sendFirst(prelude: readonly string[]): void {
    this.#prelude = prelude
  }

  /** Rejects with a ModemdError whose cause is modem-silent, modem-gone or modem-error and whose text has the modem's own answer. */
  async command(text: string, options: CommandOptions = {}): Promise<AtReply> {
    const reply = await this.attempt(text, options)
    if (reply.isOk) return reply
    throw errorOf(text, reply)
  }

  /** As `command`, but an error result is a reply like another. */
  attempt(text: string, options: CommandOptions = {}): Promise<AtReply> {
    const refusal = this.#end ?? refusalOf(text, options)
    if (refusal) return Promise.reject(refusal)
    return new Promise((resolve, reject) => {
      const { timeoutMs = DEFAULT_TIMEOUT_MS, expects, afterPrompt, cancelsPrompt, lineEnd } = options
      const command = { text, timeoutMs, expects, afterPrompt, cancelsPrompt, lineEnd }
      if (lineEnd === undefined) this.#submitPrelude()
      const id = this.#channel.submit(command, this.#clock.nowMs())
      this.#pending.set(id, { text, resolve, reject })
      this.#pump.poke()
    })
  }

  /** Does the modem answer `AT`? Waits until no command is on the line. */
  async probe(times: ProbeTimes): Promise<boolean> {
    await this.idle()
    if (this.#end) return false
    return new Promise((resolve) => {
      this.#probeWaiters.push(resolve)
      this.#channel.probe(times, this.#clock.nowMs())
      this.#pump.poke()
    })
  }

  /** Resolves when no command is on the line or waits for it. */
  idle(): Promise<void> {
    if (this.#end || this.#channel.isIdle) return Promise.resolve()
    return new Promise((resolve) => this.#idleWaiters.push(resolve))
  }

  /** Lets go of the port; what still waits is rejected. */
  stop(): void {
    this.#pump.stop()
    this.#finish(
      new ModemdError('Busy', `${this.#wire.path} carries a call now; try again when it is over.`, 'port-busy'),
    )
  }

  #submitPrelude(): void {
    for (const text of this.#prelude) this.#channel.submit({ text, timeoutMs: PRELUDE_TIMEOUT_MS }, this.#clock.nowMs())
    this.#prelude = []
  }

  #onEvent(event: ChannelEvent): void {
    switch (event.type) {
      case 'reply':
        this.#take(event.id)?.resolve(event.reply)
        break
      case 'silent': {
        const pending = this.#take(event.id)
        pending?.reject(silence(pending.text, event.waitedMs))
        break
      }
      case 'report':
        this.#options.onReport(event.text)
        break
      case 'probed':
        for (const resolve of this.#probeWaiters.splice(0)) resolve(event.answers)
        break
      case 'closed':
        this.#finish(gone(this.#wire.path, event.reason))
    }
    if (this.#channel.isIdle) for (const resolve of this.#idleWaiters.splice(0)) resolve()
  }

  #finish(error: ModemdError): void {
    if (this.#end) return
    this.#end = error
    for (const { reject } of this.#pending.values()) reject(error)
    this.#pending.clear()
    for (const resolve of this.#probeWaiters.splice(0)) resolve(false)
    for (const resolve of this.#idleWaiters.splice(0)) resolve()
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    return pending
  }
}

/** A command as it may stand in texts and logs: `AT+CPIN=…`. */
export function commandName(text: string): string {
  return carriesPin(text) || LOG_IN.test(text) ? `${text.split('=')[0]}=…` : printable(text)
}

export function errorOf(command: string, reply: AtReply): ModemdError {
  const { code, cause, meaning } = explainError(reply.final)
  const answer = `The modem answered ${printable(reply.final)} to ${commandName(command)}`
  return new ModemdError(code, meaning === '' ? `${answer}.` : `${answer}: ${meaning}.`, cause)
}

function gone(path: string, reason: string): ModemdError {
  return new ModemdError('ModemGone', `The modem's port ${path} is gone (${printable(reason)}).`, 'modem-gone')
}

function silence(command: string, waitedMs: number): ModemdError {
  const text = `The modem did not answer ${commandName(command)} within ${waitedMs / 1000} s.`
  return new ModemdError('Timeout', text, 'modem-silent')
}

/** Nothing that came from outside may become a second command, or a PIN try that nobody counts. */
function refusalOf(text: string, options: CommandOptions): ModemdError | undefined {
  if (/[\x00-\x1f\x7f-\uffff]/.test(text))
    return new ModemdError('InvalidArgs', 'An AT command is one line of plain ASCII characters.')
  if (carriesPin(text) && !options.isPinTry) return new ModemdError('PinGuard', PIN_GUARD_MESSAGE)
  return undefined
}
