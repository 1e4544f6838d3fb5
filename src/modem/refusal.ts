/**
 * What the network said of a call that failed, where the modem passes it on (+CEER): a NO CARRIER may be an APN that is refused.
 * Asked by `dial.ts` after a dial and by `call-desk.ts` after a call that never came up.
 */

import { printable } from '../base/bytes.ts'
import type { Cause, Failure } from '../base/cause.ts'
import { parseCeer } from './at/replies/ceer.ts'
import { ipLimitOf, isFinalDenial } from './at/replies/network-cause.ts'
import type { ModemPort } from './port.ts'
import type { DialRequest } from './snapshot.ts'

/** Ends that say nothing of the reason. */
const UNEXPLAINED: ReadonlySet<Cause> = new Set<Cause>([
  'no-carrier',
  'modem-error',
  'call-rejected',
  'hung-up',
  'lcp-timeout',
  'ipcp-failed',
  'no-address',
])
const TIMEOUT_MS = 2000
const MAX_LENGTH = 120
/** The modem has nothing to say. */
const EMPTY = /^(|0|no (cause|report|error|reason|information).*|normal.*|unspecified.*)$/i

/**
 * The failure with the network's reason, which becomes its cause where it is final (GSMA TS.34 §8: PDP rejects #8, #27, #29, #33
 * …); undefined where there is none. Never rejects.
 */
export async function networkReason(port: ModemPort, failure: Failure): Promise<Failure | undefined> {
  if (!UNEXPLAINED.has(failure.cause) || !port.session) return undefined
  const reply = await port.session.attempt('AT+CEER', { timeoutMs: TIMEOUT_MS }).catch(() => undefined)
  const ceer = reply?.isOk ? parseCeer(reply.lines, 'session') : undefined
  if (!ceer || EMPTY.test(ceer.text)) return undefined
  const { network, text } = ceer
  const isDenied = network?.domain === 'mobility' && isFinalDenial(network) === true
  const isFinal = isDenied || (network?.domain === 'session' && network.isPermanent)
  const number = network ? ` (#${network.number}, ${network.meaning})` : ''
  const detail = `${failure.detail}; +CEER: ${printable(text, MAX_LENGTH)}${number}`
  const ipLimit = network?.domain === 'session' ? ipLimitOf(network.number) : undefined
  const cause = isFinal ? network.cause : failure.cause
  return { cause, detail, ...(ipLimit && { ipLimit }), ...(isDenied && { isPermanent: true }) }
}

/** Which kind of address may pass alone is news only for who asked for both. */
export function limitFor<F extends Failure>(ipType: DialRequest['ipType'], failure: F): F {
  if (ipType === '46' || !failure.ipLimit) return failure
  const { ipLimit: _limit, ...rest } = failure
  return rest as F
}
