/** The parts of an information line (3GPP TS 27.007 §4): `+CREG: 2,1,"00C3",0A1B` → head and fields. Used by every reply parser. */

export interface Field {
  readonly text: string
  readonly isQuoted: boolean
}

/**
 * What stands behind the head in each line that has one of `prefixes` (upper case). Blanks, `:` or `=` between them may lack, and
 * so may the head's sign, where the first byte of a line was lost.
 */
export function bodiesOf(lines: readonly string[], ...prefixes: readonly string[]): string[] {
  const bodies: string[] = []
  for (const line of lines) {
    const body = bodyOf(line, prefixes)
    if (body !== undefined) bodies.push(body)
  }
  return bodies
}

function bodyOf(line: string, prefixes: readonly string[]): string | undefined {
  const text = line.trim()
  for (const prefix of prefixes) {
    const head = text.slice(0, prefix.length).toUpperCase()
    if (head === prefix) {
      const rest = text.slice(prefix.length)
      if (/^\s*[:=]|^\s+\S/.test(rest)) return rest.replace(/^\s*[:=]?\s*/, '')
    } else if (head.startsWith(prefix.slice(1)) && /^\s*:/.test(text.slice(prefix.length - 1))) {
      return text.slice(prefix.length - 1).replace(/^\s*:\s*/, '')
    }
  }
  return undefined
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

/** A number with or without fraction, blanks and unit: `-10.5`, `-73 dBm`, `- 85`. */
export function decimalOf(field: Field | undefined): number | undefined {
  const match = field && /^([+-]?)\s*(\d{1,9}(?:\.\d{1,9})?)\s*(?:dBm?|%)?$/i.exec(field.text)
  return match ? Number(`${match[1]}${match[2]}`) : undefined
}

/** A number in hexadecimal, with or without `0x`. */
export function hexOf(field: Field | undefined): number | undefined {
  const digits = field && /^(?:0x)?([0-9A-Fa-f]{1,16})$/.exec(field.text)?.[1]
  const value = digits ? Number.parseInt(digits, 16) : Number.NaN
  return Number.isSafeInteger(value) ? value : undefined
}

/** What stands in parentheses: `("SM","ME")` → its fields; a field without parentheses is the only one. */
export function groupOf(field: Field | undefined): Field[] {
  if (!field || field.text === '') return []
  const inner = /^\((.*?)\)?$/.exec(field.text)?.[1]
  return inner === undefined ? [field] : fieldsOf(inner)
}

function fieldOf(text: string): Field {
  const isQuoted = text.startsWith('"')
  return { text: text.replace(/^"|"$/g, '').trim(), isQuoted }
}
