/**
 * Why a network refuses: numbers of 3GPP TS 24.008 §10.5.3.6 and §10.5.5.14 (mobility), §10.5.6.6 (sessions) and TS 24.301
 * §9.9.3.9, §9.9.4.4 → what they mean and which cause it is. Used by `ceer.ts`, `creg.ts`'s readers and the dial's explanation.
 */

import type { Cause, IpLimit } from '../../../base/cause.ts'

/** `mobility`: attach and registration (MM, GMM, EMM, 5GMM); `session`: contexts (SM, ESM, 5GSM). */
export type CauseDomain = 'mobility' | 'session'

export interface NetworkCause {
  readonly number: number
  readonly domain: CauseDomain
  readonly meaning: string
  readonly cause: Cause
  /** Asking again changes nothing until a person or the operator does something (GSMA TS.34 §8). */
  readonly isPermanent: boolean
}

type Entry = readonly [meaning: string, cause: Cause, isPermanent?: true]

const MOBILITY: Readonly<Record<number, Entry>> = {
  2: ['IMSI unknown in the home register', 'registration-denied', true],
  3: ['illegal mobile station', 'registration-denied', true],
  4: ['IMSI unknown in the visitor register', 'registration-denied'],
  5: ['IMEI not accepted', 'registration-denied', true],
  6: ['illegal equipment', 'registration-denied', true],
  7: ['packet services not allowed', 'registration-denied', true],
  8: ['packet and other services not allowed', 'registration-denied', true],
  9: ['the network cannot derive the identity', 'no-network'],
  10: ['implicitly detached', 'no-network'],
  11: ['network (PLMN) not allowed', 'registration-denied', true],
  12: ['location or tracking area not allowed', 'registration-denied', true],
  13: ['roaming not allowed in this area', 'registration-denied', true],
  14: ['packet services not allowed in this network', 'registration-denied', true],
  15: ['no suitable cells in this area', 'registration-denied'],
  16: ['mobile switching centre temporarily not reachable', 'no-network'],
  17: ['network failure', 'no-network'],
  18: ['circuit services not available', 'no-network'],
  19: ['ESM failure: the bearer was refused with the attach', 'apn-refused'],
  20: ['authentication failure (MAC)', 'no-network'],
  21: ['authentication out of step', 'no-network'],
  22: ['congestion', 'no-network'],
  23: ['security capabilities do not match', 'registration-denied'],
  24: ['security mode rejected', 'registration-denied'],
  25: ['not authorised for this closed group', 'registration-denied', true],
  26: ['authentication not acceptable', 'registration-denied'],
  27: ['5G access not allowed', 'registration-denied', true],
  31: ['redirection to another core network', 'no-network'],
  32: ['service option not supported', 'registration-denied', true],
  33: ['service option not subscribed', 'registration-denied', true],
  34: ['service option temporarily out of order', 'no-network'],
  35: ['service option not authorised', 'registration-denied', true],
  38: ['call cannot be identified', 'no-network'],
  39: ['circuit service temporarily not available', 'no-network'],
  40: ['no packet context, or no bearer, is active', 'no-network'],
  42: ['severe network failure', 'no-network'],
  62: ['no network slices available', 'registration-denied', true],
  72: ['access other than 3GPP not allowed', 'registration-denied', true],
  73: ['serving network not authorised', 'registration-denied', true],
  78: ['network not allowed at this place', 'registration-denied', true],
  95: ['message semantically incorrect', 'modem-error'],
  96: ['mandatory information invalid', 'modem-error'],
  97: ['message type not known', 'modem-error'],
  98: ['message does not fit the state', 'modem-error'],
  99: ['information element not known', 'modem-error'],
  100: ['conditional element wrong', 'modem-error'],
  101: ['message does not fit the protocol state', 'modem-error'],
  111: ['protocol error', 'modem-error'],
}

