/** The name servers of one call, while it is up. `call.ts` sets them, anew where the peer gives others, and takes them away at its end. */

import { errorText } from '../base/errors.ts'
import type { Logger } from '../base/ports.ts'

/** Sets name servers for an interface; the answer takes them away again. `metric`: its route's, the lowest is asked first. */
export interface Resolver {
  apply(interfaceName: string, servers: readonly string[], metric: number): Promise<() => Promise<void>>
}

export class NameServers {
  readonly #resolver: Resolver | undefined
  readonly #metric: number
  readonly #logger: Logger
  #takeAway: (() => Promise<void>) | undefined

  /** `resolver` undefined: name servers are not set. */
  constructor(resolver: Resolver | undefined, metric: number, logger: Logger) {
    this.#resolver = resolver
    this.#metric = metric
    this.#logger = logger
  }

  /** Instead of those before. Never rejects: a link that has its address and route is of use without them too. */
  async set(interfaceName: string, servers: readonly string[]): Promise<void> {
    await this.restore()
    if (!this.#resolver || servers.length === 0) return
    try {
      this.#takeAway = await this.#resolver.apply(interfaceName, servers, this.#metric)
    } catch (error) {
      const fields = { servers: servers.join(' ') }
      this.#logger.warn(`${interfaceName} is up without name servers: ${errorText(error)}`, fields)
    }
  }

  /** Never rejects. */
  async restore(): Promise<void> {
    const takeAway = this.#takeAway
    this.#takeAway = undefined
    try {
      await takeAway?.()
    } catch (error) {
      this.#logger.warn(`the former name servers are not back: ${errorText(error)}`)
    }
  }
}
