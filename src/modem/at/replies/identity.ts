/** +CGMI, +CGMM, +CGMR, +CGSN, +CIMI and ATI (3GPP TS 27.007 §5, ITU-T V.250 §6.1.3): who the modem and its SIM are. Used by `identity.ts`. */

/** Heads of other answers and reports that slip in; no modem is called like one. */
const FOREIGN_HEAD = /^\s*[+^*#$%_!&](?!C?GM[IMR]\b|C?GSN\b|CIMI\b|SETTINGS\b)[A-Z0-9]+\s*:/i
const OWN_HEAD = /^\s*[+^*#$%_!&][A-Za-z0-9_]+\s*[:=]\s*/
const LABEL =
  /^(?:manufacturer|model|revision|module|firmware|sw\s?version|version)(?:\s*(?:name|id))?\s*[:=]\s*|^model\s+(?=[A-Z])/i

/**
 * The first line that says something, without a head (`+CGMI: "huawei"`) or a vendor's label (`Manufacturer: …`). A line with the
 * head of another answer counts only where there is no other.
 */
export function parseText(lines: readonly string[]): string | undefined {
  const own = lines.filter((line) => !FOREIGN_HEAD.test(line))
  for (const line of own.length > 0 ? own : lines) {
    const text = withoutLabels(line)
    if (text !== '') return text
  }
  return undefined
}

/** 15 digits; of an IMEISV (16 digits, the last two a software version) or a 14-digit answer nothing is made up. */
export function parseImei(lines: readonly string[]): string | undefined {
  for (const line of lines) {
    const digits = /(?:^|[^\dA-Za-z])(\d{15})(?:[^\dA-Za-z]|$)/.exec(line)?.[1]
    if (digits !== undefined && !/^0+$/.test(digits)) return digits
  }
  return undefined
}

/** 6 to 15 digits. Personal: never logged or published. */
export function parseCimi(lines: readonly string[]): string | undefined {
  for (const line of lines) {
    const digits = /^(?:[+^*#]\s*[CI]IMI\s*[:=]\s*|IMSI\s*[:=]\s*)?"?(\d{6,15})"?(?:\s*,.*)?$/i.exec(line.trim())?.[1]
    if (digits !== undefined) return digits
  }
  return undefined
}

export interface AtiReply {
  readonly manufacturer?: string | undefined
  readonly model?: string | undefined
  readonly revision?: string | undefined
  readonly imei?: string | undefined
}

/** ATI's lines with labels (`Manufacturer: huawei`, `IMEI: …`), or manufacturer, model and `Revision: …` without. */
export function parseAti(lines: readonly string[]): AtiReply {
  const labelled = (label: RegExp) => {
    const line = lines.find((each) => label.test(each.trim()))
    return line === undefined ? undefined : withoutLabels(line.trim().replace(label, '')) || undefined
  }
  const manufacturer = labelled(/^manufacturer\s*[:=]\s*/i)
  const model = labelled(/^model\s*[:=]\s*/i)
  const revision = labelled(/^(?:revision|firmware(?: version)?)\s*[:=]\s*/i)
  const bare = lines.map((line) => line.trim()).filter((line) => line !== '' && !/[:=]/.test(line))
  const imei = parseImei(lines.filter((line) => /imei/i.test(line)))
  return {
    manufacturer: manufacturer ?? (bare.length >= 2 ? bare[0] : undefined),
    model: model ?? (manufacturer === undefined && bare.length >= 2 ? bare[1] : undefined),
    revision,
    imei,
  }
}

function withoutLabels(line: string): string {
  let text = line.trim()
  for (let before = ''; before !== text; ) {
    before = text
    text = text
      .replace(OWN_HEAD, '')
      .replace(LABEL, '')
      .trim()
      .replace(/^"(.*)"$/, '$1')
      .trim()
  }
  return text
}
