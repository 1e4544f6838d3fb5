/** The program modem-sim: a virtual modem with a virtual operator behind it, and `modem-sim ctl` to play with a running one. */

import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { errorText, ModemdError } from '../base/errors.ts'
import { type Logger, silentLogger } from '../base/ports.ts'
import { VERSION } from '../base/version.ts'
import { systemClock, systemRandom } from '../system/clock.ts'
import { writeError, writeOutput } from '../system/output.ts'
import { askControl, type ControlServer, listenControl } from './control.ts'
import { FAULT_LIST, STAGES } from './fault-table.ts'
import { IP_KINDS, NETWORK_MODES } from './network.ts'
import { type RawOptions, readOptions } from './options.ts'
import { PERSONALITY_NAMES } from './personality.ts'
import { seededRandom } from './seeded-random.ts'
import { type Readiness, Simulator } from './simulator.ts'

const FAILED = 1
const USAGE = 2
const HELP_WIDTH = 80

const FAULTS_HELP = `
Faults (for --fault and \`ctl SOCKET fault\`):
${FAULT_LIST.map((line) => wrapped(line, '  ', '      ')).join('\n')}
States for at=STATE:
${wrapped(STAGES.join(', '), '  ', '  ')}`

const HELP = `${FAULTS_HELP}

Exit codes:
  0  ended in order; ctl: done
  1  failed; ctl: refused, or nobody answers
  2  wrong use

Example:
  modem-sim --root /tmp/sim --pin 1234 --control /tmp/sim.ctl &
  modemd --root /tmp/sim
  modem-sim ctl /tmp/sim.ctl hangup`

const CTL_HELP = `
Commands:
  plug, unplug       the USB device
  hangup             the operator ends the call
  signal DBM|drift   how strong the network is received
  network MODE       ${NETWORK_MODES.join(', ')}; denied may have a cause
                     of 3GPP TS 24.008 behind it, like 13
  ussd TEXT [ask]    the network begins: news, or a question
  sms NUMBER TEXT [flash] [twice] [reversed] [lost=N]
                     somebody sends the modem a message; NUMBER may be a name;
                     its parts twice, in reverse, without part N
  sim remove         the SIM is taken out
  sim insert [ICCID] [pin=PIN]
                     it is put in again; with another number it is another
                     card, which asks for PIN, or for none
  silence SECONDS    the modem answers nothing for so long
  fault NAME [VALUE] [on=COMMAND] [at=STATE] [times=N|always] [after=SECONDS]
                     arms a fault of those below: for now, for a command, for
                     a state of the modem, or later
  fault              lists them; "fault clear" drops what is armed
  stats              commands seen, PIN tries spent, calls, bytes, drops, and
                     the faults that have struck
  ready              what there is
${FAULTS_HELP}`

/** Lines of whole words; the first has its own indent. */
function wrapped(text: string, first: string, next: string): string {
  const lines: string[] = []
  let line = first
  for (const word of text.split(' ')) {
    if (line.trim() !== '' && line.length + 1 + word.length > HELP_WIDTH) {
      lines.push(line)
      line = next + word
    } else line += line.trim() === '' ? word : ` ${word}`
  }
  return [...lines, line].join('\n')
}

interface RunOptions extends RawOptions {
  readonly json?: boolean
  readonly verbose?: boolean
}

