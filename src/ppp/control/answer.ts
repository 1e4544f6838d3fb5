/** Which answer a Configure-Request gets, and whether an answer to ours is one (RFC 1661 §5.2 to §5.4). Called by `automaton.ts`. */

import { equalBytes } from '../../base/bytes.ts'
import { CODE, type ConfigOption } from '../wire/packets.ts'
import type { ControlRules } from './rules.ts'

export interface Answer {
  readonly code: number
  readonly options: readonly ConfigOption[]
}

/**
 * Reject comes before Nak, and the second option of one type is always one too many. `mayNak` false: Max-Failure Naks went
 * out in vain, and what would be Naked is Rejected, but for what the rules insist on. Refusals of more than `maxBytes` are cut:
 * what is left out comes up again in the peer's next request.
 */
export function answerTo(
  options: readonly ConfigOption[],
  rules: ControlRules,
  mayNak: boolean,
  maxBytes: number,
): Answer {
  const present = new Set<number>()
  const rejected: ConfigOption[] = []
  const naked: { readonly asked: ConfigOption; readonly better: ConfigOption }[] = []
  for (const asked of options) {
    const judgement = present.has(asked.type) ? 'reject' : rules.judge(asked)
    present.add(asked.type)
    if (judgement === 'reject') rejected.push(asked)
    else if (judgement !== 'ack') naked.push({ asked, better: judgement })
  }
  if (rejected.length > 0) return { code: CODE.configureReject, options: fitting(rejected, maxBytes) }
  const naks = naked.map(({ better }) => better)
  if (mayNak) naks.push(...rules.missing(present))
  if (naks.length === 0) return { code: CODE.configureAck, options }
  const refused = mayNak ? [] : naked.map(({ asked }) => asked).filter(({ type }) => !rules.insistsOn(type))
  return refused.length > 0
    ? { code: CODE.configureReject, options: fitting(refused, maxBytes) }
    : { code: CODE.configureNak, options: fitting(naks, maxBytes) }
}

function fitting(options: readonly ConfigOption[], maxBytes: number): readonly ConfigOption[] {
  let bytes = 0
  const tooMany = options.findIndex(({ data }) => {
    bytes += data.length + 2
    return bytes > maxBytes
  })
  return tooMany < 0 ? options : options.slice(0, tooMany)
}

/** What is rejected must be what we sent, unmodified and in our order. */
export function isPartOf(rejected: readonly ConfigOption[], ours: readonly ConfigOption[]): boolean {
  let at = 0
  for (const { type, data } of rejected) {
    while (at < ours.length && ours[at]!.type !== type) at++
    if (at === ours.length || !equalBytes(ours[at]!.data, data)) return false
    at++
  }
  return rejected.length > 0
}
