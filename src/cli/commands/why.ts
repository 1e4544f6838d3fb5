/** `mmctl why`: the last failure of a link or a modem: what was seen, what it means, what to do, when it is tried again. */

import type { Command } from 'commander'
import { CAUSES, type Cause } from '../../base/cause.ts'
import { CAUSE_TABLE } from '../../link/causes.ts'
import { asNamedLink, asNamedModem, choose } from '../choose.ts'
import type { CommandTools } from '../command.ts'
import type { Daemon, Link, Modem } from '../daemon.ts'
import { CliError } from '../errors.ts'
import type { ExitCode } from '../exit-codes.ts'
import { type JsonObject, lowerCamelCase, propertiesToJson } from '../output/json.ts'
import type { Output } from '../output/output.ts'
import { pairs } from '../output/table.ts'
import { clean } from '../output/text.ts'
import type { Session } from '../session.ts'
import { nextAttempt } from '../views.ts'

export function addWhy(program: Command, { command, run }: CommandTools): void {
  command(
    program,
    'why [modem-or-link]',
    'the last failure: what was seen, what it means, what to do, when it is tried again',
    'mmctl why internet',
  ).action((subject?: string) => run((session) => explainFailure(session, subject)))
}

/** A link or a modem and what is known of its last failure. */
interface Story {
  readonly kind: 'link' | 'modem'
  readonly id: string
  readonly state: string | undefined
  readonly cause: string | undefined
  readonly seen: string | undefined
  readonly advice: string | undefined
  readonly chatExit: number | undefined
  readonly pppExit: number | undefined
  readonly attempts: number | undefined
  readonly next: string | undefined
  readonly document: JsonObject
}

export async function explainFailure(session: Session, wanted: string | undefined): Promise<ExitCode | undefined> {
  const daemon = await session.load()
  const { output } = session
  if (wanted !== undefined) {
    const story = chooseStory(daemon, session, wanted)
    if (output.json) output.document(storyDocument(story))
    else output.print(...(story.cause && story.cause !== 'user-request' ? tell(story, output) : [nothingFailed(story)]))
    return undefined
  }
  const failed = allStories(daemon, session).filter(needsTelling)
  if (output.json) output.document(failed.map(storyDocument))
  else if (failed.length === 0) output.print('Nothing has failed.')
  else output.print(...failed.flatMap((story, index) => [...(index === 0 ? [] : ['']), ...tell(story, output)]))
  return undefined
}

function nothingFailed({ id, state, cause }: Story): string {
  const why = cause === undefined ? '' : '; it was taken down because somebody asked for it'
  return `${clean(id)}: nothing has failed (${clean(state ?? 'not known')})${why}.`
}

function allStories(daemon: Daemon, session: Session): Story[] {
  return [...daemon.links.map((link) => linkStory(link, session)), ...daemon.modems.map(modemStory)]
}

/** A modem that works again keeps the cause of its last failure, which is nobody's concern unless asked for. */
function needsTelling({ kind, cause, state = '' }: Story): boolean {
  return (
    cause !== undefined && cause !== 'user-request' && (kind === 'link' || /^(failed|locked|absent-sim)$/.test(state))
  )
}

/** Links go before modems; an index means a modem, as everywhere. */
function chooseStory(daemon: Daemon, session: Session, wanted: string): Story {
  const links = daemon.links.map((link) => ({ ...asNamedLink(link), story: () => linkStory(link, session) }))
  const modems = daemon.modems.map((modem) => ({ ...asNamedModem(modem), story: () => modemStory(modem) }))
  const link = links.find((each) => each.id === wanted || each.names.includes(wanted))
  const found =
    link ?? (/^\d+$/.test(wanted) ? choose(modems, wanted, 'modem') : choose([...links, ...modems], wanted, 'link'))
  if (!found)
    throw CliError.notFound(`there is no link or modem "${wanted}": \`mmctl status\` shows those that are here`)
  return found.story()
}

function linkStory(link: Link, session: Session): Story {
  const { properties, id } = link
  const fields = [
    'State',
    'Cause',
    'CauseDetail',
    'Advice',
    'ChatExit',
    'PppExit',
    'Attempts',
    'NextAttemptAt',
    'NextAttemptReason',
  ]
  return {
    kind: 'link',
    id,
    state: properties.text('State'),
    cause: properties.text('Cause'),
    seen: properties.text('CauseDetail'),
    advice: properties.text('Advice'),
    chatExit: properties.number('ChatExit'),
    pppExit: properties.number('PppExit'),
    attempts: properties.number('Attempts'),
    next: nextAttempt(link, session.clock),
    document: pick(propertiesToJson(properties.values), fields),
  }
}

function modemStory(modem: Modem): Story {
  const { properties, id } = modem
  return {
    kind: 'modem',
    id,
    state: properties.text('State'),
    cause: properties.text('FailedCause'),
    seen: properties.text('StateReason'),
    advice: undefined,
    chatExit: undefined,
    pppExit: undefined,
    attempts: undefined,
    next: undefined,
    document: pick(propertiesToJson(properties.values), ['State', 'FailedCause', 'StateReason']),
  }
}

function tell(story: Story, output: Output): string[] {
  const { id, kind, state, cause = '', seen, chatExit, pppExit, attempts, next } = story
  const meaning = tableEntry(cause)
  const exits = [chatExit === undefined ? '' : `chat ${chatExit}`, pppExit === undefined ? '' : `PPP ${pppExit}`]
  return [
    `${output.colors.bold(`${kind} ${clean(id)}`)}: ${output.colors.red(clean(cause))}`,
    ...pairs(
      [
        ['seen', seen && clean(seen)],
        ['means', meaning?.meaning],
        ['to do', clean(story.advice ?? meaning?.advice ?? '')],
        ['exit codes', exits.filter(Boolean).join(', ')],
        ['attempts', attempts?.toString()],
        ['state now', state && clean(state)],
        [
          'next attempt',
          kind === 'link' ? (next ?? (state === 'up' ? undefined : 'none: it waits for you')) : undefined,
        ],
      ],
      output.width,
    ),
  ]
}

function storyDocument(story: Story): JsonObject {
  const entry = tableEntry(story.cause)
  return {
    [story.kind]: story.id,
    ...story.document,
    ...(entry && { meaning: entry.meaning, permanent: entry.permanent }),
    ...(entry && story.document.advice === undefined && { advice: entry.advice }),
  }
}

function tableEntry(cause: string | undefined) {
  return CAUSES.includes(cause as Cause) ? CAUSE_TABLE[cause as Cause] : undefined
}

function pick(document: JsonObject, names: readonly string[]): JsonObject {
  const keys = names.map(lowerCamelCase)
  return Object.fromEntries(Object.entries(document).filter(([key]) => keys.includes(key)))
}
