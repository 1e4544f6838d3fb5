/** The SIM's number: +CCID, +ICCID, ^ICCID and the file EF-ICCID by +CRSM (3GPP TS 31.102 §4.2, ITU-T E.118). Used by `sim.ts`. */

import { bodiesOf, fieldsOf } from './fields.ts'

/** 18 to 20 digits without the filler F. Modems that give the file's bytes as they are have the digits of each pair swapped. */
export function parseIccid(lines: readonly string[]): string | undefined {
  for (const line of lines) {
    const raw = /(?:^|[\s":,])((?:89|98)[0-9A-Fa-f]{16,18})(?:$|[\s",])/.exec(line)?.[1]
    const iccid = raw && normalise(raw)
    if (iccid) return iccid
  }
  return undefined
}

/** `+CRSM: 144,0,"98341100000000000000"` */
export function parseCrsmIccid(lines: readonly string[]): string | undefined {
  const [status, , data] = fieldsOf(bodiesOf(lines, '+CRSM')[0] ?? '')
  return status?.text === '144' && data ? normalise(data.text) : undefined
}

function normalise(raw: string): string | undefined {
  const straight = raw.startsWith('89') ? raw : raw.replace(/(.)(.)/g, '$2$1')
  const digits = straight.replace(/[Ff]+$/, '')
  return /^89\d{16,18}$/.test(digits) ? digits : undefined
}
