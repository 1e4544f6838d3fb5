/** A run of a script, from the terminal's set-up to its restoring: the order of things, and the exit code, are chat(8)'s. */

import { constants } from 'node:os'
import { fromLatin1 } from '../../base/bytes.ts'
import type { Clock } from '../../base/ports.ts'
import { signal } from '../../system/libc.ts'
import { timeStamp } from '../../system/local-time.ts'
import type { CommandLine } from '../command-line.ts'
import { ChatEngine } from '../engine.ts'
import type { ChatEnd, ChatEvent } from '../options.ts'
import { Dialogue } from './dialogue.ts'
import { fileReader, fileWords } from './files.ts'
import { usage } from './help.ts'
import { jsonLine } from './json.ts'
import { leave } from './leave.ts'
import { Line } from './line.ts'
import { ScriptLock } from './lock.ts'
import { Messages, toStderr } from './messages.ts'
import { ownVariables } from './own-bytes.ts'
import type { ReportOutput } from './report-file.ts'

const CAUGHT = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
/** Node has taken these for itself; for chat they have their default effect. */
const NOT_OURS = ['SIGUSR1', 'SIGPIPE', 'SIGXFSZ'] as const
const DEFAULT_EFFECT = 0

export class ScriptRun {
  readonly #commandLine: CommandLine
  readonly #clock: Clock
  readonly #messages: Messages
  readonly #reportOutput: ReportOutput
  readonly #lock: ScriptLock | undefined
  readonly #line: Line
  readonly #dialogue: Dialogue
  readonly #reports: string[] = []
  #ignoresHangUp = false
  /** Its handler is at work until the end, so that the same signal again is not heard. */
  #interruptedBy: string | undefined

  constructor(commandLine: CommandLine, reportOutput: ReportOutput, clock: Clock) {
    this.#commandLine = commandLine
    this.#clock = clock
    this.#messages = new Messages(commandLine, clock)
    this.#reportOutput = reportOutput
    this.#lock = commandLine.lockFile === undefined ? undefined : new ScriptLock(commandLine.lockFile)
    this.#line = new Line(() => this.#dialogue.goOn())
    this.#dialogue = new Dialogue(this.#engine(), this.#line, clock, {
      event: (event) => this.#event(event),
      end: (end) => this.#end(end),
    })
  }

  start(program: string): void {
    this.#catchSignals()
    this.#stopIf(this.#lock?.take(), 1)
    this.#stopIf(this.#line.setUp(), 2)
    const { scriptFile, words } = this.#commandLine
    if (scriptFile !== undefined && words.length > 0) {
      // As with chat the terminal stays as it is now.
      toStderr(usage(program))
      this.#reportOutput.flush()
      this.#lock?.remove()
      if (this.#commandLine.wantsJson)
        toStderr(jsonLine({ exitCode: 1, message: 'give either -f FILE or words, not both', reports: [] }))
      leave(1)
    }
    this.#dialogue.start()
  }

  #engine(): ChatEngine {
    const { scriptFile, words, ...options } = this.#commandLine
    const wake = () => this.#dialogue.resume()
    return new ChatEngine({
      words: scriptFile === undefined ? words : fileWords(scriptFile, wake),
      timeoutMs: options.timeoutMs,
      phoneNumber: options.phoneNumber,
      phoneNumber2: options.phoneNumber2,
      env: options.usesEnvironment ? ownVariables() : undefined,
      readFile: fileReader(wake),
      verbose: options.isVerbose,
      echo: options.echoes,
      echoReceived: options.showsReceived,
      paceMs: options.paceMs,
      longestReport: Number.POSITIVE_INFINITY,
      pulled: true,
    })
  }

  #catchSignals(): void {
    for (const name of CAUGHT) process.on(name, () => this.#interrupt(name))
    process.on('SIGALRM', () => this.#dialogue.alarm())
    for (const name of NOT_OURS) signal(constants.signals[name], DEFAULT_EFFECT)
  }

  #interrupt(name: string): void {
    if (name === this.#interruptedBy || (name === 'SIGHUP' && this.#ignoresHangUp)) return
    this.#interruptedBy = name
    this.#dialogue.interrupt(name)
  }

  #event(event: ChatEvent): void {
    switch (event.type) {
      case 'log':
        this.#messages.log(event.level, event.text)
        break
      case 'say':
      case 'echo':
        toStderr(fromLatin1(event.bytes))
        break
      case 'hangup':
        this.#ignoresHangUp = event.ignore
        break
      case 'report':
        this.#report(event.text, event.atMs)
        break
    }
  }

  #report(text: string, atMs: number): void {
    this.#reports.push(text)
    const wallUs = this.#clock.wallUs() - BigInt(Math.round((this.#clock.nowMs() - atMs) * 1000))
    this.#reportOutput.write(`chat:  ${timeStamp(wallUs, '0')} ${text}\n`)
  }

  /** As with chat nothing more is said where standard error was the file of -r. */
  #closeReports(): void {
    const { name, isStderr } = this.#reportOutput
    if (name === undefined) return
    if (this.#commandLine.isVerbose) this.#reportOutput.write(`Closing "${name}".\n`)
    this.#reportOutput.flush()
    if (isStderr) this.#messages.leaveStderr()
  }

  #stopIf(message: string | undefined, exitCode: number): void {
    if (message === undefined) return
    this.#messages.log('error', message)
    this.#end({ type: 'end', exitCode, message })
  }

  #end(end: ChatEnd): never {
    let { exitCode, message } = end
    if (!end.isSecondEnd) {
      this.#closeReports()
      const refusal = this.#line.restore()
      if (refusal !== undefined) {
        exitCode = 2
        message = refusal
        this.#messages.log('error', refusal)
      }
    }
    this.#reportOutput.flush()
    if (exitCode !== 0) this.#lock?.remove()
    if (this.#commandLine.wantsJson) {
      const { abortString } = end
      toStderr(jsonLine({ exitCode, abortString, message: message || undefined, reports: this.#reports }))
    }
    leave(exitCode)
  }
}
