/** modem-chat: chat(8) as a program, on standard input and output. docs/man/modem-chat.1 says what it does. */

import { systemClock } from '../system/clock.ts'
import { HELP_TEXT, usage, VERSION_TEXT } from './command/help.ts'
import { inspect } from './command/inspect.ts'
import { jsonLine } from './command/json.ts'
import { leave } from './command/leave.ts'
import { toStderr, toStdout } from './command/messages.ts'
import { ownArguments } from './command/own-bytes.ts'
import { ReportOutput } from './command/report-file.ts'
import { ScriptRun } from './command/run.ts'
import { type CommandLine, parseCommandLine } from './command-line.ts'

const { program, words } = ownArguments()
const commandLine = parseCommandLine(words)
if ('mode' in commandLine) carryOut(commandLine)
else {
  const reports = new ReportOutput(commandLine.reportFiles)
  const { message, isOurs, wantsJson } = commandLine
  toStderr(isOurs ? `modem-chat: ${message}\n` : usage(program))
  reports.flush()
  if (wantsJson) toStderr(jsonLine({ exitCode: 1, message, reports: [] }))
  leave(1)
}

function carryOut(commandLine: CommandLine): void {
  switch (commandLine.mode) {
    case 'run':
      new ScriptRun(commandLine, new ReportOutput(commandLine.reportFiles), systemClock).start(program)
      break
    case 'check':
    case 'dry-run':
      leave(inspect(commandLine))
      break
    case 'help':
      leave(toStdout(HELP_TEXT) ? 0 : 1)
      break
    case 'version':
      leave(toStdout(VERSION_TEXT) ? 0 : 1)
  }
}
