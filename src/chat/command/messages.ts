/** Where chat(8)'s messages go: standard error with -s, syslog without -S. And what belongs on standard error in any case. */

import { latin1 } from '../../base/bytes.ts'
import type { Clock } from '../../base/ports.ts'
import { writeError, writeOutput } from '../../system/output.ts'
import { Syslog } from '../../system/syslog.ts'
import type { CommandLine } from '../command-line.ts'

export class Messages {
  #onStderr: boolean
  readonly #isVerbose: boolean
  readonly #syslog: Syslog | undefined

  constructor({ logsToStderr, logsToSyslog, isVerbose }: CommandLine, clock: Clock) {
    this.#onStderr = logsToStderr
    this.#isVerbose = isVerbose
    this.#syslog = logsToSyslog ? new Syslog('chat', clock, 'local2') : undefined
  }

  /** Syslog gets what is not an error only with -v. */
  log(level: 'error' | 'info', text: string): void {
    if (this.#onStderr) toStderr(`${text}\n`)
    if (this.#isVerbose || level === 'error') this.#syslog?.log(level, text)
  }

  leaveStderr(): void {
    this.#onStderr = false
  }
}

/** A string of bytes. */
export function toStderr(text: string): void {
  writeError(latin1(text))
}

/** A string of bytes. False: it could not be written, and that is said. */
export function toStdout(text: string): boolean {
  return writeOutput('modem-chat', latin1(text))
}
