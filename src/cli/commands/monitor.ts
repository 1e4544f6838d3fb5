/** `mmctl monitor`: every change as it comes, a line each, until it is interrupted. A modemd that restarts is followed. */

import type { Command } from 'commander'
import type { CommandTools } from '../command.ts'
import { type Daemon, type Link, type Modem, Properties, type PropertyValues } from '../daemon.ts'
import type { ExitCode } from '../exit-codes.ts'
import { formatTime } from '../output/format.ts'
import { idOfPath, jsonText, lowerCamelCase, propertiesToJson } from '../output/json.ts'
import type { Output } from '../output/output.ts'
import { clean } from '../output/text.ts'
import type { Session } from '../session.ts'
import { IP_VERSIONS, ipTexts, linkDocument, modemDocument } from '../views.ts'
import { type SeenChange, untilInterrupted } from '../watch.ts'

export function addMonitor(program: Command, { command, run }: CommandTools): void {
  command(program, 'monitor', 'every change as it comes; until interrupted', 'mmctl monitor --json').action(() =>
    run(monitor),
  )
}

export async function monitor(session: Session): Promise<ExitCode | undefined> {
  const daemon = await session.follow()
  const { output, clock } = session
  const steps = new Steps()
  await untilInterrupted(session, daemon, (seen) => {
    const atUs = clock.wallUs()
    for (const change of steps.inOrder(seen)) {
      if (output.json) output.document(changeDocument(change, daemon, atUs))
      else output.print(...changeLines(change, daemon, Number(atUs) / 1000, output))
    }
  })
  return undefined
}

type Step = Extract<SeenChange, { readonly type: 'stepped' }>

/**
 * modemd tells properties once a turn, but each step of a state by a signal of its own before: a step that the properties then
 * show is told with them and their reasons, one that was over by then by itself.
 */
class Steps {
  readonly #waiting = new Map<string, Step[]>()

  /** What is to be told now. */
  inOrder(change: SeenChange): readonly SeenChange[] {
    if (!('path' in change)) {
      this.#waiting.clear()
      return [change]
    }
    const earlier = this.#waiting.get(change.path) ?? []
    if (change.type === 'stepped') {
      this.#waiting.set(change.path, [...earlier, change])
      return []
    }
    this.#waiting.delete(change.path)
    const last = earlier.at(-1)
    if (change.type !== 'changed' || !last || last.state !== change.values.State) return [...earlier, change]
    return [...earlier.slice(0, -1), { ...change, previous: { ...change.previous, State: last.previous } }]
  }
}

/** A value that is not known any more is null. */
function changeDocument(change: SeenChange, daemon: Daemon, atUs: bigint): unknown {
  const at = Number(atUs)
  if (change.type === 'back') {
    const [modems, links] = [daemon.modems.map(modemDocument), daemon.links.map(linkDocument)]
    return { at, event: change.type, modems, links }
  }
  if (!('path' in change)) return { at, event: change.type }
  const subject = { at, event: change.type, [kindOf(change.path)]: idOfPath(change.path) }
  if (change.type === 'stepped') return { ...subject, previous: change.previous, state: change.state }
  if (change.type !== 'changed') return subject
  const lost = Object.keys(change.values).filter((name) => change.values[name] === undefined)
  const nulls = Object.fromEntries(lost.map((name) => [lowerCamelCase(name), null]))
  return { ...subject, interface: change.interface, values: { ...propertiesToJson(change.values), ...nulls } }
}

