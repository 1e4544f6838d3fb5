/** Takes out of a bug report what tells of a person: numbers of SIMs, modems and telephones, and messages on their way. Pure. */

/** IMEI and IMSI (15 digits), ICCID (18 to 22): the maker's, network's or issuer's first six stay. */
const LONG_NUMBER = /(?<!\d)(\d{6})(\d{8,})(?!\d)/g
/** ICCID as its file holds it, PDUs of messages, keys. */
const LONG_HEX = /(?<![\dA-Fa-f])(?=[\dA-Fa-f]*[A-Fa-f])[\dA-Fa-f]{16,}(?![\dA-Fa-f])/g
/** As `ppp/auth` tells of a refused one. */
const LOG_IN_NAME = /(log-in of ").*?("(?=[\s,.;:)]|$))/gm
/** A modem's id in an object path, where `_` is `_5f`: the same mask as for the id itself. */
const ID_IN_PATH = /imei_5f(?=\d{14,16}(?!\d))/g
/** Telephone numbers; times in seconds since 1970 fall to it, too. */
const PHONE_NUMBER = /(?<![\d.:]|CONNECT )(\+\d{2}|\d{3})(\d{5,})(?![\d.:])/g
const SERIAL_NUMBER = /((?:SerialNumber|serial|iSerial)\s*[:=]\s*)[^\s,;]+/gi

export function withoutPersonalNumbers(text: string): string {
  return text
    .replace(LOG_IN_NAME, '$1***$2')
    .replace(SERIAL_NUMBER, (_, name: string) => `${name}***`)
    .replace(ID_IN_PATH, 'imei_')
    .replace(LONG_HEX, (hex) => `***(${hex.length} hex digits)`)
    .replace(LONG_NUMBER, (_, first: string, rest: string) => first + '*'.repeat(rest.length))
    .replace(PHONE_NUMBER, (_, first: string, rest: string) => first + '*'.repeat(rest.length))
}
