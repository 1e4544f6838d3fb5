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

/** The answer has text of messages, in which anything may stand. */
export function listsText(command: string): boolean {
  return /^AT\+CMG[LR]/i.test(command)
}

export function isDial(command: string): boolean {
  return /^AT[DAO]/i.test(command)
}
