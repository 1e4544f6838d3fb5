/** What `modem-sim ctl SOCKET stats` tells of one modem. Names of commands only: arguments may be PINs and passwords. */

import { type AtCommand, commandKey } from './at-line.ts'

const REMEMBERED_COMMANDS = 200

export class Statistics {
  readonly #byName = new Map<string, number>()
  #last: string[] = []
  calls = 0
  /** Bytes of calls, PPP's framing included: from the operator, from the host. */
  rxBytes = 0
  txBytes = 0
  /** Writes and packets that found no room. */
  drops = 0
  plugs = 0

  commandSeen(command: AtCommand): void {
    const name = `AT${commandKey(command)}`
    this.#byName.set(name, (this.#byName.get(name) ?? 0) + 1)
    this.#last = [...this.#last.slice(1 - REMEMBERED_COMMANDS), name]
  }

  get commands(): { total: number; byName: Record<string, number>; last: readonly string[] } {
    const byName = Object.fromEntries([...this.#byName].sort(([a], [b]) => (a < b ? -1 : 1)))
    return { total: Object.values(byName).reduce((sum, each) => sum + each, 0), byName, last: this.#last }
  }
}
