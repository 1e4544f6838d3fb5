/** `mmctl sim`: the SIM's state, and its PIN. Which tries are allowed is modemd's to say (the PIN guard). */

import { chooseModem } from '../choose.ts'
import { type Daemon, type Modem, Properties } from '../daemon.ts'
import { CliError } from '../errors.ts'
import type { ExitCode } from '../exit-codes.ts'
import { propertiesToJson } from '../output/json.ts'
import { type Pair, pairs } from '../output/table.ts'
import { clean } from '../output/text.ts'
import { askSecret, checkPin, readSecretFile } from '../secrets.ts'
import type { Session } from '../session.ts'
import { cleanText } from '../views.ts'

/** Unlocking ends when the modem is ready for more. */
const TIMEOUT_MS = 60_000

export async function showSim(session: Session, wanted: string | undefined): Promise<ExitCode | undefined> {
  const modem = chooseModem(await session.load(), wanted)
  printSim(session, modem)
  return undefined
}

export async function unlockSim(
  session: Session,
  wanted: string | undefined,
  pinFile: string | undefined,
): Promise<ExitCode | undefined> {
  const daemon = await session.load()
  const modem = chooseModem(daemon, wanted)
  const isOpen = modem.sim?.text('Status') === 'ready'
  refuseWithoutPin(modem)
  // A file that could not do its work one day is told now, not then.
  const pin = isOpen && pinFile === undefined ? undefined : checkPin(await getPin(session, modem, pinFile))
  if (!isOpen) await daemon.call(modem.path, 'Sim1', 'SendPin', 's', [pin], TIMEOUT_MS)
  const what = isOpen ? 'needs no PIN now: it is unlocked already' : 'is unlocked'
  if (session.output.json) printSim(session, await reloaded(daemon, modem))
  else session.output.print(`The SIM in ${clean(modem.id)} ${what}.`)
  return undefined
}

/** Where no PIN helps, none is asked for. */
function refuseWithoutPin(modem: Modem): void {
  const status = modem.sim?.text('Status')
  if (status === 'puk')
    throw new CliError(
      'org.modemd.Error.SimPuk',
      `the SIM in ${modem.id} is blocked and asks for its PUK: enter it in a telephone`,
      {
        cause: 'sim-puk',
      },
    )
  if (status === 'absent' || modem.properties.text('State') === 'absent-sim')
    throw new CliError(
      'org.modemd.Error.SimAbsent',
      `there is no SIM in ${modem.id}: put one in and plug the modem in again`,
      {
        cause: 'sim-absent',
      },
    )
}

async function getPin(session: Session, modem: Modem, pinFile: string | undefined): Promise<string> {
  if (pinFile !== undefined) return readSecretFile(pinFile, 'PIN', (message) => session.output.complain(message))
  const tries = modem.sim?.number('PinTries')
  const left = tries === undefined ? '' : ` (${tries} ${tries === 1 ? 'try' : 'tries'} left)`
  return askSecret(session.io, `PIN for the SIM in ${clean(modem.id)}${left}`, '--pin-file')
}

async function reloaded(daemon: Daemon, modem: Modem): Promise<Modem> {
  await daemon.load()
  return chooseModem(daemon, modem.id)
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
