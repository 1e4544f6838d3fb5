/** A modem's USSD as the bus sees it. What the network says is personal (a balance, a code): only the methods give it. */

import type { Cancel } from '../../../base/ports.ts'

/** `active`: the network is asked; `user-response`: it asks, and waits for `respond` or `cancel`. */
export type UssdState = 'idle' | 'active' | 'user-response'

/** What the network says of itself: a question that wants an answer, or news. */
export type UssdMessageKind = 'request' | 'notification'

/** Every text is a stranger's: anything may stand in it, line ends too. */
export interface Ussd {
  readonly state: UssdState
  /** What the network said last, asked or unasked; undefined: nothing yet. */
  readonly lastText: string | undefined
  onChange(listener: (state: UssdState) => void): Cancel
  /** The network began, or ended a session with a word of its own; `lastText` has it. */
  onMessage(listener: (kind: UssdMessageKind) => void): Cancel
  /**
   * Resolves with the network's answer; `state` tells whether it waits for one of ours. Rejects with a ModemdError: InvalidArgs,
   * PinGuard, Busy, WrongState (a session is open), NoNetwork, Unsupported, Timeout, ModemGone, Sim….
   */
  initiate(code: string): Promise<string>
  /** In a session that waits: resolves and rejects likewise. */
  respond(text: string): Promise<string>
  /** Ends the session, whoever began it; nothing happens where there is none. */
  cancel(): Promise<void>
}
