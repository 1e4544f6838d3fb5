/** `mmctl sim`: the SIM's state, its PIN and its PUK. Which tries are allowed is modemd's to say (the PIN guard). */

import type { Command } from 'commander'
import { chooseModem } from '../choose.ts'
import type { CommandTools } from '../command.ts'
import { type Daemon, type Modem, Properties } from '../daemon.ts'
import { CliError } from '../errors.ts'
import type { ExitCode } from '../exit-codes.ts'
import { propertiesToJson } from '../output/json.ts'
import { type Pair, pairs } from '../output/table.ts'
import { clean } from '../output/text.ts'
import { askNewSecret, askSecret, checkPin, checkPuk, readSecretFile } from '../secrets.ts'
import type { Session } from '../session.ts'
import { sayIfSlow } from '../slow.ts'
import { cleanText } from '../views.ts'

/** Where the secrets come from: files, or the terminal where none is named. */
interface SecretOptions {
  readonly pinFile?: string
  readonly newPinFile?: string
  readonly pukFile?: string
  readonly lastTry?: true
}

type SimAction = (session: Session, modem: string | undefined, options: SecretOptions) => Promise<ExitCode | undefined>

const PIN_FILE = ['--pin-file <file>', 'its first line is the PIN (- for standard input)'] as const
const NEW_PIN_FILE = ['--new-pin-file <file>', 'its first line is the new PIN'] as const
const PUK_FILE = ['--puk-file <file>', 'its first line is the PUK (- for standard input)'] as const
const LAST_TRY = ['--last-try', 'also with the last try that is left: a wrong PIN blocks the SIM'] as const

export function addSimCommands(program: Command, { command, run }: CommandTools): void {
  const sim = command(program, 'sim', 'the SIM, its PIN and its PUK', 'mmctl sim unlock --pin-file ~/.pin')
  command(sim, 'status [modem]', "the SIM's state and how many tries are left", 'mmctl sim status').action(
    (modem?: string) => run((session) => showSim(session, modem)),
  )
  const add = (
    name: string,
    description: string,
    example: string,
    options: readonly (readonly [string, string])[],
    action: SimAction,
  ) => {
    const created = command(sim, `${name} [modem]`, description, example)
    for (const [flags, meaning] of options) created.option(flags, meaning)
    created.action((modem: string | undefined, chosen: SecretOptions) =>
      run((session) => action(session, modem, chosen)),
    )
  }
  const example = (name: string) => `mmctl sim ${name}`
  add('unlock', 'enters the PIN', example('unlock'), [PIN_FILE, LAST_TRY], unlockSim)
  add('puk', 'enters the PUK and a new PIN', example('puk'), [PUK_FILE, NEW_PIN_FILE], unblockSim)
  add('change-pin', 'sets another PIN', example('change-pin'), [PIN_FILE, NEW_PIN_FILE, LAST_TRY], changePin)
  add(
    'enable-pin',
    'the SIM asks for its PIN from now on',
    example('enable-pin'),
    [PIN_FILE, LAST_TRY],
    enablePin(true),
  )
  add('disable-pin', 'the SIM asks for its PIN no more', example('disable-pin'), [PIN_FILE, LAST_TRY], enablePin(false))
}

/** A try, and the wait until the modem is ready for more. */
const TIMEOUT_MS = 60_000

export async function showSim(session: Session, wanted: string | undefined): Promise<ExitCode | undefined> {
  const modem = chooseModem(await session.load(), wanted)
  printSim(session, modem)
  return undefined
}

const unlockSim: SimAction = async (session, wanted, options) => {
  const daemon = await session.load()
  const modem = chooseModem(daemon, wanted)
  const isOpen = isReady(modem)
  if (isAsking(modem, 'puk')) throw blocked(modem)
  refuseWithoutSim(modem)
  // A file that could not do its work one day is told now, not then.
  const pin = isOpen && options.pinFile === undefined ? undefined : await getPin(session, modem, options.pinFile)
  if (!isOpen) await send(session, daemon, modem, lastTryOf('SendPin', options), 's', [pin])
  return done(session, daemon, modem, isOpen ? 'needs no PIN now: it is unlocked already' : 'is unlocked')
}

const unblockSim: SimAction = async (session, wanted, options) => {
  const daemon = await session.load()
  const modem = chooseModem(daemon, wanted)
  refuseWithoutSim(modem)
  if (!isAsking(modem, 'puk')) {
    const instead = isAsking(modem, 'pin') ? 'its PIN: run `mmctl sim unlock`' : 'nothing now'
    throw new CliError('org.modemd.Error.WrongState', `the SIM in ${modem.id} asks for ${instead}`)
  }
  requireOneStdin(options.pukFile, options.newPinFile)
  const puk = checkPuk(await getSecret(session, modem, 'PUK', options.pukFile))
  const newPin = await getNewPin(session, options.newPinFile)
  await send(session, daemon, modem, 'SendPuk', 'ss', [puk, newPin])
  return done(session, daemon, modem, 'is unlocked, with the new PIN')
}

