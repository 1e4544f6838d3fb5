/** mmctl's commands and options (commander), and what their misuse answers. Called by `main.ts`. */

import { Command, CommanderError } from 'commander'
import type { Clock } from '../base/ports.ts'
import { VERSION } from '../base/version.ts'
import type { AddCommands, CommandTools, Run } from './command.ts'
import { addApn } from './commands/apn.ts'
import { addAt } from './commands/at.ts'
import { addBugReport } from './commands/bug-report.ts'
import { addCompletion } from './commands/completion.ts'
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
  addCompletion,
]

/** Whose help a wrong use points to. */
const commandOfError = new WeakMap<CommanderError, string>()

export async function runProgram(argv: readonly string[], io: Io, clock: Clock): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.done
  let help = ''
  const program = createProgram(io, (text) => {
    help += text
  })
  const run: Run = async (command) => {
    exitCode = await new Session(io, clock, program.opts<GlobalOptions>()).run(command)
  }
  const tools: CommandTools = { run, command }
  for (const add of GROUPS) add(program, tools)
  const isJson = argv.includes('--json')
  const topic = helpTopic(argv)
  if (!isCommand(program, topic))
    return new Session(io, clock, { json: isJson }).fail(
      CliError.usage(`unknown command '${topic.join(' ')}': see \`mmctl --help\``),
    )
  try {
    // commander's own help takes one word.
    await program.parseAsync(topic.length > 0 ? [...topic, '--help'] : argv, { from: 'user' })
    return exitCode
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return EXIT.done
    const isHelp = error.code === 'commander.help'
    if (isHelp && !isJson) {
      io.stderr.write(help)
      return EXIT.usage
    }
    const fault = isHelp ? CliError.usage(`a command is missing: ${seeHelp(error)}`) : usageError(error)
    return new Session(io, clock, { json: isJson }).fail(fault)
  }
}

/** Of `mmctl help TOPIC…`, else nothing. */
function helpTopic(argv: readonly string[]): readonly string[] {
  const [first, ...topic] = argv.filter((word) => !word.startsWith('-'))
  return first === 'help' ? topic : []
}

function isCommand(program: Command, path: readonly string[]): boolean {
  let at: Command | undefined = program
  for (const name of path) at = at?.commands.find((each) => each.name() === name)
  return at !== undefined
}

/** `writeErr`: the help that is given instead of what a wrong use asked for. */
function createProgram(io: Io, writeErr: (text: string) => void): Command {
  return new Command('mmctl')
    .description('Controls modemd: modems, their SIM and their links.')
    .version(VERSION)
    .option('--bus <bus>', 'system, session or an address (default: DBUS_SYSTEM_BUS_ADDRESS, else system)')
    .option('--json', 'one JSON document instead of text')
    .configureHelp({ showGlobalOptions: true, helpWidth: io.stdout.columns ?? 80 })
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr,
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
  return CliError.usage(`${what}: ${seeHelp(error)}`)
}

function seeHelp(error: CommanderError): string {
  const path = commandOfError.get(error)
  return `see \`mmctl ${path === undefined ? '' : `${path} `}--help\``
}
