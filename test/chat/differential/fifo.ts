/** Named pipes, which Node cannot make. */

import { spawnSync } from 'node:child_process'

export function makeFifo(path: string): void {
  const { status, stderr } = spawnSync('mkfifo', [path], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`mkfifo ${path}: ${stderr}`)
}
