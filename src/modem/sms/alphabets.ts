/**
 * The 7-bit alphabets of short messages as tables of 128 places (3GPP TS 23.038 §6.2.1 and annex A): the default one, its
 * extension, and those of the national languages. A place without a character is ''. Used by `gsm7.ts`.
 */

/** By septet. */
export type Alphabet = readonly string[]

export const ESCAPE = 0x1b

/** §6.2.1. */
const DEFAULT_TEXT =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?' +
  '¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà'

/** §6.2.1.1: reached by ESC. Every national single shift table has these, too, unless it says otherwise. */
const EXTENSION = { 10: '\f', 20: '^', 40: '{}', 47: '\\', 60: '[~]', 64: '|', 101: '€' }

export const DEFAULT_ALPHABET: Alphabet = table(DEFAULT_TEXT, {})
export const DEFAULT_EXTENSION: Alphabet = table('', EXTENSION)

/** Characters, one a place, from a place on. */
type Places = Readonly<Record<number, string>>

/** Table 6.2.1.2.4.1: national language identifiers, with the tables of each (annex A.2 and A.3). */
export interface NationalLanguage {
  readonly id: number
  readonly name: string
  /** undefined: this language has none. */
  readonly locking: Alphabet | undefined
  readonly singleShift: Alphabet
}

/**
 * The locking shift tables of the Indic scripts are one table: its places name offsets in the script's Unicode block. `.` is
 * a place of its own in each language (or none), CR, LF, ESC and the marks are themselves.
 */
const INDIC_OFFSETS: readonly (readonly [place: number, first: number, last: number])[] = [
  [0x00, 0x01, 0x03],
  [0x03, 0x05, 0x0b],
  [0x0b, 0x0c, 0x0d],
  [0x0e, 0x0e, 0x1a],
  [0x1c, 0x1b, 0x1e],
  [0x22, 0x1f, 0x24],
  [0x2a, 0x25, 0x26],
  [0x2d, 0x27, 0x27],
  [0x2f, 0x28, 0x28],
  [0x3c, 0x29, 0x2b],
  [0x40, 0x2c, 0x39],
  [0x4e, 0x3c, 0x4d],
]

/** The same in all of them. */
const INDIC_LOCKING: Places = {
  10: '\n',
  13: '\r',
  27: '\x1b',
  32: ' !',
  40: ')(',
  44: ',',
  46: '.',
  48: '0123456789:;',
  63: '?',
  97: 'abcdefghijklmnopqrstuvwxyz',
}

/** The single shift tables of Bengali to Urdu begin alike; the letters are capitals of the locking table's. */
const INDIC_SHIFT: Places = {
  ...EXTENSION,
  0: '@£$¥¿"¤%&\'\f*+',
  14: '-/',
  16: '<=>¡^¡_#*',
  65: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
}

interface IndicScript {
  readonly name: string
  /** Of its Unicode block. */
  readonly base: number
  /** Offsets that the table has a place for and the script no letter. */
  readonly lacks: readonly number[]
  /** Of the places 0x60 and 0x7b to 0x7f. */
  readonly last: readonly [place60: number, ...from7b: number[]]
  /** Where the ten digits begin among the places 0x19, 0x1a, 0x1c, 0x1d …: ESC lies between. */
  readonly digitsAt: 0x19 | 0x1c
  /** Danda and double danda at 0x19. */
  readonly hasDanda: boolean
  /** Offsets, from the first place behind the digits (0x24 or 0x26) on, the marks left out. */
  readonly shift: readonly number[]
}

