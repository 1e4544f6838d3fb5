/** Somebody else has the port. Thrown by the opener (`serialport-wire.ts`) and the lock file; who it is shows in `mmctl ports`. */

import { ModemdError } from '../base/errors.ts'

export class PortBusyError extends ModemdError {
  /** `minicom (process 4711)`, or `another program`. */
  readonly holder: string
  /** Its process, where the lock file names it. */
  readonly holderPid: number | undefined

  constructor(path: string, holder: string, message = `${path} is in use by ${holder}.`, holderPid?: number) {
    super('Busy', message, 'port-busy')
    this.holder = holder
    this.holderPid = holderPid
  }
}
