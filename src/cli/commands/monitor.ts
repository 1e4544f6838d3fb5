/** `mmctl monitor`: every change as it comes, a line each, until it is interrupted. A modemd that restarts is followed. */

import type { Command } from 'commander'
import type { CommandTools } from '../command.ts'
import { Properties, type PropertyValues } from '../daemon.ts'
import type { ExitCode } from '../exit-codes.ts'
import { formatTime } from '../output/format.ts'
import { idOfPath, jsonText, lowerCamelCase, propertiesToJson } from '../output/json.ts'
import type { Output } from '../output/output.ts'
import { clean } from '../output/text.ts'
import type { Session } from '../session.ts'
import { IP_VERSIONS } from '../views.ts'
import { type SeenChange, untilInterrupted } from '../watch.ts'

export function addMonitor(program: Command, { command, run }: CommandTools): void {
  command(program, 'monitor', 'every change as it comes; until interrupted', 'mmctl monitor --json').action(() =>
    run(monitor),
  )
}

export async function monitor(session: Session): Promise<ExitCode | undefined> {
  const daemon = await session.follow()
  const { output, clock } = session
  await untilInterrupted(session, daemon, (change) => {
    const atUs = clock.wallUs()
    if (output.json) output.document(changeDocument(change, atUs))
    else output.print(...changeLines(change, Number(atUs) / 1000, output))
  })
  return undefined
}

/** A value that is not known any more is null. */
function changeDocument(change: SeenChange, atUs: bigint): unknown {
  const at = Number(atUs)
  if (!('path' in change)) return { at, event: change.type }
  const subject = { at, event: change.type, [kindOf(change.path)]: idOfPath(change.path) }
  if (change.type !== 'changed') return subject
  const lost = Object.keys(change.values).filter((name) => change.values[name] === undefined)
  const nulls = Object.fromEntries(lost.map((name) => [lowerCamelCase(name), null]))
  return { ...subject, interface: change.interface, values: { ...propertiesToJson(change.values), ...nulls } }
}

function changeLines(change: SeenChange, atMs: number, output: Output): string[] {
  const time = output.colors.dim(formatTime(atMs))
  if (!('path' in change)) return [`${time}  modemd ${change.type === 'gone' ? 'has left the bus' : 'is here'}`]
  const subject = `${time}  ${kindOf(change.path)} ${clean(idOfPath(change.path))}`
  if (change.type !== 'changed') return [`${subject}  ${change.type}`]
  const { values, previous } = change
  const told = 'State' in values ? PART_OF_STATE : []
  return Object.keys(values)
    .filter((name) => !NOT_TOLD.includes(name) && !told.includes(name))
    .map((name) => `${subject}  ${clean(name)}: ${step(name, values, previous)}${name === 'State' ? why(values) : ''}`)
}

/** Books that are kept, and what `added` and `removed` say already. */
const NOT_TOLD = ['At', 'PhaseMs', 'Links', 'Modems', 'Messages', 'RxBytes', 'TxBytes']

/** What changes with a state is in its line, or belongs to `status` and `why`. */
const PART_OF_STATE = [
  ...['StateReason', 'FailedCause', 'Cause', 'CauseDetail', 'Advice', 'ChatExit', 'PppExit', 'Attempts'],
  ...['Interface', 'Engine', 'Ip4', 'Ip6', 'ConnectSpeed', 'Report', 'UpSince', 'NextAttemptAt', 'NextAttemptReason'],
]

function step(name: string, values: PropertyValues, previous: PropertyValues): string {
  const [before, after] = [valueText(name, previous[name]), valueText(name, values[name])]
  return previous[name] === undefined ? after : `${before} → ${after}`
}

/** ` (no-carrier: NO CARRIER, next attempt 14:03:09)`, ` (ppp0, 10.64.0.2)`. */
function why(values: PropertyValues): string {
  const said = new Properties(values)
  const cause = [said.text('Cause') ?? said.text('FailedCause'), said.text('CauseDetail') ?? said.text('StateReason')]
  const next = said.number('NextAttemptAt')
  const parts = [
    cause.filter(Boolean).join(': '),
    said.text('Interface'),
    ...IP_VERSIONS.map((name) => said.dictionary(name).text('address')),
    next ? `next attempt ${valueText('NextAttemptAt', next)}` : '',
  ].filter(Boolean)
  return parts.length > 0 ? ` (${clean(parts.join(', '))})` : ''
}

function valueText(name: string, value: unknown): string {
  if (value === undefined) return 'unknown'
  if (name === 'Modem') return clean(idOfPath(value)) || 'none'
  if (/^(UpSince|NextAttemptAt)$/.test(name)) return Number(value) === 0 ? 'never' : formatTime(Number(value) / 1000)
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return clean(value.join(', ')) || 'none'
  return clean(typeof value === 'string' ? value : jsonText(value))
}

function kindOf(path: string): string {
  return /^\/org\/modemd\/(\w+)\/\w+$/.exec(path)?.[1] ?? 'manager'
}
