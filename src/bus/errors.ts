/** The one place where errors get their D-Bus names (contract: `org.modemd.Error.X`). Called by `dispatcher.ts`. */

import { printable } from '../base/bytes.ts'
import { ModemdError } from '../base/errors.ts'
import { DialError } from '../modem/snapshot.ts'

const PREFIX = 'org.modemd.Error.'
const MAX_MESSAGE_LENGTH = 500

/** Errors of the D-Bus specification's own interfaces, which clients know by these names. */
export type StandardErrorName =
  | 'UnknownObject'
  | 'UnknownInterface'
  | 'UnknownMethod'
  | 'UnknownProperty'
  | 'PropertyReadOnly'
  | 'InvalidArgs'

export class StandardError extends Error {
  readonly errorName: string

  constructor(name: StandardErrorName, message: string) {
    super(message)
    this.name = 'StandardError'
    this.errorName = `org.freedesktop.DBus.Error.${name}`
  }
}

export interface BusError {
  readonly name: string
  /** One sentence, one line; never a stack trace. */
  readonly message: string
  /** Something that we did not foresee: worth a line in the log. */
  readonly isUnexpected: boolean
}

export function toBusError(error: unknown): BusError {
  if (error instanceof StandardError) return expected(error.errorName, error.message)
  if (error instanceof ModemdError) {
    return { ...expected(PREFIX + error.code, error.message), isUnexpected: error.code === 'Internal' }
  }
  if (error instanceof DialError) return expected(`${PREFIX}DialFailed`, error.message)
  return { name: `${PREFIX}Internal`, message: 'modemd failed inside: its log says more.', isUnexpected: true }
}

function expected(name: string, message: string): BusError {
  return { name, message: printable(message, MAX_MESSAGE_LENGTH), isUnexpected: false }
}
