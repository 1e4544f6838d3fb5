/** ATD to a packet data context (3GPP TS 27.007 §10.2.1.1): which one, or why there is none. Used by `at-port.ts`, which carries the call. */

import { type Answer, type CommandContext, cme, NO_CARRIER } from '../answer.ts'
import type { PdpContext } from '../modem-state.ts'
import { LOG_IN_REFUSED } from '../network.ts'
import { finalOf } from '../reply-text.ts'
import { simFault } from './sim.ts'

const PACKET_NUMBER = /^[TP]?\*9[89](?:\*[^*#]*){0,2}(?:\*(\d*))?#$/i

export function dialledContext(number: string, context: CommandContext): PdpContext | Answer {
  const cid = PACKET_NUMBER.exec(number)
  if (!cid) return NO_CARRIER
  const { modem } = context
  const { unregistered, apnRefused } = modem.personality.call
  const fault = simFault(context)
  if (fault) return fault
  if (!modem.isRegistered) return { final: finalOf(unregistered) }
  const granted = modem.callContext(Number(cid[1] || 1))
  if (granted) return granted
  // A modem that answers with a number has one for this, too (3GPP TS 27.007 §9.2.2.2).
  if (modem.lastEnd === LOG_IN_REFUSED && apnRefused.startsWith('+CME')) return cme(149)
  return { final: finalOf(apnRefused) }
}
