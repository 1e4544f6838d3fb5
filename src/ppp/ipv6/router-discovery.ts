/**
 * A host's side of router discovery on a point-to-point link (RFC 4861 §6.3, RFC 4862 §5.5), behind IPV6CP. Of what a router
 * advertises, only one prefix and its being a router is taken: name servers, MTU, other routes and the rest are not
 * (DESIGN §7.7). Pure: `engines/interface.ts` gives it time and messages, and carries out what it finds.
 */

import { interfaceIdentifier, ipv6Prefix, isLinkLocal, isUsableIpv6 } from '../../base/ipv6.ts'
import {
  type AdvertisedPrefix,
  buildSolicitation,
  INFINITE_LIFETIME_SECONDS,
  parseAdvertisement,
} from './router-messages.ts'

const MAX_SOLICITATIONS = 3
const SOLICITATION_INTERVAL_MS = 4000
const REQUIRED_HOP_LIMIT = 255
/** What an identifier of 64 bits fits behind. */
const PREFIX_LENGTH = 64
/** An advertised lifetime does not shorten what is left below this (RFC 4862 §5.5.3 e). */
const TRUSTED_LIFETIME_MS = 2 * 3600 * 1000
/** A link has two ends; more is a peer that invents them. */
const MAX_ROUTERS = 4

export interface RouterHost {
  /** To all routers (ff02::2). */
  solicit(message: Uint8Array): void
  /** `found` has changed. */
  changed(): void
}

export interface RouterMessage {
  readonly source: bigint
  readonly hopLimit: number
  /** The ICMPv6 message; its checksum is right. */
  readonly bytes: Uint8Array
}

export interface FoundAddress {
  readonly address: bigint
  readonly prefixLength: number
  /** The router that advertised it; link-local. */
  readonly gateway: bigint
}

export interface Found {
  readonly address: FoundAddress | undefined
  /** Is there a default router? */
  readonly hasRouter: boolean
}

interface Taken extends FoundAddress {
  readonly prefix: bigint
  readonly validUntilMs: number
  readonly isPreferred: boolean
}

export class RouterDiscovery {
  /** Advertisements that were no such, or came from elsewhere. */
  dropped = 0
  readonly #identifier: bigint
  readonly #host: RouterHost
  #taken: Taken | undefined
  #routers = new Map<bigint, number>()
  #solicitations = 0
  #solicitAtMs: number | undefined

  /** `linkLocal`: our own. */
  constructor(linkLocal: bigint, host: RouterHost) {
    this.#identifier = interfaceIdentifier(linkLocal)
    this.#host = host
  }

  get found(): Found {
    const { address, prefixLength, gateway } = this.#taken ?? {}
    const isFound = address !== undefined && prefixLength !== undefined && gateway !== undefined
    return { address: isFound ? { address, prefixLength, gateway } : undefined, hasRouter: this.#routers.size > 0 }
  }

  /** When `timeout` is due; undefined: never. */
  get deadlineMs(): number | undefined {
    const times = [this.#solicitAtMs, this.#taken?.validUntilMs, ...this.#routers.values()]
    const next = Math.min(...times.filter((atMs) => atMs !== undefined))
    return Number.isFinite(next) ? next : undefined
  }

  start(nowMs: number): void {
    this.#solicitations = 0
    this.#solicit(nowMs)
  }

  timeout(nowMs: number): void {
    if (this.#solicitAtMs !== undefined && this.#solicitAtMs <= nowMs) this.#solicit(nowMs)
    const before = this.#print()
    if (this.#taken && this.#taken.validUntilMs <= nowMs) this.#taken = undefined
    for (const [router, untilMs] of this.#routers) if (untilMs <= nowMs) this.#routers.delete(router)
    this.#tellChange(before)
  }

  receive({ source, hopLimit, bytes }: RouterMessage, nowMs: number): void {
    const advertisement = hopLimit === REQUIRED_HOP_LIMIT && isLinkLocal(source) ? parseAdvertisement(bytes) : undefined
    if (!advertisement) {
      this.dropped++
      return
    }
    this.#solicitAtMs = undefined
    const before = this.#print()
    const { routerSeconds, prefixes } = advertisement
    if (routerSeconds === 0) this.#routers.delete(source)
    else if (this.#routers.has(source) || this.#routers.size < MAX_ROUTERS)
      this.#routers.set(source, nowMs + routerSeconds * 1000)
    for (const prefix of prefixes) this.#advertised(prefix, source, nowMs)
    this.#tellChange(before)
  }

  #advertised(advertised: AdvertisedPrefix, gateway: bigint, nowMs: number): void {
    const { prefixLength, validSeconds, preferredSeconds } = advertised
    if (prefixLength !== PREFIX_LENGTH || preferredSeconds > validSeconds) return
    const prefix = ipv6Prefix(advertised.prefix, prefixLength)
    const lifetimeMs = validSeconds === INFINITE_LIFETIME_SECONDS ? Number.POSITIVE_INFINITY : validSeconds * 1000
    const isPreferred = preferredSeconds > 0
    const taken = this.#taken
    if (taken && taken.prefix === prefix) {
      const leftMs = taken.validUntilMs - nowMs
      const isTrusted = lifetimeMs > TRUSTED_LIFETIME_MS || lifetimeMs > leftMs
      const validUntilMs = nowMs + (isTrusted ? lifetimeMs : Math.min(leftMs, TRUSTED_LIFETIME_MS))
      this.#taken = { ...taken, gateway, isPreferred, validUntilMs }
      return
    }
    // One is enough: another one replaces it only when the router itself would rather not see it used any more.
    if (!isPreferred || taken?.isPreferred) return
    if (!isUsableIpv6(prefix)) return
    const address = prefix | this.#identifier
    this.#taken = { prefix, address, prefixLength, gateway, isPreferred, validUntilMs: nowMs + lifetimeMs }
  }

  #solicit(nowMs: number): void {
    this.#solicitAtMs = ++this.#solicitations < MAX_SOLICITATIONS ? nowMs + SOLICITATION_INTERVAL_MS : undefined
    this.#host.solicit(buildSolicitation())
  }

  #print(): string {
    const { address, hasRouter } = this.found
    return `${address?.address} ${address?.gateway} ${hasRouter}`
  }

  #tellChange(before: string): void {
    if (this.#print() !== before) this.#host.changed()
  }
}
