/** Tells when a caller leaves the bus (NameOwnerChanged of its unique name). What lasts as long as its caller hangs on this: `inhibitions.ts`. */

import { ModemdError } from '../base/errors.ts'
import type { Cancel } from '../base/ports.ts'
import type { BusConnection, ReceivedSignal } from './connection.ts'

const BUS = 'org.freedesktop.DBus'

export class PeerWatch {
  readonly #connection: () => BusConnection | undefined
  readonly #listeners = new Map<string, Set<() => void>>()

  constructor(connection: () => BusConnection | undefined) {
    this.#connection = connection
  }

  /** Calls `onGone` once when `peer` (a unique name) leaves, also where it has left already. Rejects when the bus does not answer. */
  async watch(peer: string, onGone: () => void): Promise<Cancel> {
    const connection = this.#connection()
    if (!connection) throw new ModemdError('Internal', 'There is no connection to the bus.')
    const listeners = this.#listeners.get(peer) ?? new Set()
    this.#listeners.set(peer, listeners.add(onGone))
    const cancel = () => this.#forget(peer, onGone)
    try {
      if (listeners.size === 1) await connection.callBus('AddMatch', 's', [matchRule(peer)])
      // It may have left before the match was there.
      const [isHere] = await connection.callBus('NameHasOwner', 's', [peer])
      if (isHere !== true) this.#gone(peer)
    } catch (error) {
      cancel()
      throw error
    }
    return cancel
  }

  /** Every signal that comes. */
  handle({ sender, interface: interfaceName, member, body }: ReceivedSignal): void {
    if (sender !== BUS || interfaceName !== BUS || member !== 'NameOwnerChanged') return
    const [name, , newOwner] = body
    if (newOwner === '') this.#gone(name as string)
  }

  /** The bus died, and everybody on it is gone. */
  busLost(): void {
    for (const peer of [...this.#listeners.keys()]) this.#gone(peer)
  }

  #gone(peer: string): void {
    const listeners = this.#listeners.get(peer) ?? []
    for (const listener of [...listeners]) {
      this.#forget(peer, listener)
      listener()
    }
  }

  #forget(peer: string, onGone: () => void): void {
    const listeners = this.#listeners.get(peer)
    if (!listeners?.delete(onGone) || listeners.size > 0) return
    this.#listeners.delete(peer)
    // It fails where the bus is gone, and with it the match.
    this.#connection()
      ?.callBus('RemoveMatch', 's', [matchRule(peer)])
      .catch(() => undefined)
  }
}

function matchRule(peer: string): string {
  return `type='signal',sender='${BUS}',interface='${BUS}',member='NameOwnerChanged',path='/org/freedesktop/DBus',arg0='${peer}'`
}
