/**
 * Name servers by systemd-resolved (org.freedesktop.resolve1(5)): the best of the methods of `link/resolver-chain.ts`. It forgets what
 * belongs to an interface when that goes, so that a crash of ours leaves nothing. Made by `daemon/main.ts`.
 */

import { errorText, ModemdError } from '../base/errors.ts'
import { parseIpv4 } from '../base/ipv4.ts'
import { ipv6Bytes, parseIpv6 } from '../base/ipv6.ts'
import type { LinkNameServers, NameServerMethod, Reach } from '../base/name-servers.ts'
import { type Clock, sleep } from '../base/ports.ts'
import { RemoteError } from './connection.ts'
import type { Neighbours } from './neighbours.ts'

const NAME = 'org.freedesktop.resolve1'
const PATH = '/org/freedesktop/resolve1'
const MANAGER = 'org.freedesktop.resolve1.Manager'
const TIMEOUT_MS = 5000
/** It hears of a new interface from the kernel, as we do, and may be behind. */
const LINK_PAUSES_MS = [50, 150, 400]
const AF_INET = 2
const AF_INET6 = 10
/** All names are asked for here, before those of links without such a domain. */
const EVERYTHING: readonly [domain: string, isRouteOnly: boolean] = ['.', true]

export interface ResolvedOptions {
  readonly neighbours: Neighbours
  readonly clock: Clock
  /** An interface's number. Throws where there is none such. */
  readonly indexOf: (interfaceName: string) => number
  /** Do programs that read /etc/resolv.conf, or the C library, come to it? */
  readonly isAsked: () => Promise<boolean>
  /** It came or went. */
  readonly onChange: () => void
}

export class Resolved implements NameServerMethod {
  readonly name = 'systemd-resolved'
  readonly #options: ResolvedOptions
  #owner = ''
  /** What each interface has, by its number. */
  readonly #shown = new Map<number, string>()

  constructor(options: ResolvedOptions) {
    this.#options = options
  }

  /** Knows whether it runs once this resolves. */
  async start(): Promise<void> {
    await this.#options.neighbours.follow({ name: NAME, onOwner: (owner) => this.#setOwner(owner) })
  }

  async reach(): Promise<Reach> {
    if (this.#owner === '') return 'none'
    return (await this.#options.isAsked()) ? 'all' : 'some'
  }

  async show(links: readonly LinkNameServers[]): Promise<void> {
    const wanted = new Map(links.map((link, rank) => [this.#options.indexOf(link.interfaceName), { link, rank }]))
    for (const index of [...this.#shown.keys()]) if (!wanted.has(index)) await this.#revert(index)
    for (const [index, { link, rank }] of wanted) await this.#set(index, link.servers, rank === 0)
  }

  async restoreAfterCrash(): Promise<void> {}

  #setOwner(owner: string): void {
    this.#owner = owner
    // What a new one still has from the one before is set again without harm.
    this.#shown.clear()
    this.#options.onChange()
  }

  async #set(index: number, servers: readonly string[], isFirst: boolean): Promise<void> {
    const entry = `${isFirst} ${servers.join(' ')}`
    if (this.#shown.get(index) === entry) return
    this.#shown.set(index, entry)
    try {
      await this.#ask('SetLinkDNS', 'ia(iay)', [index, servers.map(addressOf)])
      await this.#ask('SetLinkDomains', 'ia(sb)', [index, isFirst ? [EVERYTHING] : []])
      await this.#ask('SetLinkDefaultRoute', 'ib', [index, isFirst])
    } catch (error) {
      // Some of it may be there: taken away, or set anew, next time where that fails now.
      this.#shown.set(index, '')
      await this.#revert(index).catch(() => {})
      throw error
    }
  }

  async #revert(index: number): Promise<void> {
    await this.#ask('RevertLink', 'i', [index]).catch((error) => {
      // The interface is gone, and with it what it had.
      if (!isNoSuchLink(error)) throw error
    })
    this.#shown.delete(index)
  }

  async #ask(member: string, signature: string, body: readonly unknown[]): Promise<void> {
    const { neighbours, clock } = this.#options
    const call = { destination: NAME, path: PATH, interface: MANAGER, member, signature, body }
    for (let tries = 0; ; tries++) {
      try {
        await neighbours.call(call, TIMEOUT_MS)
        return
      } catch (error) {
        const pauseMs = member === 'RevertLink' ? undefined : LINK_PAUSES_MS[tries]
        if (!isNoSuchLink(error) || pauseMs === undefined)
          throw isNoSuchLink(error) ? error : new ModemdError('Internal', `systemd-resolved: ${errorText(error)}`)
        await sleep(clock, pauseMs)
      }
    }
  }
}

function isNoSuchLink(error: unknown): boolean {
  return error instanceof RemoteError && error.errorName.endsWith('.NoSuchLink')
}

/** `(iay)`: the family, and the bytes in the network's order. */
function addressOf(server: string): readonly [family: number, bytes: readonly number[]] {
  const ip4 = parseIpv4(server)
  if (ip4 !== undefined) return [AF_INET, [24, 16, 8, 0].map((shift) => (ip4 >>> shift) & 0xff)]
  const ip6 = parseIpv6(server)
  if (ip6 === undefined) throw new ModemdError('InvalidArgs', `${server} is no address of a name server`)
  return [AF_INET6, [...ipv6Bytes(ip6)]]
}
