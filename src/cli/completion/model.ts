/** mmctl's commands, options and arguments as completion needs them, read off the commander program. For `bash.ts`, `zsh.ts`, `fish.ts`. */

import type { Argument, Command, Option } from 'commander'

/** What completes a value: ids that modemd is asked for, a file, or one of a few words; `none`: nobody can know. */
export type Kind = 'modem' | 'link' | 'modem-or-link' | 'file' | 'none' | `words:${string}`

export interface Candidate {
  readonly word: string
  readonly text: string
}

export interface OptionNode extends Candidate {
  /** Of its value; undefined: it takes none. */
  readonly kind: Kind | undefined
}

export interface CommandNode {
  /** `profile add`; '': mmctl itself. */
  readonly path: string
  readonly commands: readonly Candidate[]
  readonly options: readonly OptionNode[]
  readonly arguments: readonly { readonly kind: Kind; readonly isLast: boolean }[]
}

/** By the placeholder of an argument or of an option's value. A profile's link has its name, and everybody may read links. */
const KIND_OF_NAME: Readonly<Record<string, Kind>> = {
  modem: 'modem',
  'plmn|modem': 'modem',
  'modem-or-link': 'modem-or-link',
  link: 'link',
  profile: 'link',
  file: 'file',
  dir: 'file',
  bus: 'words:system session',
}

/** All commands, a parent before its own. */
export function commandNodes(program: Command): readonly CommandNode[] {
  return nodesOf(program, '')
}

function nodesOf(command: Command, path: string): CommandNode[] {
  const help = command.createHelp()
  const subcommands = help.visibleCommands(command)
  const options = [...help.visibleOptions(command), ...help.visibleGlobalOptions(command)]
  const below = subcommands.filter((each) => command.commands.includes(each))
  const node: CommandNode = {
    path,
    commands: subcommands.map((each) => ({ word: each.name(), text: each.description() })),
    options: options.flatMap(optionNodes),
    arguments: command.registeredArguments.map((each) => ({ kind: argumentKind(each), isLast: each.variadic })),
  }
  return [node, ...below.flatMap((each) => nodesOf(each, path === '' ? each.name() : `${path} ${each.name()}`))]
}

/** Its long form; all short ones are plain. */
function optionNodes({ long, description, flags, argChoices }: Option): readonly OptionNode[] {
  if (!long) return []
  const [, placeholder] = /[<[]([^>\]]+?)(?:\.\.\.)?[>\]]/.exec(flags) ?? []
  const kind = argChoices ? wordsKind(argChoices) : placeholder && (KIND_OF_NAME[placeholder] ?? 'none')
  return [{ word: long, text: description, kind: kind || undefined }]
}

function argumentKind(argument: Argument): Kind {
  return argument.argChoices ? wordsKind(argument.argChoices) : (KIND_OF_NAME[argument.name()] ?? 'none')
}

function wordsKind(words: readonly string[]): Kind {
  return `words:${words.join(' ')}`
}

/** Options that take a value, as `PATH:--option`, by what completes it. */
export function valuedOptions(nodes: readonly CommandNode[]): ReadonlyMap<Kind, readonly string[]> {
  const found = nodes.flatMap(({ path, options }) =>
    options.flatMap(({ word, kind }) => (kind ? [{ kind, pattern: `${path}:${word}` }] : [])),
  )
  return byKind(found)
}

/** Arguments as `PATH:PLACE`, from 0; `PATH:*` behind those that are repeated. */
export function placedArguments(nodes: readonly CommandNode[]): ReadonlyMap<Kind, readonly string[]> {
  const found = nodes.flatMap(({ path, arguments: all }) =>
    all.map(({ kind, isLast }, index) => ({ kind, pattern: `${path}:${isLast ? '*' : index}` })),
  )
  return byKind(found.filter(({ kind }) => kind !== 'none'))
}

function byKind(found: readonly { kind: Kind; pattern: string }[]): ReadonlyMap<Kind, readonly string[]> {
  const map = new Map<Kind, string[]>()
  for (const { kind, pattern } of found) map.set(kind, [...(map.get(kind) ?? []), pattern])
  return map
}
