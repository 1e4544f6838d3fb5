/** mmctl's entry. `list` is asked for by scripts and prompts all day: it goes its own quick way, without commander. */

import { clock } from './clock.ts'
import { listModems } from './commands/list.ts'
import { EXIT } from './exit-codes.ts'
import type { Io } from './io.ts'
import { type GlobalOptions, Session } from './session.ts'

const io: Io = {
  get stdin() {
    return process.stdin
  },
  stdout: process.stdout,
  // Each of these costs time to open.
  get stderr() {
    return process.stderr
  },
  env: process.env,
  onInterrupt: (listener) => {
    process.on('SIGINT', listener)
    process.on('SIGTERM', listener)
    return () => {
      process.off('SIGINT', listener)
      process.off('SIGTERM', listener)
    }
  },
}

// A reader that has seen enough (`mmctl monitor | head`) ends us, quietly; a full disk does not.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE')
    process.stderr.write(`mmctl: the output cannot be written (${error.code}): write it elsewhere\n`)
  process.exit(EXIT.failed)
})

main(process.argv.slice(2)).then((exitCode) => {
  // What could not be written is told above.
  process.stdout.write('', (error) => {
    if (!error) process.exit(exitCode)
  })
})

async function main(argv: readonly string[]): Promise<number> {
  const quick = quickList(argv)
  if (quick) return new Session(io, clock, quick).run(listModems)
  const { runProgram } = await import('./program.ts')
  return runProgram(argv, io, clock)
}

/** The options of a plain `mmctl list`; undefined: anything else, which `program.ts` reads. */
function quickList(argv: readonly string[]): GlobalOptions | undefined {
  const options: { json?: boolean; bus?: string } = {}
  const commands: string[] = []
  for (const [index, word] of argv.entries()) {
    if (word === '--json') options.json = true
    else if (word.startsWith('--bus=')) options.bus = word.slice('--bus='.length)
    else if (argv[index - 1] === '--bus' && !word.startsWith('-')) options.bus = word
    else if (word !== '--bus' || /^(-.*)?$/.test(argv[index + 1] ?? '')) commands.push(word)
  }
  return commands.length === 1 && commands[0] === 'list' ? options : undefined
}
