/**
 * The name servers of all links by the best method that works: asked anew at every change, so that systemd-resolved may come, go or
 * fail. What a method before has is taken away once another has it all. Made by `daemon/main.ts`.
 */

import { errorText, ModemdError } from '../base/errors.ts'
import type { LinkNameServers, NameServerMethod } from '../base/name-servers.ts'
import type { Cancel, Clock, Logger } from '../base/ports.ts'
import type { Resolver } from './name-servers.ts'

/** What cannot be set or taken away now (no space, no right, a service that fails) is tried again so often, until it holds. */
const RETRY_MS = 30_000

export class ResolverChain implements Resolver {
  readonly #methods: readonly NameServerMethod[]
  readonly #clock: Clock
  readonly #logger: Logger
  /** By interface. */
  readonly #links = new Map<string, LinkNameServers>()
  #inUse: readonly NameServerMethod[] = []
  #turn: Promise<void> = Promise.resolve()
  #cancelRetry: Cancel | undefined
  #lastTrouble = ''

  /** The best first. */
  constructor(methods: readonly NameServerMethod[], clock: Clock, logger: Logger) {
    this.#methods = methods
    this.#clock = clock
    this.#logger = logger
  }

  /** Rejects with InvalidArgs alone: what does not work now is said and tried again. */
  async apply(interfaceName: string, servers: readonly string[], metric: number): Promise<() => Promise<void>> {
    mustBeSafe(interfaceName, servers)
    if (servers.length === 0) return async () => {}
    const link = { interfaceName, servers, metric }
    this.#links.set(interfaceName, link)
    await this.#inTurn()
    return async () => {
      if (this.#links.get(interfaceName) !== link) return
      this.#links.delete(interfaceName)
      await this.#inTurn()
    }
  }

  /** A method can be used that could not, or the other way round. */
  changed(): void {
    if (this.#links.size > 0) void this.#inTurn()
  }

  /** At start. Never rejects: links come up all the same. */
  async restoreAfterCrash(): Promise<void> {
    for (const method of this.#methods) {
      const trouble = (error: unknown) => this.#logger.error(`${errorText(error)}: mend ${method.name} by hand.`)
      await method.restoreAfterCrash().catch(trouble)
    }
  }

  close(): void {
    this.#cancelRetry?.()
  }

  /** One change at a time; each shows what holds when its turn comes. Never rejects. */
  #inTurn(): Promise<void> {
    this.#turn = this.#turn.then(async () => {
      this.#cancelRetry?.()
      this.#cancelRetry = undefined
      const trouble = await this.#show()
      if (trouble !== '' && trouble !== this.#lastTrouble) this.#logger.warn(trouble)
      this.#lastTrouble = trouble
      if (trouble === '') return
      this.#cancelRetry = this.#clock.at(this.#clock.nowMs() + RETRY_MS, () => void this.#inTurn())
    })
    return this.#turn
  }

  /** What did not work, for people; ''. */
  async #show(): Promise<string> {
    const links = [...this.#links.values()].sort((a, b) => a.metric - b.metric)
    const former = this.#inUse
    const refusal = await this.#showBy(links)
    const left: string[] = []
    for (const method of former) {
      if (this.#inUse.includes(method)) continue
      try {
        await method.show([])
      } catch (error) {
        left.push(errorText(error))
        this.#inUse = [...this.#inUse, method]
      }
    }
    const names = links.map(({ interfaceName }) => interfaceName).join(', ')
    if (refusal !== undefined) return `Name servers of ${names} are not set: ${refusal}.`
    return left.length === 0 ? '' : `The former name servers are not back: ${left.join('; ')}.`
  }

  /** By methods in order, until all programs see them. The answer: why by none; undefined: that is done. */
  async #showBy(links: readonly LinkNameServers[]): Promise<string | undefined> {
    const failures: string[] = []
    const used: NameServerMethod[] = []
    for (const method of links.length === 0 ? [] : this.#methods) {
      try {
        const reach = await method.reach()
        if (reach === 'none') continue
        await method.show(links)
        used.push(method)
        if (reach === 'all') break
      } catch (error) {
        failures.push(errorText(error))
        this.#logger.debug(`Name servers cannot be set by ${method.name}: ${errorText(error)}`)
        await method.show([]).catch(() => {})
      }
    }
    const names = namesOf(used)
    if (names !== '' && names !== namesOf(this.#inUse)) this.#logger.info(`Name servers are set by ${names}.`)
    this.#inUse = used
    if (links.length === 0 || used.length > 0) return undefined
    return failures.join('; ') || 'there is no way to set them here'
  }
}

function namesOf(methods: readonly NameServerMethod[]): string {
  return methods.map(({ name }) => name).join(' and ')
}

/** They come from a network: nothing of them becomes a line of a file or a word of a command. */
function mustBeSafe(interfaceName: string, servers: readonly string[]): void {
  if (!/^(?!\.)[A-Za-z0-9_.-]+$/.test(interfaceName))
    throw new ModemdError('InvalidArgs', `${JSON.stringify(interfaceName)} is no interface name`)
  for (const server of servers)
    if (!/^[0-9A-Fa-f.:]+$/.test(server))
      throw new ModemdError('InvalidArgs', `${JSON.stringify(server)} is no address of a name server`)
}
