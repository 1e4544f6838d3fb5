/** A modem's short messages as the bus sees them. Numbers and texts are personal: only `read` gives them. */

import type { Cancel } from '../../../base/ports.ts'

/**
 * `receiving`: parts are still missing and awaited; `incomplete`: they did not come in time (should they come later, it is
 * `received` after all). `unsent`: a draft in the modem. `delivered` and `undelivered`: what a delivery report said of one that was
 * sent. `report`: a delivery report for a message that nobody remembers.
 */
export type MessageState =
  | 'receiving'
  | 'received'
  | 'incomplete'
  | 'unsent'
  | 'sending'
  | 'sent'
  | 'delivered'
  | 'undelivered'
  | 'failed'
  | 'report'

export interface MessageSnapshot {
  /** Unique among all modems while the daemon runs. */
  readonly id: string
  readonly state: MessageState
  /** Of the service centre, or when it was sent: ISO 8601 with the zone. */
  readonly timestamp?: string | undefined
  readonly parts: number
  /** How many of them are here; those that were sent. */
  readonly partsHere: number
  readonly encoding?: 'gsm7' | 'ucs2' | '8bit' | undefined
  /** Class 0: to be shown at once; the modem does not keep it. */
  readonly isFlash: boolean
  /** It is in the modem, and so outlives the daemon. */
  readonly isStored: boolean
}

export interface MessageMemory {
  /** `SM` (SIM), `ME` (modem). */
  readonly name: string
  readonly used: number
  readonly total: number
}

export interface MessagingSnapshot {
  /** The oldest first. */
  readonly messages: readonly MessageSnapshot[]
  /** Where new messages go; undefined where the modem does not say. */
  readonly memory?: MessageMemory | undefined
  /** New messages wait at the operator until some are deleted. */
  readonly isFull: boolean
}

export interface SendOptions {
  readonly wantsReport?: boolean | undefined
  /** How long the operator tries. */
  readonly validityMinutes?: number | undefined
  readonly isFlash?: boolean | undefined
}

export interface MessageContent {
  /** Who sent it, or whom it is for; may be a name. As the network gave it: anything may stand in it. */
  readonly number: string
  readonly text: string
}

export interface Messaging {
  readonly snapshot: MessagingSnapshot
  onChange(listener: (next: MessagingSnapshot, previous: MessagingSnapshot) => void): Cancel
  /** A message is complete, or given up on; not those that were there when the daemon began. */
  onReceived(listener: (id: string) => void): Cancel
  /** Resolves with the message's id when the network has taken all of it. Rejects with a ModemdError; the message is `failed` then. */
  send(to: string, text: string, options?: SendOptions): Promise<string>
  /** Throws a ModemdError NotFound. */
  read(id: string): MessageContent
  /** From the modem, too. Rejects with a ModemdError. */
  delete(id: string): Promise<void>
  countParts(text: string): { readonly parts: number; readonly encoding: 'gsm7' | 'ucs2' }
}
