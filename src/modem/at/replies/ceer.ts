/**
 * +CEER: why the last call or context failed (3GPP TS 27.007 §6.10), free text that every vendor writes his own way; and Huawei's
 * ^REJINFO, Quectel's +QCDS-like refusals in reports. Used for `why` after a failed dial or registration.
 */

import { bodiesOf, fieldsOf, numberOf } from './fields.ts'
import { type CauseDomain, type NetworkCause, networkCause } from './network-cause.ts'

export interface CeerReply {
  /** As the modem wrote it, without head and quotes; '' where it has none. */
  readonly text: string
  /** Its number as written, whatever it counts. */
  readonly number?: number | undefined
  /** What the number, or else the text, means where that is a network's refusal. */
  readonly network?: NetworkCause | undefined
}

/** Texts for a session's cause (3GPP TS 24.008 Annex I and the chipsets' words) → its number. */
const SESSION_TEXTS: readonly (readonly [RegExp, number])[] = [
  [/missing or unknown apn|unknown apn|invalid apn|apn (?:missing|unknown|not (?:found|valid))/, 27],
  [/user auth\w* failed|auth\w* fail(?:ed|ure).*(?:pdp|pap|chap|user)|pdp auth\w* fail/, 29],
  [/operator[- ]determined barring|operator barr/, 8],
  [/(?:requested )?service option not subscribed|(?:option|service)s? unsubscribed/, 33],
  [/service option not supported|option (?:is )?unsupported/, 32],
  [/service option temporarily out of order|option temp\w* out of order/, 34],
  [/unknown pdp (?:address|type)|pdp (?:address or )?type (?:unknown|not supported)/, 28],
  [/activation reject\w*,? (?:by )?(?:ggsn|gateway|s-?gw|p-?gw)|ggsn reject/, 30],
  [/activation reject\w*,? unspecified|act\w* rejected,? unspecified/, 31],
  [/insufficient resources|llc or sndcp failure/, 26],
  [/nsapi (?:already|in) use/, 35],
  [/regular (?:pdp context )?deactivation/, 36],
  [/qos not accepted/, 37],
  [/reactivation re(?:quested|quired)/, 39],
  [/pdn type ipv4 only|ipv4 only allowed/, 50],
  [/pdn type ipv6 only|ipv6 only allowed/, 51],
  [/single address bearers? only/, 52],
  [/multiple pdn connections? for a? ?(?:given )?apn not allowed/, 55],
]

const MOBILITY_TEXTS: readonly (readonly [RegExp, number])[] = [
  [/imsi unknown in (?:the )?hlr|imsi unknown in hss/, 2],
  [/imsi unknown in (?:the )?vlr/, 4],
  [/illegal (?:ms|mobile|ue)\b/, 3],
  [/imei not accepted/, 5],
  [/illegal (?:me|equipment)\b/, 6],
  [/(?:gprs|eps|ps|packet) (?:services )?and non[- ](?:gprs|eps|ps) services not allowed/, 8],
  [/(?:gprs|eps|ps|packet) services not allowed in this plmn/, 14],
  [/(?:gprs|eps|ps|packet) services not allowed/, 7],
  [/plmn not allowed/, 11],
  [/(?:location|tracking|registration) area not allowed/, 12],
  [/roaming not allowed/, 13],
  [/no suitable cells/, 15],
  [/implicitly detached/, 10],
  [/network failure/, 17],
  [/\besm failure\b/, 19],
  [/\bcongestion\b/, 22],
]

/** What the text before a number says of its kind. */
const DOMAIN_WORDS: readonly (readonly [RegExp, CauseDomain])[] = [
  [/\b(?:e|5g)?sm(?:\b|\d)|pdp|pdn|session|context|bearer/i, 'session'],
  [/\b(?:e|g|5g)?mm(?:\b|\d)|attach|regist|\blu\b|\brau\b|\btau\b/i, 'mobility'],
]

/**
 * `+CEER: No cause information available`, `+CEER: "SM cause","#33"`, `+CEER: 5,33,"Requested service option not subscribed"`,
 * `+CEER: Cause Select: 67, Cause: 16`; without a head too. `hint` says what failed: a number alone is read as its cause.
 */
export function parseCeer(lines: readonly string[], hint?: CauseDomain): CeerReply | undefined {
  const headed = bodiesOf(lines, '+CEER')
  const body = headed.at(-1) ?? lines.find((line) => line.trim() !== '')
  if (body === undefined) return undefined
  const text = body.replace(/"/g, '').replace(/\s+/g, ' ').trim()
  const words = text.toLowerCase().replace(/_/g, ' ')
  const number = numberIn(text)
  const named = causeNamed(words)
  if (named) return { text, ...(number === undefined ? {} : { number }), network: named }
  if (number === undefined) return { text }
  const domain = DOMAIN_WORDS.find(([pattern]) => pattern.test(text))?.[1] ?? hint
  const network = domain && networkCause(domain, number)
  return network ? { text, number, network } : { text, number }
}

/**
 * Huawei's `^REJINFO:46001,1,1,0,13,0,…`: PLMN, service domain, cause, technology … as the network refused the registration; and
 * `+CREG`'s `<cause_type>,<reject_cause>`.
 */
export function parseRejinfo(lines: readonly string[]): NetworkCause | undefined {
  const fields = fieldsOf(bodiesOf(lines, '^REJINFO').at(-1) ?? '')
  const number = numberOf(fields[2] ?? fields[0])
  return number === undefined ? undefined : networkCause('mobility', number)
}

function causeNamed(words: string): NetworkCause | undefined {
  const session = SESSION_TEXTS.find(([pattern]) => pattern.test(words))
  if (session) return networkCause('session', session[1])
  const mobility = MOBILITY_TEXTS.find(([pattern]) => pattern.test(words))
  return mobility && networkCause('mobility', mobility[1])
}

/** The number that counts: behind `#` or `cause`, else the last one of those in front of the text. */
function numberIn(text: string): number | undefined {
  const marked =
    /#\s*(\d{1,3})\b|\b(?:E|5G)?SM\s?(\d{1,3})\b|\b(?:E|G|5G)?MM\s?(\d{1,3})\b/i.exec(text) ??
    /cause(?: (?:value|code|number))?\s*[:=]?\s*(\d{1,3})\b/i.exec(text)
  if (marked) return Number(marked[1] ?? marked[2] ?? marked[3])
  const leading = /^\s*(?:-?\d{1,5}\s*,\s*)*(\d{1,5})\s*(?:,|$)/.exec(text)
  if (leading) return Number(leading[1])
  const behind = /[:,(]\s*(\d{1,3})\)?\s*$/.exec(text)
  return behind ? Number(behind[1]) : undefined
}