function makeProgram(): Command {
  const program = new Command('modem-sim')
  program
    .description('A virtual modem with a virtual operator behind it.')
    .version(VERSION)
    .enablePositionalOptions()
    .option('--root <DIR>', 'make DIR/dev and DIR/sys as if the modem were plugged in')
    .option('--link <PATH>', 'just one tty, linked at PATH')
    .option('--tty <PATH>', 'speak on a tty that is there, as /dev/ttyGS0 (again for each of its ttys)', collect)
    .option('--personality <NAME>', `${PERSONALITY_NAMES.join(', ')}, or a JSON file`, 'generic')
    .option('--modems <N>', 'so many modems of the kind', '1')
    .option('--unplugged', 'start with the modems unplugged: `modem-sim ctl SOCKET plug` plugs them in')
    .option('--pin <PIN>', 'the SIM asks for this PIN')
    .option('--pin-tries <N>', 'tries that are left at the start', '3')
    .option('--puk <PUK>', 'its PUK', '12345678')
    .option('--no-sim', 'the slot is empty')
    .addOption(
      new Option('--network <MODE>', 'how the network takes the SIM').choices([...NETWORK_MODES]).default('home'),
    )
    .option('--register-after <TIME>', 'how long registration takes, like 2s or 300ms')
    .option('--signal <DBM>', 'dBm, or drift', '-71')
    .option('--apn <NAME[:USER:PASSWORD]>', 'the one APN that is known, and who is let in (default: any, anybody)')
    .addOption(
      new Option('--ip <KINDS>', 'addresses that a context may have: 4 and 6 refuse one of both')
        .choices([...IP_KINDS])
        .default('46'),
    )
    .addOption(
      new Option('--auth <PROTOCOL>', 'what PPP asks for').choices([
        'none',
        'pap',
        'chap',
        'mschap',
        'mschapv2',
        'eap',
      ]),
    )
    .option('--latency <MS>', "of each reply, in place of the personality's")
    .option('--speed <BIT/S>', 'of a call, like 7.2M (default: no limit)')
    .option('--connect-string <TEXT>', 'in place of the personality\'s, e.g. "CONNECT 7200000"')
    .option('--pool <NETWORK>', 'addresses for callers; the first is the operator', '10.64.0.0/16')
    .option('--pool6 <NETWORK>', 'IPv6 prefixes for callers, or none', 'fd64:64::/48')
    .option('--dns <ADDRESSES>', 'name servers told to callers', '10.64.0.53,10.64.0.54')
    .addOption(
      new Option(
        '--internet <KIND>',
        'behind the operator: tun is a network namespace with a web server, echo answers ping and HTTP without privileges',
      )
        .choices(['tun', 'echo', 'none'])
        .default('echo'),
    )
    .option('--seed <N>', 'repeat chance')
    .option('--fault <TEXT>', 'arm a fault from the start, e.g. "busy times=2"', collect)
    .option('--control <SOCKET>', 'listen for modem-sim ctl')
    .option('--json', 'the ready line as JSON')
    .option('--verbose', 'tell on stderr what happens')
    .addHelpText('after', HELP)
    .action((options: RunOptions) => run(options))
  program
    .command('ctl')
    .description('tell a running modem-sim what happens; the answer is a line of JSON')
    .argument('<socket>', 'its --control')
    .argument('<command>', 'see below')
    .argument('[args...]')
    .option('--modem <N>', 'only this one, from 0', readIndex)
    .passThroughOptions()
    .addHelpText('after', CTL_HELP)
    .action((socket: string, command: string, args: string[], options: { modem?: number }) =>
      control(socket, command, args, options.modem),
    )
  for (const each of [program, ...program.commands]) {
    each
      .exitOverride()
      .configureOutput({ writeOut: print, writeErr: printError, outputError: tellWrongUse })
      .configureHelp({ helpWidth: HELP_WIDTH, minWidthToWrap: 24 })
  }
  return program
}

async function run(raw: RunOptions): Promise<void> {
  const options = readOptions(raw)
  const random = options.seed === undefined ? systemRandom : seededRandom(options.seed)
  const ended = endSignal()
  const simulator = await Simulator.start(options, {
    clock: systemClock,
    random,
    logger: raw.verbose ? stderrLogger : silentLogger,
  })
  // Also when something unforeseen ends the process.
  process.on('exit', () => simulator.files.close())
  let server: ControlServer | undefined
  try {
    if (options.control !== undefined) server = await listenControl(options.control, simulator)
    if (say(`${readyLine(simulator.readiness, raw.json === true)}\n`)) await ended
    else process.exitCode = FAILED
  } finally {
    await server?.close()
    await simulator.close()
  }
}

async function control(
  socket: string,
  command: string,
  args: readonly string[],
  modem: number | undefined,
): Promise<void> {
  const answer = await askControl(socket, { command, args, modem })
  const isSaid = say(`${answer}\n`)
  if (!isSaid || !(JSON.parse(answer) as { ok?: boolean }).ok) process.exitCode = FAILED
}

function endSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => resolve())
  })
}

function readyLine(readiness: Readiness, isJson: boolean): string {
  if (isJson) return JSON.stringify({ ready: true, ...readiness })
  const ttys = readiness.modems.flatMap((modem) => modem.ttys).join(' ')
  const page = readiness.page === undefined ? '' : `, the operator's page is ${readiness.page}`
  const place = ttys === '' ? ', unplugged' : ` on ${ttys}`
  return `modem-sim: ready: ${readiness.personality}${place}${page}`
}

const stderrLogger: Logger = {
  error: tell,
  warn: tell,
  info: tell,
  debug: tell,
}

function tell(message: string, fields?: Parameters<Logger['info']>[1]): void {
  const details = Object.entries(fields ?? {}).map(([key, value]) => ` ${key}=${value}`)
  printError(`modem-sim: ${message}${details.join('')}\n`)
}

/** False: it could not be written. */
function say(text: string): boolean {
  return writeOutput('modem-sim', Buffer.from(text))
}

/** Help and version: nothing is done after them. */
function print(text: string): void {
  if (!say(text)) process.exit(FAILED)
}

function printError(text: string): void {
  writeError(Buffer.from(text))
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

function readIndex(value: string): number {
  if (!/^\d+$/.test(value)) throw new InvalidArgumentError('It is an index from 0.')
  return Number(value)
}

/** commander says `error: what`; every program here says `program: what happened: what to do`. */
function tellWrongUse(text: string, write: (text: string) => void): void {
  write(
    `${text
      .trim()
      .replace(/^error: /, 'modem-sim: ')
      .replace(/\s*\n\s*/g, ' ')
      .replace(/\.?$/, '')}: see modem-sim --help\n`,
  )
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE
  printError(`modem-sim: ${errorText(error)}\n`)
  return error instanceof ModemdError && error.code === 'InvalidArgs' ? USAGE : FAILED
}

makeProgram()
  .parseAsync()
  .catch((error) => {
    process.exitCode = exitCodeOf(error)
  })
  // Nothing is left that could still be wanted; a handle that lingers must not hold the process.
  .finally(() => process.exit())
