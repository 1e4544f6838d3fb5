/** The numbers of a modem and its SIM, distinct for each modem of a run and the same for the same seed. */

import type { Personality } from './personality.ts'

export interface Identity {
  /** 15 digits with the check digit (3GPP TS 23.003 §6.2.1). */
  readonly imei: string
  /** 19 digits with the check digit (ITU-T E.118). */
  readonly iccid: string
  /** 15 digits in the test network 001-01. */
  readonly imsi: string
  readonly ownNumber: string
}

/** The subscriber's home network: MCC 001 is for tests. */
export const HOME_PLMN = '00101'

export function identityOf(personality: Personality, seed: number, index: number): Identity {
  const serial = (Math.abs(Math.imul(seed, 7919)) % 900_000) + 1 + index
  const digits = (count: number) => String(serial).padStart(count, '0')
  return {
    imei: withCheckDigit(`${personality.identity.imeiTac}${digits(6)}`),
    iccid: withCheckDigit(`8900101${digits(11)}`),
    imsi: `${HOME_PLMN}${digits(10)}`,
    ownNumber: `+1555${digits(7)}`,
  }
}

/** Luhn (ISO/IEC 7812-1). */
export function withCheckDigit(digits: string): string {
  const sum = [...digits].reverse().reduce((total, digit, place) => {
    const doubled = Number(digit) * (place % 2 === 0 ? 2 : 1)
    return total + (doubled > 9 ? doubled - 9 : doubled)
  }, 0)
  return `${digits}${(10 - (sum % 10)) % 10}`
}
