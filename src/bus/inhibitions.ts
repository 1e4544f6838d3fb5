/** Who made the daemon let go of which device (Manager1.Inhibit): a cookie holds until it is released or its caller leaves the bus. */

import { ModemdError } from '../base/errors.ts'
import type { Cancel } from '../base/ports.ts'
import type { ModemFleet } from '../modem/snapshot.ts'
import type { PeerWatch } from './peer-watch.ts'

interface Inhibition {
  readonly sender: string
  readonly takeBack: Cancel
  unwatch: Cancel | undefined
}

export class Inhibitions {
  readonly #fleet: ModemFleet
  readonly #peers: PeerWatch
  readonly #held = new Map<number, Inhibition>()
  #lastCookie = 0

  constructor(fleet: ModemFleet, peers: PeerWatch) {
    this.#fleet = fleet
    this.#peers = peers
  }

  /** The cookie. Rejects with what the fleet says (NotFound, Busy). */
  async hold(device: string, sender: string): Promise<number> {
    const takeBack = await this.#fleet.inhibit(device)
    const cookie = ++this.#lastCookie
    const inhibition: Inhibition = { sender, takeBack, unwatch: undefined }
    this.#held.set(cookie, inhibition)
    try {
      inhibition.unwatch = await this.#peers.watch(sender, () => this.#end(cookie))
    } catch (error) {
      this.#end(cookie)
      throw error
    }
    return cookie
  }

  /** Throws NotFound where the cookie is not this caller's. */
  release(cookie: number, sender: string): void {
    if (this.#held.get(cookie)?.sender !== sender) {
      throw new ModemdError('NotFound', `You hold no inhibition ${cookie}: it was released, or another program's.`)
    }
    this.#end(cookie)
  }

  #end(cookie: number): void {
    const inhibition = this.#held.get(cookie)
    if (!inhibition) return
    this.#held.delete(cookie)
    inhibition.unwatch?.()
    inhibition.takeBack()
  }
}
