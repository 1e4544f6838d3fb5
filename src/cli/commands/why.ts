/** `mmctl why`: the last failure of a link or a modem: what was seen, what it means, what to do, when it is tried again. */

import type { Command } from 'commander'
import { CAUSES, type Cause } from '../../base/cause.ts'
import { CAUSE_TABLE } from '../../link/causes.ts'
import { asNamedLink, asNamedModem, choose } from '../choose.ts'
import type { CommandTools } from '../command.ts'
import type { Daemon, Link, Modem } from '../daemon.ts'
import { causeOfState } from '../delay.ts'
import { CliError } from '../errors.ts'
import type { ExitCode } from '../exit-codes.ts'
import { formatDuration, formatTime } from '../output/format.ts'
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
  readonly path: string
  readonly id: string
  readonly state: string | undefined
  readonly cause: string | undefined
  readonly seen: string | undefined
  readonly advice: string | undefined
  readonly chatExit: number | undefined
  readonly pppExit: number | undefined
  readonly attempts: number | undefined
  /** How long ago, and at what time. */
  readonly happened: string | undefined
  readonly next: string | undefined
  /** What the recovery ladder does where it goes on failing. */
  readonly recovery: string | undefined
  /** Nothing has failed, and no link can use it all the same. */
  readonly isNotReady: boolean
  readonly document: JsonObject
}

export async function explainFailure(session: Session, wanted: string | undefined): Promise<ExitCode | undefined> {
  const daemon = await session.load()
  const { output } = session
  if (wanted !== undefined) {
    const story = chooseStory(daemon, session, wanted)
    if (output.json) output.document(storyDocument(story))
    else
      output.print(
        ...[
          ...(hasFailed(story) ? tell(story, output) : [nothingFailed(story)]),
          ...(story.isNotReady ? tell(story, output).slice(1) : []),
          ...ofItsLinks(story, daemon, session),
        ],
      )
    return undefined
  }
  const all = allStories(daemon, session)
  const failed = all.filter(needsTelling)
  // What a link failed with for that very reason is told already.
  const others = all.filter(({ isNotReady, cause }) => isNotReady && failed.every((story) => story.cause !== cause))
  const told = [...failed, ...others]
  if (output.json) output.document(told.map(storyDocument))
  else {
    const first = failed.length > 0 ? [] : [[NO_FAILURE, ...(daemon.modems.length === 0 ? [NO_MODEM] : [])]]
    const parts = [...first, ...told.map((story) => tell(story, output))]
    output.print(...parts.flatMap((lines, index) => [...(index === 0 ? [] : ['']), ...lines]))
  }
  return undefined
}

const NO_FAILURE = 'Nothing has failed.'
const NO_MODEM = 'But no modem is here: `mmctl ports --explain` and `mmctl doctor` tell why.'

function hasFailed({ cause, isNotReady }: Story): boolean {
  return cause !== undefined && cause !== 'user-request' && !isNotReady
}

/** Who asks about a modem means what it carries, too. */
function ofItsLinks({ kind, path }: Story, daemon: Daemon, session: Session): string[] {
  if (kind !== 'modem') return []
  const links = daemon.links.filter(({ properties }) => properties.text('Modem') === path)
  return links
    .map((link) => linkStory(link, session))
    .filter(hasFailed)
    .flatMap((story) => ['', ...tell(story, session.output)])
}

function nothingFailed({ id, state, cause }: Story): string {
  const why = cause !== 'user-request' ? '' : '; it was taken down because somebody asked for it'
  return `${clean(id)}: nothing has failed (${clean(state ?? 'not known')})${why}.`
}

function allStories(daemon: Daemon, session: Session): Story[] {
  return [...daemon.links.map((link) => linkStory(link, session)), ...daemon.modems.map(modemStory)]
}

/** A modem that works again keeps the cause of its last failure, which is nobody's concern unless asked for. */
function needsTelling(story: Story): boolean {
  const { kind, cause, state = '' } = story
  const needsSomebody = /^(failed|locked|absent-sim)$/.test(state) || cause === DENIED
  return hasFailed(story) && (kind === 'link' || needsSomebody)
}

