/**
 * +CREG, +CGREG, +CEREG and +C5GREG, answer or report (3GPP TS 27.007 §7.2, §10.1.20, §10.1.22, §10.1.47): is the modem in a network,
 * where and in which technology, and if not, why? Used by `registration.ts`.
 *
 * `2,1,"00C3","0A1B",7` is an answer (mode, status, area, cell, technology), `1,"00C3","0A1B",7` a report. Some modems write the
 * answer's form into reports (Sony Ericsson MD400), leave quotes out (Huawei E160G) or scatter blanks (Alcatel X220D), so
 * the fields decide, not the occasion.
 */

import type { Registration } from '../../snapshot.ts'
import { bodiesOf, type Field, fieldsOf, hexOf, numberOf } from './fields.ts'
import { type NetworkCause, networkCause } from './network-cause.ts'

export type RegistrationDomain = 'cs' | 'ps' | 'eps' | '5gs'

export interface RegistrationReply {
  readonly domain: RegistrationDomain
  readonly registration: Registration
  /** Empty where the line names none. */
  readonly technologies: readonly string[]
}

/** The same with what else the line says. */
export interface RegistrationDetails extends RegistrationReply {
  /** `<n>` of an answer; undefined in a report. */
  readonly mode?: number | undefined
  /** `<stat>` as written. */
  readonly status: number
  /** Location or tracking area. */
  readonly area?: number | undefined
  readonly cell?: number | undefined
  /** Why the network refused, of `<cause_type>,<reject_cause>`. */
  readonly cause?: NetworkCause | undefined
  /** The reject cause as written, also where nobody knows it. */
  readonly rejectCause?: number | undefined
}

const DOMAINS: Readonly<Record<string, RegistrationDomain>> = {
  '+CREG': 'cs',
  '+CGREG': 'ps',
  '+CEREG': 'eps',
  '+C5GREG': '5gs',
}

const STATUS: readonly Registration[] = [
  'idle',
  'home',
  'searching',
  'denied',
  'unknown',
  'roaming',
  // SMS only, at home and abroad: no data.
  'idle',
  'idle',
  // Emergency calls only.
  'denied',
  // CSFB not preferred, at home and abroad.
  'home',
  'roaming',
  // Restricted local operator services, the emergency calls of some countries.
  'denied',
]

const EC_GSM = 8

/** By the number of 3GPP TS 27.007 §7.2; also used by +COPS. */
export const TECHNOLOGIES: readonly (readonly string[])[] = [
  ['gsm'],
  ['gsm'],
  ['umts'],
  ['edge'],
  ['hsdpa'],
  ['hsupa'],
  ['hspa'],
  ['lte'],
  ['gsm'],
  ['lte'],
  ['lte'],
  ['5gnr'],
  ['5gnr'],
  ['lte', '5gnr'],
  ['lte'],
  ['lte'],
  ['5gnr'],
]

/** The last one of each domain, so that an answer wins over a report that slipped in before it. */
export function parseRegistrationDetails(lines: readonly string[]): RegistrationDetails[] {
  return Object.entries(DOMAINS).flatMap(([prefix, domain]) => {
    const reply = bodiesOf(lines, prefix)
      .map((body) => parseBody(body, domain))
      .findLast((each) => each !== undefined)
    return reply ? [reply] : []
  })
}

function parseBody(body: string, domain: RegistrationDomain): RegistrationDetails | undefined {
  const all = splitMerged(fieldsOf(body))
  const isAnswer = isAnswerForm(all)
  const [statusField, ...rest] = isAnswer ? all.slice(1) : all
  const status = numberOf(statusField)
  const registration = STATUS[status ?? -1]
  if (registration === undefined || status === undefined) return undefined
  const { area, cell, technology, behind } = placeOf(rest, domain)
  const reject = rejectOf(behind)
  return {
    domain,
    registration,
    technologies: technologiesOf(technology, domain),
    status,
    ...(isAnswer ? { mode: numberOf(all[0]) ?? 0 } : {}),
    ...(area === undefined ? {} : { area }),
    ...(cell === undefined ? {} : { cell }),
    ...reject,
  }
}

/** LTE's own registration with the 8 of EC-GSM-IoT is a Quectel BG9x: its 8 is eMTC. */
function technologiesOf(technology: number | undefined, domain: RegistrationDomain): readonly string[] {
  if (technology === EC_GSM && domain === 'eps') return ['lte']
  return technology === undefined ? [] : (TECHNOLOGIES[technology] ?? [])
}

