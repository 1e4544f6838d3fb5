/** The parts of an information line (3GPP TS 27.007 §4): `+CREG: 2,1,"00C3",0A1B` → head and fields. Used by every reply parser. */

export interface Field {
  readonly text: string
  readonly isQuoted: boolean
}

/** What stands behind the head in each line that has one of `prefixes`. Blanks, `:` or `=` between them may lack. */
export function bodiesOf(lines: readonly string[], ...prefixes: readonly string[]): string[] {
  return lines.flatMap((line) => {
    const prefix = prefixes.find((each) => line.toUpperCase().startsWith(each))
    if (prefix === undefined) return []
    const rest = line.slice(prefix.length)
    return /^\s*[:=]/.test(rest) ? [rest.replace(/^\s*[:=]\s*/, '').trim()] : []
  })
}

/** Parted at commas outside quotes and parentheses. A quote that is missing or stray costs no more than its own field. */
export function fieldsOf(body: string): Field[] {
  const fields: Field[] = []
  let start = 0
  let isQuoted = false
  let depth = 0
  for (let at = 0; at <= body.length; at++) {
    const char = body[at]
    if (char === '"') isQuoted = isQuoted ? false : body.indexOf('"', at + 1) > 0
    else if (char === '(' && !isQuoted) depth++
    else if (char === ')' && !isQuoted) depth = Math.max(0, depth - 1)
    if (char !== undefined && (char !== ',' || isQuoted || depth > 0)) continue
    fields.push(fieldOf(body.slice(start, at).trim()))
    start = at + 1
  }
  return fields
}

/** A whole number in decimal; undefined where the field is none, or empty. */
export function numberOf(field: Field | undefined): number | undefined {
  return field && /^[+-]?\d{1,15}$/.test(field.text) ? Number(field.text) : undefined
}

function fieldOf(text: string): Field {
  const isQuoted = text.startsWith('"')
  return { text: text.replace(/^"|"$/g, '').trim(), isQuoted }
}
