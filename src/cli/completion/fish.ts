/** `mmctl completion fish`. */

import { LINK_IDS, MODEM_IDS } from './ids.ts'
import { type Candidate, type CommandNode, type Kind, placedArguments, valuedOptions } from './model.ts'

export function fishScript(nodes: readonly CommandNode[]): string {
  const commands = nodes.filter((node) => node.path !== '').map(({ path }) => path.replace(/^(?:(.*) )?(.*)$/, '$1:$2'))
  const parents = nodes.filter(({ commands: below }) => below.length > 0).map(({ path }) => `${path}:0`)
  return `# fish completion of mmctl, made by \`mmctl completion fish\`

function __mmctl_candidates
    set -l words (commandline -opc)[2..-1]
    set -l current (commandline -ct)
    set -l prefix
    set -l node
    set -l place 0
    set -l wanted
    if string match -q -- '--*=*' "$current"
        set -l parts (string split -m 1 = -- $current)
        set -a words $parts[1]
        set prefix "$parts[1]="
        set current $parts[2]
    end
    for word in $words
        if test -n "$wanted"
            set wanted
            continue
        end
        switch "$node:$word"
            case ${alternatives(commands)}
                set node (string trim -- "$node $word")
${cases(valuedOptions(nodes), 'wanted')}
            case '*:-*'
            case '*'
                set place (math $place + 1)
        end
    end
    set -l kind none
    if test -n "$wanted"
        set kind $wanted
    else if string match -q -- '-*' "$current"
        set kind options
    else
        switch "$node:$place"
            case ${alternatives(parents)}
                set kind commands
${cases(placedArguments(nodes), 'kind')}
        end
    end
    switch "$kind"
        case commands
            switch "$node"
${nodes.map(({ path, commands: all }) => printed(path, all)).join('')}            end
        case options
            switch "$node"
${nodes.map(({ path, options }) => printed(path, options)).join('')}            end
        case 'words:*'
            printf '%s\\n' "$prefix"(string split ' ' -- (string replace 'words:' '' -- $kind))
        case modem
            printf '%s\\n' "$prefix"(${MODEM_IDS})
        case link
            printf '%s\\n' "$prefix"(${LINK_IDS})
        case modem-or-link
            ${MODEM_IDS}
            ${LINK_IDS}
        case file
            __fish_complete_path "$current"
    end
end

complete -c mmctl -f -a '(__mmctl_candidates)'
`
}

function cases(patterns: ReadonlyMap<Kind, readonly string[]>, variable: string): string {
  return [...patterns]
    .map(([kind, all]) => `            case ${alternatives(all)}\n                set ${variable} ${quoted(kind)}`)
    .join('\n')
}

function alternatives(patterns: readonly string[]): string {
  return patterns.map(quoted).join(' ')
}

function printed(path: string, all: readonly Candidate[]): string {
  if (all.length === 0) return ''
  const lines = all.map(({ word, text }) => `${quoted(word)} ${quoted(text)}`)
  return `                case ${quoted(path)}\n                    printf '%s\\t%s\\n' ${lines.join(' \\\n                        ')}\n`
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