/**
 * The second field is a status and not a location area, which is quoted or of at least two hexadecimal digits (`00`). A status
 * with zeros before it (`0011`) is one only behind a mode with zeros (`002`).
 */
function isAnswerForm([mode, second, third]: readonly Field[]): boolean {
  if (!mode || !second) return false
  if (second.isQuoted && !(mode.isQuoted && second.text.length <= 2)) return false
  if (mode.text === '') return /^\d{1,2}$/.test(second.text)
  const modeNumber = numberOf(mode)
  if (modeNumber === undefined || modeNumber > 5) return false
  if (mode.text.length > 1 && /^0{1,2}\d{1,2}$/.test(second.text)) return third === undefined || third.isQuoted
  return /^\d$/.test(second.text) || /^0\d\d$/.test(second.text) || /^(10|11)$/.test(second.text)
}

/** `"00C3,0A1B"` in one pair of quotes, or area and cell as one number of twelve digits. */
function splitMerged(fields: readonly Field[]): readonly Field[] {
  return fields.flatMap((field) => {
    const merged =
      /^([0-9A-Fa-f]{2,6})\s*[",]+\s*([0-9A-Fa-f]{2,9})$/.exec(field.text) ??
      (field.isQuoted ? /^([0-9A-Fa-f]{4})([0-9A-Fa-f]{8})$/.exec(field.text) : null)
    return merged ? [merged[1]!, merged[2]!].map((text) => ({ text, isQuoted: field.isQuoted })) : [field]
  })
}

interface Place {
  readonly area?: number | undefined
  readonly cell?: number | undefined
  readonly technology?: number | undefined
  /** The fields behind the technology. */
  readonly behind: readonly Field[]
}

/** `<area>,<cell>[,<technology>,…]`; Novatel's LTE modems have the routing area between area and cell. */
function placeOf(fields: readonly Field[], domain: RegistrationDomain): Place {
  const hasRoutingArea =
    domain === 'eps' &&
    hexOf(fields[1]) !== undefined &&
    hexOf(fields[2]) !== undefined &&
    technologyIn(fields[2]) === undefined &&
    technologyIn(fields[3]) !== undefined
  const [areaField, cellField, technologyField, ...behind] = hasRoutingArea ? [fields[0]!, ...fields.slice(2)] : fields
  // Some firmwares have cell and area in each other's place: an area is never longer than six digits.
  const isSwapped = (areaField?.text.length ?? 0) > 6 && (cellField?.text.length ?? 9) in { 1: 1, 2: 1, 3: 1, 4: 1 }
  const [area, cell] = isSwapped ? [cellField, areaField] : [areaField, cellField]
  return { area: hexOf(area), cell: cellOf(cell), technology: technologyIn(technologyField), behind }
}

/** Nine digits without a letter and without quotes are decimal: 28 bits have at most eight hexadecimal ones. */
function cellOf(field: Field | undefined): number | undefined {
  return field && !field.isQuoted && /^[1-9]\d{8}$/.test(field.text) ? Number(field.text) : hexOf(field)
}

/** One or two digits; a routing area (`"00"`) is quoted and begins with 0. */
function technologyIn(field: Field | undefined): number | undefined {
  const number = numberOf(field)
  if (!field || number === undefined || number < 0 || number >= TECHNOLOGIES.length) return undefined
  return field.isQuoted && /^0\d/.test(field.text) ? undefined : number
}

/** `<cause_type>,<reject_cause>` behind the technology, with a routing area or network slices between: type 0 is 24.008's and 24.301's. */
function rejectOf(behind: readonly Field[]): Pick<RegistrationDetails, 'cause' | 'rejectCause'> {
  for (let at = 0; at + 1 < behind.length; at++) {
    const [type, cause] = [behind[at]!, behind[at + 1]!]
    if (type.isQuoted || cause.isQuoted || !/^[01]$/.test(type.text)) continue
    const number = numberOf(cause)
    if (number === undefined || number < 1 || number > 255) continue
    const known = type.text === '0' ? networkCause('mobility', number) : undefined
    return known ? { cause: known, rejectCause: number } : { rejectCause: number }
  }
  return {}
}
