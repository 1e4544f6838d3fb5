import type { Cause, Failure } from './cause.ts'

/** One code an `org.modemd.Error.X` of the D-Bus contract; `bus/errors.ts` maps them. */
export const ERROR_CODES = [
  'InvalidArgs',
  'NotFound',
  'NotAuthorized',
  'Busy',
  'WrongState',
  'SimPin',
  'SimPuk',
  'SimAbsent',
  'PinGuard',
  'NoNetwork',
  'Roaming',
  'DialFailed',
  'AuthFailed',
  'PppFailed',
  'Timeout',
  'ModemGone',
  'Unsupported',
  'Internal',
  'Unknown',
] as const

export type ErrorCode = (typeof ERROR_CODES)[number]

/**
 * The one error class. `message` is a sentence a person can act on, without a secret in it. `failureCause` says which
 * entry of the closed list it was, where there is one.
 */
export class ModemdError extends Error {
  readonly code: ErrorCode
  readonly failureCause: Cause | undefined

  constructor(code: ErrorCode, message: string, failureCause?: Cause) {
    super(message)
    this.name = 'ModemdError'
    this.code = code
    this.failureCause = failureCause
  }
}

/** The text of whatever was thrown. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Whatever was thrown as a failure: `internal`, unless it is a ModemdError that names its cause. */
export function failureOf(error: unknown): Failure {
  const cause = (error instanceof ModemdError && error.failureCause) || 'internal'
  return { cause, detail: errorText(error) }
}
