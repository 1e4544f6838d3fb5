/** What ends a command: a sentence for people, a D-Bus error name for scripts and an exit code (see `exit-codes.ts`). */

import type { Cause } from '../base/cause.ts'
import { EXIT, type ExitCode, exitCodeOf } from './exit-codes.ts'

export class CliError extends Error {
  /** `org.modemd.Error.NotFound`, `org.freedesktop.DBus.Error.ServiceUnknown` … */
  readonly errorName: string
  readonly exitCode: ExitCode
  /** The entry of the closed list, where the failure has one. */
  readonly failureCause: Cause | undefined
  /** Further lines for people, below the first. */
  readonly details: readonly string[]

  constructor(
    errorName: string,
    message: string,
    more: { exitCode?: ExitCode; cause?: Cause | undefined; details?: readonly string[] } = {},
  ) {
    super(message)
    this.name = 'CliError'
    this.errorName = errorName
    this.exitCode = more.exitCode ?? exitCodeOf(errorName)
    this.failureCause = more.cause
    this.details = more.details ?? []
  }

  /** The command itself is wrong: nothing was tried. */
  static usage(message: string): CliError {
    return new CliError('org.modemd.Error.InvalidArgs', message, { exitCode: EXIT.usage })
  }

  static interrupted(message: string): CliError {
    return new CliError('Interrupted', message, { exitCode: EXIT.interrupted })
  }

  static notFound(message: string): CliError {
    return new CliError('org.modemd.Error.NotFound', message, { exitCode: EXIT.notFound })
  }
}
