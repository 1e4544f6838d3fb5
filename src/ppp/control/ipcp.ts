/**
 * The options of the IP Control Protocol (RFC 1332, name servers of RFC 1877): rules for `automaton.ts`, owned by `networks.ts`.
 * Addresses that no peer may give are not taken from it (DESIGN §7.7).
 */

import { printable } from '../../base/bytes.ts'
import type { Failure } from '../../base/cause.ts'
import { formatIpv4, isPlaceholderNameServer, isUsableUnicast } from '../../base/ipv4.ts'
import type { Ip4Address, PppSettings } from '../settings.ts'
import { type ConfigOption, u32Option, u32Value } from '../wire/packets.ts'
import { IPCP } from '../wire/protocols.ts'
import type { ControlRules, ExtraCode, Judgement } from './rules.ts'

const ADDRESS = 3
const DNS_TYPES = [129, 131] as const

/** With the automaton's pace this is about half a minute; after that the link comes up without name servers. */
const MAX_PLACEHOLDER_NAKS = 30
const MAX_USELESS_OFFERS = 10
const MAX_NAKS_TAKEN = 40

export class Ipcp implements ControlRules {
  readonly name = 'IPCP'
  readonly protocol = IPCP
  readonly cause = 'ipcp-failed'
  readonly maxNaksTaken = MAX_NAKS_TAKEN
  objection: Failure | undefined
  readonly #settings: PppSettings
  readonly #peerName: () => string | undefined
  #address = 0
  #sendsAddress = true
  /** What we ask for, 0 where we know none yet; a type that is missing is not asked for. */
  readonly #dns = new Map<number, number>()
  #peerAddress = 0
  /** What the peer gets; 0: it chooses. */
  #remoteAddress = 0
  #hasAskedForAddress = false
  #uselessOffers = 0
  /** By the type of the option. */
  readonly #placeholderNaks = new Map<number, number>()

  /** `peerName`: of a peer that logged in, else undefined. */
  constructor(settings: PppSettings, peerName: () => string | undefined) {
    this.#settings = settings
    this.#peerName = peerName
  }

