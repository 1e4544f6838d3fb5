/** `mmctl enable`, `disable` and `reset`: the modem's radio on and off, and the modem itself restarted. */

import type { Command } from 'commander'
import { chooseModem } from '../choose.ts'
import type { CommandTools } from '../command.ts'
import type { ExitCode } from '../exit-codes.ts'
import { clean } from '../output/text.ts'
import type { Session } from '../session.ts'
import { sayIfSlow } from '../slow.ts'
import { modemDocument } from '../views.ts'

export function addPowerCommands(program: Command, { command, run }: CommandTools): void {
  command(program, 'enable [modem]', "switches the modem's radio on", 'mmctl enable').action((modem?: string) =>
    run((session) => switchModem(session, modem, true)),
  )
  command(program, 'disable [modem]', "switches the modem's radio off", 'mmctl disable 0').action((modem?: string) =>
    run((session) => switchModem(session, modem, false)),
  )
  command(program, 'reset [modem]', 'restarts the modem (administrator); its links end', 'mmctl reset imei_3569')
    .option('--hard', 'from outside, by its USB port or its power line, where the modem does not answer')
    .action((modem: string | undefined, { hard }: { hard?: true }) =>
      run((session) => resetModem(session, modem, hard === true)),
    )
}

/** Modems take long over +CFUN. */
const TIMEOUT_MS = 60_000

export async function switchModem(
  session: Session,
  wanted: string | undefined,
  on: boolean,
): Promise<ExitCode | undefined> {
  const daemon = await session.load()
  const { output } = session
  const { path, id } = chooseModem(daemon, wanted)
  const switched = daemon.call(path, 'Modem1', on ? 'Enable' : 'Disable', '', [], TIMEOUT_MS)
  await sayIfSlow(session, `${id} is being ${on ? 'enabled' : 'disabled'} …`, [switched])
  if (output.json) {
    await daemon.load()
    output.document(modemDocument(chooseModem(daemon, id)))
  } else output.print(`${clean(id)} is ${on ? 'enabled' : 'disabled'}.`)
  return undefined
}

async function resetModem(session: Session, wanted: string | undefined, hard: boolean): Promise<ExitCode | undefined> {
  const daemon = await session.load()
  const { output } = session
  const { path, id } = chooseModem(daemon, wanted)
  const reset = daemon.call(path, 'Modem1', 'Reset', 'b', [hard], TIMEOUT_MS)
  await sayIfSlow(session, `${id} is being restarted …`, [reset])
  if (output.json) output.document({ id, reset: hard ? 'hard' : 'soft' })
  else output.print(`${clean(id)} restarts; \`mmctl monitor\` shows when it is back.`)
  return undefined
}
