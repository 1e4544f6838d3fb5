/** `mmctl register`: a network by its number, or the modem's own choice again. */

import type { Command } from 'commander'
import { chooseModem } from '../choose.ts'
import type { CommandTools } from '../command.ts'
import type { ExitCode } from '../exit-codes.ts'
import { countSeconds } from '../output/elapsed.ts'
import { clean } from '../output/text.ts'
import type { Session } from '../session.ts'
import { modemDocument } from '../views.ts'

/** Two minutes for the command, one for the network, two for the way back. */
const TIMEOUT_MS = 330_000

export function addRegister(program: Command, { command, run }: CommandTools): void {
  command(
    program,
    'register [plmn] [modem]',
    'registers with the network of that number, or with the one the modem chooses',
    'mmctl register 26201',
  ).action((first?: string, second?: string) => run((session) => register(session, first, second)))
}

async function register(
  session: Session,
  first: string | undefined,
  second: string | undefined,
): Promise<ExitCode | undefined> {
  const isPlmn = first === undefined || second !== undefined || /^\d{5,6}$/.test(first)
  const [plmn, wanted] = isPlmn ? [first ?? '', second] : ['', first]
  const daemon = await session.load()
  const { output } = session
  const { id, path } = chooseModem(daemon, wanted)
  const what = plmn === '' ? `${id} looks for a network` : `${id} registers with ${plmn}`
  await countSeconds(session, what, daemon.call(path, 'Modem1', 'Register', 's', [plmn], TIMEOUT_MS))
  await daemon.load()
  const modem = chooseModem(daemon, id)
  if (output.json) output.document(modemDocument(modem))
  else {
    const { properties } = modem
    const code = properties.text('OperatorCode')
    const name = properties.text('OperatorName')
    const network = name === undefined ? (code ?? 'a network') : code === undefined ? name : `${name} (${code})`
    const isRoaming = properties.text('Registration') === 'roaming'
    output.print(`${clean(id)} is registered with ${clean(network)}${isRoaming ? ', roaming' : ''}.`)
  }
  return undefined
}
