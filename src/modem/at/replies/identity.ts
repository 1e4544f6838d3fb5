/** +CGMI, +CGMM, +CGMR, +CGSN and +CIMI (3GPP TS 27.007 §5): who the modem and its SIM are. Used by `identity.ts`. */

/** The first line that says something, without a head (`+CGMI: "huawei"`) or a vendor's label (`Manufacturer: …`). */
export function parseText(lines: readonly string[]): string | undefined {
  for (const line of lines) {
    const text = line
      .replace(/^\s*[+^*#$%_!&][A-Za-z0-9_]+\s*[:=]\s*/, '')
      .replace(/^(manufacturer|model|revision)\s*:\s*/i, '')
      .trim()
      .replace(/^"(.*)"$/, '$1')
      .trim()
    if (text !== '') return text
  }
  return undefined
}

/** 15 digits; of an IMEISV (16 digits, the last two a software version) or a 14-digit answer nothing is made up. */
export function parseImei(lines: readonly string[]): string | undefined {
  for (const line of lines) {
    const digits = /(?:^|\D)(\d{15})(?:\D|$)/.exec(line)?.[1]
    if (digits !== undefined && !/^0+$/.test(digits)) return digits
  }
  return undefined
}

/** 6 to 15 digits. Personal: never logged or published. */
export function parseCimi(lines: readonly string[]): string | undefined {
  for (const line of lines) {
    const digits = /^(?:\+CIMI\s*:\s*)?"?(\d{6,15})"?$/i.exec(line.trim())?.[1]
    if (digits !== undefined) return digits
  }
  return undefined
}
