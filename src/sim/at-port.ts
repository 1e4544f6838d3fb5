/**
 * One tty of a virtual modem that answers AT: command line, replies in the personality's dialect and time, and the data of a
 * call. Pure; `serial/pump.ts` runs it on a pty, `simulator.ts` acts on its events. What ports share is `modem-state.ts`.
 */

import { latin1 } from '../base/bytes.ts'
import type { Deadline, Input, Machine, Output } from '../base/machine.ts'
import { type Answer, type CommandContext, ERROR, type Final, NO_CARRIER, OK } from './answer.ts'
import { type AtCommand, bodyOf, commandKey, LineEditor, parseBody } from './at-line.ts'
import type { Party } from './call-context.ts'
import { dialledContext } from './commands/dial.ts'
import type { CommandTable } from './commands/table.ts'
import { DataPath } from './data-path.ts'
import type { DeviceFault, ReplyFault, Stage } from './fault-table.ts'
import type { Fault, FaultPlan } from './faults.ts'
import type { ModemState, PdpContext } from './modem-state.ts'
import { Outbox } from './outbox.ts'
import type { PortEvent } from './port-event.ts'
import type { PortMode, PromptMode, RunningMode } from './port-mode.ts'
import { PortSettings } from './port-settings.ts'
import { finalOf, replyText } from './reply-text.ts'
import { type Report, reportLines } from './reports.ts'
import type { Statistics } from './statistics.ts'

export interface AtPortOptions {
  readonly modem: ModemState
  readonly faults: FaultPlan
  readonly statistics: Statistics
  readonly commands: CommandTable
  /** Has the vendor's reports. */
  readonly isReportPort: boolean
  /** Bit/s of a call; 0: no limit. */
  readonly speed: number
}

const TYPE_AHEAD_BYTES = 4096

const CTRL_Z = 0x1a
const ESC = 0x1b

const REGISTRATION = /^\+(C[GE]?REG|COPS)$/

const COMMAND_MODE: PortMode = { name: 'command' }

export class AtPort implements Machine<PortEvent> {
  readonly #options: AtPortOptions
  readonly #modem: ModemState
  readonly #settings: PortSettings
  readonly #editor = new LineEditor()
  #mode: PortMode = COMMAND_MODE
  /** A call that `+++` left standing. */
  #suspended: DataPath | undefined
  readonly #outbox = new Outbox<PortEvent>()
  #typeAhead: number[] = []
  #nowMs = 0
  #isHandling = false

  constructor(options: AtPortOptions) {
    this.#options = options
    this.#modem = options.modem
    this.#settings = new PortSettings(options.modem.personality)
    this.#modem.onReport((report, nowMs) => this.#onReport(report, nowMs))
  }

