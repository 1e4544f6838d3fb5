/** The closed list of causes: every failure a user can meet has one. Meaning and advice: `link/causes.ts`. */
export const CAUSES = [
  'modem-gone',
  'port-busy',
  'modem-silent',
  'modem-error',
  'sim-absent',
  'sim-pin',
  'sim-pin-refused',
  'sim-puk',
  'sim-failed',
  'radio-off',
  'no-network',
  'registration-denied',
  'roaming-forbidden',
  'apn-refused',
  'busy',
  'no-carrier',
  'no-dialtone',
  'no-answer',
  'call-rejected',
  'dial-timeout',
  'script-error',
  'lcp-timeout',
  'loopback',
  'auth-refused',
  'peer-auth-refused',
  'ipcp-failed',
  'no-address',
  'echo-lost',
  'hung-up',
  'idle',
  'time-limit',
  'data-limit',
  'user-request',
  'engine-missing',
  'permission',
  'pppd-failed',
  'internal',
] as const

export type Cause = (typeof CAUSES)[number]

/** What went wrong and the raw evidence for it (`+CME ERROR: 33`, `no reply to 10 Configure-Requests`), cleaned of control characters. */
export interface Failure {
  readonly cause: Cause
  readonly detail: string
}
