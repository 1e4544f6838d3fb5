/** Whom a message can be sent to; checked by mmctl, at the bus's edge and by the modem's feature. */

import type { TextFault } from './values.ts'

/** What is wrong with it, to be put behind a name; undefined: nothing. */
export function recipientFault(text: string): TextFault {
  return /^\+?[0-9*#]{1,20}$/.test(text)
    ? undefined
    : 'must be a telephone number: digits, with + before a country code'
}
