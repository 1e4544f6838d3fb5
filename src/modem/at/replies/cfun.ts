/** +CFUN: is the radio on (3GPP TS 27.007 §8.2)? Used by `bring-up.ts`. */

import type { ModemSnapshot } from '../../snapshot.ts'
import { bodiesOf, fieldsOf, numberOf } from './fields.ts'

/** 0 minimum (off), 1 full, 4 radio off; 2 and 3 are halves that nobody uses; 5 to 8 are vendors' own. */
export function parseCfun(lines: readonly string[]): ModemSnapshot['powerState'] | undefined {
  const mode = numberOf(fieldsOf(bodiesOf(lines, '+CFUN').at(-1) ?? '')[0])
  if (mode === undefined) return undefined
  if (mode === 0) return 'off'
  return mode === 1 ? 'on' : 'low'
}
