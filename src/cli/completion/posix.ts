/** What the completions for bash and zsh share: functions that find where a command line is, and print what may come next. */

import { LINK_IDS, MODEM_IDS } from './ids.ts'
import { type Candidate, type CommandNode, type Kind, placedArguments, valuedOptions } from './model.ts'

/** `_mmctl_look WORD …` sets node, place and wanted; `_mmctl_kind CURRENT` then kind; `_mmctl_print` prints `word TAB text` lines. */
export function posixFunctions(nodes: readonly CommandNode[]): string {
  const commands = nodes.filter((node) => node.path !== '').map(({ path }) => path.replace(/^(?:(.*) )?(.*)$/, '$1:$2'))
  return `_mmctl_look() {
  local word
  node='' place=0 wanted=''
  for word in "$@"; do
    if [ -n "$wanted" ]; then
      # bash makes a word of the = in --option=value.
      [ "$word" = = ] || wanted=''
      continue
    fi
    case $node:$word in
      ${alternatives(commands)}) node=\${node:+$node }$word ;;
${cases(valuedOptions(nodes), 'wanted')}
      *:-*) ;;
      *) place=$((place + 1)) ;;
    esac
  done
}

_mmctl_kind() {
  kind=none
  if [ -n "$wanted" ]; then kind=$wanted; return; fi
  case $1 in -*) kind=options; return ;; esac
  case $node:$place in
      ${alternatives(nodes.filter(({ commands: below }) => below.length > 0).map(({ path }) => `${path}:0`))}) kind=commands ;;
${cases(placedArguments(nodes), 'kind')}
  esac
}

_mmctl_print() {
  case $kind in
    commands)
      case $node in
${nodes.map(({ path, commands: all }) => printed(path, all)).join('')}      esac ;;
    options)
      case $node in
${nodes.map(({ path, options }) => printed(path, options)).join('')}      esac ;;
    words:*) printf '%s\\n' "\${kind#words:}" | tr ' ' '\\n' ;;
    modem) ${MODEM_IDS} ;;
    link) ${LINK_IDS} ;;
    modem-or-link)
      ${MODEM_IDS}
      ${LINK_IDS} ;;
  esac
}
`
}

function cases(patterns: ReadonlyMap<Kind, readonly string[]>, variable: string): string {
  return [...patterns].map(([kind, all]) => `      ${alternatives(all)}) ${variable}=${quoted(kind)} ;;`).join('\n')
}

/** A last `*` stays a pattern. */
function alternatives(patterns: readonly string[]): string {
  return patterns
    .map((pattern) => (pattern.endsWith('*') ? `${quoted(pattern.slice(0, -1))}*` : quoted(pattern)))
    .join('|')
}

function printed(path: string, all: readonly Candidate[]): string {
  if (all.length === 0) return ''
  const lines = all.map(({ word, text }) => ` ${quoted(word)} ${quoted(text)}`)
  return `        ${quoted(path)}) printf '%s\\t%s\\n' \\\n         ${lines.join(' \\\n         ')} ;;\n`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