const changePin: SimAction = async (session, wanted, options) => {
  const daemon = await session.load()
  const modem = chooseOpenModem(daemon, wanted)
  requireOneStdin(options.pinFile, options.newPinFile)
  const pin = await getPin(session, modem, options.pinFile)
  const newPin = await getNewPin(session, options.newPinFile)
  await send(session, daemon, modem, lastTryOf('ChangePin', options), 'ss', [pin, newPin])
  return done(session, daemon, modem, 'has the new PIN')
}

function enablePin(on: boolean): SimAction {
  return async (session, wanted, options) => {
    const daemon = await session.load()
    const modem = chooseOpenModem(daemon, wanted)
    const pin = await getPin(session, modem, options.pinFile)
    await send(session, daemon, modem, lastTryOf('EnablePin', options), 'sb', [pin, on])
    return done(session, daemon, modem, on ? 'asks for its PIN from now on' : 'asks for its PIN no more')
  }
}

function lastTryOf(method: string, { lastTry }: SecretOptions): string {
  return lastTry ? `${method}LastTry` : method
}

async function send(
  session: Session,
  daemon: Daemon,
  modem: Modem,
  method: string,
  signature: string,
  values: unknown[],
): Promise<void> {
  const sent = daemon.call(modem.path, 'Sim1', method, signature, values, TIMEOUT_MS)
  await sayIfSlow(session, `waiting for the SIM in ${modem.id} …`, [sent])
}

async function done(session: Session, daemon: Daemon, modem: Modem, what: string): Promise<undefined> {
  if (session.output.json) {
    await daemon.load()
    printSim(session, chooseModem(daemon, modem.id))
  } else session.output.print(`The SIM in ${clean(modem.id)} ${what}.`)
  return undefined
}

/** PIN2 and PUK2 keep nobody out. */
function isReady(modem: Modem): boolean {
  return ['ready', 'pin2', 'puk2'].includes(modem.sim?.text('Status') ?? '')
}

function isAsking(modem: Modem, what: 'pin' | 'puk'): boolean {
  return modem.sim?.text('Status') === what
}

/** For what a locked SIM does not let anybody do: nothing is asked for in vain. */
function chooseOpenModem(daemon: Daemon, wanted: string | undefined): Modem {
  const modem = chooseModem(daemon, wanted)
  refuseWithoutSim(modem)
  if (isAsking(modem, 'puk')) throw blocked(modem)
  if (isAsking(modem, 'pin'))
    throw new CliError('org.modemd.Error.SimPin', `the SIM in ${modem.id} is locked: run \`mmctl sim unlock\` first`, {
      cause: 'sim-pin',
    })
  return modem
}

function blocked({ id }: Modem): CliError {
  return new CliError(
    'org.modemd.Error.SimPuk',
    `the SIM in ${id} is blocked and asks for its PUK: run \`mmctl sim puk\` with the PUK, which your operator gives you`,
    { cause: 'sim-puk' },
  )
}

function refuseWithoutSim(modem: Modem): void {
  const status = modem.sim?.text('Status')
  if (status !== 'absent' && modem.properties.text('State') !== 'absent-sim') return
  throw new CliError(
    'org.modemd.Error.SimAbsent',
    `there is no SIM in ${modem.id}: put one in; if it is not seen within some seconds, plug the modem in again`,
    { cause: 'sim-absent' },
  )
}

function requireOneStdin(...files: readonly (string | undefined)[]): void {
  if (files.filter((file) => file === '-').length > 1)
    throw CliError.usage('standard input has only one of them: give a file for the other')
}

async function getPin(session: Session, modem: Modem, file: string | undefined): Promise<string> {
  return checkPin(await getSecret(session, modem, 'PIN', file))
}

function getSecret(session: Session, modem: Modem, what: 'PIN' | 'PUK', file: string | undefined): Promise<string> {
  if (file !== undefined) return Promise.resolve(readFileSecret(session, file, what))
  const tries = modem.sim?.number(what === 'PIN' ? 'PinTries' : 'PukTries')
  const left = tries === undefined ? '' : ` (${tries} ${tries === 1 ? 'try' : 'tries'} left)`
  const question = `${what} for the SIM in ${clean(modem.id)}${left}`
  return askSecret(session.io, question, `--${what.toLowerCase()}-file`)
}

async function getNewPin(session: Session, file: string | undefined): Promise<string> {
  if (file !== undefined) return checkPin(readFileSecret(session, file, 'new PIN'))
  return askNewSecret(session.io, 'New PIN', '--new-pin-file', checkPin)
}

function readFileSecret(session: Session, file: string, what: string): string {
  return readSecretFile(file, what, (message) => session.output.complain(message))
}

function printSim({ output }: Session, modem: Modem): void {
  const sim = modem.sim ?? new Properties({})
  if (output.json) output.document({ modem: modem.id, ...propertiesToJson(sim.values) })
  else output.print(...pairs([['modem', clean(modem.id)], ...simPairs(sim)], output.width, ''))
}

export function simPairs(sim: Properties): readonly Pair[] {
  return [
    ['status', cleanText(sim, 'Status')],
    ['ICCID', cleanText(sim, 'Iccid')],
    ['operator', cleanText(sim, 'OperatorName')],
    ['PIN tries left', sim.number('PinTries')?.toString()],
    ['PUK tries left', sim.number('PukTries')?.toString()],
  ]
}
