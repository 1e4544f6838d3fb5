/**
 * pppd's messages, as they come by `logfd` (a line each, without a prefix), read for the state of the link.
 *
 * Why not scripts: pppd 2.4.9 has an option for its own ip-up script but none for ipv6-up, whose path is fixed; a script would need an
 * installed file and a place to report to, and runs beside pppd in no certain order. The messages come in order, over a pipe that
 * only pppd holds, for IPv4, name servers, IPv6 and the end alike, and their words have not changed from 2.3 to 2.5. They are matched
 * from their first letter on: whatever a peer puts into one (its log-in message, its reason to terminate) stands behind pppd's own
 * words and has its control characters escaped by pppd, so that it makes no line of its own.
 */

import { printable } from '../../base/bytes.ts'
import type { Cause, Failure } from '../../base/cause.ts'
import { parseIpv4 } from '../../base/ipv4.ts'
import { interfaceIdentifier, parseIpv6 } from '../../base/ipv6.ts'

export type PppdNews =
  | { readonly type: 'interface'; readonly name: string }
  | { readonly type: 'connected' }
  | { readonly type: 'authenticated' }
  | { readonly type: 'ip4'; readonly end: 'local' | 'peer'; readonly address: number }
  | { readonly type: 'dns'; readonly server: number }
  /** An interface identifier. */
  | { readonly type: 'ip6'; readonly end: 'local' | 'peer'; readonly identifier: bigint }
  /** `failure`: undefined, the line does not say why. */
  | { readonly type: 'terminating'; readonly failure: Failure | undefined }

const LONGEST_LINE_CHARS = 400
const KEPT_LINES = 20
const SHORT_SECRET_CHARS = 4

const ENDS: readonly (readonly [start: string, cause: Cause | undefined])[] = [
  ['Terminating on signal', undefined],
  ['Terminating connection due to lack of activity', 'idle'],
  ['Connect time expired', 'time-limit'],
  ['Traffic limit', 'data-limit'],
  ['LCP terminated by peer', 'hung-up'],
  ['LCP: timeout sending Config-Requests', 'lcp-timeout'],
  ['Serial link appears to be disconnected', 'echo-lost'],
  ['Connection terminated', undefined],
  ['Modem hangup', 'hung-up'],
  ['Hangup (SIGHUP)', 'hung-up'],
]

/** undefined: says nothing about the state. */
export function newsOf(line: string): PppdNews | undefined {
  const name = /^Using interface (\S{1,15})$/.exec(line)?.[1]
  if (name !== undefined) return { type: 'interface', name }
  if (line.startsWith('Connect: ')) return { type: 'connected' }
  if (/^(PAP|CHAP|EAP) authentication succeeded/.test(line)) return { type: 'authenticated' }
  const end = ENDS.find(([start]) => line.startsWith(start))
  if (end) return { type: 'terminating', failure: failureOf(end) }
  return addressNews(line)
}

/** In pppd's own words, whatever the peer's are behind them. */
function failureOf([detail, cause]: (typeof ENDS)[number]): Failure | undefined {
  return cause && { cause, detail }
}

function addressNews(line: string): PppdNews | undefined {
  const [, what, text = ''] =
    /^(local {2}IP|remote IP|(?:primary {3}|secondary )DNS|local {2}LL|remote LL) address (\S+)$/.exec(line) ?? []
  const end = what?.startsWith('local') ? 'local' : 'peer'
  if (what?.endsWith('LL')) {
    const address = parseIpv6(text)
    return address === undefined ? undefined : { type: 'ip6', end, identifier: interfaceIdentifier(address) }
  }
  const address = what === undefined ? undefined : parseIpv4(text)
  if (address === undefined) return undefined
  return what?.endsWith('DNS') ? { type: 'dns', server: address } : { type: 'ip4', end, address }
}

/** Text to cleaned lines; the last ones are kept as evidence. */
export class PppdLog {
  readonly #secret: string
  readonly #onLine: (line: string, news: PppdNews | undefined) => void
  readonly #lines: string[] = []
  #rest = ''

  /** `secret` is blotted out of what people see, should a profile's options ask pppd to show it, or a peer send it back; '': none. */
  constructor(secret: string, onLine: (line: string, news: PppdNews | undefined) => void) {
    this.#secret = secret
    this.#onLine = onLine
  }

  get lastLines(): readonly string[] {
    return this.#lines
  }

  take(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop()!.slice(0, LONGEST_LINE_CHARS)
    for (const line of lines) this.#take(line)
  }

  /** What came without an end of line. */
  finish(): void {
    const rest = this.#rest
    this.#rest = ''
    if (rest !== '') this.#take(rest)
  }

  #take(text: string): void {
    const line = printable(this.#withoutSecret(text.trim()), LONGEST_LINE_CHARS)
    if (line === '') return
    this.#lines.push(line)
    if (this.#lines.length > KEPT_LINES) this.#lines.shift()
    this.#onLine(line, newsOf(text))
  }

  /** A short one may be part of pppd's own words: only where a peer or a packet speaks. */
  #withoutSecret(line: string): string {
    if (this.#secret === '') return line
    if (this.#secret.length < SHORT_SECRET_CHARS && !/^(sent|rcvd) \[|^Remote message|\(.*\)$/.test(line)) return line
    return line.replaceAll(this.#secret, '<hidden>')
  }
}
