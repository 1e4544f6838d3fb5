/** A FIFO that nobody writes to: whoever opens it and waits stands still, and with it the test. Ten seconds later somebody comes after all, so that a test can tell. */

import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { after } from 'node:test'

const COMES_AFTER_SECONDS = 10
const AT_ONCE_MS = 5000

const writers: ChildProcess[] = []
after(() => {
  // With what they wait for.
  for (const { pid, exitCode } of writers) if (pid !== undefined && exitCode === null) process.kill(-pid)
})

export function makeUnreadPipe(file: string): void {
  execFileSync('mkfifo', [file])
  const script = `sleep ${COMES_AFTER_SECONDS}; while [ -p "$0" ]; do : 3<>"$0"; sleep 0.1; done`
  writers.push(spawn('sh', ['-c', script, file], { stdio: 'ignore', detached: true }))
}

/** Runs it, and sees that it has waited for nobody. */
export function atOnce<T>(what: string, use: () => T): T {
  const startedMs = performance.now()
  const result = use()
  assert.ok(performance.now() - startedMs < AT_ONCE_MS, `${what}: somebody waits for a writer`)
  return result
}
