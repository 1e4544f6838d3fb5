/**
 * What differs between modem families, as data and small functions. `generic.ts` is the base after the 3GPP standards; a vendor's
 * driver names only what it does otherwise. The core never asks which driver it has.
 */

import type { AtReply } from '../at/channel.ts'
import type { TriesLeft } from '../at/replies/pin-tries.ts'
import type { SignalMeasure } from '../at/replies/signal-measure.ts'
import type { ModemSnapshot, SimStatus } from '../snapshot.ts'
import type { Change } from '../state.ts'

/** What some answers cannot be read without. */
export interface QueryFacts {
  readonly simStatus?: SimStatus | undefined
  /** As +CGMM has it. */
  readonly model?: string | undefined
}

/** A question that may be asked in more than one way: the first answer that can be read counts. */
export interface Query<T> {
  readonly command: string
  /** Heads that the answer may have beside the command's own. */
  readonly expects?: readonly string[]
  parse(lines: readonly string[], facts: QueryFacts): T | undefined
}

/** When a report came, and what was known until then, for those that carry a part of something. */
export interface ReportContext {
  readonly wallUs: bigint
  readonly snapshot: ModemSnapshot
}

/** How a modem wants +CUSD's string: as it is, as packed septets in hexadecimal, or as UCS2 in hexadecimal. */
export type UssdForm = 'plain' | 'packed' | 'ucs2'

export interface GpsSwitch {
  /** AT commands. */
  readonly on: readonly string[]
  readonly off: readonly string[]
  /** Lines for the receiver's own port. */
  readonly port?: { readonly on: string; readonly off: string } | undefined
}

/** User and password of a context, for a network that asks for them before PPP does. */
export interface ContextLogIn {
  readonly cid: number
  /** `IP`, `IPV6` or `IPV4V6`. */
  readonly type: string
  readonly apn: string
  readonly username: string
  readonly password: string
  readonly auth: 'pap' | 'chap' | 'any'
}

export interface ModemDriver {
  readonly name: string
  /** `12d1:*`, `05c6:9215`; also for those whose maker's id says nothing, by their own word for it (+CGMI). */
  readonly usbIds: readonly string[]
  readonly manufacturers: RegExp | undefined
  /** Sent on every port before its first command; each is optional and its error is no failure. */
  readonly portInit: readonly string[]
  /** What makes the modem tell when a SIM is taken out or put in; sent before it is looked at, and optional likewise. */
  readonly simInit: readonly (readonly string[])[]
  /** Sent once the SIM is ready, on the control port; optional likewise. Later ones of a group only where the one before failed. */
  readonly networkInit: readonly (readonly string[])[]
  /** Commands of `networkInit` and `registration` that these models are spared: they are known not to know them. */
  readonly unknownTo?: Readonly<Record<string, RegExp>> | undefined
  readonly manufacturer: readonly Query<string>[]
  readonly model: readonly Query<string>[]
  readonly revision: readonly Query<string>[]
  readonly imei: readonly Query<string>[]
  readonly iccid: readonly Query<string>[]
  readonly triesLeft: readonly Query<TriesLeft>[]
  /** Registration queries; one that answers with an error is not asked again. */
  readonly registration: readonly string[]
  /** Of each group the first that can be read, all put together, the earlier group's values first. Not asked again after an error. */
  readonly signal: readonly (readonly Query<SignalMeasure>[])[]
  /** The technology finer than +COPS and +CEREG tell it, asked with the signal; [] for none. */
  readonly technology: readonly Query<readonly string[]>[]
  /** Tried before the usual ones; undefined: plain, then packed. */
  readonly ussdForms?: readonly UssdForm[] | undefined
  /** Of a receiver for satellites: what makes it speak on its port, and what silences it; each optional. undefined: it needs nothing. */
  readonly gps?: GpsSwitch | undefined
  /** The first that the modem accepts; it dials all the same where it accepts none. What is in quotes holds none. */
  contextLogIn(logIn: ContextLogIn): readonly string[]
  /** What makes a port beside the call tell what becomes of its context (+CGEV); the first that the modem accepts. */
  readonly packetReports: readonly string[]
  readonly radioOn: string
  /** The first that the modem accepts. */
  readonly radioOff: readonly string[]
  readonly reset: readonly string[]
  /** By the head of the line (`^RSSI`); undefined for what is not news. */
  readonly reports: Readonly<Record<string, (line: string, context: ReportContext) => Change | undefined>>
}

/** Asks in turn until one answer can be read. */
export async function ask<T>(
  attempt: (text: string, options: { expects?: readonly string[] }) => Promise<AtReply>,
  queries: readonly Query<T>[],
  facts: QueryFacts = {},
): Promise<T | undefined> {
  for (const { command, expects, parse } of queries) {
    const reply = await attempt(command, expects ? { expects } : {})
    const value = reply.isOk ? parse(reply.lines, facts) : undefined
    if (value !== undefined) return value
  }
  return undefined
}
