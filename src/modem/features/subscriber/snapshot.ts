/** Whose SIM it is, as the supervisor sees it. */

/** The SIM's own operator, which is not the network's while roaming. The IMSI itself stays inside. */
export interface SimOperator {
  readonly mcc: string
  /** 2 or 3 digits. */
  readonly mnc: string
}

export interface SubscriberQueries {
  /** undefined where the SIM does not tell. Rejects with a ModemdError: port-busy, modem-silent, modem-gone. */
  operator(): Promise<SimOperator | undefined>
  /** EF-SPN; undefined where it has none. Rejects likewise. */
  providerName(): Promise<string | undefined>
}
