/** +CPIN: is the SIM ready, or what does it ask for (3GPP TS 27.007 §8.3)? Used by `sim.ts`. */

import type { SimStatus } from '../../snapshot.ts'
import { bodiesOf } from './fields.ts'

const STATUS: Readonly<Record<string, SimStatus>> = {
  READY: 'ready',
  'SIM PIN': 'pin',
  'SIM PUK': 'puk',
  'SIM PIN2': 'pin2',
  'SIM PUK2': 'puk2',
  'NOT INSERTED': 'absent',
  'NOT READY': 'failed',
  'SIM REMOVED': 'absent',
  REMOVED: 'absent',
  'SIM FAILURE': 'failed',
  // SIMCom and Cinterion write it without the blank; PH-SIM and the network locks need a code that we never enter.
  SIMPIN: 'pin',
  SIMPUK: 'puk',
  'PH-SIM PIN': 'failed',
  'PH-NET PIN': 'failed',
  BLOCKED: 'failed',
}

export interface CpinReply {
  /** undefined: a word that we do not know; `text` has it. */
  readonly status: SimStatus | undefined
  readonly text: string
}

export function parseCpin(lines: readonly string[]): CpinReply | undefined {
  const body = bodiesOf(lines, '+CPIN').at(-1)
  if (body === undefined) return undefined
  const text = body.replace(/"/g, '').replace(/\s+/g, ' ').trim().toUpperCase()
  return { status: STATUS[text] ?? STATUS[text.split(',')[0]!.trim()], text }
}
