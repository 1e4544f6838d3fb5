/** How chat(8) shows bytes to people: in its messages, and as echo. Byte strings in and out. */

/** In messages: control bytes as `^X`, 127 as `^?`, bytes above 127 as `M-` and the rest; a tab as itself. */
export function visible(text: string): string {
  return text.replace(/[\0-\x08\x0a-\x1f\x7f-\xff]/g, (char) => {
    const code = char.charCodeAt(0)
    const low = code & 0x7f
    return `${code > 0x7f ? 'M-' : ''}${low === 9 || (low >= 0x20 && low < 0x7f) ? String.fromCharCode(low) : caret(low)}`
  })
}

/** A received byte on the terminal: no CR, a LF as itself, all other control bytes (a tab too) as `^X`. */
export function echoed(byte: number): string {
  if (byte === 0x0d) return ''
  if (byte === 0x0a) return '\n'
  return byte < 0x20 || byte === 0x7f ? caret(byte) : String.fromCharCode(byte)
}

function caret(code: number): string {
  return `^${String.fromCharCode(code ^ 0x40)}`
}