function changeLines(change: SeenChange, daemon: Daemon, atMs: number, output: Output): string[] {
  const time = output.colors.dim(formatTime(atMs, 'milliseconds'))
  if (change.type === 'back') return [`${time}  modemd is here`, ...standing(daemon).map((line) => `${time}  ${line}`)]
  if (!('path' in change)) return [`${time}  modemd has left the bus`]
  const subject = `${time}  ${kindOf(change.path)} ${clean(idOfPath(change.path))}`
  if (change.type === 'stepped') return [`${subject}  State: ${clean(change.previous)} → ${clean(change.state)}`]
  if (change.type !== 'changed') return [`${subject}  ${change.type}`]
  const { values, previous } = change
  const told = 'State' in values ? PART_OF_STATE : []
  return Object.keys(values)
    .filter((name) => !NOT_TOLD.includes(name) && !told.includes(name))
    .map(
      (name) =>
        `${subject}  ${clean(name)}: ${step(name, values, previous)}${name === 'State' ? why({ ...values, ...causeOf(values, previous) }) : ''}`,
    )
}

/** What changed while modemd was away is not known: how it stands now is told instead. */
function standing({ modems, links }: Daemon): string[] {
  const state = ({ properties }: Modem | Link) => `State: ${clean(properties.text('State') ?? 'unknown')}`
  return [
    ...modems.map((modem) => `modem ${clean(modem.id)}  ${state(modem)}`),
    ...links.map((link) => `link ${clean(link.id)}  ${state(link)}${why(link.properties.values)}`),
  ]
}

/** Books that are kept, and what `added` and `removed` say already. */
const NOT_TOLD = ['At', 'CauseAt', 'PhaseMs', 'Links', 'Modems', 'Messages', 'RxBytes', 'TxBytes', 'DataUsed']

/** What changes with a state is in its line, or belongs to `status` and `why`. */
const PART_OF_STATE = [
  ...['StateReason', 'FailedCause', 'Cause', 'CauseDetail', 'Advice', 'ChatExit', 'PppExit', 'Attempts'],
  ...['Interface', 'Engine', 'Ip4', 'Ip6', 'ConnectSpeed', 'Report', 'UpSince', 'NextAttemptAt', 'NextAttemptReason'],
  ...['CauseAt', 'NextRung', 'NextRungAfter'],
]

/** A link that fails as before changes only the time of it. */
function causeOf(values: PropertyValues, { Cause, CauseDetail }: PropertyValues): PropertyValues {
  return values.CauseAt === undefined ? {} : { Cause, CauseDetail, ...values }
}

function step(name: string, values: PropertyValues, previous: PropertyValues): string {
  if (name === 'Ports') return portSteps(values[name], previous[name])
  const [before, after] = [valueText(name, previous[name]), valueText(name, values[name])]
  return previous[name] === undefined ? after : `${before} → ${after}`
}

/** `/dev/ttyUSB0 data modemd (at) → data modemd (chat)`, of each that changed. */
function portSteps(after: unknown, before: unknown): string {
  const [now, earlier] = [portTexts(after), portTexts(before)]
  const names = [...new Set([...now.keys(), ...earlier.keys()])].filter((name) => now.get(name) !== earlier.get(name))
  const steps = names.map(
    (name) => `${name} ${[earlier.get(name), now.get(name) ?? 'gone'].filter(Boolean).join(' → ')}`,
  )
  return clean(steps.join(', '))
}

function portTexts(ports: unknown): ReadonlyMap<string, string> {
  const list = new Properties({ ports }).list('ports').map((port) => new Properties({ port }).texts('port'))
  return new Map(list.map(([name = '', ...rest]) => [name, rest.filter(Boolean).join(' ')]))
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
  if (/^(UpSince|NextAttemptAt|NetworkTime)$/.test(name))
    return Number(value) === 0 ? 'never' : formatTime(Number(value) / 1000)
  if (IP_VERSIONS.some((each) => each === name))
    return ipTexts(new Properties({ value }).dictionary('value')).join(', ') || 'none'
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return clean(value.join(', ')) || 'none'
  return clean(typeof value === 'string' ? value : jsonText(value))
}

function kindOf(path: string): string {
  return /^\/org\/modemd\/(\w+)\/\w+$/.exec(path)?.[1] ?? 'manager'
}
