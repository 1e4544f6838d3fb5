/** `mmctl enable` and `mmctl disable`: the modem's radio on and off. */

import { chooseModem } from '../choose.ts'
import type { ExitCode } from '../exit-codes.ts'
import { clean } from '../output/text.ts'
import type { Session } from '../session.ts'
import { modemDocument } from '../views.ts'

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
  await daemon.call(path, 'Modem1', on ? 'Enable' : 'Disable', '', [], TIMEOUT_MS)
  if (output.json) {
    await daemon.load()
    output.document(modemDocument(chooseModem(daemon, id)))
  } else output.print(`${clean(id)} is ${on ? 'enabled' : 'disabled'}.`)
  return undefined
}
