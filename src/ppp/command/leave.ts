/** The end of the process, at once: Node's own way waits for its threads and touches the terminal's settings. */

import { exitAtOnce } from '../../system/libc.ts'

/** Everything has been written by system calls: nothing waits in a buffer. */
export function leave(exitCode: number): never {
  exitAtOnce(exitCode)
  throw new Error('still here')
}
