/** Where a chat engine is in its script; only `engine.ts` uses it. */

import type { ExpectLog } from './expect-log.ts'
import type { Expectation } from './expectation.ts'
import type { ChatEnd } from './options.ts'
import type { Sending } from './sending.ts'

export type State =
  | { readonly at: 'unopened' | 'between' | 'ended' }
  | { readonly at: 'expecting'; readonly expectation: Expectation; readonly log: ExpectLog | undefined }
  /** The script, or the file of a send (`word`), has more to come that is not there yet. */
  | { readonly at: 'waiting'; readonly word?: string }
  /** `pending`: put out, and when pulled not yet known to be done. */
  | { readonly at: 'sending'; readonly sending: Sending; pending?: 'bytes' | 'break' | undefined }
  /** All is over but for the end of a report that is being gathered. */
  | { readonly at: 'finishing'; readonly end: ChatEnd; dueMs: number }

export type StateAt<At> = Extract<State, { readonly at: At }>
