/** mmctl's commands and options (commander), and what their misuse answers. Called by `main.ts`. */

import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import type { Clock } from '../base/ports.ts'
import { ENGINE_CHOICES, IP_CHOICES } from '../base/values.ts'
import { VERSION } from '../base/version.ts'
import { type ConnectFlags, connectLink } from './commands/connect.ts'
import { disconnectLinks } from './commands/disconnect.ts'
import { listModems } from './commands/list.ts'
import { monitor } from './commands/monitor.ts'
import { switchModem } from './commands/power.ts'
import { addProfile, listProfiles, type ProfileFlags, removeProfile, showProfile } from './commands/profile.ts'
import { showSignal, watchSignal } from './commands/signal.ts'
import { showSim, unlockSim } from './commands/sim.ts'
import { showStatus } from './commands/status.ts'
import { explainFailure } from './commands/why.ts'
import { CliError } from './errors.ts'
import { EXIT, EXIT_CODE_HELP, type ExitCode } from './exit-codes.ts'
import type { Io } from './io.ts'
import { type GlobalOptions, Session } from './session.ts'

const LONGEST_TIMEOUT_S = 3600

/** What modemd has now; modemd.conf(5) may name more. */

/** Whose help a wrong use points to. */
const commandOfError = new WeakMap<CommanderError, string>()

type Run = (command: (session: Session) => Promise<ExitCode | undefined>) => Promise<void>

export async function runProgram(argv: readonly string[], io: Io, clock: Clock): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.done
  const program = createProgram(io)
  const run: Run = async (command) => {
    exitCode = await new Session(io, clock, program.opts<GlobalOptions>()).run(command)
  }
  addModemCommands(program, run)
  addLinkCommands(program, run)
  addSimCommands(program, run)
  addProfileCommands(program, run)
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

function addModemCommands(program: Command, run: Run): void {
  command(program, 'list', 'a line a modem', 'mmctl list --json').action(() => run(listModems))
  command(program, 'status [modem]', 'everything about modems, SIM, network, signal and links', 'mmctl status').action(
    (modem?: string) => run((session) => showStatus(session, modem)),
  )
  command(program, 'signal [modem]', 'level, quality and technology', 'mmctl signal --watch')
    .option('--watch', 'a live chart, or a line a change; until interrupted')
    .action((modem: string | undefined, { watch }: { watch?: true }) =>
      run((session) => (watch ? watchSignal(session, modem) : showSignal(session, modem))),
    )
  command(program, 'enable [modem]', "switches the modem's radio on", 'mmctl enable').action((modem?: string) =>
    run((session) => switchModem(session, modem, true)),
  )
  command(program, 'disable [modem]', "switches the modem's radio off", 'mmctl disable 0').action((modem?: string) =>
    run((session) => switchModem(session, modem, false)),
  )
  command(program, 'monitor', 'every change as it comes; until interrupted', 'mmctl monitor --json').action(() =>
    run(monitor),
  )
}

function addLinkCommands(program: Command, run: Run): void {
  command(
    program,
    'connect [profile]',
    'brings a link up, showing each phase with its time. Interrupted, it stops what it started',
    'mmctl connect internet --pin-file ~/.pin',
  )
    .option('--modem <modem>', 'connect without a profile, through this modem')
    .option('--apn <apn>', 'access point name')
    .option('--user <name>', 'user name')
    .option('--password-file <file>', 'its first line is the password (- for standard input)')
    .option('--pin-file <file>', "its first line is the SIM's PIN (- for standard input)")
    .option('--number <number>', 'what is dialled')
    .addOption(new Option('--ip <version>', 'IP version').choices(IP_CHOICES))
    .addOption(new Option('--engine <engine>', 'what runs PPP').choices(ENGINE_CHOICES))
    .option('--timeout <seconds>', 'give up after so long', timeoutSeconds)
    .option('--no-wait', 'start it and return')
    .action((profile: string | undefined, flags: ConnectFlags) =>
      run((session) => connectLink(session, profile, flags)),
    )
  command(program, 'disconnect [link]', 'takes a link down, until it is asked for again', 'mmctl disconnect --all')
    .option('--all', 'every link')
    .action((link: string | undefined, { all }: { all?: true }, self: Command) => {
      if (all && link !== undefined) self.error('error: give a LINK or --all, not both')
      return run((session) => disconnectLinks(session, link, all === true))
    })
  command(
    program,
    'why [modem-or-link]',
    'the last failure: what was seen, what it means, what to do, when it is tried again',
    'mmctl why internet',
  ).action((subject?: string) => run((session) => explainFailure(session, subject)))
}

