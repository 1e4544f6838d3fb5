/**
 * Strings of AT replies → text (+CSCS, 3GPP TS 27.007 §5.5; +CUSD, §7.15; coding schemes, 3GPP TS 23.038 §5). Modems answer in
 * UCS2, hexadecimal, GSM 7 bit, Latin-1 or UTF-8 and do not always say which, so the string itself decides where it can. Used for
 * operator names, USSD and the headers of messages. Pure, never throws. What comes out is still a stranger's text: `printable`.
 */

import { decodeSeptets, decodeUssdSeptets } from '../sms/gsm7.ts'

/** What +CSCS was set to, where that is known. */
export type AtCharset = 'GSM' | 'IRA' | 'UCS2' | 'HEX' | 'UTF-8' | '8859-1'

/** `raw` is as the tokenizer gives it: a char a byte. */
export function decodeText(raw: string, charset?: AtCharset): string {
  if (charset === 'UCS2') return ucs2Of(raw) ?? decodeBytes(raw)
  if (charset === 'HEX') return hexTextOf(raw) ?? decodeBytes(raw)
  if (charset === 'GSM') return fromGsmBytes(raw)
  if (charset !== undefined) return decodeBytes(raw)
  return asciiHexOf(raw) ?? likelyUcs2Of(raw) ?? decodeBytes(raw)
}

