/**
 * modem-ppp's run, from the first attempt to the last: dialling again with `persist`, the pauses between, signals, the end. The order
 * of things and the exit code are those of pppd's main loop. `command.ts` starts it.
 */

import { constants } from 'node:os'
import { type Clock, type Random, sleep } from '../../base/ports.ts'
import { VERSION } from '../../base/version.ts'
import { EngineRoom } from './engine-room.ts'
import { ScriptRunner } from './event-scripts.ts'
import { EXIT } from './exit-codes.ts'
import { Line, LineRefusal } from './line.ts'
import { Link } from './link.ts'
import type { Messages } from './messages.ts'
import type { PppOptions } from './options.ts'
import { PidFiles } from './pid-files.ts'
import { tellServiceManager } from './ready.ts'
import { Recording } from './record-wire.ts'
import { type Starter, starter } from './starter.ts'

export interface RunServices {
  readonly messages: Messages
  readonly clock: Clock
  readonly random: Random
  /** `updetach`: whoever started us is told. */
  readonly onUp: () => void
}

export class PppRun {
  readonly #options: PppOptions
  readonly #services: RunServices
  readonly #engines: EngineRoom
  readonly #scripts: ScriptRunner
  readonly #pidFiles: PidFiles
  readonly #recording: Recording
  readonly #starter: Starter = starter()
  #persists: boolean
  /** This attempt is to end. */
  #isEndWanted = false
  #line: Line | undefined
  #link: Link | undefined
  #pause: AbortController | undefined
  #unsuccessful = 0

  constructor(options: PppOptions, services: RunServices) {
    this.#options = options
    this.#services = services
    const { messages, clock, random } = services
    this.#engines = new EngineRoom(options, messages, clock, random)
    this.#scripts = new ScriptRunner(messages)
    this.#pidFiles = new PidFiles(options.linkName, messages)
    this.#recording = new Recording(options, clock, (line) => messages.warn(line))
    this.#persists = options.persists
  }

  /** Resolves with the exit code; never rejects. */
  async run(): Promise<number> {
    const { messages } = this.#services
    messages.toSyslog('notice', `modem-ppp ${VERSION} started by ${this.#starter.name}, uid ${this.#starter.uid}`)
    this.#warn()
    this.#setVariables()
    this.#catchSignals()
    this.#pidFiles.start()
    const exitCode = await this.#attempts()
    await this.#waitForScripts()
    this.#pidFiles.end()
    this.#recording.close()
    messages.toSyslog('info', 'Exit.')
    return exitCode
  }

  async #attempts(): Promise<number> {
    const { maxFailures } = this.#options
    for (;;) {
      this.#unsuccessful++
      this.#isEndWanted = false
      const exitCode = await this.#attempt()
      this.#pidFiles.interfaceGone()
      if (!this.#persists || (maxFailures > 0 && this.#unsuccessful >= maxFailures)) return exitCode
      // A link that nobody used may be wanted again at once.
      if (exitCode !== EXIT.idle) await this.#holdOff()
      // By a signal meanwhile.
      if (!this.#persists) return EXIT.userRequest
    }
  }

  async #attempt(): Promise<number> {
    const { messages, clock } = this.#services
    const line = new Line(this.#options, messages, clock)
    this.#line = line
    try {
      const wire = await line.connect(() => !this.#isEndWanted)
      if (this.#isEndWanted) {
        await line.disconnect()
        return EXIT.userRequest
      }
      this.#scripts.set('SPEED', String(line.speedBaud))
      const link = new Link(
        {
          ...{ options: this.#options, messages, clock, engines: this.#engines, scripts: this.#scripts },
          pidFiles: this.#pidFiles,
          recording: this.#recording,
          userName: this.#starter.name,
          onUp: () => this.#up(),
        },
        line,
      )
      this.#link = link
      const { exitCode } = await link.run(wire)
      this.#link = undefined
      await line.disconnect()
      return exitCode
    } catch (error) {
      if (error instanceof LineRefusal) return error.exitCode
      messages.error(error instanceof Error ? error.message : String(error))
      return EXIT.fatal
    } finally {
      this.#link = undefined
      await line.release()
      this.#line = undefined
    }
  }

  #up(): void {
    this.#unsuccessful = 0
    if (this.#options.notifiesSystemd) tellServiceManager()
    this.#services.onUp()
  }

  async #holdOff(): Promise<void> {
    const pause = new AbortController()
    this.#pause = pause
    await sleep(this.#services.clock, this.#options.holdOffMs, pause.signal).catch(() => {})
    this.#pause = undefined
  }

  #catchSignals(): void {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => this.#end(name))
    process.on('SIGHUP', () => this.#hangUp())
    process.on('SIGUSR1', () => this.#services.messages.toggleDebug())
    // pppd negotiates compression anew; there is none here.
    process.on('SIGUSR2', () => this.#services.messages.debug('SIGUSR2: there is no compression to negotiate'))
  }

  #end(signal: NodeJS.Signals): void {
    this.#persists = false
    if (this.#line?.killScript(signal)) return
    this.#services.messages.info(`Terminating on signal ${constants.signals[signal]}`)
    this.#endAttempt()
  }

  #hangUp(): void {
    if (this.#line?.killScript('SIGHUP')) return
    this.#services.messages.info('Hangup (SIGHUP)')
    this.#endAttempt()
  }

  #endAttempt(): void {
    this.#isEndWanted = true
    this.#pause?.abort()
    this.#link?.terminate()
  }

  #setVariables(): void {
    const { line, linkName, scriptVariables } = this.#options
    this.#scripts.set('PPPLOGNAME', this.#starter.name)
    this.#scripts.set('ORIG_UID', String(this.#starter.uid))
    this.#scripts.set('PPPD_PID', String(process.pid))
    if (line.type === 'tty') this.#scripts.set('DEVICE', line.path)
    this.#scripts.set('LINKNAME', linkName)
    for (const [name, value] of scriptVariables) this.#scripts.set(name, value)
  }

  #warn(): void {
    const { messages } = this.#services
    for (const warning of this.#options.warnings) messages.warn(warning)
    if (this.#options.escapes.length > 0) messages.warn('escape is not done: the peer has to ask by its asyncmap')
  }

  async #waitForScripts(): Promise<void> {
    const { running } = this.#scripts
    if (running.length === 0) return
    const { messages, clock } = this.#services
    messages.debug(`Waiting for ${running.length} child processes...`)
    for (const { program, pid } of running) messages.debug(`  script ${program}, pid ${pid}`)
    const limit = new AbortController()
    await Promise.race([this.#scripts.idle(), sleep(clock, this.#options.childTimeoutMs, limit.signal).catch(() => {})])
    limit.abort()
  }
}