function addSimCommands(program: Command, run: Run): void {
  const sim = command(program, 'sim', 'the SIM and its PIN', 'mmctl sim unlock --pin-file ~/.pin')
  command(sim, 'status [modem]', "the SIM's state and how many tries are left", 'mmctl sim status').action(
    (modem?: string) => run((session) => showSim(session, modem)),
  )
  command(sim, 'unlock [modem]', 'asks for the PIN on the terminal, without echo', 'mmctl sim unlock')
    .option('--pin-file <file>', 'its first line is the PIN (- for standard input)')
    .action((modem: string | undefined, { pinFile }: { pinFile?: string }) =>
      run((session) => unlockSim(session, modem, pinFile)),
    )
}

function addProfileCommands(program: Command, run: Run): void {
  const profile = command(program, 'profile', 'how links are made', 'mmctl profile add internet --apn web.example')
  command(profile, 'list', 'a line a profile', 'mmctl profile list').action(() => run(listProfiles))
  command(
    profile,
    'show [profile]',
    'what a profile says otherwise than the defaults, without its secrets',
    'mmctl profile show internet',
  )
    .option('--all', 'the redial rules, too')
    .action((name: string | undefined, { all }: { all?: true }) =>
      run((session) => showProfile(session, name, all === true)),
    )
  command(profile, 'add <name>', 'makes a profile', 'mmctl profile add internet --apn web.example --autoconnect')
    .option('--apn <apn>', 'access point name')
    .option('--user <name>', 'user name')
    .option('--password-file <file>', 'its first line is the password (- for standard input)')
    .option('--pin-file <file>', "its first line is the SIM's PIN (- for standard input)")
    .option('--number <number>', 'what is dialled')
    .option('--modem <modem>', 'any, an id, imei:…, usb:1-2 or tty:…')
    .addOption(new Option('--ip <version>', 'IP version').choices(IP_CHOICES))
    .addOption(new Option('--engine <engine>', 'what runs PPP').choices(ENGINE_CHOICES))
    .option('--autoconnect', 'bring it up whenever its modem is there')
    .option('--no-autoconnect', 'bring it up when asked')
    .option('--roaming', "use foreign operators' networks too")
    .option('--set <key=value>', 'any other key of modemd.conf(5); may be repeated', collect)
    .action((name: string, flags: ProfileFlags) => run((session) => addProfile(session, name, flags)))
  command(profile, 'remove <profile>', 'removes a profile', 'mmctl profile remove internet').action((name: string) =>
    run((session) => removeProfile(session, name)),
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

function timeoutSeconds(text: string): number {
  const seconds = Number(text)
  if (text.trim() !== '' && seconds > 0 && seconds <= LONGEST_TIMEOUT_S) return seconds
  throw new InvalidArgumentError(`Give seconds, at most ${LONGEST_TIMEOUT_S}.`)
}

function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value]
}

function usageError(error: CommanderError): CliError {
  const what = error.message
    .replace(/^error: /, '')
    .replace(/\s*\n\s*/g, ' ')
    .replace(/\.$/, '')
  const path = commandOfError.get(error)
  return CliError.usage(`${what}: see \`mmctl ${path === undefined ? '' : `${path} `}--help\``)
}
