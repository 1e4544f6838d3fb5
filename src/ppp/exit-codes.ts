/** pppd's exit codes (pppd(8)) for the causes that end a session. Used by `session.ts`. */

import type { Cause } from '../base/cause.ts'

const EXIT_CODES: Partial<Readonly<Record<Cause, number>>> = {
  'lcp-timeout': 10,
  'ipcp-failed': 10,
  'no-address': 10,
  'peer-auth-refused': 11,
  idle: 12,
  'time-limit': 13,
  'echo-lost': 15,
  'hung-up': 16,
  'modem-gone': 16,
  loopback: 17,
  'auth-refused': 19,
  'data-limit': 20,
}

/** What is not listed was asked for from our side, as by a signal to pppd. */
const ASKED_FOR = 5

export function pppExitCode(cause: Cause): number {
  return EXIT_CODES[cause] ?? ASKED_FOR
}