const DENIED: Cause = 'registration-denied'

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
    'CauseAt',
    'CauseDetail',
    'Advice',
    'ChatExit',
    'PppExit',
    'Attempts',
    'NextAttemptAt',
    'NextAttemptReason',
    'NextRung',
    'NextRungAfter',
  ]
  return {
    kind: 'link',
    path: link.path,
    id,
    state: properties.text('State'),
    cause: properties.text('Cause'),
    seen: properties.text('CauseDetail'),
    advice: properties.text('Advice'),
    chatExit: properties.number('ChatExit'),
    pppExit: properties.number('PppExit'),
    attempts: properties.number('Attempts'),
    happened: happened(properties.number('CauseAt'), session),
    next: nextAttempt(link, session.clock),
    recovery: recovery(link),
    isNotReady: false,
    document: pick(propertiesToJson(properties.values), fields),
  }
}

function modemStory(modem: Modem): Story {
  const { properties, id } = modem
  const state = properties.text('State')
  const failure = properties.text('FailedCause')
  const isNotReady = failure === undefined && !/^(registered|connecting|connected|disconnecting)$/.test(state ?? '')
  const cause = failure ?? causeOfState(state ?? '')
  return {
    kind: 'modem',
    path: modem.path,
    id,
    state,
    cause,
    seen: properties.text('StateReason'),
    advice: undefined,
    chatExit: undefined,
    pppExit: undefined,
    attempts: undefined,
    happened: undefined,
    next: undefined,
    recovery: undefined,
    isNotReady,
    document: {
      ...pick(propertiesToJson(properties.values), ['State', 'FailedCause', 'StateReason']),
      ...(cause !== undefined && { cause }),
    },
  }
}

function tell(story: Story, output: Output): string[] {
  const { id, kind, state, cause = '', seen, chatExit, pppExit, attempts, next, isNotReady } = story
  const meaning = tableEntry(cause)
  const exits = [chatExit === undefined ? '' : `chat ${chatExit}`, pppExit === undefined ? '' : `PPP ${pppExit}`]
  const what = isNotReady ? output.colors.yellow(clean(state ?? 'not known')) : output.colors.red(clean(cause))
  return [
    `${output.colors.bold(`${kind} ${clean(id)}`)}: ${what}`,
    ...pairs(
      [
        ['happened', story.happened],
        ['seen', seen && clean(seen)],
        ['means', meaning?.meaning],
        ['to do', clean(story.advice ?? meaning?.advice ?? '')],
        ['exit codes', exits.filter(Boolean).join(', ')],
        ['attempts', attempts?.toString()],
        ['state now', isNotReady ? undefined : state && clean(state)],
        ['next attempt', kind === 'link' ? (next ?? noNextAttempt(state)) : undefined],
        ['recovery', story.recovery],
      ],
      output.width,
    ),
  ]
}

/** A link that waits without a time waits for its modem. */
function noNextAttempt(state: string | undefined): string | undefined {
  if (state === 'waiting') return 'as soon as a modem is ready for it'
  return state === 'up' ? undefined : 'none: it waits for you'
}

/** `2 min 3 s ago, at 14:03:09`. */
function happened(atUs: number | undefined, { clock }: Session): string | undefined {
  if (atUs === undefined) return undefined
  const agoMs = Number(clock.wallUs()) / 1000 - atUs / 1000
  return `${agoMs < 0 ? '' : `${formatDuration(agoMs)} ago, `}at ${formatTime(atUs / 1000)}`
}

/** As `link/recovery.ts` names the rungs. */
const RUNGS: Readonly<Record<string, string>> = {
  radio: 'the radio is switched off and on',
  reset: 'the modem is reset',
  'usb-port': 'its USB port is reset',
  power: 'its power is switched off and on',
}

/** `the modem is reset after 2 more failures in a row`; while no attempt is planned there is nothing to come. */
function recovery({ properties }: Link): string | undefined {
  const rung = properties.text('NextRung')
  const after = properties.number('NextRungAfter')
  if (rung === undefined || after === undefined) return undefined
  const what = RUNGS[rung] ?? clean(rung)
  if (after === 0) return `${what} before the next attempt`
  return `${what} after ${after} more failure${after === 1 ? '' : 's'} in a row`
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
