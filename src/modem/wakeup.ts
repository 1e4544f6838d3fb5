/** A pause that ends early when something happens. The modem's loops wait with it, so that nothing is polled that is reported. */

import type { Clock } from '../base/ports.ts'

export class Wakeup {
  #isDue = false
  #end: (() => void) | undefined

  /** Ends the present pause, or the next one before it begins. */
  wake(): void {
    this.#isDue = true
    this.#end?.()
  }

  /** undefined: until woken. Rejects with the signal's reason. */
  pause(clock: Clock, ms: number | undefined, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const finish = (settle: () => void) => {
        cancel?.()
        signal.removeEventListener('abort', onAbort)
        this.#end = undefined
        this.#isDue = false
        settle()
      }
      const onAbort = () => finish(() => reject(signal.reason))
      const cancel = ms === undefined ? undefined : clock.at(clock.nowMs() + ms, () => finish(resolve))
      signal.addEventListener('abort', onAbort, { once: true })
      this.#end = () => finish(resolve)
      if (this.#isDue) this.#end()
    })
  }
}
