/** +CGEV: what happens to packet contexts (3GPP TS 27.007 §10.1.19). Used for the loss of a context while PPP runs on another port. */

import { bodiesOf } from './fields.ts'

export interface PacketEvent {
  /** Who did it. */
  readonly by: 'network' | 'modem'
  readonly what: 'detach' | 'activate' | 'deactivate' | 'reject' | 'reactivate' | 'modify' | 'class'
  readonly cid?: number | undefined
  /** Of a bearer beside another: that one's context. */
  readonly parentCid?: number | undefined
}

/**
 * `NW DETACH`, `ME PDN ACT 2`, `NW PDN DEACT 2`, `NW DEACT "IP","10.0.0.2",1`, `NW ACT 3,2,1` (parent, context, why), `REJECT IP, …`;
 * with or without the head. The A76XX says `EPS PDN ACT 1`.
 */
export function parseCgev(lines: readonly string[]): PacketEvent | undefined {
  const body = bodiesOf(lines, '+CGEV').at(-1) ?? lines.at(-1)?.trim()
  const match = /^"?(?:(NW|ME|EPS)\s+)?(?:(PDN)\s+)?(DETACH|ACT|DEACT|REJECT|REACT|MODIFY|CLASS)\b"?[\s,:]*(.*)$/i.exec(
    body ?? '',
  )
  if (!match) return undefined
  const by = match[1]?.toUpperCase() === 'ME' ? 'modem' : 'network'
  const what = WHAT[match[3]!.toUpperCase()]!
  const rest = match[4]!.replace(/"$/, '')
  if (what === 'detach' || what === 'class') return { by, what }
  const numbers = rest.split(',').map((part) => (/^\s*\d{1,3}\s*$/.test(part) ? Number(part) : undefined))
  if (match[2]) return withCid(by, what, numbers[0])
  // The old form has type and address before the context's number.
  if (/[A-Za-z"]/.test(rest)) return withCid(by, what, numbers[2])
  const [parentCid, cid] = numbers
  return cid === undefined
    ? withCid(by, what, parentCid)
    : { by, what, cid, ...(parentCid === undefined ? {} : { parentCid }) }
}

const WHAT: Readonly<Record<string, PacketEvent['what']>> = {
  DETACH: 'detach',
  ACT: 'activate',
  DEACT: 'deactivate',
  REJECT: 'reject',
  REACT: 'reactivate',
  MODIFY: 'modify',
  CLASS: 'class',
}

function withCid(by: PacketEvent['by'], what: PacketEvent['what'], cid: number | undefined): PacketEvent {
  return cid === undefined ? { by, what } : { by, what, cid }
}
