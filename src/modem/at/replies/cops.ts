/** +COPS: the operator (read) and the networks around (test) (3GPP TS 27.007 §7.3). Used by `registration.ts` and `modem.ts`. */

import { decodeText } from '../text.ts'
import { TECHNOLOGIES } from './creg.ts'
import { bodiesOf, type Field, fieldsOf, numberOf } from './fields.ts'

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
  const body = bodiesOf(lines, '+COPS').findLast((each) => !each.startsWith('('))
  if (body === undefined) return undefined
  const [, format, operator, technology] = fieldsOf(body)
  const technologies = TECHNOLOGIES[numberOf(technology) ?? -1] ?? []
  const text = operator ? decodeText(operator.text).trim() : ''
  if (text === '') return { technologies }
  // Some modems answer with the number whatever format was asked for, or part it (`310 410`).
  const plmn = plmnOf(text)
  const isNumber = plmn !== undefined && (numberOf(format) === 2 || format?.text !== '2')
  return isNumber ? { plmn, technologies } : { name: text, technologies }
}

/** `+COPS: 1,…`: is the operator chosen by hand? */
export function parseCopsMode(lines: readonly string[]): 'automatic' | 'manual' | 'deregistered' | undefined {
  const body = bodiesOf(lines, '+COPS').findLast((each) => !each.startsWith('('))
  const mode = numberOf(fieldsOf(body ?? '')[0])
  if (mode === 0) return 'automatic'
  if (mode === 2) return 'deregistered'
  return mode === 1 || mode === 4 ? 'manual' : undefined
}

/**
 * `+COPS: (2,"T-Mobile","TMO","31026",0),(1,…),,(0,1,2,3,4),(0,1,2)`: in one line, a line each or broken in the middle. Stray
 * parentheses before the technology, missing commas between the groups and groups without parentheses are read, too; a group
 * without a network number is none.
 */
export function parseCopsTest(lines: readonly string[]): ScannedNetwork[] {
  return joined(lines).flatMap((body) =>
    Array.from(body.matchAll(GROUP), networkOf).filter((each) => each !== undefined),
  )
}

/** A status and three strings, quoted or not, the last one a network's number; behind it `)`, a comma and the technology may come in any order. */
const GROUP =
  /\(?\s*([0-3])\s*,\s*("[^"]*"|[^",()]*)\s*,\s*("[^"]*"|[^",()]*)\s*,\s*"?([0-9A-Fa-f]{5,24})"?\s*\)?(?:\s*,\s*"?(\d{1,2})"?\s*(?=\)|$|,(?!\s*")))?/g

function networkOf(match: RegExpExecArray): ScannedNetwork | undefined {
  const [, status, long, short, number, technology] = match
  const plmn = plmnOf(decodeText(number!)) ?? plmnOf(number!.replace(/^(\d{6})0$/, '$1'))
  if (plmn === undefined) return undefined
  const name = [long, short]
    .map((text) => decodeText(text!.trim().replace(/^"|"$/g, '').trim()))
    .find((text) => text !== '')
  return {
    plmn,
    name: name ?? '',
    status: NETWORK_STATUS[Number(status)] ?? 'unknown',
    technology: TECHNOLOGIES[Number(technology ?? -1)]?.[0] ?? '',
  }
}

/** The bodies of +COPS with the lines that are their continuation. */
function joined(lines: readonly string[]): string[] {
  const bodies: string[] = []
  for (const line of lines) {
    const [body] = bodiesOf([line], '+COPS')
    if (body !== undefined) bodies.push(body)
    else if (bodies.length > 0 && /^[,(]/.test(line.trim())) bodies.push(`${bodies.pop()}${line.trim()}`)
    else if (bodies.length === 0 && /^\(\d,/.test(line.trim())) bodies.push(line.trim())
  }
  return bodies
}

function plmnOf(text: string): string | undefined {
  // Parted, or with the filler of the two-digit code (3GPP TS 24.008 §10.5.1.13).
  const digits = text.replace(/^(\d{3})[\s-](\d{2,3})$/, '$1$2').replace(/^(\d{5})F$/i, '$1')
  return /^\d{5,6}$/.test(digits) ? digits : undefined
}

/** `+CSCS: "GSM"` → the character set; of a test answer (`("IRA","GSM","UCS2")`) all of them. */
export function parseCscs(lines: readonly string[]): string[] {
  return bodiesOf(lines, '+CSCS').flatMap((body) =>
    fieldsOf(body.replace(/[()]/g, '')).flatMap(({ text }: Field) => (text === '' ? [] : [text.toUpperCase()])),
  )
}
