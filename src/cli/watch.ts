/** Runs a command that goes on until it is interrupted: `monitor`, `signal --watch`. */

import type { Change, Daemon } from './daemon.ts'
import type { Session } from './session.ts'

export type SeenChange = Exclude<Change, { readonly type: 'lost' }>

/** Resolves on SIGINT or SIGTERM; rejects with what `onChange` throws, and when the bus is gone. */
export async function untilInterrupted(
  session: Session,
  daemon: Daemon,
  onChange: (change: SeenChange) => void,
): Promise<void> {
  let unfollow = () => {}
  let stopListening = () => {}
  try {
    await new Promise<void>((resolve, reject) => {
      stopListening = session.io.onInterrupt(resolve)
      unfollow = daemon.onChange((change) => {
        try {
          if (change.type === 'lost') throw change.error
          onChange(change)
        } catch (error) {
          reject(error)
        }
      })
    })
  } finally {
    unfollow()
    stopListening()
  }
}
