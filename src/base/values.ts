/**
 * Which texts may become a dial, a PIN or a file's name (DESIGN §7.6), and which numbers make sense: one check of each for D-Bus, the configuration and mmctl.
 * A check answers what is wrong, as the end of a sentence (`apn … may have letters …`), or undefined.
 */

export type TextFault = string | undefined

export const ENGINE_CHOICES = ['auto', 'builtin', 'kernel', 'pppd'] as const
export const IP_CHOICES = ['4', '6', '46'] as const

/** 3GPP TS 23.003 §9.1: labels of letters, digits and hyphens, 100 octets. '' leaves the choice to the network. */
export function apnFault(text: string): TextFault {
  return /^[A-Za-z0-9.-]{0,100}$/.test(text) ? undefined : 'may have letters, digits, dots and hyphens, at most 100'
}

export function numberFault(text: string): TextFault {
  return /^[0-9*#+,]{1,40}$/.test(text) ? undefined : 'may have digits, *, #, + and commas, at most 40'
}

export function pinFault(text: string): TextFault {
  return /^\d{4,8}$/.test(text) ? undefined : 'must be 4 to 8 digits'
}

/** How long somebody waits for a connection. */
export function timeoutFault(ms: number): string | undefined {
  const isIn = Number.isInteger(ms) && ms >= 1000 && ms <= 3_600_000
  return isIn ? undefined : 'must be 1000 to 3600000 milliseconds'
}

/** User names and passwords travel in AT strings and in PAP's fields of at most 255 octets. */
export function credentialFault(text: string): TextFault {
  if (/["\x00-\x1f\x7f-\x9f]/.test(text)) return 'must have no quotation mark and no control character'
  if (!isWellFormed(text)) return 'must be valid Unicode'
  return new TextEncoder().encode(text).length <= 255 ? undefined : 'may have at most 255 bytes'
}

/** The name of the link that Connect without a profile makes. */
export const MANUAL = 'manual'

/** A name that a profile or `MANUAL` can have; it is a file's name too. */
export function isProfileName(text: string): boolean {
  return /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,64}$/.test(text)
}

export function profileNameFault(text: string): TextFault {
  if (!isProfileName(text)) return 'may have letters, digits, dots, underscores and hyphens, at most 64'
  return text === MANUAL ? `must not be ${MANUAL}, which is kept for the link without a profile` : undefined
}

/** No half of a surrogate pair alone: such text would not survive a file. */
export function isWellFormed(text: string): boolean {
  return !/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(text)
}
