/** `mmctl completion bash`. Works without the package bash-completion. */

import type { CommandNode } from './model.ts'
import { posixFunctions } from './posix.ts'

export function bashScript(nodes: readonly CommandNode[]): string {
  return `# bash completion of mmctl, made by \`mmctl completion bash\`

${posixFunctions(nodes)}
_mmctl() {
  local node place wanted kind line current=\${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=()
  _mmctl_look "\${COMP_WORDS[@]:1:COMP_CWORD-1}"
  [ "$current" = = ] && current=''
  _mmctl_kind "$current"
  if [ "$kind" = file ]; then
    compopt -o default
    return
  fi
  while IFS= read -r line; do
    line=\${line%%$'\\t'*}
    [[ $line == "$current"* ]] && COMPREPLY+=("$line")
  done < <(_mmctl_print)
}

complete -F _mmctl mmctl
`
}
