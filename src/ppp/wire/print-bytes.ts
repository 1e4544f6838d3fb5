/** Octets and strings of packets, as pppd's debug log writes them. Used by `printing.ts` and its parts. */

const MAX_SHOWN_OCTETS = 32
const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '"': '\\"', '\\': '\\\\' }

/** `"…"`, with a backslash and three octal digits for what is not printable ASCII. */
export function quoted(bytes: Uint8Array): string {
  let text = ''
  for (const octet of bytes) {
    const char = String.fromCharCode(octet)
    const isPlain = octet >= 0x20 && octet < 0x7f
    text += ESCAPES[char] ?? (isPlain ? char : `\\${octet.toString(8).padStart(3, '0')}`)
  }
  return `"${text}"`
}

/** ` 01 0a`: each octet with a space before it, and ` ...` where there are more than `limit`. */
export function hexOctets(bytes: Uint8Array, limit: number = MAX_SHOWN_OCTETS): string {
  let text = ''
  for (const octet of bytes.subarray(0, limit)) text += ` ${octet.toString(16).padStart(2, '0')}`
  return bytes.length > limit ? `${text} ...` : text
}

/** Without spaces, and whole. */
export function hexDigits(bytes: Uint8Array): string {
  return Array.from(bytes, (octet) => octet.toString(16).padStart(2, '0')).join('')
}
