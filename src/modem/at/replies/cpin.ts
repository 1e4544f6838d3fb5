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
  'NOT INSERT': 'absent',
  'NO SIM': 'absent',
  'SIM NOT INSERTED': 'absent',
  'SIM REMOVED': 'absent',
  REMOVED: 'absent',
  ABSENT: 'absent',
  'NOT READY': 'failed',
  'SIM FAILURE': 'failed',
  'SIM WRONG': 'failed',
  'SIM ERROR': 'failed',
  BLOCKED: 'failed',
  'SIM BLOCKED': 'failed',
  // Without the blank, or with the number that needs none.
  SIMPIN: 'pin',
  SIMPUK: 'puk',
  SIMPIN2: 'pin2',
  SIMPUK2: 'puk2',
  'SIM PIN1': 'pin',
  'SIM PUK1': 'puk',
}

/** Phone and network locks need a code that we never enter: PH-SIM, PH-NET, PH-NETSUB, PH-SP, PH-CORP, PH-FSIM … PIN or PUK. */
const PHONE_LOCK = /^PH[-_ ]/

export interface CpinReply {
  /** undefined: a word that we do not know; `text` has it. */
  readonly status: SimStatus | undefined
  readonly text: string
}

export function parseCpin(lines: readonly string[]): CpinReply | undefined {
  const body = bodiesOf(lines, '+CPIN').at(-1)
  if (body === undefined) return undefined
  const text = body.replace(/"/g, '').replace(/\s+/g, ' ').trim().toUpperCase()
  const word = text.split(',')[0]!.trim().replace(/_/g, ' ')
  if (PHONE_LOCK.test(word)) return { status: 'failed', text }
  return { status: STATUS[word] ?? STATUS[word.replace(/^SIM (?=(READY|NOT |ABSENT))/, '')], text }
}
