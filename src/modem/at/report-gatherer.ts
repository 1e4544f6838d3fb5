/**
 * Reports of more than one line → one text with `\n` between: a message behind +CMT, +CDS and +CBM (3GPP TS 27.005 §3.4.1), and a
 * +CUSD whose text has lines of its own (27.007 §7.15). Pure; `channel.ts` asks it for every line.
 */

import { hasBody, isReportPrefix, prefixOf } from './unsolicited.ts'

/** What is missing then does not come. */
const PATIENCE_MS = 1000
const MAX_LINES = 40
/** `…text",15`, `…text"` */
const CLOSING_QUOTE = /"\s*(?:,\s*(?:0x)?[0-9A-Fa-f]{0,3}\s*)?$/

interface Open {
  readonly kind: 'body' | 'quote'
  readonly lines: string[]
  readonly untilMs: number
}

export class ReportGatherer {
  #open: Open | undefined

  get untilMs(): number | undefined {
    return this.#open?.untilMs
  }

  /** The line belongs to the open report: its whole text when that is complete, '' when more is to come; undefined: it does not. */
  take(line: string, nowMs: number): string | undefined {
    const open = this.#open
    if (!open || nowMs > open.untilMs || !belongs(open, line)) return undefined
    open.lines.push(line)
    if (open.kind === 'quote' && !CLOSING_QUOTE.test(line) && open.lines.length < MAX_LINES) return ''
    return this.flush()
  }

  /** A report that begins: its text when it is complete, undefined when more is to come. */
  begin(line: string, nowMs: number): string | undefined {
    if (!isReportOfLines(line)) return line
    this.#open = { kind: opensQuote(line) ? 'quote' : 'body', lines: [line], untilMs: nowMs + PATIENCE_MS }
    return undefined
  }

  /** What there is of an open report. */
  flush(): string | undefined {
    const text = this.#open?.lines.join('\n')
    this.#open = undefined
    return text
  }
}

export function isReportOfLines(line: string): boolean {
  return opensQuote(line) || hasBody(line)
}

function opensQuote(line: string): boolean {
  const quoted = prefixOf(line) === '+CUSD' ? /"(.*)$/s.exec(line)?.[1] : undefined
  return quoted !== undefined && !CLOSING_QUOTE.test(quoted)
}

/** Another report that slips in between is not the message: a PDU is hexadecimal, and a text is no known head. */
function belongs({ kind, lines }: Open, line: string): boolean {
  const prefix = prefixOf(line)
  if (prefix !== undefined && isReportPrefix(prefix)) return false
  const isPdu = kind === 'body' && /^[^:]*:\s*(?:[^,"]*,|"",)?\s*\d+\s*$/.test(lines[0]!)
  return !isPdu || /^"?[0-9A-Fa-f]{14,}"?$/.test(line)
}