/** A number of a party, `+` and digits: `002B0033003400360030` is one in UCS2, `0034600` is one as it stands. */
export function decodeNumber(raw: string): string {
  const text = /^00(?:2B|3\d)/i.test(raw) ? ucs2Of(raw) : undefined
  return text !== undefined && /^\+?[\d*#]+$/.test(text) ? text : raw
}

/**
 * The string of +CUSD by its coding scheme: packed septets or UCS2 in hexadecimal, or plain text whatever the scheme says. Without
 * a scheme, or where scheme and string do not fit, what reads like text wins.
 */
export function decodeUssd(raw: string, dcs?: number): string {
  const octets = octetsOf(raw)
  if (!octets) return decodeBytes(raw)
  const alphabet = dcs === undefined ? undefined : alphabetOf(dcs)
  const byAlphabet = {
    ucs2: () => ucs2Of(raw, 0.8) ?? ucs2Of(dcs === 0x11 ? raw.slice(4) : '', 0.8),
    gsm7: () => packedOf(octets),
    octets: () => asciiHexOf(raw) ?? hexTextOf(raw),
  }
  if (alphabet === 'ucs2') return byAlphabet.ucs2() ?? likelyText(raw, octets)
  if (alphabet === 'octets') return byAlphabet.octets() ?? likelyText(raw, octets)
  return likelyText(raw, octets)
}

/** 3GPP TS 23.038 §5. */
function alphabetOf(dcs: number): 'gsm7' | 'octets' | 'ucs2' {
  if (dcs === 0x11) return 'ucs2'
  const group = dcs >> 4
  if ((group >= 4 && group <= 7) || group === 9) return (['gsm7', 'octets', 'ucs2', 'gsm7'] as const)[(dcs >> 2) & 3]!
  if (group === 15) return dcs & 4 ? 'octets' : 'gsm7'
  return 'gsm7'
}

function likelyText(raw: string, octets: Uint8Array): string {
  return likelyUcs2Of(raw) ?? asciiHexOf(raw) ?? (raw.length > 4 ? packedOf(octets) : undefined) ?? decodeBytes(raw)
}

function packedOf(octets: Uint8Array): string | undefined {
  const whole = decodeUssdSeptets(octets)
  // Filled with zeros, not with the standard's CR.
  const text = octets.length % 7 === 0 ? whole.replace(/@$/, '') : whole
  return isReadable(text) ? text : undefined
}

/** Four hexadecimal digits a char; broken surrogates become U+FFFD. `least` is the part of the chars that must be in use. */
function ucs2Of(raw: string, least = 0): string | undefined {
  const digits = raw.trim()
  if (digits === '' || digits.length % 4 !== 0 || !HEX.test(digits)) return undefined
  let text = ''
  for (let at = 0; at < digits.length; at += 4)
    text += String.fromCharCode(Number.parseInt(digits.slice(at, at + 4), 16))
  // Filling behind the text.
  const whole = text.replace(/[\0\uffff]+$/, '').replace(LONE_SURROGATE, '\ufffd')
  const used = Array.from(whole).filter((char) => scriptOf(char.codePointAt(0)!) !== undefined).length
  return used >= Array.from(whole).length * least ? whole : undefined
}

/**
 * UCS2 without being told. Digits alone are a number (`310410`, `12345678`) unless every char of theirs is Latin (`00310032`) or
 * three or more are of one script; two scripts beside Latin are no text.
 */
function likelyUcs2Of(raw: string): string | undefined {
  const text = ucs2Of(raw, 1)
  if (text === undefined || text === '') return undefined
  const scripts = new Set(Array.from(text, (char) => scriptOf(char.codePointAt(0)!)))
  scripts.delete('common')
  const isLatin = scripts.size === 0 || (scripts.size === 1 && scripts.has('latin'))
  if (isLatin) return raw.length >= 8 || /[A-F]/i.test(raw) || LETTER.test(text) ? text : undefined
  scripts.delete('latin')
  if (scripts.has('kana')) scripts.delete('han')
  if (scripts.size !== 1) return undefined
  const count = Array.from(text).length
  if (/^\d+$/.test(raw)) return count >= 3 && !scripts.has('han') ? text : undefined
  return count >= 2 ? text : undefined
}

/** Two hexadecimal digits a letter of ASCII (`566F6461666F6E65`), where nearly all are letters: else it is UCS2, or a number. */
function asciiHexOf(raw: string): string | undefined {
  const octets = octetsOf(raw)
  if (!octets || octets.length < 4) return undefined
  let letters = 0
  for (const value of octets) {
    if (value < 0x20 || value > 0x7e) return undefined
    if (value === 0x20 || (value >= 0x41 && value <= 0x5a) || (value >= 0x61 && value <= 0x7a)) letters++
  }
  return letters >= octets.length * 0.75 ? String.fromCharCode(...octets) : undefined
}

function hexTextOf(raw: string): string | undefined {
  const octets = octetsOf(raw)
  return octets && decodeBytes(Array.from(octets, (value) => String.fromCharCode(value)).join(''))
}

/** UTF-8 where the bytes are that, GSM where control characters stand for its letters, else Latin-1. */
function decodeBytes(raw: string): string {
  if (/[\x80-\xff]/.test(raw)) return utf8Of(raw) ?? raw
  return GSM_CONTROL.test(raw) ? fromGsmBytes(raw) : raw
}

/** A septet a byte. Modems that say GSM and mean ASCII are many, so what ASCII has in the same place stays. */
function fromGsmBytes(raw: string): string {
  return raw.replace(/(?:\x1b[\x00-\x7f]|[\x00-\x09\x0b\x0c\x0e-\x1f])+/g, (part) =>
    decodeSeptets(Array.from(part, (char) => char.charCodeAt(0))),
  )
}

function utf8Of(raw: string): string | undefined {
  try {
    return UTF8.decode(Uint8Array.from(raw, (char) => char.charCodeAt(0)))
  } catch {
    return undefined
  }
}

function octetsOf(raw: string): Uint8Array | undefined {
  const digits = raw.trim()
  if (digits.length < 2 || digits.length % 2 !== 0 || !HEX.test(digits)) return undefined
  return Uint8Array.from({ length: digits.length / 2 }, (_, at) =>
    Number.parseInt(digits.slice(2 * at, 2 * at + 2), 16),
  )
}

/** Does nearly all of it stand on a keyboard, with more letters and blanks than the rest? */
function isReadable(text: string): boolean {
  const count = Array.from(text).length
  const plain = text.match(ON_A_KEYBOARD)?.length ?? 0
  const words = text.match(/[A-Za-z0-9 ]/g)?.length ?? 0
  return count > 0 && plain >= count * 0.9 && words >= count * 0.6
}

/** With £€àèéìòùäöüñÄÖÜÑßÇåø, escaped: a letter outside ASCII in the bundle would make V8 keep all of it at two bytes a character. */
const ON_A_KEYBOARD =
  /[A-Za-z0-9 .,:;!?'"()/*#%+=&\n\r$\u00a3\u20ac\u00e0\u00e8\u00e9\u00ec\u00f2\u00f9\u00e4\u00f6\u00fc\u00f1\u00c4\u00d6\u00dc\u00d1\u00df\u00c7\u00e5\u00f8-]/g
const HEX = /^[0-9A-Fa-f]+$/
const LETTER = /[A-Za-z]/
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g
/** A tab may be one. */
const GSM_CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1f]/
const UTF8 = new TextDecoder('utf-8', { fatal: true })

/** First and last code point of the scripts that operators write in. */
const SCRIPTS: readonly (readonly [number, number, string])[] = [
  [0x0a, 0x0a, 'common'],
  [0x0d, 0x0d, 'common'],
  [0x20, 0x40, 'common'],
  [0x41, 0x5a, 'latin'],
  [0x5b, 0x60, 'common'],
  [0x61, 0x7a, 'latin'],
  [0x7b, 0x7e, 'common'],
  [0xa0, 0xbf, 'common'],
  [0xc0, 0x24f, 'latin'],
  [0x300, 0x36f, 'common'],
  [0x370, 0x3ff, 'greek'],
  [0x400, 0x52f, 'cyrillic'],
  [0x531, 0x58f, 'armenian'],
  [0x591, 0x5f4, 'hebrew'],
  [0x600, 0x77f, 'arabic'],
  [0x900, 0x97f, 'devanagari'],
  [0x980, 0x9ff, 'bengali'],
  [0xa00, 0xa7f, 'gurmukhi'],
  [0xa80, 0xaff, 'gujarati'],
  [0xb80, 0xbff, 'tamil'],
  [0xc00, 0xc7f, 'telugu'],
  [0xc80, 0xcff, 'kannada'],
  [0xd00, 0xd7f, 'malayalam'],
  [0xd80, 0xdff, 'sinhala'],
  [0xe00, 0xe7f, 'thai'],
  [0xe80, 0xeff, 'lao'],
  [0x1000, 0x109f, 'myanmar'],
  [0x10a0, 0x10ff, 'georgian'],
  [0x1200, 0x139f, 'ethiopic'],
  [0x1780, 0x17ff, 'khmer'],
  [0x1e00, 0x1eff, 'latin'],
  [0x1f00, 0x1fff, 'greek'],
  [0x2000, 0x200f, 'common'],
  [0x2010, 0x206f, 'common'],
  [0x20a0, 0x20cf, 'common'],
  [0x2100, 0x214f, 'common'],
  [0x2190, 0x21ff, 'common'],
  [0x2500, 0x27bf, 'common'],
  [0x3000, 0x303f, 'common'],
  [0x3040, 0x30ff, 'kana'],
  [0x4e00, 0x9fff, 'han'],
  [0xac00, 0xd7a3, 'hangul'],
  [0xfb50, 0xfdff, 'arabic'],
  [0xfe70, 0xfefe, 'arabic'],
  [0xff01, 0xff60, 'common'],
  [0x1f300, 0x1faff, 'common'],
]

/** undefined: no char that a text has. */
function scriptOf(codePoint: number): string | undefined {
  for (const [first, last, script] of SCRIPTS) if (codePoint >= first && codePoint <= last) return script
  return undefined
}
