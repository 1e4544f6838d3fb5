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

/** The kind of address that may pass alone where a network refused both at once; not certain: its number is used for other reasons, too. */
export interface IpLimit {
  readonly ip: '4' | '6'
  readonly isCertain: boolean
}

/** What went wrong and the raw evidence for it (`+CME ERROR: 33`, `no reply to 10 Configure-Requests`), cleaned of control characters. */
export interface Failure {
  readonly cause: Cause
  readonly detail: string
  readonly ipLimit?: IpLimit | undefined
  /** This time it is for good, also where the cause mostly is not. */
  readonly isPermanent?: true | undefined
}
