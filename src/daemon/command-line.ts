/** modemd's command line, the contract's (docs/man/modemd.8). Used by `main.ts`. */

import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { errorText } from '../base/errors.ts'
import { LOG_LEVELS, type LogLevel } from '../base/ports.ts'
import { VERSION } from '../base/version.ts'
import { resolveBusAddress } from '../bus/address.ts'
import { writeOutput } from '../system/output.ts'
import { errorPriority } from './logging.ts'

export interface CommandLine {
  readonly config?: string
  readonly bus?: string
  readonly root: string
  readonly logLevel?: LogLevel
  readonly check: boolean
}

const HELP = `
Exit codes:
  0  ended by SIGTERM or SIGINT, or --check found no fault
  1  a fault in the configuration, or another failure to start
  2  wrong usage

Example, without a modem: see modem-sim(1); with one:
  modemd --log-level debug
`

/** Ends the process where there is nothing to run: help, the version, wrong use. */
export function parseCommandLine(): CommandLine {
  const command = new Command('modemd')
    .description('Connection manager for GSM/LTE modems: finds them, dials, brings up PPP, tells D-Bus, redials.')
    .option('--config <FILE>', 'another modemd.conf, with conf.d/ and profiles/ beside it')
    .option('--bus <BUS>', 'system, session or an address (default: DBUS_SYSTEM_BUS_ADDRESS, else system)', usableBus)
    .option('--root <DIR>', 'put before /sys, /dev, /run, /var/lib and /etc (tests, demo)', '/')
    .addOption(new Option('--log-level <LEVEL>', 'how much to log').choices(LOG_LEVELS))
    .option('--check', 'read the configuration, print every fault as file:line: reason, and end', false)
    .version(VERSION)
    .addHelpText('after', HELP)
    .exitOverride()
    .configureOutput({ writeOut: print, outputError: tellWrongUse })
  try {
    return command.parse().opts<CommandLine>()
  } catch (error) {
    process.exit(error instanceof CommanderError && error.exitCode === 0 ? 0 : 2)
  }
}

/** As it is written; whether somebody answers there shows later. */
function usableBus(text: string): string {
  try {
    resolveBusAddress(text, process.env)
    return text
  } catch (error) {
    throw new InvalidArgumentError(errorText(error))
  }
}

/** Help and version: nothing is done after them. */
function print(text: string): void {
  if (!writeOutput('modemd', Buffer.from(text))) process.exit(1)
}

/** commander says `error: what`; every program here says `program: what happened: what to do`. */
function tellWrongUse(text: string, write: (text: string) => void): void {
  const what = text.trim().replace(/^error: /, '')
  write(`${errorPriority()}modemd: ${what.replace(/\s*\n\s*/g, ' ').replace(/\.$/, '')}: see modemd --help\n`)
}
