/** `mmctl list`: a line a modem. The one command on the quick path of `main.ts`: keep its imports few. */

import type { Command } from 'commander'
import type { CommandTools } from '../command.ts'
import type { Daemon, Modem } from '../daemon.ts'
import type { ExitCode } from '../exit-codes.ts'
import type { Colors } from '../output/output.ts'
import { stateColor } from '../output/state-color.ts'
import { type Cell, type Column, table } from '../output/table.ts'
import { clean, wrap } from '../output/text.ts'
import { holderOf, listPorts } from '../port-holders.ts'
import type { Session } from '../session.ts'
import { modemDocument, technologyOf } from '../views.ts'

/** Loaded for `mmctl list` itself, which does without commander: types only. */
export function addList(program: Command, { command, run }: CommandTools): void {
  command(program, 'list', 'a line a modem', 'mmctl list --json').action(() => run(listModems))
}

const COLUMNS: readonly Column[] = [
  { title: '#' },
  { title: 'ID', minWidth: 12, isCutLast: true },
  { title: 'MODEL', minWidth: 8 },
  { title: 'STATE' },
  { title: 'OPERATOR', minWidth: 8 },
  { title: 'TECH' },
  { title: 'SIGNAL' },
  { title: 'LINK', minWidth: 8 },
]

export async function listModems(session: Session): Promise<ExitCode | undefined> {
  const daemon = await session.load()
  const { output } = session
  const modems = daemon.modems
  if (output.json) output.document(modems.map(modemDocument))
  else if (modems.length === 0) output.print(...wrap(`No modem is here${await whoHasIt(daemon)}.`, output.width))
  else {
    const rows = modems.map((modem) => row(modem, daemon, output.colors))
    output.print(...table(COLUMNS, rows, output.width))
  }
  return undefined
}

/** Behind "No modem is here": one that another program has is none that is unplugged. */
async function whoHasIt(daemon: Daemon): Promise<string> {
  const holder = holderOf(await listPorts(daemon).catch(() => []))
  return `: ${holder ?? '`mmctl doctor` looks for what is in the way'}`
}

function row(modem: Modem, daemon: Daemon, colors: Colors): readonly Cell[] {
  const { properties } = modem
  const state = properties.text('State') ?? ''
  const cells = [
    String(modem.index),
    modem.id,
    properties.text('Model') ?? '-',
    state,
    properties.text('OperatorName') ?? properties.text('OperatorCode') ?? '-',
    technologyOf(properties) || '-',
    signal(modem),
    linksOf(modem, daemon) || '-',
  ]
  return cells.map((text, index) => ({
    text: clean(text),
    paint: COLUMNS[index]!.title === 'STATE' ? stateColor(state, colors) : undefined,
  }))
}

function signal({ properties }: Modem): string {
  const quality = properties.number('SignalQuality')
  const dbm = properties.number('SignalDbm')
  if (quality !== undefined) return `${quality}%`
  return dbm === undefined ? '-' : `${dbm} dBm`
}

/** `internet`, or `internet dialling`: the links that use this modem now. */
function linksOf(modem: Modem, daemon: Daemon): string {
  return daemon.links
    .filter(({ properties }) => properties.text('Modem') === modem.path)
    .filter(({ properties }) => properties.text('State') !== 'idle')
    .map(({ id, properties }) => (properties.text('State') === 'up' ? id : `${id} ${properties.text('State')}`))
    .join(', ')
}
