/** `mmctl status`: everything about modems, their SIM, network and signal, and the links, in sections. */

import type { Command } from 'commander'
import { chooseModem } from '../choose.ts'
import type { CommandTools } from '../command.ts'
import type { Daemon, Link, Modem, Properties } from '../daemon.ts'
import type { ExitCode } from '../exit-codes.ts'
import { formatBytes, formatDuration, formatSpeed } from '../output/format.ts'
import type { Output } from '../output/output.ts'
import { stateColor } from '../output/state-color.ts'
import { type Pair, pairs } from '../output/table.ts'
import { clean, pad, widthOf } from '../output/text.ts'
import type { Session } from '../session.ts'
import {
  addressesOf,
  cleanText,
  failureOf,
  IP_VERSIONS,
  linkDocument,
  modemDocument,
  modemOf,
  nameServersOf,
  nextAttempt,
  signalPairs,
} from '../views.ts'
import { simPairs } from './sim.ts'

export function addStatus(program: Command, { command, run }: CommandTools): void {
  command(program, 'status [modem]', 'everything about modems, SIM, network, signal and links', 'mmctl status').action(
    (modem?: string) => run((session) => showStatus(session, modem)),
  )
}

export async function showStatus(session: Session, wanted: string | undefined): Promise<ExitCode | undefined> {
  const daemon = await session.load()
  const { output } = session
  if (wanted !== undefined) {
    const modem = chooseModem(daemon, wanted)
    if (output.json) output.document(modemDocument(modem))
    else {
      const links = daemon.links.filter((link) => link.properties.text('Modem') === modem.path)
      output.print(...joined([modemSection(modem, output), ...links.map((link) => linkSection(link, session))]))
    }
    return undefined
  }
  if (output.json) output.document({ modems: daemon.modems.map(modemDocument), links: daemon.links.map(linkDocument) })
  else output.print(...joined(sections(daemon, session)))
  return undefined
}

function sections(daemon: Daemon, session: Session): string[][] {
  const { output } = session
  const version = daemon.manager.text('Version')
  const head = pairs(
    [
      ['modemd', version && clean(version)],
      ['engines', engineLines(daemon.manager)],
    ],
    output.width,
    '',
  )
  const modems = daemon.modems.map((modem) => modemSection(modem, output))
  const links = daemon.links.map((link) => linkSection(link, session))
  return [head, ...(modems.length > 0 ? modems : [['No modem is here.']]), ...links]
}

/** The best first; what cannot be used comes last. */
function engineLines(manager: Properties): string[] {
  const usable = manager.texts('Engines')
  const reasons = manager.dictionary('EngineReasons')
  const unusable = Object.keys(reasons.values).filter((name) => !usable.includes(name))
  return [...usable, ...unusable].map((name) => {
    const why = cleanText(reasons, name)
    return why ? `${clean(name)}: ${why}` : clean(name)
  })
}

function joined(parts: readonly (readonly string[])[]): string[] {
  return parts.flatMap((part, index) => (index === 0 ? part : ['', ...part]))
}

function modemSection(modem: Modem, output: Output): string[] {
  const { properties, sim, signal } = modem
  const { colors, width } = output
  const text = (name: string) => cleanText(properties, name)
  const name = [text('Manufacturer'), text('Model')].filter(Boolean).join(' ')
  const list = (title: string, rows: readonly Pair[]) => {
    const lines = pairs(rows, width, '    ')
    return lines.length > 0 ? [`  ${colors.bold(title)}`, ...lines] : []
  }
  return [
    colors.bold(`Modem ${modem.index}: ${[name, `(${clean(modem.id)})`].filter(Boolean).join(' ')}`),
    ...paintState(
      pairs(
        [
          ['state', [text('State'), text('StateReason')].filter(Boolean).join(': ')],
          ['failed because', text('FailedCause')],
          ['IMEI', text('EquipmentIdentifier')],
          ['revision', text('Revision')],
          ['own numbers', clean(properties.texts('OwnNumbers').join(', '))],
          ['device', text('Device')],
          ['driver', text('Driver')],
          ['power', text('PowerState')],
          ['ports', portLines(properties)],
        ],
        width,
      ),
      text('State') ?? '',
      output,
    ),
    ...list('SIM', sim ? simPairs(sim) : []),
    ...list('Network', networkPairs(properties)),
    ...list('Signal', signalPairs(properties, signal)),
  ]
}

function dataUsed(properties: Properties): string | undefined {
  const [used, limit] = [properties.number('DataUsed'), properties.number('DataLimit')]
  if (used === undefined || (used === 0 && limit === undefined)) return undefined
  const amount = limit === undefined ? formatBytes(used) : `${formatBytes(used)} of ${formatBytes(limit)}`
  return `${amount} in ${cleanText(properties, 'DataMonth')}`
}

/** The first line that holds the state, in its colour. */
function paintState(lines: string[], state: string, output: Output): string[] {
  const paint = stateColor(state, output.colors)
  return lines.map((line, index) => (index === 0 && state !== '' ? line.replace(state, () => paint(state)) : line))
}

function portLines(properties: Properties): string[] {
  const ports = properties
    .list('Ports')
    .map((port) => (Array.isArray(port) ? port.map((each) => clean(String(each))) : []))
  const columns = [0, 1].map((column) => Math.max(0, ...ports.map((port) => widthOf(port[column] ?? ''))))
  return ports.map((port) =>
    port
      .map((each, column) => pad(each, columns[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

function networkPairs(properties: Properties): readonly Pair[] {
  const operator = cleanText(properties, 'OperatorName')
  const code = cleanText(properties, 'OperatorCode')
  return [
    ['registration', cleanText(properties, 'Registration')],
    ['operator', operator && code ? `${operator} (${code})` : (operator ?? code)],
    ['technology', clean(properties.texts('AccessTechnologies').join(', ').toUpperCase())],
  ]
}

function linkSection(link: Link, session: Session): string[] {
  const { output, clock } = session
  const { properties } = link
  const text = (name: string) => cleanText(properties, name)
  const upSince = properties.number('UpSince')
  const speed = properties.number('ConnectSpeed')
  const [rx, tx] = [properties.number('RxBytes') ?? 0, properties.number('TxBytes') ?? 0]
  const cause = failureOf(link)
  const lines = pairs(
    [
      ['state', text('State')],
      ['up for', upSince === undefined ? undefined : formatDuration(Number(clock.wallUs()) / 1000 - upSince / 1000)],
      ['modem', modemOf(link)],
      ['interface', text('Interface')],
      ['engine', text('Engine')],
      ['APN', text('Apn')],
      ['address', addressesOf(properties)],
      ['DNS', nameServersOf(properties)],
      [
        'MTU',
        IP_VERSIONS.map((name) => properties.dictionary(name).number('mtu'))
          .find(Boolean)
          ?.toString(),
      ],
      ['connected by', text('Report')],
      ['speed', speed === undefined ? undefined : formatSpeed(speed)],
      ['received', rx + tx === 0 ? undefined : formatBytes(rx)],
      ['sent', rx + tx === 0 ? undefined : formatBytes(tx)],
      ['used', dataUsed(properties)],
      ['last failure', cause && `${cause} (\`mmctl why ${clean(link.id)}\` tells more)`],
      ['next attempt', nextAttempt(link, clock)],
    ],
    output.width,
  )
  return [output.colors.bold(`Link ${clean(link.id)}`), ...paintState(lines, text('State') ?? '', output)]
}