  handle(input: Input, nowMs: number): void {
    this.#nowMs = nowMs
    this.#isHandling = true
    if (input.type === 'data') this.#onData(input.bytes)
    if (input.type === 'close') this.#forgetCall(input.reason)
    this.#tick()
    this.#isHandling = false
    if (this.#modem.takeWake()) this.#event({ type: 'wake' })
  }

  poll(): Output<PortEvent> | undefined {
    return this.#outbox.take(this.#nowMs)
  }

  deadline(): Deadline | undefined {
    const due = [
      this.#modem.deadline(),
      at(this.#mode.name === 'running' ? this.#mode.dueMs : undefined, 'reply'),
      at(this.#mode.name === 'data' ? this.#mode.path.deadlineMs : undefined, 'data'),
      at(this.#outbox.dueMs, 'late reply'),
    ]
    return due.reduce((soonest, each) => (each && (!soonest || each.atMs < soonest.atMs) ? each : soonest), undefined)
  }

  /** Bytes of the operator for the host. False: wait for `drained`. The caller pokes the pump. */
  downlink(bytes: Uint8Array, nowMs: number): boolean {
    this.#nowMs = nowMs
    if (this.#mode.name !== 'data') return true
    const mayGoOn = this.#mode.path.downlink(bytes, nowMs)
    this.#tick()
    return mayGoOn
  }

  /** The operator's end is finished: NO CARRIER after the last of its bytes. The caller pokes the pump. */
  finishCall(nowMs: number): void {
    this.#nowMs = nowMs
    if (this.#mode.name === 'data') this.#mode.path.finish()
    else if (this.#suspended) this.#endCall()
    this.#tick()
  }

  /** The line drops here and now: NO CARRIER, whatever was under way is lost. The caller pokes the pump. */
  dropCall(nowMs: number): void {
    this.#nowMs = nowMs
    if (this.#mode.name === 'data' || this.#suspended) this.#endCall()
  }

  /** The last program closed the tty: DTR drops, and with &D1 or &D2 the call. The caller pokes the pump. */
  hostClosed(nowMs: number): void {
    this.#nowMs = nowMs
    this.#typeAhead = []
    if (!this.#settings.hangsUpOnDtr) return
    this.#forgetCall('DTR dropped')
    if (this.#mode.name !== 'running' || this.#modem.call !== 'dialling') return
    this.#modem.call = 'none'
    this.#mode = COMMAND_MODE
  }

  #onData(bytes: Uint8Array): void {
    if (!this.#modem.hasBooted(this.#nowMs) || this.#options.faults.isSilent(this.#nowMs)) return
    if (this.#mode.name === 'data') {
      this.#mode.path.uplink(bytes, this.#nowMs)
      return
    }
    for (const char of bytes) if (this.#typeAhead.length < TYPE_AHEAD_BYTES) this.#typeAhead.push(char)
    if (this.#mode.name === 'running' && this.#modem.call === 'dialling') this.#abortDial()
    this.#read()
  }

  /** Command characters are echoed as they are read, and wait while a command runs. */
  #read(): void {
    if (this.#mode.name === 'prompt') this.#readText(this.#mode)
    let echo = ''
    while (this.#mode.name === 'command' && this.#typeAhead.length > 0) {
      const char = this.#typeAhead.shift()!
      if (this.#settings.echo) echo += String.fromCharCode(char)
      const finished = this.#editor.take(char)
      if (finished === undefined) continue
      this.#send(echo)
      echo = ''
      if (finished === 'too-long') this.#reply([], 'ERROR')
      else this.#begin(finished.line)
    }
    this.#send(echo)
  }

  /** 3GPP TS 27.005 §3.5.1: ^Z ends the text, ESC gives it up. */
  #readText(mode: PromptMode): void {
    let echo = ''
    for (let char = this.#typeAhead.shift(); char !== undefined; char = this.#typeAhead.shift()) {
      if (char === CTRL_Z || char === ESC) {
        this.#send(echo)
        const take = () => mode.take(mode.text, this.#context())
        const conclude = char === ESC ? () => OK : take
        const key = `${commandKey(mode.of.commands[mode.of.next]!)}>`
        this.#mode = { ...mode.of, conclude, dueMs: this.#nowMs + this.#modem.timings.replyMs(key) }
        return
      }
      const text = String.fromCharCode(char)
      if (this.#settings.echo) echo += text
      if (mode.text.length < TYPE_AHEAD_BYTES) mode.text += text
    }
    this.#send(echo)
  }

  #begin(line: string): void {
    const body = bodyOf(line)
    if (body === undefined) return
    this.#stage('command')
    const commands = parseBody(body)
    const first = commands?.[0]
    if (!commands) this.#reply([], 'ERROR')
    else if (!first) this.#run([{ name: '', form: 'execute', args: [], text: '' }])
    else this.#run(commands)
  }

  #run(commands: readonly AtCommand[]): void {
    const { faults } = this.#options
    const { name, text } = commands[0]!
    if (name === '+CPIN') this.#stage('sim')
    if (REGISTRATION.test(name) && this.#modem.registration === 2) this.#stage('search')
    if (commands.some((command) => command.name === 'D')) this.#stage('dial')
    this.#happen(faults.takeCommand(text))
    const fault = faults.takeReply(text)
    if (fault?.name === 'silent') return
    if (fault?.name === 'echo-flip') this.#settings.echo = !this.#settings.echo
    this.#mode = { name: 'running', commands, fault, lines: [], next: 0, dueMs: this.#due(commands[0]!) }
  }

  #due(command: AtCommand): number {
    const key = commandKey(command)
    if (command.name === 'D' && this.#modem.call === 'none') this.#modem.call = 'dialling'
    return this.#nowMs + this.#modem.timings.replyMs(key)
  }

  #tick(): void {
    this.#modem.tick(this.#nowMs)
    if (this.#mode.name === 'data') this.#tickData(this.#mode.path)
    while (this.#mode.name === 'running' && this.#mode.dueMs <= this.#nowMs) this.#step(this.#mode)
  }

  #tickData(path: DataPath): void {
    for (let what = path.take(this.#nowMs); what; what = path.take(this.#nowMs)) {
      if (!this.#modem.context.isUp && (what.type === 'downlink' || what.type === 'uplink')) continue
      if (what.type === 'downlink') {
        this.#modem.rxBytes += what.bytes.length
        this.#options.statistics.rxBytes += what.bytes.length
        this.#push({ type: 'send', bytes: what.bytes })
      } else if (what.type === 'uplink') {
        this.#modem.txBytes += what.bytes.length
        this.#options.statistics.txBytes += what.bytes.length
        this.#event({ type: 'uplink', bytes: what.bytes })
      } else if (what.type === 'drained') this.#event({ type: 'drained' })
      else if (what.type === 'finished') this.#endCall()
      else this.#suspend(path)
    }
    this.#options.statistics.drops += path.takeDrops()
  }

  /** One command of the line; the last one, or the first that fails, brings the result. */
  #step(mode: RunningMode): void {
    const command = mode.commands[mode.next]!
    const isConcluded = mode.conclude !== undefined
    if (!isConcluded) this.#options.statistics.commandSeen(command)
    const answer =
      mode.conclude?.() ?? (mode.fault?.name === 'error-n-times' ? ERROR : this.#execute(command, mode.fault))
    mode.conclude = undefined
    if (answer?.prompt && !isConcluded) {
      this.#prompt(mode, answer.prompt)
      return
    }
    mode.lines.push(...(answer?.lines ?? []))
    mode.next++
    if (answer?.final === 'OK' && mode.next < mode.commands.length) {
      mode.dueMs = this.#due(mode.commands[mode.next]!)
      return
    }
    this.#mode = this.#mode === mode ? COMMAND_MODE : this.#mode
    if (answer) this.#reply(mode.lines, answer.final, mode.fault)
    const extra = answer?.final === 'OK' && this.#modem.personality.dialect.extraResults[commandKey(command)]
    if (extra) this.#reply([], { own: extra })
    if (answer?.reboots || command.text === '+CFUN=1,1') this.#event({ type: 'reboot' })
    this.#read()
  }

  /** A fault that delays or splits replies does it to the prompt. */
  #prompt(mode: RunningMode, take: PromptMode['take']): void {
    this.#mode = { name: 'prompt', of: { ...mode, fault: undefined }, take, text: '' }
    const isTimed = mode.fault?.name === 'late' || mode.fault?.name === 'split'
    const pieces = isTimed
      ? this.#options.faults.damage(mode.fault!, '\r\n> ')
      : [{ bytes: latin1('\r\n> '), afterMs: 0 }]
    for (const { bytes, afterMs } of pieces) this.#push({ type: 'send', bytes }, afterMs)
    this.#read()
  }

  #context(): CommandContext {
    return { modem: this.#modem, port: this.#settings, nowMs: this.#nowMs }
  }

  /** undefined: no reply. */
  #execute(command: AtCommand, fault: Fault<ReplyFault> | undefined): Answer | undefined {
    const context = this.#context()
    if (command.name === '') return OK
    if (command.name === 'D') return this.#dial(command.args[0] ?? '', fault)
    if (command.name === 'H') return this.#hangUp()
    if (command.name === 'O') return this.#resume()
    const answer = this.#options.commands(command, context)
    if (command.name === '+CPIN' && command.form === 'set' && answer?.final === 'OK') this.#stage('pin')
    return answer ?? { final: finalOf(this.#modem.personality.dialect.unknownCommand) }
  }

  #dial(number: string, replyFault: Fault<ReplyFault> | undefined): Answer | undefined {
    const isOurs = this.#modem.call === 'dialling'
    if (isOurs) this.#modem.call = 'none'
    if (!isOurs) return NO_CARRIER
    const context = dialledContext(number, this.#context())
    if ('final' in context) return context
    const fault = this.#options.faults.takeDial()
    if (fault && fault !== 'hangup-mid-dial') return { final: { own: fault.replace('-', ' ').toUpperCase() } }
    this.#connect(context, fault === 'hangup-mid-dial', replyFault)
    return undefined
  }

  #connect(context: PdpContext, dropsAtOnce: boolean, fault: Fault<ReplyFault> | undefined): void {
    this.#reply([], { own: this.#modem.personality.call.connect }, fault)
    this.#mode = { name: 'data', path: new DataPath(this.#options.speed, this.#nowMs) }
    this.#typeAhead = []
    this.#modem.callStarted(context.cid, this.#nowMs)
    this.#options.statistics.calls++
    this.#stage('connect')
    if (dropsAtOnce) this.#endCall()
    else this.#event({ type: 'call', context })
  }

  /** Any character but a line end calls the dial off (V.250 §5.6.1). */
  #abortDial(): void {
    if (this.#typeAhead.every((char) => char === 10 || char === 13)) {
      this.#typeAhead = []
      return
    }
    this.#typeAhead = []
    this.#modem.call = 'none'
    this.#mode = COMMAND_MODE
    this.#reply([], { own: 'NO CARRIER' })
  }

  #hangUp(): Answer {
    if (this.#suspended) this.#forgetCall('ATH')
    else this.#modem.loseCall(this.#nowMs, 'ME')
    return OK
  }

  #resume(): Answer | undefined {
    const path = this.#suspended
    if (!path) return { final: { own: 'NO CARRIER' } }
    this.#suspended = undefined
    this.#reply([], { own: this.#modem.personality.call.connect })
    path.resume(this.#nowMs)
    this.#mode = { name: 'data', path }
    this.#modem.call = 'online'
    return undefined
  }

  #suspend(path: DataPath): void {
    this.#suspended = path
    this.#mode = COMMAND_MODE
    this.#modem.call = 'suspended'
    this.#reply([], 'OK')
  }

  #endCall(by: Party = 'NW'): void {
    this.#forgetCall('the line dropped', by)
    this.#reply([], { own: 'NO CARRIER' })
  }

  #forgetCall(reason: string, by: Party = 'ME'): void {
    if (this.#mode.name !== 'data' && !this.#suspended) return
    this.#mode = COMMAND_MODE
    this.#suspended = undefined
    this.#modem.callEnded(by, this.#nowMs)
    this.#event({ type: 'call-over', reason })
  }

  #onReport(report: Report, nowMs: number): void {
    this.#nowMs = nowMs
    const waitingBefore = this.#outbox.length
    this.#takeReport(report)
    if (!this.#isHandling && this.#outbox.length > waitingBefore) this.#modem.wantWake()
  }

  #takeReport(report: Report): void {
    const { faults, isReportPort } = this.#options
    if (report.kind === 'call-lost') {
      if (this.#mode.name === 'data' || this.#suspended) this.#endCall(report.by)
      return
    }
    if (report.kind === 'registration' && isReportPort && this.#modem.isRegistered) this.#stage('registered')
    if (this.#mode.name === 'data' || !this.#modem.hasBooted(this.#nowMs) || faults.isSilent(this.#nowMs)) return
    for (const line of reportLines(report, this.#settings, this.#modem, isReportPort)) this.#send(`\r\n${line}\r\n`)
  }

  #reply(lines: readonly string[], final: Final, fault?: Fault<ReplyFault>): void {
    const text = replyText(lines, final, this.#settings, this.#modem.personality.dialect)
    const report = `+CREG: ${this.#modem.registration}`
    const pieces = fault ? this.#options.faults.damage(fault, text, report) : [{ bytes: latin1(text), afterMs: 0 }]
    for (const { bytes, afterMs } of pieces) this.#push({ type: 'send', bytes }, afterMs)
  }

  #stage(stage: Stage): void {
    this.#happen(this.#options.faults.takeStage(stage))
  }

  #happen(faults: readonly Fault<DeviceFault>[]): void {
    for (const fault of faults) this.#event({ type: 'fault', fault })
  }

  #send(text: string): void {
    if (text.length > 0) this.#push({ type: 'send', bytes: latin1(text) })
  }

  #event(event: PortEvent): void {
    this.#push({ type: 'event', event })
  }

  #push(output: Output<PortEvent>, afterMs = 0): void {
    if (!this.#outbox.push(output, this.#nowMs, afterMs)) this.#options.statistics.drops++
  }
}

function at(atMs: number | undefined, why: string): Deadline | undefined {
  return atMs === undefined ? undefined : { atMs, why }
}
