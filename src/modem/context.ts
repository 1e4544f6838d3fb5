/** Which packet data context (CID) a dial uses, and must it be defined first? Pure; used by `dial.ts`. */

import type { PdpContext } from './at/replies/cgdcont.ts'
import type { DialRequest } from './snapshot.ts'

export interface ContextChoice {
  readonly cid: number
  /** The command that defines it; undefined where it already is as wanted. */
  readonly define: string | undefined
}

const PDP_TYPES: Readonly<Record<DialRequest['ipType'], string>> = { '4': 'IP', '6': 'IPV6', '46': 'IPV4V6' }
const MAX_CID = 16

/**
 * `contexts` undefined: the modem did not tell. On an LTE modem CID 1 is what it attaches with: `auto` never gives it another APN,
 * it takes a context that already has the APN, or the first free one.
 */
export function chooseContext(
  contexts: readonly PdpContext[] | undefined,
  request: Pick<DialRequest, 'apn' | 'ipType' | 'cid'>,
  isLte: boolean,
): ContextChoice {
  const type = PDP_TYPES[request.ipType]
  const isWanted = (context: PdpContext) =>
    context.type === type && context.apn.toLowerCase() === request.apn.toLowerCase()
  const definition = (cid: number): ContextChoice => ({ cid, define: `AT+CGDCONT=${cid},"${type}","${request.apn}"` })

  if (request.cid !== 'auto') {
    const { cid } = request
    return contexts?.some((context) => context.cid === cid && isWanted(context))
      ? { cid, define: undefined }
      : definition(cid)
  }
  const existing = contexts?.find(isWanted)
  if (existing) return { cid: existing.cid, define: undefined }
  const first = contexts?.find((context) => context.cid === 1)
  // No APN asked for: the network's choice, which is what is there.
  if (request.apn === '' && first) return { cid: 1, define: undefined }
  if (!isLte || (contexts && !first)) return definition(1)
  return definition(freeCid(contexts ?? []))
}

/** `*99#` dials context 1; another is named in it (3GPP TS 27.007 §10.2.1.1). Any other number stays as it is. */
export function numberFor(number: string, cid: number): string {
  return number === '*99#' && cid !== 1 ? `*99***${cid}#` : number
}

function freeCid(contexts: readonly PdpContext[]): number {
  for (let cid = 2; cid <= MAX_CID; cid++) if (!contexts.some((context) => context.cid === cid)) return cid
  // All are taken: one without an APN is nobody's, and the last is the least likely to be the operator's own (IMS, SOS).
  return contexts.findLast((context) => context.cid !== 1 && context.apn === '')?.cid ?? MAX_CID
}
