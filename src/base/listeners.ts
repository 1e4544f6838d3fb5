/** Who wants to hear of something. An emit reaches those that listened when it began, whatever they add or cancel meanwhile. */

import type { Cancel } from './ports.ts'

export class Listeners<Args extends readonly unknown[]> {
  readonly #listeners = new Set<(...args: Args) => void>()

  add(listener: (...args: Args) => void): Cancel {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  emit(...args: Args): void {
    for (const listener of [...this.#listeners]) listener(...args)
  }
}
