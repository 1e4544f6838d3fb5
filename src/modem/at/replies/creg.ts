/**
 * +CREG, +CGREG and +CEREG, answer or report (3GPP TS 27.007 §7.2, §10.1.20, §10.1.22): is the modem in a network, and in which
 * technology? Used by `registration.ts`.
 *
 * `2,1,"00C3","0A1B",7` is an answer (mode, status, area, cell, technology), `1,"00C3","0A1B",7` a report. Some modems write the
 * answer's form into reports (Sony Ericsson MD400), leave quotes out (Huawei E160G) or scatter blanks (Alcatel X220D), so
 * the fields decide, not the occasion.
 */

import type { Registration } from '../../snapshot.ts'
import { bodiesOf, type Field, fieldsOf, numberOf } from './fields.ts'

export type RegistrationDomain = 'cs' | 'ps' | 'eps'

export interface RegistrationReply {
  readonly domain: RegistrationDomain
  readonly registration: Registration
  /** Empty where the line names none. */
  readonly technologies: readonly string[]
}

const DOMAINS: Readonly<Record<string, RegistrationDomain>> = { '+CREG': 'cs', '+CGREG': 'ps', '+CEREG': 'eps' }

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
]

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
]

/** The last one of each domain, so that an answer wins over a report that slipped in before it. */
export function parseRegistrations(lines: readonly string[]): RegistrationReply[] {
  return Object.entries(DOMAINS).flatMap(([prefix, domain]) => {
    const reply = bodiesOf(lines, prefix)
      .map((body) => parseBody(body, domain))
      .findLast((each) => each !== undefined)
    return reply ? [reply] : []
  })
}

function parseBody(body: string, domain: RegistrationDomain): RegistrationReply | undefined {
  const all = fieldsOf(body)
  const [status, , , technology] = isAnswerForm(all) ? all.slice(1) : all
  const registration = STATUS[numberOf(status) ?? -1]
  if (registration === undefined) return undefined
  return { domain, registration, technologies: technologiesOf(technology) }
}

/** The second field is a status and not a location area, which is quoted or of at least two hexadecimal digits (`00`). */
function isAnswerForm([mode, second]: readonly Field[]): boolean {
  const modeNumber = numberOf(mode)
  if (modeNumber === undefined || modeNumber > 5 || !second || second.isQuoted) return false
  return /^\d$/.test(second.text) || /^0\d\d$/.test(second.text) || /^(10|11)$/.test(second.text)
}

function technologiesOf(field: Field | undefined): readonly string[] {
  if (!field || field.isQuoted) return []
  return TECHNOLOGIES[numberOf(field) ?? -1] ?? []
}
