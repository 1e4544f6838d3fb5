/** How an attempt of a link ends, and what whatever was thrown in it means. Used by `attempt.ts`, `call.ts` and `link.ts`. */

import type { Cause, Failure } from '../base/cause.ts'
import { type ErrorCode, errorText, ModemdError } from '../base/errors.ts'
import type { ModemHandle } from '../modem/snapshot.ts'

export interface AttemptEnd {
  readonly failure: Failure
  /** Whose attempt it was; undefined: there was none. */
  readonly modem?: ModemHandle | undefined
  readonly chatExit?: number | undefined
  readonly pppExit?: number | undefined
  /** The caller's answer, where it says more than the failure. */
  readonly error?: ModemdError | undefined
  /** The modem was not ready, and only a change of it (or another modem) helps. */
  readonly isBlocked?: boolean
  /** How long it was up; undefined: never. */
  readonly stoodMs?: number | undefined
}

/** Ends an attempt from inside, and from outside as the reason of its signal. */
export class AttemptFailed extends Error {
  readonly end: AttemptEnd

  constructor(end: AttemptEnd) {
    super(end.failure.detail)
    this.name = 'AttemptFailed'
    this.end = end
  }
}

/** What a refused command of the modem means for the link, where the error names no cause itself. */
const CAUSE_OF_ERROR: Readonly<Partial<Record<ErrorCode, Cause>>> = {
  SimPin: 'sim-pin-refused',
  SimPuk: 'sim-puk',
  SimAbsent: 'sim-absent',
  // Not tried, to protect the SIM: the detail says why.
  PinGuard: 'sim-pin',
  Timeout: 'modem-silent',
  ModemGone: 'modem-gone',
  Busy: 'port-busy',
  WrongState: 'modem-error',
}

/** Whatever was thrown as the attempt's end. */
export function endOf(error: unknown): AttemptEnd {
  if (error instanceof AttemptFailed) return error.end
  if (!(error instanceof ModemdError)) return { failure: { cause: 'internal', detail: errorText(error) } }
  const cause = error.failureCause ?? CAUSE_OF_ERROR[error.code] ?? 'internal'
  return { failure: { cause, detail: error.message }, error }
}

/** Without a SIM or a radio there is nothing to redial: the link waits for it. */
export function isForTheModem({ cause }: Failure): boolean {
  return cause === 'radio-off' || cause.startsWith('sim-')
}

export function modemGone({ snapshot }: ModemHandle): AttemptFailed {
  return new AttemptFailed({ failure: { cause: 'modem-gone', detail: `${snapshot.id} is no longer there` } })
}