const SESSION: Readonly<Record<number, Entry>> = {
  8: ['operator determined barring', 'apn-refused', true],
  14: ['not authorised for this service', 'apn-refused', true],
  24: ['MBMS bearer too weak', 'no-network'],
  25: ['link layer failure', 'no-network'],
  26: ['insufficient resources', 'no-network'],
  27: ['missing or unknown APN', 'apn-refused', true],
  28: ['unknown type of address', 'apn-refused', true],
  29: ['user authentication failed', 'auth-refused', true],
  30: ['refused by the gateway', 'apn-refused'],
  31: ['refused, unspecified', 'apn-refused'],
  32: ['service option not supported', 'apn-refused', true],
  33: ['service option not subscribed', 'apn-refused', true],
  34: ['service option temporarily out of order', 'no-network'],
  35: ['context number already in use', 'modem-error'],
  36: ['ended as usual', 'hung-up'],
  37: ['quality of service not accepted', 'apn-refused'],
  38: ['network failure', 'no-network'],
  39: ['the network wants the context again', 'no-network'],
  40: ['feature not supported', 'apn-refused'],
  41: ['error in the traffic filter', 'modem-error'],
  42: ['syntax error in the traffic filter', 'modem-error'],
  43: ['context number unknown', 'modem-error'],
  44: ['error in packet filters', 'modem-error'],
  45: ['syntax error in packet filters', 'modem-error'],
  46: ['a context without traffic filter is already active', 'modem-error'],
  47: ['multicast member time-out', 'no-network'],
  48: ['the service refuses', 'apn-refused'],
  49: ['the last connection may not be closed', 'modem-error'],
  50: ['IPv4 only', 'apn-refused', true],
  51: ['IPv6 only', 'apn-refused', true],
  52: ['single address bearers only', 'apn-refused'],
  53: ['information was not received', 'no-network'],
  54: ['connection does not exist', 'no-network'],
  55: ['several connections for one APN not allowed', 'apn-refused', true],
  56: ['collision with a request of the network', 'no-network'],
  57: ['IPv4 and IPv6 only together', 'apn-refused', true],
  58: ['no IP traffic only', 'apn-refused', true],
  59: ['quality class not supported', 'apn-refused'],
  60: ['bearer handling not supported', 'apn-refused'],
  61: ['Ethernet traffic only', 'apn-refused', true],
  65: ['as many bearers as there may be', 'apn-refused'],
  66: ['APN not supported in this technology and network', 'apn-refused', true],
  67: ['no resources for this network slice and APN', 'no-network'],
  68: ['session mode not supported', 'apn-refused', true],
  69: ['no resources for this network slice', 'no-network'],
  70: ['APN unknown or not subscribed in this slice', 'apn-refused', true],
  81: ['transaction number invalid', 'modem-error'],
  95: ['message semantically incorrect', 'modem-error'],
  96: ['mandatory information invalid', 'modem-error'],
  97: ['message type not known', 'modem-error'],
  98: ['message does not fit the state', 'modem-error'],
  99: ['information element not known', 'modem-error'],
  100: ['conditional element wrong', 'modem-error'],
  101: ['message does not fit the protocol state', 'modem-error'],
  111: ['protocol error', 'modem-error'],
  112: ['APN not allowed now for this type of address', 'apn-refused'],
  113: ['several access types at once not allowed', 'apn-refused'],
}

export function networkCause(domain: CauseDomain, number: number): NetworkCause | undefined {
  const entry = (domain === 'mobility' ? MOBILITY : SESSION)[number]
  if (!entry) return undefined
  const [meaning, cause, isPermanent = false] = entry
  return { number, domain, meaning, cause, isPermanent }
}

/** Numbers of a session with which a network answers to both kinds of address at once. */
const IP_LIMITS: Readonly<Record<number, IpLimit>> = {
  27: { ip: '4', isCertain: false },
  28: { ip: '4', isCertain: true },
  32: { ip: '4', isCertain: false },
  33: { ip: '4', isCertain: false },
  50: { ip: '4', isCertain: true },
  51: { ip: '6', isCertain: true },
  52: { ip: '4', isCertain: true },
}

/** `number`: of a session's cause. */
export function ipLimitOf(number: number): IpLimit | undefined {
  return IP_LIMITS[number]
}

/** The SIM or the device itself is refused, in every network, until it is another or the operator changes his mind (GSMA TS.34). */
const FOR_GOOD: ReadonlySet<number> = new Set([2, 3, 5, 6, 7, 8])

/** undefined: in this network or area, which the modem may leave. */
export function isFinalDenial({ number, isPermanent }: NetworkCause): boolean | undefined {
  if (FOR_GOOD.has(number)) return true
  return isPermanent ? undefined : false
}
