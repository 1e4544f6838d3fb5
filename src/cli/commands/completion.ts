/** `mmctl completion`: a script that completes mmctl's commands, options and names in a shell. */

import { Argument, type Command } from 'commander'
import type { CommandTools } from '../command.ts'
import { bashScript } from '../completion/bash.ts'
import { fishScript } from '../completion/fish.ts'
import { commandNodes } from '../completion/model.ts'
import { zshScript } from '../completion/zsh.ts'

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript }

export function addCompletion(program: Command, { command, run }: CommandTools): void {
  command(
    program,
    'completion',
    "a script for the shell that completes mmctl's commands, options and names",
    'mmctl completion bash > ~/.local/share/bash-completion/completions/mmctl',
  )
    .addArgument(new Argument('<shell>', 'which shell').choices(Object.keys(SCRIPTS)))
    .action((shell: keyof typeof SCRIPTS) =>
      run(async ({ output }) => {
        const script = SCRIPTS[shell](commandNodes(program))
        if (output.json) output.document({ shell, script })
        else output.raw(script)
        return undefined
      }),
    )
}
