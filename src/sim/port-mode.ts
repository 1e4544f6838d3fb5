/** What an AT port of a virtual modem is doing. Used by `at-port.ts`. */

import type { Answer } from './answer.ts'
import type { AtCommand } from './at-line.ts'
import type { DataPath } from './data-path.ts'
import type { ReplyFault } from './fault-table.ts'
import type { Fault } from './faults.ts'

/** The line's commands from `next` on; the answer to that one is due. */
export interface RunningMode {
  readonly name: 'running'
  readonly commands: readonly AtCommand[]
  readonly fault: Fault<ReplyFault> | undefined
  readonly lines: string[]
  next: number
  dueMs: number
  /** Of the command under way, once its text is there. */
  conclude?: (() => Answer) | undefined
}

/** `> ` was said: what comes up to ^Z is the text that the command waits for. */
export interface PromptMode {
  readonly name: 'prompt'
  readonly of: RunningMode
  readonly take: NonNullable<Answer['prompt']>
  text: string
}

export type PortMode =
  | { readonly name: 'command' }
  | RunningMode
  | PromptMode
  | { readonly name: 'data'; readonly path: DataPath }
