/** What the multi-step procedures (bring-up, SIM, registration, signal) may use of their modem. `modem.ts` is one. */

import { ModemdError } from '../base/errors.ts'
import type { Clock, Logger } from '../base/ports.ts'
import type { AtReply } from './at/channel.ts'
import type { CommandOptions } from './at/session.ts'
import type { ModemDriver } from './drivers/driver.ts'
import type { ModemSnapshot } from './snapshot.ts'
import type { Change } from './state.ts'

/** With `registered` comes a dial: what nobody waits for lets it go first. */
export const DIAL_FIRST_MS = 300

export interface ModemContext {
  readonly clock: Clock
  readonly logger: Logger
  readonly driver: ModemDriver
  readonly snapshot: ModemSnapshot
  apply(change: Change): void
  /**
   * On the port that is free of calls. An error result is a reply like another; rejects with modem-silent, modem-gone, or
   * port-busy while a call has the only port.
   */
  attempt(text: string, options?: CommandOptions): Promise<AtReply>
}

/** The first command of the group that the modem accepts; undefined: none. One that it does not even answer is like an error. */
export async function sendFirstAccepted(modem: ModemContext, group: readonly string[]): Promise<string | undefined> {
  for (const command of group) {
    try {
      if ((await modem.attempt(command, { timeoutMs: 10_000 })).isOk) return command
    } catch (error) {
      // A modem that says nothing any more says nothing to the next question either, and that one counts.
      if (!(error instanceof ModemdError && error.failureCause === 'modem-silent')) throw error
    }
  }
  return undefined
}

/** A call has the modem's only port: what was asked can be asked again when it is over. */
export function isPortBusy(error: unknown): boolean {
  return error instanceof ModemdError && error.failureCause === 'port-busy'
}
