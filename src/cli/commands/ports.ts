/** `mmctl ports`: every serial port of the machine, taken or left alone, and why. */

import type { Command } from 'commander'
import type { CommandTools } from '../command.ts'
import { Properties, type PropertyValues } from '../daemon.ts'
import type { ExitCode } from '../exit-codes.ts'
import { idOfPath, propertiesToJson } from '../output/json.ts'
import { type Column, pairs, table } from '../output/table.ts'
import { clean } from '../output/text.ts'
import type { Session } from '../session.ts'
import { cleanText } from '../views.ts'

const COLUMNS: readonly Column[] = [
  { title: 'PORT' },
  { title: 'DRIVER' },
  { title: 'USB ID' },
  { title: 'ROLE' },
  { title: 'TAKEN' },
  { title: 'OWNER', minWidth: 8 },
  { title: 'MODEM', minWidth: 12 },
]

export function addPorts(program: Command, { command, run }: CommandTools): void {
  command(program, 'ports', 'every serial port, taken or left alone', 'mmctl ports --explain')
    .option('--explain', 'with the reason for each')
    .action(({ explain }: { explain?: true }) => run((session) => showPorts(session, explain === true)))
}

async function showPorts(session: Session, explain: boolean): Promise<ExitCode | undefined> {
  const daemon = await session.load()
  const { output } = session
  const [list] = (await daemon.manage('ListPorts')) as [readonly PropertyValues[]]
  const ports = list.map((values) => new Properties(values))
  if (output.json) output.document(ports.map(document))
  else if (ports.length === 0) output.print('No serial port is here.')
  else if (explain) for (const port of ports) output.print(...explanation(port, output.width))
  else output.print(...table(COLUMNS, ports.map(row), output.width))
  return undefined
}

function document({ values }: Properties): Record<string, unknown> {
  const { modem, ...rest } = values
  return { ...propertiesToJson(rest), ...(modem !== undefined && { modem: idOfPath(modem) }) }
}

function row(port: Properties) {
  const texts = ['name', 'driver', 'usbId', 'role', undefined, 'owner', undefined]
  const cells = texts.map((name) => (name && cleanText(port, name)) ?? '-')
  cells[4] = isTaken(port) ? 'yes' : 'no'
  cells[6] = modemOf(port) ?? '-'
  return cells.map((text) => ({ text }))
}

function explanation(port: Properties, width: number): string[] {
  const name = cleanText(port, 'name') ?? '?'
  return [
    `${name} is ${isTaken(port) ? 'taken' : 'left alone'}`,
    ...pairs(
      [
        ['why', cleanText(port, 'reason')],
        ['role', cleanText(port, 'role')],
        ['modem', modemOf(port)],
        ['owner', cleanText(port, 'owner')],
        ['driver', cleanText(port, 'driver')],
        ['USB id', cleanText(port, 'usbId')],
        ['USB class', cleanText(port, 'interfaceClass')],
        ['device', cleanText(port, 'device')],
      ],
      width,
    ),
  ]
}

function isTaken({ values }: Properties): boolean {
  return values.taken === true
}

function modemOf(port: Properties): string | undefined {
  const path = port.text('modem')
  return path === undefined ? undefined : clean(idOfPath(path))
}
