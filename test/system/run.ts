import { spawn } from 'node:child_process'
import { once } from 'node:events'

export interface Ran {
  readonly status: number | null
  readonly output: string
}

/** A program's end and all it said, while this process goes on. */
export async function run(command: string, ...args: readonly string[]): Promise<Ran> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      output += chunk
    })
  const [status] = await once(child, 'close')
  return { status, output }
}
