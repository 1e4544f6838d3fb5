/**
 * The words and numbers by which vendors name an access technology, and the small answers that are nothing else: ZTE's +ZPAS,
 * SIMCom's +CNSMOD, Sierra's *CNTI, Quectel's +QNWINFO, Telit's #PSNT, u-blox's +UREG. In the snapshot's words.
 */

import { bodiesOf, fieldsOf, numberOf } from './fields.ts'

const WORDS: readonly (readonly [RegExp, string])[] = [
  [/NR5G|5G ?NR|\bNR\b|NGRAN|NG-RAN|^5G|ENDC|EN-DC|NR_NSA|NR_SA/, '5gnr'],
  [/LTE|E-?UTRAN?|EMTC|CAT-?M|NB-?IOT|CAT-?NB|NBIOT|^4G|\bEPS\b/, 'lte'],
  [/HSPA|HSUPA *(?:&|\/|\+|AND) *HSDPA|HSDPA *(?:&|\/|\+|AND) *HSUPA|DC-?HSDPA|DUAL/, 'hspa'],
  [/HSUPA/, 'hsupa'],
  [/HSDPA/, 'hsdpa'],
  [/UMTS|WCDMA|UTRAN?|TD-?S?CDMA|^3G|R99/, 'umts'],
  [/EDGE|EGPRS|E-GPRS/, 'edge'],
  [/GPRS/, 'gprs'],
  [/GSM|GERAN|^2G/, 'gsm'],
]

/** `FDD LTE`, `HSPA+`, `GPRS/EDGE`, `eMTC` → `lte`, `hspa`, `edge`, `lte`; undefined for none, CDMA and what nobody knows. */
export function technologyOf(word: string): string | undefined {
  const upper = word.toUpperCase()
  if (/CDMA2000|EVDO|EV-DO|1XRTT|CDMA1X|^CDMA/.test(upper)) return undefined
  return WORDS.find(([pattern]) => pattern.test(upper))?.[1]
}

/** SIMCom's +CNSMOD by number: SIM5320, SIM7100, SIM7500, SIM7600, A76XX. 9 to 12 are TD-SCDMA's, 13 to 15 CDMA's, 16 is LTE beside 1x. */
const CNSMOD: readonly (string | undefined)[] = [
  ...[undefined, 'gsm', 'gprs', 'edge', 'umts', 'hsdpa', 'hsupa', 'hspa', 'lte', 'umts', 'hsdpa', 'hsupa', 'hspa'],
  ...[undefined, undefined, undefined, 'lte'],
]
/** SIM7000, SIM7020, SIM7070, SIM7080 and SIM7090 have neither the third generation nor its numbers: 7 is LTE-M, 9 NB-IoT. */
const CNSMOD_OF_SIM70XX: readonly (string | undefined)[] = CNSMOD.map((_, number) => {
  if (number === 7 || number === 9) return 'lte'
  return number <= 3 ? CNSMOD[number] : undefined
})
/** SIM8200 and SIM8300: HSPA+ and the fifth generation in place of CDMA. */
const CNSMOD_OF_SIM82_AND_83: readonly (string | undefined)[] = [
  ...CNSMOD.slice(0, 13),
  ...['hspa', undefined, 'hspa', '5gnr'],
]
/** By +CGMM. */
const CNSMOD_BY_MODEL = [
  [/SIM70\d\d/i, CNSMOD_OF_SIM70XX],
  [/SIM8[23]\d\d/i, CNSMOD_OF_SIM82_AND_83],
] as const
const PSNT = ['gprs', 'edge', 'umts', 'hsdpa', 'lte', undefined, '5gnr'] as const
const UREG = [undefined, 'gprs', 'edge', 'umts', 'hsdpa', 'hsupa', 'hspa', 'lte', 'gprs', 'edge'] as const

/** `+ZPAS: "HSDPA","CS_PS"`, `+ZPAS: GPRS/EDGE,CS_ONLY`; [] for no service. */
export function parseZpas(lines: readonly string[]): readonly string[] | undefined {
  const word = fieldsOf(bodiesOf(lines, '+ZPAS').at(-1) ?? '')[0]?.text
  if (!word) return undefined
  if (/LIMIT|NO ?SERVICE/i.test(word)) return []
  const technology = technologyOf(word)
  return technology === undefined ? undefined : [technology]
}

/** `+CNSMOD: 1,8` asked, `+CNSMOD: 8` as a report. What a number means depends on the `model` (+CGMM). */
export function parseCnsmod(lines: readonly string[], model = ''): readonly string[] | undefined {
  const numbers = fieldsOf(bodiesOf(lines, '+CNSMOD').at(-1) ?? '').map(numberOf)
  const [, table] = CNSMOD_BY_MODEL.find(([models]) => models.test(model)) ?? []
  return namesOf(table ?? CNSMOD, numbers[1] ?? numbers[0])
}

/** `*CNTI: 0,HSDPA`; 1 and 2 before it list what there is and what could be. */
export function parseCnti(lines: readonly string[]): readonly string[] | undefined {
  const [kind, word] = fieldsOf(bodiesOf(lines, '*CNTI').at(-1) ?? '')
  if (numberOf(kind) !== 0 || !word?.text) return undefined
  if (/^NONE/i.test(word.text)) return []
  const technology = technologyOf(word.text)
  return technology === undefined ? undefined : [technology]
}

/** `+QNWINFO: "FDD LTE","46000","LTE BAND 3",1650`, a line a connection; `No Service`. */
export function parseQnwinfo(
  lines: readonly string[],
): { readonly technologies: readonly string[]; readonly plmn?: string } | undefined {
  const bodies = bodiesOf(lines, '+QNWINFO')
  if (bodies.length === 0) return undefined
  const technologies = new Set<string>()
  let plmn: string | undefined
  for (const body of bodies) {
    const [word, operator] = fieldsOf(body)
    const technology = technologyOf(word?.text ?? '')
    if (technology !== undefined) technologies.add(technology)
    if (/^\d{5,6}$/.test(operator?.text ?? '')) plmn ??= operator!.text
  }
  return { technologies: [...technologies], ...(plmn === undefined ? {} : { plmn }) }
}

/** `#PSNT: 1,4` asked, `#PSNT: 4` as a report; 5 is none yet. */
export function parsePsnt(lines: readonly string[]): readonly string[] | undefined {
  const numbers = fieldsOf(bodiesOf(lines, '#PSNT').at(-1) ?? '').map(numberOf)
  return namesOf(PSNT, numbers[1] ?? numbers[0])
}

/** `+UREG: 1,7` asked, `+UREG: 7` as a report. */
export function parseUreg(lines: readonly string[]): readonly string[] | undefined {
  const numbers = fieldsOf(bodiesOf(lines, '+UREG').at(-1) ?? '').map(numberOf)
  return namesOf(UREG, numbers[1] ?? numbers[0])
}

function namesOf(table: readonly (string | undefined)[], number: number | undefined): readonly string[] | undefined {
  if (number === undefined || number < 0 || number >= table.length) return undefined
  const name = table[number]
  return name === undefined ? [] : [name]
}