const INDIC: Readonly<Record<number, IndicScript>> = {
  4: {
    name: 'Bengali',
    base: 0x0980,
    lacks: [0x0d, 0x0e, 0x11, 0x12, 0x29, 0x31, 0x33, 0x34, 0x35, 0x45, 0x46, 0x49, 0x4a],
    last: [0x4e, 0x57, 0x5c, 0x5d, 0x70, 0x71],
    digitsAt: 0x19,
    hasDanda: false,
    shift: [0x5f, 0x60, 0x61, 0x62, 0x63, 0x72, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a],
  },
  5: {
    name: 'Gujarati',
    base: 0x0a80,
    lacks: [0x0e, 0x12, 0x29, 0x31, 0x34, 0x46, 0x4a],
    last: [0x50, 0x60, 0x61, 0x62, 0x63, 0x71],
    digitsAt: 0x1c,
    hasDanda: true,
    shift: [],
  },
  6: {
    name: 'Hindi',
    base: 0x0900,
    lacks: [],
    last: [0x50, 0x72, 0x7b, 0x7c, 0x7e, 0x7f],
    digitsAt: 0x1c,
    hasDanda: true,
    shift: [0x51, 0x52, 0x53, 0x54, 0x58, 0x59, 0x5a, 0x5b, 0x5c, 0x5d, 0x5e, 0x5f, 0x60, 0x61, 0x62, 0x63, 0x70, 0x71],
  },
  7: {
    name: 'Kannada',
    base: 0x0c80,
    lacks: [0x01, 0x0d, 0x11, 0x29, 0x34, 0x45, 0x49],
    last: [0x55, 0x56, 0x60, 0x61, 0x62, 0x63],
    digitsAt: 0x1c,
    hasDanda: true,
    shift: [0x5e, 0x71, 0x72],
  },
  8: {
    name: 'Malayalam',
    base: 0x0d00,
    lacks: [0x01, 0x0d, 0x11, 0x29, 0x3c, 0x45, 0x49],
    last: [0x57, 0x60, 0x61, 0x62, 0x63, 0x79],
    digitsAt: 0x1c,
    hasDanda: true,
    shift: [0x70, 0x71, 0x72, 0x73, 0x74, 0x75, 0x7a, 0x7b, 0x7c, 0x7d, 0x7e, 0x7f],
  },
  9: {
    name: 'Oriya',
    base: 0x0b00,
    lacks: [0x0d, 0x0e, 0x11, 0x12, 0x29, 0x31, 0x34, 0x45, 0x46, 0x49, 0x4a],
    last: [0x56, 0x57, 0x60, 0x61, 0x62, 0x63],
    digitsAt: 0x1c,
    hasDanda: true,
    shift: [0x5c, 0x5d, 0x5f, 0x70, 0x71],
  },
  10: {
    name: 'Punjabi',
    base: 0x0a00,
    lacks: [0x0b, 0x0c, 0x0d, 0x0e, 0x11, 0x12, 0x29, 0x31, 0x34, 0x37, 0x3d, 0x43, 0x44, 0x45, 0x46, 0x49, 0x4a],
    last: [0x51, 0x70, 0x71, 0x72, 0x73, 0x74],
    digitsAt: 0x1c,
    hasDanda: true,
    shift: [0x59, 0x5a, 0x5b, 0x5c, 0x5e, 0x75],
  },
  11: {
    name: 'Tamil',
    base: 0x0b80,
    lacks: [
      0x01, 0x0b, 0x0c, 0x0d, 0x11, 0x16, 0x17, 0x18, 0x1b, 0x1d, 0x20, 0x21, 0x22, 0x25, 0x26, 0x27, 0x2b, 0x2c, 0x2d,
      0x3c, 0x3d, 0x43, 0x44, 0x45, 0x49,
    ],
    last: [0x50, 0x57, 0x70, 0x71, 0x72, 0x79],
    digitsAt: 0x1c,
    hasDanda: true,
    shift: [0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x7a],
  },
  12: {
    name: 'Telugu',
    base: 0x0c00,
    lacks: [0x0d, 0x11, 0x29, 0x34, 0x3c, 0x45, 0x49],
    last: [0x55, 0x56, 0x60, 0x61, 0x62, 0x63],
    digitsAt: 0x1c,
    hasDanda: false,
    shift: [0x58, 0x59, 0x78, 0x79, 0x7a, 0x7b, 0x7c, 0x7d, 0x7e, 0x7f],
  },
}

/** Between the digits and the marks at 0x3c, the places that are the language's own. */
const SHIFT_PLACES = [...range(0x24, 0x27), ...range(0x2a, 0x2e), ...range(0x30, 0x3b)]

const PORTUGUESE_LOCKING: Places = {
  4: 'êéúíóç',
  11: 'Ôô',
  14: 'Áá',
  18: 'ªÇÀ∞^\\€Ó|',
  28: 'ÂâÊ',
  36: 'º',
  64: 'Í',
  91: 'ÃÕÚ',
  96: '~',
  123: 'ãõ`',
}

