/** The last line of `--json`. */

/** Strings are of bytes: what is not ASCII is escaped, so that any reader takes it. */
export function jsonLine(value: object): string {
  const text = JSON.stringify(value)
  return `${text.replace(/[\x7f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`
}
