/** A long wait for one answer: its seconds counted on a terminal, else announced once it is long. Called by `scan` and `register`. */

import type { Session } from '../session.ts'
import { sayIfSlow } from '../slow.ts'
import { clean, cut } from './text.ts'

const TICK_MS = 1000
const CLEAR_LINE = '\r\x1b[K'

export async function countSeconds<T>(session: Session, what: string, wait: Promise<T>): Promise<T> {
  const { output, clock } = session
  if (!output.isTerminal) return sayIfSlow(session, `${what} …`, [wait])
  const startMs = clock.nowMs()
  let cancel = () => {}
  const tick = () => {
    const seconds = Math.round((clock.nowMs() - startMs) / 1000)
    output.raw(`${CLEAR_LINE}${cut(`${clean(what)} … ${seconds} s`, output.width - 1)}`)
    cancel = clock.at(clock.nowMs() + TICK_MS, tick)
  }
  tick()
  try {
    return await wait
  } finally {
    cancel()
    output.raw(CLEAR_LINE)
  }
}
