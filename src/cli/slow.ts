/** A wait that may be long is announced, so that it does not look like a hang. Called by the commands. */

import { clean } from './output/text.ts'
import type { Session } from './session.ts'

const SLOW_MS = 500

/** The first of `waits` to end. After half a second `sentence` goes to stderr, unless JSON was asked for. */
export async function sayIfSlow<T>(
  { output, clock, io }: Session,
  sentence: string,
  waits: readonly Promise<T>[],
): Promise<T> {
  const cancel = clock.at(clock.nowMs() + SLOW_MS, () => {
    if (!output.json) io.stderr.write(`${clean(sentence)}\n`)
  })
  try {
    return await Promise.race(waits)
  } finally {
    cancel()
  }
}
