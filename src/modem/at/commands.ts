/** What is known of an answer from its command alone. For `channel.ts`. */

/**
 * Answered with a line of values or with an error. A bare OK is the one before, doubled on the way, until no other final result
 * came for a while; and values without a result are an answer after a while.
 */
const NEEDS_LINE =
  /^AT\+(CSQ|CESQ|C?GM[IMR]|C?GSN|CIMI|CPIN\?|C[GE]?REG\?|C5GREG\?|COPS\?|CFUN\?|CGATT\?|CCLK\?|CMGF\?|CPMS\?|CSCA\?|CSCS\?)$/i

export function needsLine(command: string): boolean {
  return NEEDS_LINE.test(command)
}

/** Values without a result are an answer after a while; some modems give the network's answer to a USSD code, and never the OK. */
export function mayLackResult(command: string): boolean {
  return needsLine(command) || /^AT\+CUSD=1,/i.test(command)
}

/** A result as digits, of a modem that was told ATV0 (V.250 §6.2.6): OK and ERROR. Not where a line of text or a register may be such a digit. */
export function numericResult(command: string, line: string): 'OK' | 'ERROR' | undefined {
  if (line !== '0' && line !== '4') return undefined
  if (listsText(command) || /^AT(?!\s*[+^*#$%_!&])|^AT\+CUSD/i.test(command)) return undefined
  return line === '0' ? 'OK' : 'ERROR'
}

/** The answer has text of messages, in which anything may stand. */
export function listsText(command: string): boolean {
  return /^AT\+CMG[LR]/i.test(command)
}

export function isDial(command: string): boolean {
  return /^AT[DAO]/i.test(command)
}