export const NATIONAL_LANGUAGES: ReadonlyMap<number, NationalLanguage> = new Map(
  [
    {
      id: 1,
      name: 'Turkish',
      locking: table(DEFAULT_TEXT, { 4: '€', 7: 'ı', 11: 'Ğğ', 28: 'Şş', 64: 'İ', 96: 'ç' }),
      singleShift: table('', {
        ...EXTENSION,
        71: 'Ğ',
        73: 'İ',
        83: 'Ş',
        99: 'ç',
        103: 'ğ',
        105: 'ı',
        115: 'ş',
      }),
    },
    {
      id: 2,
      name: 'Spanish',
      locking: undefined,
      singleShift: table('', {
        ...EXTENSION,
        9: 'ç',
        65: 'Á',
        73: 'Í',
        79: 'Ó',
        85: 'Ú',
        97: 'á',
        105: 'í',
        111: 'ó',
        117: 'ú',
      }),
    },
    {
      id: 3,
      name: 'Portuguese',
      locking: table(DEFAULT_TEXT, PORTUGUESE_LOCKING),
      singleShift: table('', {
        ...EXTENSION,
        5: 'ê',
        9: 'ç\fÔô',
        10: '\f',
        14: 'Áá',
        18: 'ΦΓ^ΩΠΨΣΘ',
        31: 'Ê',
        65: 'À',
        73: 'Í',
        79: 'Ó',
        85: 'Ú',
        91: 'ÃÕ',
        97: 'Â',
        105: 'í',
        111: 'ó',
        117: 'ú',
        123: 'ãõ',
        127: 'â',
      }),
    },
    ...Object.entries(INDIC).map(([id, script]) => ({
      id: Number(id),
      name: script.name,
      locking: indicLocking(script),
      singleShift: indicShift(script),
    })),
    {
      id: 13,
      name: 'Urdu',
      locking: table('', {
        ...INDIC_LOCKING,
        0: codes('627 622 628 67b 680 67e 6a6 62a 6c2 67f'),
        11: codes('679 67d'),
        14: codes('67a 67c 62b 62c 681 684 683 685 686 687 62d 62e 62f'),
        28: codes('68c 688 689 68a'),
        34: codes('68f 68d 630 631 691 693'),
        42: codes('699 632'),
        45: codes('696'),
        47: codes('698'),
        60: codes('69a 633 634'),
        64: codes('635 636 637 638 639 641 642 6a9 6aa 6ab 6af 6b3 6b1 644 645 646'),
        80: codes('6ba 6bb 6bc 648 6c4 6d5 6c1 6be 621 6cc 6d0 6d2 64d 650 64f 657 654'),
        123: codes('655 651 653 656 670'),
      }),
      singleShift: table('', {
        ...INDIC_SHIFT,
        25: codes('600 601'),
        28: codes('6f0 6f1 6f2 6f3 6f4 6f5 6f6 6f7 6f8 6f9 60c 60d'),
        42: codes('60e 60f 610 611 612'),
        48: codes('613 614 61b 61f 640 652 658 66b 66c 672 673 6cd'),
        63: codes('6d4'),
      }),
    },
  ].map((language) => [language.id, language]),
)

function indicLocking({ base, lacks, last }: IndicScript): Alphabet {
  const places: string[] = [...table('', INDIC_LOCKING)]
  for (const [place, first, end] of INDIC_OFFSETS)
    for (let offset = first; offset <= end; offset++)
      if (!lacks.includes(offset)) places[place + offset - first] = String.fromCharCode(base + offset)
  for (const [index, offset] of last.entries())
    places[index === 0 ? 0x60 : 0x7a + index] = String.fromCharCode(base + offset)
  return places
}

function indicShift({ base, digitsAt, hasDanda, shift }: IndicScript): Alphabet {
  const places: string[] = [...table('', INDIC_SHIFT)]
  if (hasDanda) for (const [index, danda] of ['\u0964', '\u0965'].entries()) places[0x19 + index] = danda
  // ESC's own place is no character's.
  const digitPlaces = range(digitsAt, 0x27).filter((place) => place !== ESCAPE)
  for (let digit = 0; digit <= 9; digit++) places[digitPlaces[digit]!] = String.fromCharCode(base + 0x66 + digit)
  const own = SHIFT_PLACES.filter((place) => place > digitPlaces[9]!)
  for (const [index, offset] of shift.entries()) places[own[index]!] = String.fromCharCode(base + offset)
  return places
}

function table(text: string, changes: Places): Alphabet {
  const places = Array.from({ length: 128 }, (_, place) => text[place] ?? '')
  for (const [first, characters] of Object.entries(changes))
    for (let index = 0; index < characters.length; index++) places[Number(first) + index] = characters[index]!
  return places
}

function codes(hex: string): string {
  return hex
    .split(' ')
    .map((code) => String.fromCharCode(Number.parseInt(code, 16)))
    .join('')
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}
