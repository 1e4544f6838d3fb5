/**
 * pppd's log: to standard output, a file or a descriptor, and to syslog. `run.ts` and what it calls write here; lines are pppd's own
 * words where it has such.
 */

import { openSync } from 'node:fs'
import type { Clock, Logger } from '../../base/ports.ts'
import { errnoText } from '../../system/libc.ts'
import { writeError, writeOutput } from '../../system/output.ts'
import { writeAll } from '../../system/shared-fd.ts'
import { Syslog, type SyslogLevel } from '../../system/syslog.ts'
import type { LogTarget } from './options.ts'

const STDOUT = 1
const STDERR = 2
const LOG_FILE_MODE = 0o640

export class Messages {
  readonly #syslog: Syslog
  readonly #target: LogTarget
  #fd: number | undefined
  /** `debug` was given, or SIGUSR1 came. */
  #showsDebug: boolean
  #hasLostLines = false

  /** Throws Node's error where the log file cannot be opened. */
  constructor(target: LogTarget, showsDebug: boolean, clock: Clock) {
    this.#syslog = new Syslog('modem-ppp', clock, 'daemon')
    this.#target = target
    this.#showsDebug = showsDebug
    if (target.type === 'fd') this.#fd = target.fd
    else if (target.type === 'file') this.#fd = openSync(target.path, 'a', LOG_FILE_MODE)
  }

  get showsDebug(): boolean {
    return this.#showsDebug
  }

  /** They could not be written where they were to go. */
  get hasLostLines(): boolean {
    return this.#hasLostLines
  }

  toggleDebug(): void {
    this.#showsDebug = !this.#showsDebug
  }

  /** Where a script's standard error goes; undefined: we have no place of our own. */
  get fd(): number | undefined {
    return this.#fd
  }

  /** We left the terminal: what was said there goes to syslog alone. */
  leaveTerminal(): void {
    if (this.#fd === STDOUT || this.#fd === STDERR) this.#fd = undefined
  }

  debug(line: string): void {
    if (this.#showsDebug) this.#log('debug', line)
  }

  info(line: string): void {
    this.#log('info', line)
  }

  notice(line: string): void {
    this.#log('notice', line)
  }

  warn(line: string): void {
    this.#log('warning', line)
  }

  error(line: string): void {
    this.#log('error', line)
  }

  /** For the parts that are the daemon's too. */
  asLogger(): Pick<Logger, 'error' | 'warn' | 'info'> {
    return {
      error: (message) => this.error(message),
      warn: (message) => this.warn(message),
      info: (message) => this.info(message),
    }
  }

  /** What pppd tells syslog only. */
  toSyslog(level: SyslogLevel, line: string): void {
    // It takes a string of bytes.
    this.#syslog.log(level, Buffer.from(line).toString('latin1'))
  }

  /** A log that takes nothing any more ends only the log. */
  #log(level: SyslogLevel, line: string): void {
    this.toSyslog(level, line)
    if (this.#fd === undefined) return
    const answer = writeAll(this.#fd, Buffer.from(`${line}\n`))
    if (answer >= 0) return
    this.#fd = undefined
    this.#hasLostLines = true
    const where = this.#target.type === 'file' ? this.#target.path : 'the log'
    const complaint = `cannot write to ${where}: ${errnoText(answer)}: what follows goes to syslog only`
    this.toSyslog('error', complaint)
    toStderr(`modem-ppp: ${complaint}\n`)
  }
}

export function toStderr(text: string): void {
  writeError(Buffer.from(text))
}

/** False: it could not be written, and that is said. */
export function toStdout(text: string): boolean {
  return writeOutput('modem-ppp', Buffer.from(text))
}
