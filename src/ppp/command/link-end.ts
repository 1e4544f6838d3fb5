/** How a link's end reads in pppd's terms: its exit code, and the line that names the reason. `link.ts` asks when it is over. */

import type { Cause, Failure } from '../../base/cause.ts'
import { pppExitCode } from '../exit-codes.ts'
import { EXIT } from './exit-codes.ts'
import type { LinkLog } from './link-log.ts'
import type { Messages } from './messages.ts'

export interface HowItWas {
  /** The line is gone; nobody said good-bye by PPP, or not only. */
  readonly isHungUp: boolean
  /** At least one network protocol ran. */
  readonly wasUp: boolean
}

export function exitCodeOf(cause: Cause, { isHungUp, wasUp }: HowItWas): number {
  switch (cause) {
    case 'hung-up':
    case 'modem-gone':
      if (isHungUp) return EXIT.hangUp
      return wasUp ? EXIT.ok : EXIT.negotiationFailed
    case 'lcp-timeout':
    case 'ipcp-failed':
    case 'no-address':
      return wasUp ? EXIT.ok : EXIT.negotiationFailed
    case 'engine-missing':
      return EXIT.noKernelSupport
    case 'user-request':
      return EXIT.userRequest
    default: {
      const exitCode = pppExitCode(cause)
      // What the session's table does not know was asked for there; here it is a fault of ours.
      return exitCode === EXIT.userRequest ? EXIT.fatal : exitCode
    }
  }
}

/** What pppd would have said, where the packets did not say it already. */
export function explainEnd(
  { cause, detail }: Failure,
  exitCode: number,
  messages: Messages,
  log: LinkLog,
  echoFailure: number,
): void {
  switch (cause) {
    case 'user-request':
    case 'data-limit':
      break
    case 'idle':
    case 'time-limit':
    case 'loopback':
      log.ownEnd(cause)
      break
    case 'hung-up':
    case 'modem-gone':
      if (exitCode === EXIT.hangUp) messages.notice('Modem hangup')
      break
    case 'echo-lost':
      messages.info(`No response to ${echoFailure} echo-requests`)
      messages.notice('Serial link appears to be disconnected.')
      break
    case 'lcp-timeout':
      messages.warn('LCP: timeout sending Config-Requests')
      break
    case 'auth-refused':
      if (!log.saidAuthFailed) messages.error(detail)
      break
    case 'peer-auth-refused':
      if (!log.saidAuthFailed) messages.warn('peer refused to authenticate: terminating link')
      break
    default:
      messages.error(detail)
  }
}