  /** What was agreed; valid while IPCP is opened. `local` 0: no address. */
  get result(): Ip4Address {
    const dns = [...this.#dns.values()].filter((server) => isUsableUnicast(server))
    const peer = this.#peerAddress || this.#remoteAddress
    return { local: this.#address, peer: peer === this.#address ? 0 : peer, dns: [...new Set(dns)] }
  }

  begin(): void {
    this.objection = undefined
    const { localAddress, remoteAddress, remoteAddressOf } = this.#settings
    const name = this.#peerName()
    this.#address = localAddress
    this.#remoteAddress = (name === undefined ? undefined : remoteAddressOf?.(name)) ?? remoteAddress
    this.#sendsAddress = true
    this.#dns.clear()
    if (this.#settings.requestDns) for (const type of DNS_TYPES) this.#dns.set(type, 0)
    this.#peerAddress = 0
    this.#hasAskedForAddress = false
    this.#uselessOffers = 0
    this.#placeholderNaks.clear()
  }

  request(): ConfigOption[] {
    const options = [...this.#dns].map(([type, server]) => u32Option(type, server))
    return this.#sendsAddress ? [u32Option(ADDRESS, this.#address), ...options] : options
  }

  /** An acknowledged 0.0.0.0 is no address. */
  acked(): void {
    if (this.#address === 0) this.#objectToNoAddress('the peer acknowledged 0.0.0.0 as our address')
  }

  naked(option: ConfigOption): void {
    const value = u32Value(option)
    if (value === undefined) return
    if (option.type === ADDRESS) this.#addressOffered(value)
    else if (this.#dns.has(option.type)) this.#dnsOffered(option.type, value)
  }

  /** Name servers that are rejected are dropped one by one. */
  rejected({ type }: ConfigOption): void {
    this.#dns.delete(type)
    if (type !== ADDRESS) return
    this.#sendsAddress = false
    if (this.#address === 0) this.#objectToNoAddress('the peer gives no address (Configure-Reject)')
  }

  judge(option: ConfigOption): Judgement {
    const value = u32Value(option)
    if (value === undefined) return 'reject'
    if (option.type === ADDRESS) return this.#judgePeerAddress(value)
    const server = this.#settings.dnsServers[DNS_TYPES.indexOf(option.type as (typeof DNS_TYPES)[number])]
    if (server === undefined) return 'reject'
    return value === server ? 'ack' : u32Option(option.type, server)
  }

  /** A server asks once for the address that it gives; a peer that names none is welcome all the same, unless its address matters. */
  missing(present: ReadonlySet<number>): ConfigOption[] {
    if (present.has(ADDRESS)) return []
    if (this.#remoteAddress === 0 || this.#hasAskedForAddress) {
      if (!this.#mayHave(this.#remoteAddress)) this.#objectToPeerAddress(this.#remoteAddress)
      return []
    }
    this.#hasAskedForAddress = true
    return [u32Option(ADDRESS, this.#remoteAddress)]
  }

  /** A peer that keeps another address than the one we route to it would be up and deaf. */
  insistsOn(type: number): boolean {
    return type === ADDRESS && this.#remoteAddress !== 0
  }

  accepted(options: readonly ConfigOption[]): void {
    const address = options.find(({ type }) => type === ADDRESS)
    this.#peerAddress = (address && u32Value(address)) ?? 0
  }

  /** Echoes and Protocol-Rejects are LCP's. */
  extraCode(): ExtraCode {
    return 'unknown'
  }

  codeRejected(): void {}

  #addressOffered(address: number): void {
    const { localAddress, acceptLocal } = this.#settings
    if ((localAddress === 0 || acceptLocal) && isUsableUnicast(address)) {
      this.#address = address
      this.#sendsAddress = true
      return
    }
    if (++this.#uselessOffers <= MAX_USELESS_OFFERS) return
    if (localAddress === 0) {
      this.#objectToNoAddress(`the peer offered only ${formatIpv4(address)} as our address`)
      return
    }
    const both = `the peer wants us to be ${formatIpv4(address)}, not ${formatIpv4(localAddress)}`
    this.objection = { cause: 'ipcp-failed', detail: `IPCP: ${both}` }
  }

  #dnsOffered(type: number, server: number): void {
    const isPlaceholder = isPlaceholderNameServer(server)
    if (!isPlaceholder && isUsableUnicast(server)) {
      this.#dns.set(type, server)
      return
    }
    const count = (this.#placeholderNaks.get(type) ?? 0) + 1
    this.#placeholderNaks.set(type, count)
    if (!isPlaceholder || count > MAX_PLACEHOLDER_NAKS) this.#dns.delete(type)
  }

  /** The peer gets what the settings say; where they leave it to the peer, any usable address that is not ours, or none. */
  #judgePeerAddress(address: number): Judgement {
    const isFree = this.#remoteAddress === 0 || this.#settings.acceptRemote
    const isTakable = isFree && isUsableUnicast(address) && address !== this.#address
    if (isTakable || (address === this.#remoteAddress && address !== 0)) {
      if (this.#mayHave(address)) return 'ack'
      this.#objectToPeerAddress(address)
    }
    return this.#remoteAddress === 0 ? 'reject' : u32Option(ADDRESS, this.#remoteAddress)
  }

  #mayHave(address: number): boolean {
    return this.#settings.allowsRemoteAddress?.(address, this.#peerName()) ?? true
  }

  #objectToPeerAddress(address: number): void {
    const who = this.#peerName() === undefined ? 'the peer' : `the peer "${printable(this.#peerName()!)}"`
    const which = address === 0 ? 'names no address' : `may not have the address ${formatIpv4(address)}`
    this.objection = { cause: 'ipcp-failed', detail: `IPCP: ${who} ${which}` }
  }

  #objectToNoAddress(why: string): void {
    this.objection = { cause: 'no-address', detail: `IPCP: ${why}` }
  }
}
