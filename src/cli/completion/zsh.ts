/** `mmctl completion zsh`: read by \`source\`, or autoloaded as \`_mmctl\`. */

import type { CommandNode } from './model.ts'
import { posixFunctions } from './posix.ts'

export function zshScript(nodes: readonly CommandNode[]): string {
  return `#compdef mmctl
# zsh completion of mmctl, made by \`mmctl completion zsh\`

${posixFunctions(nodes)}
_mmctl() {
  local node place wanted kind word text current=\${words[CURRENT]}
  local -a found before
  before=("\${(@)words[2,CURRENT-1]}")
  if [[ $current == --*=* ]]; then
    before+=("\${current%%=*}")
    compset -P '*='
    current=\${current#*=}
  fi
  _mmctl_look "\${before[@]}"
  _mmctl_kind "$current"
  if [[ $kind == file ]]; then
    _files
    return
  fi
  while IFS=$'\\t' read -r word text; do
    found+=("\${word//:/\\\\:}\${text:+:$text}")
  done < <(_mmctl_print)
  if [[ $kind == options ]]; then _describe -o mmctl found
  else _describe mmctl found
  fi
}

if [ "\${funcstack[1]}" = _mmctl ]; then _mmctl "$@"; else compdef _mmctl mmctl; fi
`
}
