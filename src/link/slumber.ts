/** From the word that the machine goes to sleep until it woke up: no link does anything. The supervisor has one for all links. */

import { Listeners } from '../base/listeners.ts'
import type { Cancel } from '../base/ports.ts'

export class Slumber {
  readonly #woke = new Listeners<[]>()
  #isOn = false

  get isOn(): boolean {
    return this.#isOn
  }

  begin(): void {
    this.#isOn = true
  }

  end(): void {
    this.#isOn = false
    this.#woke.emit()
  }

  onEnd(listener: () => void): Cancel {
    return this.#woke.add(listener)
  }
}
