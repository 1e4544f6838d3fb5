/**
 * Standard output and error by system calls, for programs that end as soon as all is said: nothing waits in a buffer, and what
 * could not be written is known.
 */

import { constants } from 'node:os'
import { errnoText } from './libc.ts'
import { writeAll } from './shared-fd.ts'

const STDOUT = 1
const STDERR = 2

/** False: it could not all be written. Why is said on standard error, but for a reader who has seen enough (`… --help | head -1`). */
export function writeOutput(program: string, bytes: Uint8Array): boolean {
  const answer = writeAll(STDOUT, bytes)
  if (answer >= 0) return true
  if (answer !== -constants.errno.EPIPE)
    writeError(
      Buffer.from(`${program}: cannot write to standard output: ${errnoText(answer)}: send it somewhere else\n`),
    )
  return false
}

/** Where nobody reads it, it is lost: there is no other place. */
export function writeError(bytes: Uint8Array): void {
  writeAll(STDERR, bytes)
}
