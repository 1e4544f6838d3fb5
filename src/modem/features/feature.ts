/**
 * What a modem can do beside calls (messages, USSD, location, time, the console): each a class of its own, made by `modem.ts`
 * with a context, told of reports and bring-ups here, and reached from outside as one member of `ModemHandle`.
 *
 * To add one: `features/NAME/NAME.ts` (the class) and `features/NAME/snapshot.ts` (what the bus sees of it: an interface, its
 * immutable snapshot and `onChange`); its member in `ModemFeatures` of `snapshot.ts`; its line in `modem.ts`.
 */

import type { AtReply } from '../at/channel.ts'
import type { CommandOptions } from '../at/session.ts'
import type { ModemContext } from '../procedure.ts'

export interface FeatureContext extends ModemContext {
  /** As `attempt`, but an error result rejects with a ModemdError that says what it means. */
  command(text: string, options?: CommandOptions): Promise<AtReply>
}

/** One bring-up: its commands reject once it is over. */
export interface FeatureRound extends FeatureContext {
  readonly signal: AbortSignal
}

export interface ModemFeature {
  /** A line that the modem said unasked (a message's body is the line after its head). true: it was for this feature alone. */
  onReport?(line: string): boolean | undefined
  /**
   * After each bring-up, once the modem is registered (or some seconds later where it is not): the place for +CNMI and the
   * like. Where a call has the only port it is run again when the call is over; what it rejects with otherwise is logged.
   */
  onRound?(round: FeatureRound): Promise<void>
  /** A call is over: with one port nobody listened meanwhile. */
  onCallEnded?(): void
  /** The modem is gone or let go of: what waits rejects with modem-gone by itself. */
  onGone?(reason: string): void
}
