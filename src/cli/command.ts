/**
 * How a command group is added: one file in `commands/` with `addX(program, tools)`, named in `GROUPS` of `program.ts`. What is
 * imported from commander at run time stays out of the files that `main.ts` loads for `mmctl list`.
 */

import type { Command } from 'commander'
import type { ExitCode } from './exit-codes.ts'
import type { Session } from './session.ts'

/** Runs a command with its session; what it resolves with is the exit code, 0 where undefined. */
export type Run = (command: (session: Session) => Promise<ExitCode | undefined>) => Promise<void>

export interface CommandTools {
  readonly run: Run
  /** Adds `usage` below `parent`, with its sentence, an example, and the exit codes in its help. */
  command(parent: Command, usage: string, description: string, example: string): Command
}

export type AddCommands = (program: Command, tools: CommandTools) => void
