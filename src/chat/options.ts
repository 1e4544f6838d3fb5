/** What a chat engine is given and what it tells; `engine.ts` is the engine. */

import type { Substitutions } from './escapes.ts'
import type { NotYet, ScriptWord } from './script.ts'
import type { ReadFile } from './send-word.ts'

export interface ChatOptions extends Substitutions {
  /** The script: an array of words, or `scriptWords(text)`. */
  readonly words: Iterable<ScriptWord | NotYet>
  /** For each expect and each send, until TIMEOUT changes it. Infinity: no limit. */
  readonly timeoutMs?: number | undefined
  /** For `@file`. Without it none can be opened. */
  readonly readFile?: ReadFile | undefined
  /** Also log what is sent, expected and received (-v). */
  readonly verbose?: boolean | undefined
  /** Start with ECHO ON (-e). */
  readonly echo?: boolean | undefined
  /** Show every received byte besides (-V). */
  readonly echoReceived?: boolean | undefined
  /** Before each byte that is sent. */
  readonly paceMs?: number | undefined
  /** Of one report so many bytes are kept; 64 KiB unless told. */
  readonly longestReport?: number | undefined
  /** Run by a program that reads for it byte by byte and tells what its reads and writes came to: see `engine.ts`. */
  readonly pulled?: boolean | undefined
}

export type ChatEvent =
  /** A REPORT string and the rest of its line. `atMs`: when the string was complete. */
  | { readonly type: 'report'; readonly text: string; readonly atMs: number }
  /** For the terminal (stderr): SAY, and received bytes under ECHO. */
  | { readonly type: 'say' | 'echo'; readonly bytes: Uint8Array }
  /** Send a break now. Unless pulled, the engine waits while it lasts. */
  | { readonly type: 'break' }
  | { readonly type: 'hangup'; readonly ignore: boolean }
  | { readonly type: 'log'; readonly level: 'error' | 'info'; readonly text: string }
  /** The last one. `abortString` with exit codes from 4; `message`: the last thing logged about it, '' when all went well. */
  | ChatEnd

export interface ChatEnd {
  readonly type: 'end'
  readonly exitCode: number
  readonly abortString?: string
  readonly message: string
  /** A signal while it was ending already: nothing is put back any more. */
  readonly isSecondEnd?: true
}
