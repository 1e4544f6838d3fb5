/** Takes out of a bug report what tells of a person: numbers of SIMs, modems and telephones, and messages on their way. Pure. */

/** IMEI and IMSI (15 digits), ICCID (18 to 22): the maker's, network's or issuer's first six stay. */
const LONG_NUMBER = /(?<!\d)(\d{6})(\d{8,})(?!\d)/g
/** ICCID as its file holds it, PDUs of messages, keys. */
const LONG_HEX = /(?<![\dA-Fa-f])(?=[\dA-Fa-f]*[A-Fa-f])[\dA-Fa-f]{16,}(?![\dA-Fa-f])/g
/** Telephone numbers; times in seconds since 1970 fall to it, too. */
const PHONE_NUMBER = /(?<![\d.:]|CONNECT )(\+\d{2}|\d{3})(\d{5,})(?![\d.:])/g
const SERIAL_NUMBER = /((?:SerialNumber|serial|iSerial)\s*[:=]\s*)[^\s,;]+/gi

export function withoutPersonalNumbers(text: string): string {
  return text
    .replace(SERIAL_NUMBER, (_, name: string) => `${name}***`)
    .replace(LONG_HEX, (hex) => `***(${hex.length} hex digits)`)
    .replace(LONG_NUMBER, (_, first: string, rest: string) => first + '*'.repeat(rest.length))
    .replace(PHONE_NUMBER, (_, first: string, rest: string) => first + '*'.repeat(rest.length))
}
