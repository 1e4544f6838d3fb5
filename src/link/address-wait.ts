/**
 * Holds a link back from `up` until it has every kind of address that its profile asks for, or one will not come: of two protocols one is
 * the first, and the global IPv6 address follows with the router's word. Not for long, as nobody tells what never comes. `carry.ts` has one.
 */

import type { Cancel, Clock } from '../base/ports.ts'
import type { NetworkName } from '../ppp/control/networks.ts'
import type { LinkAddress } from '../ppp/engines/engine.ts'
import type { PppPhase } from '../ppp/settings.ts'
import type { Profile } from './profile.ts'

/** From when the first kind is there. */
const LIMIT_MS = 1000

export class AddressWait {
  readonly #ip: Profile['ip']
  readonly #clock: Clock
  readonly #onOver: () => void
  readonly #stopped = new Set<NetworkName>()
  #address: LinkAddress | undefined
  #isOver = false
  #cancel: Cancel | undefined

  /** `onOver`: it goes on without what is missing. Not called where `take` had all. */
  constructor(ip: Profile['ip'], clock: Clock, onOver: () => void) {
    this.#ip = ip
    this.#clock = clock
    this.#onOver = onOver
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** What the interface has by now. */
  take(address: LinkAddress): void {
    this.#address = address
    if (this.#isOver) return
    if (this.#hasAll()) this.#finish()
    else this.#cancel ??= this.#clock.at(this.#clock.nowMs() + LIMIT_MS, () => this.#goOn())
  }

  stopped(network: NetworkName): void {
    this.#stopped.add(network)
    if (this.#address && !this.#isOver && this.#hasAll()) this.#goOn()
  }

  /** Where the peer negotiates anew everything may come anew. */
  phase(phase: PppPhase): void {
    if (phase === 'running') return
    if (phase === 'establish') this.#stopped.clear()
    this.end()
  }

  /** Idempotent. */
  end(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#address = undefined
    this.#isOver = false
  }

  #hasAll(): boolean {
    const { ip4, ip6 } = this.#address!
    const lacks = (network: NetworkName, isThere: boolean) => !isThere && !this.#stopped.has(network)
    return (
      !(this.#ip !== '6' && lacks('ipv4', ip4 !== undefined)) &&
      !(this.#ip !== '4' && lacks('ipv6', ip6?.global !== undefined))
    )
  }

  #goOn(): void {
    this.#finish()
    this.#onOver()
  }

  #finish(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#isOver = true
  }
}
