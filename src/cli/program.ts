/** mmctl's commands and options (commander), and what their misuse answers. Called by `main.ts`. */

import { Command, CommanderError } from 'commander'
import type { Clock } from '../base/ports.ts'
import { VERSION } from '../base/version.ts'
import type { AddCommands, CommandTools, Run } from './command.ts'
import { addApn } from './commands/apn.ts'
import { addAt } from './commands/at.ts'
import { addBugReport } from './commands/bug-report.ts'
import { addConnect } from './commands/connect.ts'
import { addDisconnect } from './commands/disconnect.ts'
import { addDoctor } from './commands/doctor.ts'
import { addInhibit } from './commands/inhibit.ts'
import { addList } from './commands/list.ts'
import { addMonitor } from './commands/monitor.ts'
import { addPorts } from './commands/ports.ts'
import { addPowerCommands } from './commands/power.ts'
import { addProfileCommands } from './commands/profile.ts'
import { addRegister } from './commands/register.ts'
import { addScan } from './commands/scan.ts'
import { addSignal } from './commands/signal.ts'
import { addSimCommands } from './commands/sim.ts'
import { addSmsCommands } from './commands/sms.ts'
import { addStatus } from './commands/status.ts'
import { addUssd } from './commands/ussd.ts'
import { addWhy } from './commands/why.ts'
import { CliError } from './errors.ts'
import { EXIT, EXIT_CODE_HELP, type ExitCode } from './exit-codes.ts'
import type { Io } from './io.ts'
import { type GlobalOptions, Session } from './session.ts'

/** In the order of the help. */
const GROUPS: readonly AddCommands[] = [
  addList,
  addStatus,
  addSignal,
  addScan,
  addRegister,
  addPowerCommands,
  addMonitor,
  addConnect,
  addDisconnect,
  addWhy,
  addSimCommands,
  addSmsCommands,
  addUssd,
  addProfileCommands,
  addApn,
  addAt,
  addPorts,
  addInhibit,
  addDoctor,
  addBugReport,
]

/** Whose help a wrong use points to. */
const commandOfError = new WeakMap<CommanderError, string>()

export async function runProgram(argv: readonly string[], io: Io, clock: Clock): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.done
  const program = createProgram(io)
  const run: Run = async (command) => {
    exitCode = await new Session(io, clock, program.opts<GlobalOptions>()).run(command)
  }
  const tools: CommandTools = { run, command }
  for (const add of GROUPS) add(program, tools)
  try {
    await program.parseAsync(argv, { from: 'user' })
    return exitCode
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return EXIT.done
    const isHelp = error.code === 'commander.help'
    return isHelp ? EXIT.usage : new Session(io, clock, { json: argv.includes('--json') }).fail(usageError(error))
  }
}

function createProgram(io: Io): Command {
  return new Command('mmctl')
    .description('Controls modemd: modems, their SIM and their links.')
    .version(VERSION)
    .option('--bus <bus>', 'system, session or an address (default: DBUS_SYSTEM_BUS_ADDRESS, else system)')
    .option('--json', 'one JSON document instead of text')
    .configureHelp({ showGlobalOptions: true, helpWidth: io.stdout.columns ?? 80 })
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      // `usageError` says it, in our form.
      outputError: () => {},
    })
    .exitOverride()
    .addHelpText(
      'after',
      `
A MODEM is its id, its number in \`list\`, its IMEI, a tty, or a part of its id
or model that no other has. It may be left out where there is only one. So it is
with LINK and PROFILE.

Example:
  mmctl connect            brings the link up and shows how
  mmctl why                says what went wrong last, and what to do

${EXIT_CODE_HELP}`,
    )
}

function command(parent: Command, usage: string, description: string, example: string): Command {
  const created = parent.command(usage)
  const path = [parent.name(), created.name()].filter((name) => name !== 'mmctl').join(' ')
  return created
    .description(description)
    .exitOverride((error) => {
      commandOfError.set(error, path)
      throw error
    })
    .addHelpText('after', `\nExample:\n  ${example}\n\n${EXIT_CODE_HELP}`)
}

function usageError(error: CommanderError): CliError {
  const what = error.message
    .replace(/^error: /, '')
    .replace(/\s*\n\s*/g, ' ')
    .replace(/\.$/, '')
  const path = commandOfError.get(error)
  return CliError.usage(`${what}: see \`mmctl ${path === undefined ? '' : `${path} `}--help\``)
}
