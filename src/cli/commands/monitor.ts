/** `mmctl monitor`: every change as it comes, a line each, until it is interrupted. A modemd that restarts is followed. */

import type { PropertyValues } from '../daemon.ts'
import type { ExitCode } from '../exit-codes.ts'
import { formatTime } from '../output/format.ts'
import { idOfPath, jsonText, lowerCamelCase, propertiesToJson } from '../output/json.ts'
import type { Output } from '../output/output.ts'
import { clean } from '../output/text.ts'
import type { Session } from '../session.ts'
import { type SeenChange, untilInterrupted } from '../watch.ts'

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
  return Object.keys(change.values).map(
    (name) => `${subject}  ${clean(name)}: ${step(name, change.values, change.previous)}`,
  )
}

function step(name: string, values: PropertyValues, previous: PropertyValues): string {
  const [before, after] = [valueText(previous[name]), valueText(values[name])]
  return previous[name] === undefined ? after : `${before} → ${after}`
}

function valueText(value: unknown): string {
  if (value === undefined) return 'unknown'
  return clean(typeof value === 'string' ? value : jsonText(value))
}

function kindOf(path: string): string {
  return /^\/org\/modemd\/(\w+)\/\w+$/.exec(path)?.[1] ?? 'manager'
}
