/** +COPS: the operator (read) and the networks around (test) (3GPP TS 27.007 §7.3). Used by `registration.ts` and `modem.ts`. */

import { TECHNOLOGIES } from './creg.ts'
import { bodiesOf, fieldsOf, numberOf } from './fields.ts'

export interface CopsReply {
  readonly name?: string | undefined
  /** 5 or 6 digits. */
  readonly plmn?: string | undefined
  readonly technologies: readonly string[]
}

export interface ScannedNetwork {
  readonly plmn: string
  readonly name: string
  readonly status: string
  readonly technology: string
}

const NETWORK_STATUS = ['unknown', 'available', 'current', 'forbidden']

/** `+COPS: 0,0,"Operator",7`; `+COPS: 0` where there is none. */
export function parseCops(lines: readonly string[]): CopsReply | undefined {
  const body = bodiesOf(lines, '+COPS').at(-1)
  if (body === undefined) return undefined
  const [, format, operator, technology] = fieldsOf(body)
  const technologies = TECHNOLOGIES[numberOf(technology) ?? -1] ?? []
  if (!operator || operator.text === '') return { technologies }
  // Some modems answer with the number whatever format was asked for.
  const isNumber = /^\d{5,6}$/.test(operator.text) && (numberOf(format) === 2 || format?.text !== '2')
  return isNumber ? { plmn: operator.text, technologies } : { name: operator.text, technologies }
}

/** `+COPS: (2,"T-Mobile","TMO","31026",0),(1,…),,(0,1,2,3,4),(0,1,2)` */
export function parseCopsTest(lines: readonly string[]): ScannedNetwork[] {
  const groups = bodiesOf(lines, '+COPS').flatMap((body) => fieldsOf(body))
  return groups.flatMap(({ text }) => {
    const inner = /^\((.*)\)$/.exec(text)?.[1]
    if (inner === undefined) return []
    const [status, long, short, plmn, technology] = fieldsOf(inner)
    if (!plmn || !/^\d{5,6}$/.test(plmn.text)) return []
    return [
      {
        plmn: plmn.text,
        name: long?.text || short?.text || '',
        status: NETWORK_STATUS[numberOf(status) ?? 0] ?? 'unknown',
        technology: TECHNOLOGIES[numberOf(technology) ?? -1]?.[0] ?? '',
      },
    ]
  })
}
