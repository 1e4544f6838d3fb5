/**
 * What of the lines that come is only what was sent: echoes (ITU-T V.250 §6.2.4), whole, late, cut at their start or without their
 * end; and what no modem says: the rest of a call, or a port at the wrong speed. Pure; `channel.ts` asks for every line.
 */

const REMEMBERED = 3

export class EchoFilter {
  /** The last lines that were sent, the newest first, in upper case. */
  #sent: readonly string[] = []
  /** What goes behind the prompt of the command on the line. */
  #prompted: string | undefined

  noteSent(text: string, afterPrompt?: string): void {
    const upper = text.toUpperCase()
    this.#sent = [upper, ...this.#sent.filter((each) => each !== upper)].slice(0, REMEMBERED)
    this.#prompted = afterPrompt
  }

  noteReply(): void {
    this.#prompted = undefined
  }

  /**
   * The whole line, or its end where the modem was not yet listening at its start; also of the commands before, whose echo may
   * come late, and of what was sent behind the prompt.
   */
  isEcho(line: string): boolean {
    const upper = line.toUpperCase()
    const [newest = '', ...older] = this.#sent
    if (/^A?T/.test(upper) && (newest.endsWith(upper) || older.includes(upper))) return true
    // Two commands run together: `ATE0+CPMS?` (ZTE MF710M).
    if (upper.startsWith('AT') && newest.length > 4 && upper.endsWith(newest.slice(2))) return true
    if (this.#prompted === undefined) return false
    const bare = line.replace(/^(?:>\s*)+/, '').replace(/[\x1a\x1b]+$/, '')
    return bare === '' || this.#prompted.split(/[\r\n]+/).some((part) => part.trim() === bare)
  }

  /** What stands behind an echo or a second prompt without a line end between; undefined where there is neither. */
  behindEcho(line: string): string | undefined {
    if (this.#prompted !== undefined && line.startsWith('>')) return line.replace(/^(?:>\s*)+/, '')
    const [newest = ''] = this.#sent
    if (newest === '' || line.length <= newest.length || !line.toUpperCase().startsWith(newest)) return undefined
    const rest = line.slice(newest.length).trim()
    return /^([+^*#$%_!&][A-Z0-9_]+\s*:|OK$|ERROR$)/i.test(rest) ? rest : undefined
  }
}

/** PPP frames, an echo with broken bytes, or bytes of which a third and more are no text in any character set. */
export function isNoise(line: string): boolean {
  if (/^~.*[^\x20-\x7e]/.test(line) || /^AT[^\x20-\x7e]/.test(line)) return true
  if (!/[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/.test(line)) return false
  if (/^[+^*#$%_!&][A-Za-z0-9_]+\s*:/.test(line) || /[\xc2-\xf4][\x80-\xbf]/.test(line)) return false
  const strange = line.match(/[\x01-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f]/g)?.length ?? 0
  return strange * 3 > line.length
}
