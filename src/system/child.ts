/**
 * Programs that may not start. spawn() says so in three ways: it throws (no memory), it tells later (no such program), or it tells later
 * and its child has no streams (no descriptors left). Here it is one. Whoever must go on without the program uses it.
 */

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'

/** undefined: it did not start. Why, `failed` is told after this call, as of whatever else goes wrong with the child. */
export function startChild(
  program: string,
  args: readonly string[],
  options: SpawnOptions,
  failed: (error: Error) => void,
): ChildProcess | undefined {
  try {
    const child = spawn(program, args, options)
    child.on('error', failed)
    return child.pid === undefined ? undefined : child
  } catch (error) {
    process.nextTick(failed, error)
    return undefined
  }
}
