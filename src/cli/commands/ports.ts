/** `mmctl ports`: every serial port of the machine, taken or left alone, and why. */

import type { Command } from 'commander'
import { sleep } from '../../base/ports.ts'
import type { CommandTools } from '../command.ts'
import type { Daemon, Properties } from '../daemon.ts'
import type { ExitCode } from '../exit-codes.ts'
import { idOfPath, propertiesToJson } from '../output/json.ts'
import { type Column, pairs, table } from '../output/table.ts'
import { clean } from '../output/text.ts'
import { isHeldByAnother, listPorts } from '../port-holders.ts'
import type { Session } from '../session.ts'
import { sayIfSlow } from '../slow.ts'
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
    .option('--rescan', 'look for modems anew before, also where one was silent')
    .action((options: PortsOptions) => run((session) => showPorts(session, options)))
}

interface PortsOptions {
  readonly explain?: true
  readonly rescan?: true
}

async function showPorts(session: Session, { explain, rescan }: PortsOptions): Promise<ExitCode | undefined> {
  const daemon = await session.load()
  const { output } = session
  const ports = rescan
    ? await sayIfSlow(session, 'modemd asks the ports …', [portsAfterRescan(session, daemon)])
    : await listPorts(daemon)
  if (output.json) output.document(ports.map(portDocument))
  else if (ports.length === 0) output.print('No serial port is here.')
  else if (explain) for (const port of ports) output.print(...explanation(port, output.width))
  else output.print(...table(COLUMNS, ports.map(row), output.width))
  return undefined
}

/** modemd looks within a second; a port is asked for up to three. */
const LOOK_MS = 1000
const AGAIN_MS = 300
const LONGEST_MS = 8000

/** As they are once no port is being asked any more. */
async function portsAfterRescan(session: Session, daemon: Daemon): Promise<readonly Properties[]> {
  const { clock } = session
  const sinceMs = clock.nowMs()
  await daemon.manage('Rescan')
  await sleep(clock, LOOK_MS)
  for (;;) {
    const ports = await listPorts(daemon)
    const isAsking = ports.some((port) => /just being asked/.test(port.text('reason') ?? ''))
    if (!isAsking || clock.nowMs() - sinceMs > LONGEST_MS) return ports
    await sleep(clock, AGAIN_MS)
  }
}

export function portDocument({ values }: Properties): Record<string, unknown> {
  const { modem, ...rest } = values
  return { ...propertiesToJson(rest), ...(modem !== undefined && { modem: idOfPath(modem) }) }
}

function row(port: Properties) {
  const texts = ['name', 'driver', 'usbId', undefined, undefined, 'owner', undefined]
  const cells = texts.map((name) => (name && cleanText(port, name)) ?? '-')
  cells[3] = roleOf(port) ?? '-'
  cells[4] = isHeldByAnother(port) ? 'busy' : isTaken(port) ? 'yes' : 'no'
  cells[6] = modemOf(port) ?? '-'
  return cells.map((text) => ({ text }))
}

function explanation(port: Properties, width: number): string[] {
  const name = cleanText(port, 'name') ?? '?'
  return [
    `${name} is ${isHeldByAnother(port) ? 'busy' : isTaken(port) ? 'taken' : 'left alone'}`,
    ...pairs(
      [
        ['why', cleanText(port, 'reason')],
        ['role', roleOf(port)],
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

/** A port that could not be asked is `ignored`, whatever it is. */
function roleOf(port: Properties): string | undefined {
  const role = cleanText(port, 'role')
  return role === 'ignored' && isHeldByAnother(port) ? undefined : role
}

function modemOf(port: Properties): string | undefined {
  const path = port.text('modem')
  return path === undefined ? undefined : clean(idOfPath(path))
}
