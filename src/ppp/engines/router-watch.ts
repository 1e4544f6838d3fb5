/** Router discovery (`ppp/ipv6/router-discovery.ts`) on one interface: its socket and its timer. `interface.ts` starts one behind IPV6CP. */

import { errorText } from '../../base/errors.ts'
import type { Cancel, Clock, Logger } from '../../base/ports.ts'
import type { RouterSocket } from '../../system/router-socket.ts'
import { type Found, RouterDiscovery } from '../ipv6/router-discovery.ts'

export interface RouterWatchServices {
  /** Missing: nobody looks for routers. */
  openRouterSocket?(interfaceName: string): RouterSocket
  readonly clock: Clock
  readonly logger: Logger
}

/** A timer of Node's goes no further; the clock is asked again then. */
const LONGEST_WAIT_MS = 24 * 3600 * 1000
/** Between two changes that are told: a router that takes back what it said as fast as it can must not keep us busy. */
const CHANGE_INTERVAL_MS = 1000

export class RouterWatch {
  readonly linkLocal: bigint
  readonly #clock: Clock
  readonly #socket: RouterSocket | undefined
  readonly #discovery: RouterDiscovery
  readonly #onChange: () => void
  #cancelTimer: Cancel | undefined
  #cancelChange: Cancel | undefined
  #nextChangeAtMs = 0
  #isClosed = false

  /** The interface is up and has its link-local address. */
  constructor(services: RouterWatchServices, interfaceName: string, linkLocal: bigint, onChange: () => void) {
    this.linkLocal = linkLocal
    this.#clock = services.clock
    this.#onChange = onChange
    this.#socket = openOrWarn(services, interfaceName)
    this.#discovery = new RouterDiscovery(linkLocal, {
      solicit: (message) => this.#socket?.solicit(message),
      changed: () => this.#changed(),
    })
    if (!this.#socket) return
    this.#socket.onAdvertisement((message) => {
      this.#discovery.receive(message, this.#clock.nowMs())
      this.#arm()
    })
    this.#discovery.start(this.#clock.nowMs())
    this.#arm()
  }

  get found(): Found {
    return this.#discovery.found
  }

  /** Idempotent. */
  close(): void {
    this.#isClosed = true
    this.#cancelTimer?.()
    this.#cancelChange?.()
    this.#socket?.close()
  }

  /** At once, unless there was one just now. */
  #changed(): void {
    const waitMs = this.#nextChangeAtMs - this.#clock.nowMs()
    if (waitMs > 0) this.#cancelChange ??= this.#clock.at(this.#nextChangeAtMs, () => this.#tellChange())
    else this.#tellChange()
  }

  #tellChange(): void {
    this.#cancelChange = undefined
    this.#nextChangeAtMs = this.#clock.nowMs() + CHANGE_INTERVAL_MS
    this.#onChange()
  }

  #arm(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    const { deadlineMs } = this.#discovery
    if (deadlineMs === undefined || this.#isClosed) return
    const atMs = Math.min(deadlineMs, this.#clock.nowMs() + LONGEST_WAIT_MS)
    this.#cancelTimer = this.#clock.at(atMs, () => {
      this.#discovery.timeout(this.#clock.nowMs())
      this.#arm()
    })
  }
}

/** Without it the link has its link-local addresses only, which is no reason to end it. */
function openOrWarn({ openRouterSocket, logger }: RouterWatchServices, name: string): RouterSocket | undefined {
  try {
    return openRouterSocket?.(name)
  } catch (error) {
    logger.warn(`No IPv6 address from the network on ${name}: ${errorText(error)}.`)
    return undefined
  }
}
