/** Which packet data context (CID) a dial uses, and must it be defined first? Pure; used by `dial.ts`. */

import type { PdpContext } from './at/replies/cgdcont.ts'
import type { DialRequest } from './snapshot.ts'

export interface ContextChoice {
  readonly cid: number
  /** As it is, or as it will be. */
  readonly type: string
  readonly apn: string
  /** The command that defines it; undefined where it already is as wanted. */
  readonly define: string | undefined
}

export interface ContextPlan {
  /** The best first; the next where the modem refuses the command of the one before. At least one. */
  readonly choices: readonly [ContextChoice, ...ContextChoice[]]
  /** What a person should know of it, a sentence. */
  readonly warning?: string | undefined
}

type ContextRequest = Pick<DialRequest, 'apn' | 'ipType' | 'isIpAlone' | 'cid' | 'refusedApns'>

/** The wanted type, then what else can carry it: old modems know only IP, some networks only both at once. */
const PDP_TYPES: Readonly<Record<DialRequest['ipType'], readonly [string, ...string[]]>> = {
  '4': ['IP'],
  '6': ['IPV6', 'IPV4V6'],
  '46': ['IPV4V6', 'IP'],
}
const MAX_CID = 16
/** Contexts for the operator's own services, which every LTE modem brings along. */
const SERVICE_APN = /^(ims|sos|emergency|xcap|vzwims|vzwadmin|vzwapp|admin)\b/i

/**
 * `contexts` undefined: the modem did not tell. On an LTE modem CID 1 is what it attaches with: `auto` never gives it another APN,
 * it takes a context that already has the APN, or the first free one above.
 */
export function planContext(
  all: readonly PdpContext[] | undefined,
  request: ContextRequest,
  isLte: boolean,
): ContextPlan {
  // CID 0 is the attach's alone, and none that is dialled (3GPP TS 27.007 §10.1.1).
  const contexts = all?.filter(({ cid }) => cid >= 1)
  if (request.cid !== 'auto') return explicitPlan(contexts, request, request.cid, isLte)
  const existing = existingContext(contexts ?? [], request)
  if (existing) return { choices: [{ ...existing, define: undefined }] }
  const types = typesOf(request)
  if (!isLte) return { choices: defined([reusableCid(contexts ?? [], request, isLte) ?? 1], types, request.apn) }
  const isFirstFree = contexts !== undefined && !contexts.some(({ cid }) => cid === 1)
  // An empty APN is what it attaches with anyway; a wrong one would keep it from the network from now on.
  const free = isFirstFree && request.apn === '' ? 1 : freeCid(contexts ?? [])
  const cid = reusableCid(contexts ?? [], request, isLte) ?? free ?? lastResortCid(contexts ?? [])
  // A modem may know fewer CIDs than are free by its list.
  const cids = cid === free && contexts && contexts.length > 1 ? [cid, lastResortCid(contexts)] : [cid]
  return { choices: defined(cids, types, request.apn) }
}

/** `*99#` dials context 1; another is named in it (3GPP TS 27.007 §10.2.1.1). Any other number stays as it is. */
export function numberFor(number: string, cid: number): string {
  return number === '*99#' && cid !== 1 ? `*99***${cid}#` : number
}

/** The other way round. */
export function cidOf(number: string): number | undefined {
  const match = /^\*9[89](?:\*[^*#]*){0,2}(?:\*(\d{1,3}))?#$/.exec(number)
  return match ? Number(match[1] ?? 1) : undefined
}

/** A profile that names its CID is obeyed, whatever stands there. */
function explicitPlan(
  contexts: readonly PdpContext[] | undefined,
  request: ContextRequest,
  cid: number,
  isLte: boolean,
): ContextPlan {
  const there = contexts?.find((context) => context.cid === cid)
  const types = typesOf(request)
  const [type] = types
  if (there && there.type === type && isSameApn(there.apn, request.apn))
    return { choices: [{ ...there, define: undefined }] }
  const choices = defined([cid], types, request.apn)
  const isAttach = isLte && cid === 1 && there !== undefined && !isSameApn(there.apn, request.apn)
  if (!isAttach) return { choices }
  const warning = `cid = 1 of the profile replaces the APN ${JSON.stringify(there.apn)} with which the modem attaches to LTE: \`cid = auto\` would leave it alone.`
  return { choices, warning }
}

/** One that is as wanted, or carries what is wanted beside more. */
function existingContext(contexts: readonly PdpContext[], request: ContextRequest): PdpContext | undefined {
  const { apn, ipType, isIpAlone = false, refusedApns = [] } = request
  const [wanted] = typesOf(request)
  const isFitting = ({ type }: PdpContext) => (isIpAlone ? type === wanted : carries(type, ipType))
  const first = contexts.find(({ cid }) => cid === 1)
  // No APN asked for: the network's choice, which is what is there, unless it was put there a moment ago and refused.
  const isFirstRefused = isIpAlone && first?.type !== wanted
  if (apn === '' && first && !isFirstRefused && !refusedApns.some((refused) => isSameApn(refused, first.apn)))
    return first
  const fitting = contexts.filter((context) => isSameApn(context.apn, apn) && isFitting(context))
  return fitting.find(({ type }) => type === wanted) ?? fitting[0]
}

/** It has the APN and only the type is another: two contexts of one APN are more than many networks allow (24.008, #55). */
function reusableCid(contexts: readonly PdpContext[], { apn }: ContextRequest, isLte: boolean): number | undefined {
  return contexts.find((context) => isSameApn(context.apn, apn) && (context.cid !== 1 || !isLte))?.cid
}

function freeCid(contexts: readonly PdpContext[]): number | undefined {
  for (let cid = 2; cid <= MAX_CID; cid++) if (!contexts.some((context) => context.cid === cid)) return cid
  return undefined
}

/** All are taken: one without an APN is nobody's, and the last is the least likely to be the operator's own. */
function lastResortCid(contexts: readonly PdpContext[]): number {
  const others = contexts.filter(({ cid }) => cid !== 1).toSorted((a, b) => a.cid - b.cid)
  const best = others.findLast(({ apn }) => apn === '') ?? others.findLast(({ apn }) => !SERVICE_APN.test(apn))
  return (best ?? others.at(-1))?.cid ?? 2
}

function defined(cids: readonly number[], types: readonly string[], apn: string): ContextPlan['choices'] {
  const [first, ...more] = cids.flatMap((cid) =>
    types.map((type) => ({ cid, type, apn, define: `AT+CGDCONT=${cid},"${type}","${apn}"` })),
  )
  return [first!, ...more]
}

function typesOf({ ipType, isIpAlone }: ContextRequest): readonly [string, ...string[]] {
  const [type, ...more] = PDP_TYPES[ipType]
  return isIpAlone ? [type] : [type, ...more]
}

function carries(type: string, ipType: DialRequest['ipType']): boolean {
  if (type === 'IPV4V6') return true
  return type === (ipType === '4' ? 'IP' : ipType === '6' ? 'IPV6' : '')
}

/** Case does not matter, and a modem may add the operator's identifier (3GPP TS 23.003 §9.1). */
function isSameApn(a: string, b: string): boolean {
  return networkPart(a) === networkPart(b)
}

function networkPart(apn: string): string {
  return apn.toLowerCase().replace(/\.mnc\d{3}\.mcc\d{3}\.gprs$/, '')
}
