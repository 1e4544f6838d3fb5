/** The ports of one modem: which is for data, which is free for a command, and how they show. Used by `modem.ts`. */

import { ModemdError } from '../base/errors.ts'
import type { AtSession } from './at/session.ts'
import type { ModemPort } from './port.ts'
import type { PortInfo } from './snapshot.ts'

export class PortSet {
  #ports: readonly ModemPort[] = []
  #others: readonly PortInfo[] = []
  /** The one that a dial or a call has. */
  called: ModemPort | undefined

  get all(): readonly ModemPort[] {
    return this.#ports
  }

  /** Where a dial goes. */
  get data(): ModemPort {
    return this.#ports.find(({ role }) => role === 'data') ?? this.#ports[0]!
  }

  /** With two or more, one is for data (the table's, else the lowest) and the others are for commands. */
  add(port: ModemPort): void {
    const sorted = [...this.#ports, port].sort((a, b) => a.number - b.number)
    const data = sorted.find(({ hint }) => hint === 'data') ?? sorted.find(({ hint }) => hint !== 'at') ?? sorted[0]
    for (const each of sorted) each.role = sorted.length > 1 && each === data ? 'data' : 'at'
    this.#ports = sorted
  }

  setOthers(others: readonly PortInfo[]): void {
    this.#others = others
  }

  /** A port for commands: it is free whatever the data port does. Throws Busy while a call has the only one. */
  free(): ModemPort {
    const free = this.#ports.filter((port) => port !== this.called && port.session)
    const port = free.find(({ role }) => role !== 'data') ?? free[0]
    if (!port) throw new ModemdError('Busy', "A call has the modem's only AT port.", 'port-busy')
    return port
  }

  infos(): readonly PortInfo[] {
    const own = this.#ports.map(({ path, role, owner }) => ({ name: path, role, owner }))
    return [...own, ...this.#others].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))
  }

  async close(): Promise<void> {
    await Promise.all(this.#ports.map((port) => port.close()))
  }
}

export function sessionOf(port: ModemPort): AtSession {
  if (!port.session) throw new ModemdError('Busy', `${port.path} carries a call now.`, 'port-busy')
  return port.session
}
