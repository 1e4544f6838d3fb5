/**
 * What differs between modem families, as data and small functions. `generic.ts` is the base after the 3GPP standards; a vendor's
 * driver names only what it does otherwise. The core never asks which driver it has.
 */

import type { AtReply } from '../at/channel.ts'
import type { TriesLeft } from '../at/replies/pin-tries.ts'
import type { Change } from '../state.ts'

/** A question that may be asked in more than one way: the first answer that can be read counts. */
export interface Query<T> {
  readonly command: string
  /** Heads that the answer may have beside the command's own. */
  readonly expects?: readonly string[]
  parse(lines: readonly string[]): T | undefined
}

/** When a report came, for those that carry a signal. */
export interface ReportContext {
  readonly wallUs: bigint
}

export interface ModemDriver {
  readonly name: string
  /** Sent on every port once it answers; each is optional and its error is no failure. */
  readonly portInit: readonly string[]
  /** Sent once the SIM is ready, on the control port; optional likewise. Later ones of a group only where the one before failed. */
  readonly networkInit: readonly (readonly string[])[]
  readonly manufacturer: readonly Query<string>[]
  readonly model: readonly Query<string>[]
  readonly revision: readonly Query<string>[]
  readonly imei: readonly Query<string>[]
  readonly iccid: readonly Query<string>[]
  readonly triesLeft: readonly Query<TriesLeft>[]
  /** Registration queries; one that answers with an error is not asked again. */
  readonly registration: readonly string[]
  readonly radioOn: string
  /** The first that the modem accepts. */
  readonly radioOff: readonly string[]
  readonly reset: string
  /** By the head of the line (`^RSSI`); undefined for what is not news. */
  readonly reports: Readonly<Record<string, (line: string, context: ReportContext) => Change | undefined>>
  /** Does the report say that the SIM's state may have changed? */
  isSimReport(line: string): boolean
}

/** Asks in turn until one answer can be read. */
export async function ask<T>(
  attempt: (text: string, options: { expects?: readonly string[] }) => Promise<AtReply>,
  queries: readonly Query<T>[],
): Promise<T | undefined> {
  for (const { command, expects, parse } of queries) {
    const reply = await attempt(command, expects ? { expects } : {})
    const value = reply.isOk ? parse(reply.lines) : undefined
    if (value !== undefined) return value
  }
  return undefined
}
