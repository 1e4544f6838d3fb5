/** `mmctl scan`: the networks around. It takes up to three minutes, so its seconds are counted. */

import type { Command } from 'commander'
import { chooseModem } from '../choose.ts'
import type { CommandTools } from '../command.ts'
import { Properties } from '../daemon.ts'
import type { ExitCode } from '../exit-codes.ts'
import { countSeconds } from '../output/elapsed.ts'
import { propertiesToJson } from '../output/json.ts'
import { type Column, table } from '../output/table.ts'
import { clean } from '../output/text.ts'
import type { Session } from '../session.ts'

/** A modem's own three minutes, and the queue before it. */
const TIMEOUT_MS = 240_000

const COLUMNS: readonly Column[] = [
  { title: 'PLMN' },
  { title: 'NAME', minWidth: 8 },
  { title: 'TECH' },
  { title: 'STATUS' },
]

export function addScan(program: Command, { command, run }: CommandTools): void {
  command(program, 'scan [modem]', 'the networks around; takes up to three minutes', 'mmctl scan --json').action(
    (modem?: string) => run((session) => scan(session, modem)),
  )
}

async function scan(session: Session, wanted: string | undefined): Promise<ExitCode | undefined> {
  const daemon = await session.load()
  const { output } = session
  const modem = chooseModem(daemon, wanted)
  const [answer] = await countSeconds(
    session,
    `${modem.id} looks for networks, which takes up to three minutes`,
    daemon.call(modem.path, 'Modem1', 'Scan', '', [], TIMEOUT_MS),
  )
  const networks = (answer as readonly Readonly<Record<string, unknown>>[]).map((each) => new Properties(each))
  if (output.json)
    output.document({ modem: modem.id, networks: networks.map(({ values }) => propertiesToJson(values)) })
  else if (networks.length === 0) output.print('No network was found: check the antenna and the place.')
  else {
    const cell = (network: Properties, name: string) => ({ text: clean(network.text(name) ?? '-') })
    const rows = networks.map((network) => ['plmn', 'name', 'technology', 'status'].map((name) => cell(network, name)))
    output.print(...table(COLUMNS, rows, output.width))
  }
  return undefined
}
