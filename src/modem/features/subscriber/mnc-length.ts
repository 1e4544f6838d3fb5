/**
 * How many digits of an IMSI are the MNC, where the SIM's EF-AD does not say (ITU-T E.212, Annex to the Operational Bulletin:
 * Mobile Network Codes). Pure; used by `subscriber.ts`.
 */

import type { SimOperator } from './snapshot.ts'

/** Countries whose networks have three digits: North America and the Caribbean, and some of Latin America. */
const THREE_DIGIT_MCCS: ReadonlySet<string> = new Set([
  '302', // Canada
  '310', // United States, to 316
  '311',
  '312',
  '313',
  '314',
  '315',
  '316',
  '330', // Puerto Rico
  '332', // Virgin Islands (United States)
  '334', // Mexico
  '338', // Jamaica
  '342', // Barbados
  '344', // Antigua and Barbuda
  '346', // Cayman Islands
  '348', // Virgin Islands (British)
  '350', // Bermuda
  '352', // Grenada
  '354', // Montserrat
  '356', // Saint Kitts and Nevis
  '358', // Saint Lucia
  '360', // Saint Vincent and the Grenadines
  '365', // Anguilla
  '366', // Dominica
  '376', // Turks and Caicos Islands
  '708', // Honduras
  '722', // Argentina
  '732', // Colombia
  '750', // Falkland Islands
])

/** Countries with both: the first digits of the MNCs that have three. */
const MIXED: Readonly<Record<string, RegExp>> = {
  '364': /^39/, // Bahamas
  '374': /^1[234]0/, // Trinidad and Tobago
  '405': /^(?:0[2-4]\d|7[5-9]|8[0-9]|9[0-3])/, // India
  '502': /^15/, // Malaysia
}

/** The first five or six digits of the IMSI. `length`: of the MNC, where the SIM says it. */
export function simOperatorOf(imsi: string, length: 2 | 3 | undefined): SimOperator | undefined {
  if (!/^\d{6,15}$/.test(imsi)) return undefined
  const mcc = imsi.slice(0, 3)
  const digits = length ?? (THREE_DIGIT_MCCS.has(mcc) || MIXED[mcc]?.test(imsi.slice(3, 6)) ? 3 : 2)
  return { mcc, mnc: imsi.slice(3, 3 + digits) }
}
