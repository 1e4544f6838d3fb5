/** What a modem or network means that refuses a message: +CMS ERROR (3GPP TS 27.005 §3.2.5, TS 24.011 annex E, TS 23.040 §9.2.3.22). */

import { printable } from '../../../base/bytes.ts'
import type { Cause } from '../../../base/cause.ts'
import { type ErrorCode, ModemdError } from '../../../base/errors.ts'
import type { AtReply } from '../../at/channel.ts'
import { parseError } from '../../at/replies/cme.ts'
import { errorOf } from '../../at/session.ts'

const NO_NETWORK = ['NoNetwork', 'no-network'] as const
const REFUSED = ['Internal', 'modem-error'] as const
const UNSUPPORTED = ['Unsupported', 'modem-error'] as const
const WRONG_STATE = ['WrongState', 'modem-error'] as const

type Meaning = readonly [kind: readonly [ErrorCode, Cause], meaning: string]

const MEANINGS: Readonly<Record<number, Meaning>> = {
  1: [REFUSED, 'the number is not in use'],
  8: [REFUSED, 'the operator bars it'],
  10: [REFUSED, 'the SIM may not send messages'],
  17: [NO_NETWORK, 'the network failed'],
  21: [REFUSED, 'the network or the recipient rejects it'],
  22: [REFUSED, "the recipient's memory is full"],
  27: [REFUSED, 'the recipient cannot be reached'],
  28: [REFUSED, 'the network does not know the subscriber'],
  29: [UNSUPPORTED, 'the operator refuses the service'],
  30: [REFUSED, 'the number is unknown'],
  38: [NO_NETWORK, 'the network is out of order'],
  41: [NO_NETWORK, 'the network failed for the moment'],
  42: [NO_NETWORK, 'the network is congested'],
  47: [NO_NETWORK, 'the network has no resources left'],
  50: [UNSUPPORTED, 'the service is not subscribed to'],
  69: [UNSUPPORTED, 'the network has no such service'],
  96: [REFUSED, 'the service centre is wrong or unknown'],
  111: [REFUSED, 'the network calls it a protocol error'],
  300: [REFUSED, 'the modem failed'],
  301: [UNSUPPORTED, 'the modem reserves its message service'],
  302: [WRONG_STATE, 'the modem does not allow it now'],
  303: [UNSUPPORTED, 'the modem cannot do it'],
  304: [REFUSED, 'the modem calls the PDU invalid'],
  305: [REFUSED, 'the modem calls the text invalid'],
  310: [['SimAbsent', 'sim-absent'], 'there is no SIM'],
  311: [['SimPin', 'sim-pin'], 'the SIM asks for its PIN'],
  312: [['SimPin', 'sim-pin'], 'the modem is locked to a SIM'],
  313: [['SimAbsent', 'sim-failed'], 'the SIM failed'],
  314: [['Busy', 'modem-error'], 'the SIM is busy'],
  315: [['SimAbsent', 'sim-failed'], 'it is a wrong SIM'],
  316: [['SimPuk', 'sim-puk'], 'the SIM asks for its PUK'],
  320: [REFUSED, 'the memory failed'],
  321: [['NotFound', 'modem-error'], 'there is no message'],
  322: [WRONG_STATE, 'the memory is full: delete some messages'],
  330: [WRONG_STATE, 'the SIM has no number of a service centre: set it with AT+CSCA'],
  331: [NO_NETWORK, 'there is no network'],
  332: [NO_NETWORK, 'the network did not answer in time'],
  340: [REFUSED, 'no acknowledgement was due'],
}

/** Said before the network had the message: once more does no harm. */
const PASSING: ReadonlySet<number> = new Set([314, 41, 42, 47])

export function failureOfReply(command: string, reply: AtReply): ModemdError {
  const { kind, number } = parseError(reply.final)
  const known = kind === 'cms' && number !== undefined ? MEANINGS[number] : undefined
  if (!known) return errorOf(command, reply)
  const [[code, cause], meaning] = known
  return new ModemdError(code, `The message was refused (${printable(reply.final)}): ${meaning}.`, cause)
}

/** Asked where a message was refused: without a service centre every modem says something else. */
export function withoutServiceCentre(refusal: ModemdError): ModemdError {
  const [[code, cause], meaning] = MEANINGS[330]!
  if (refusal.message.includes(meaning)) return refusal
  return new ModemdError(code, `${refusal.message.replace(/\.$/, '')}; ${meaning}.`, cause)
}

/** Invalid index (+CMS 321, +CME 21) or not found (+CME 22): some modems say so of a place without a message. */
export function isEmptyPlace(reply: AtReply): boolean {
  const { kind, number } = parseError(reply.final)
  return (kind === 'cms' && number === 321) || (kind === 'cme' && (number === 21 || number === 22))
}

export function isPassing(reply: AtReply): boolean {
  const { kind, number } = parseError(reply.final)
  return kind === 'cms' && number !== undefined && PASSING.has(number)
}
