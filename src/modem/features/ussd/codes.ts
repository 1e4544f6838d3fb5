/**
 * What may be sent as USSD, and how it is written: plain, as packed septets or as UCS2 in hexadecimal (3GPP TS 27.007 §7.15 and
 * §5.5, TS 23.038 §6.1.2.3). Pure; used by `ussd.ts`.
 */

import { ModemdError } from '../../../base/errors.ts'
import type { UssdForm } from '../../drivers/driver.ts'
import { carriesPin, PIN_GUARD_MESSAGE } from '../../pin-guard.ts'
import { encodeSeptets, packSeptets } from '../../sms/gsm7.ts'

/** 160 octets of packed septets (3GPP TS 24.090 Annex A). */
const LONGEST = 182

/** `*100#`, or a short number. */
export function checkCode(code: string): void {
  if (!/^[0-9*#+]+$/.test(code) || code.length > LONGEST)
    throw new ModemdError('InvalidArgs', `A USSD code is of digits, *, # and +, ${LONGEST} at most: such as *100#.`)
  // Codes that change or unblock a PIN are the modem's own business, not the network's.
  if (carriesPin(code)) throw new ModemdError('PinGuard', PIN_GUARD_MESSAGE)
}

/** Only what is the same in ASCII and in the GSM alphabet, and cannot end the string that it stands in. */
export function checkResponse(text: string): void {
  const isPlain = /^[A-Za-z0-9 *#+.,:;/?!=()'&%<>-]+$/.test(text)
  if (!isPlain || text.length > LONGEST)
    throw new ModemdError(
      'InvalidArgs',
      `An answer is of letters, digits, blanks and plain punctuation (no quotes, $, @ or _), ${LONGEST} at most.`,
    )
  if (carriesPin(text)) throw new ModemdError('PinGuard', PIN_GUARD_MESSAGE)
}

/** `text` is one that passed a check. With its data coding scheme, as +CUSD takes them. */
export function encodeUssd(text: string, form: UssdForm): { readonly string: string; readonly dcs: number } {
  switch (form) {
    case 'plain':
      return { string: text, dcs: 15 }
    case 'packed':
      return { string: hexOf(packed(text)), dcs: 15 }
    case 'ucs2':
      return { string: hexOf(Array.from(text).flatMap((char) => [0, char.charCodeAt(0)])), dcs: 15 }
  }
}

/** Filling of seven bits would read as `@`, so it is CR (3GPP TS 23.038 §6.1.2.3.1). */
function packed(text: string): Uint8Array {
  const septets = encodeSeptets(text) ?? []
  return packSeptets(septets.length % 8 === 7 ? [...septets, 0x0d] : septets)
}

function hexOf(octets: Iterable<number>): string {
  return Array.from(octets, (value) => value.toString(16).toUpperCase().padStart(2, '0')).join('')
}
