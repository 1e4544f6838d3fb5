/**
 * What a line that comes unasked says of the SIM: the vendors' reports of `sim-presence.ts`, +CPIN as a report, and words without a
 * head (`+SIM REMOVED`). `sim.ts` decides by it whether to ask anew; the answer to that counts, not the report.
 */

import type { SimStatus } from '../../snapshot.ts'
import { parseCpin } from './cpin.ts'
import { bodiesOf, fieldsOf, numberOf } from './fields.ts'
import { parseQss, parseSimInserted, parseSimst, parseUusimstat, type SimPresence } from './sim-presence.ts'

/** `unclear`: something happened to it. */
export type SimReport = SimPresence | SimStatus | 'unclear'

const BARE = /^\+?(?:U?SIM|SIM CARD):?[ _](REMOVED?|DROP|NOT INSERTED|INSERTED|READY)$/i

/** Sierra's Wavecom heritage tells all sorts of things by +WIND; the first two are the SIM's. MediaTek: +ESIMS. Quectel: +QUSIM. */
const NUMBERED: Readonly<Record<string, readonly (SimReport | undefined)[]>> = {
  '+WIND': ['absent', 'present'],
  '+ESIMS': ['absent', 'present'],
  '+QUSIM': ['present', 'present', 'present'],
}

/** undefined: the line is about something else. */
export function parseSimReport(line: string): SimReport | undefined {
  const word = BARE.exec(line.trim())?.[1]?.toUpperCase()
  if (word !== undefined) return word.startsWith('INSERT') ? 'present' : word === 'READY' ? 'ready' : 'absent'
  const lines = [line]
  const cpin = parseCpin(lines)
  if (cpin) return cpin.status ?? 'unclear'
  for (const [head, meanings] of Object.entries(NUMBERED)) {
    const [body] = bodiesOf(lines, head)
    if (body !== undefined) return meanings[numberOf(fieldsOf(body)[0]) ?? -1]
  }
  if (bodiesOf(lines, '+XSIM').length > 0) return 'unclear'
  return parseSimst(lines) ?? parseSimInserted(lines) ?? parseQss(lines) ?? parseUusimstat(lines)
}
