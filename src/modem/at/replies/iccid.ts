/** The SIM's number: +CCID, +ICCID, ^ICCID, +QCCID, #CCID and the file EF-ICCID by +CRSM (3GPP TS 31.102 §4.2, ITU-T E.118). Used by `sim.ts`. */

import { parseCrsm } from './crsm.ts'

/**
 * 18 to 20 digits without the filler F. Modems that give the file's bytes as they are have the digits of each pair swapped. Some
 * issuers have hexadecimal digits in the account part (`898602F9…`).
 */
export function parseIccid(lines: readonly string[]): string | undefined {
  for (const line of lines) {
    const raw = /(?:^|[\s":,=])((?:89|98)[0-9A-Fa-f]{16,20})(?:$|[\s",])/.exec(line)?.[1]
    const iccid = raw && normalise(raw)
    if (iccid) return iccid
  }
  return undefined
}

/** `+CRSM: 144,0,"98341100000000000000"` */
export function parseCrsmIccid(lines: readonly string[]): string | undefined {
  const reply = parseCrsm(lines)
  return reply?.isOk && reply.data !== undefined ? normalise(reply.data) : undefined
}

function normalise(raw: string): string | undefined {
  const straight = (raw.startsWith('89') ? raw : raw.replace(/(.)(.)/g, '$2$1')).toUpperCase()
  const digits = straight.replace(/F+$/, '').slice(0, 20)
  return /^89\d{4}[0-9A-F]{12,14}$/.test(digits) ? digits : undefined
}
