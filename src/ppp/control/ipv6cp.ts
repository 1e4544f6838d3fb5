/**
 * The options of the IPv6 Control Protocol (RFC 5072 §4): rules for `automaton.ts`, owned by `networks.ts`. What is agreed are
 * two interface identifiers, of which each end makes its link-local address and the other's.
 */

import type { Failure } from '../../base/cause.ts'
import type { Random } from '../../base/ports.ts'
import type { Ip6Identifiers, PppSettings } from '../settings.ts'
import { type ConfigOption, u64Option, u64Value } from '../wire/packets.ts'
import { IPV6CP } from '../wire/protocols.ts'
import type { ControlRules, ExtraCode, Judgement } from './rules.ts'

const INTERFACE_ID = 1
const MAX_NAKS_TAKEN = 20
const MAX_USELESS_OFFERS = 10
/** How often a peer that names no identifier is asked for one; a request that was under way already must not count as a no. */
const MAX_ASKED = 3
/** Set in identifiers that claim to be unique in the world; those drawn at random do not (RFC 5072 §4.1). */
const UNIVERSAL_BIT = 1n << 57n

export class Ipv6cp implements ControlRules {
  readonly name = 'IPV6CP'
  readonly protocol = IPV6CP
  readonly cause = 'ipcp-failed'
  readonly maxNaksTaken = MAX_NAKS_TAKEN
  objection: Failure | undefined
  readonly #settings: PppSettings
  readonly #random: Random
  /** Ours: of the settings, or drawn at the first negotiation and kept; 0n: not drawn yet. */
  #local: bigint
  #sendsLocal = true
  #peer = 0n
  /** What a peer without a usable identifier is told to take. */
  #suggestion = 0n
  #timesAsked = 0
  #uselessOffers = 0

  constructor(settings: PppSettings, random: Random) {
    this.#settings = settings
    this.#random = random
    this.#local = settings.localInterfaceId
  }

  /** What was agreed; valid while IPV6CP is opened. */
  get result(): Ip6Identifiers {
    return { local: this.#local, peer: this.#peer }
  }

  begin(): void {
    this.objection = undefined
    this.#peer = 0n
    if (this.#local === 0n) this.#local = this.#drawn()
    this.#sendsLocal = true
    this.#suggestion = this.#settings.remoteInterfaceId
    this.#timesAsked = 0
    this.#uselessOffers = 0
  }

  request(): ConfigOption[] {
    return this.#sendsLocal ? [u64Option(INTERFACE_ID, this.#local)] : []
  }

  acked(): void {}

  /** A suggestion of zero, or of the peer's own identifier, says only that ours will not do. */
  naked(option: ConfigOption): void {
    const value = option.type === INTERFACE_ID ? u64Value(option) : undefined
    if (value === undefined) return
    const { localInterfaceId, acceptLocal } = this.#settings
    if (localInterfaceId === 0n || acceptLocal) {
      this.#local = value === 0n || value === this.#peer ? this.#drawn() : value
      this.#sendsLocal = true
    } else if (value !== localInterfaceId && ++this.#uselessOffers > MAX_USELESS_OFFERS) {
      this.#object('the peer wants us to have another interface identifier than the settings say')
    }
  }

  /** A peer that knows no identifiers gets none: ours is used all the same, as pppd does. */
  rejected({ type }: ConfigOption): void {
    if (type === INTERFACE_ID) this.#sendsLocal = false
  }

  judge(option: ConfigOption): Judgement {
    const value = u64Value(option)
    if (option.type !== INTERFACE_ID || value === undefined) return 'reject'
    const { remoteInterfaceId, acceptRemote } = this.#settings
    const isFree = remoteInterfaceId === 0n || acceptRemote
    if (value !== 0n && value !== this.#local && (isFree || value === remoteInterfaceId)) return 'ack'
    return u64Option(INTERFACE_ID, this.#suggested())
  }

  missing(present: ReadonlySet<number>): ConfigOption[] {
    if (present.has(INTERFACE_ID)) return []
    if (++this.#timesAsked <= MAX_ASKED) return [u64Option(INTERFACE_ID, this.#suggested())]
    if (this.#settings.remoteInterfaceId === 0n) this.#object('the peer names no interface identifier')
    return []
  }

  /** Without an identifier there is no address. */
  insistsOn(type: number): boolean {
    return type === INTERFACE_ID
  }

  accepted(options: readonly ConfigOption[]): void {
    const option = options.find(({ type }) => type === INTERFACE_ID)
    this.#peer = (option && u64Value(option)) ?? this.#settings.remoteInterfaceId
  }

  extraCode(): ExtraCode {
    return 'unknown'
  }

  codeRejected(): void {}

  #suggested(): bigint {
    if (this.#suggestion === 0n || this.#suggestion === this.#local) this.#suggestion = this.#drawn()
    return this.#suggestion
  }

  /** Neither zero nor anybody's here. */
  #drawn(): bigint {
    for (;;) {
      const drawn = u64Value({ type: INTERFACE_ID, data: this.#random.bytes(8) })! & ~UNIVERSAL_BIT
      if (drawn !== 0n && drawn !== this.#local && drawn !== this.#peer) return drawn
    }
  }

  #object(why: string): void {
    this.objection = { cause: 'ipcp-failed', detail: `IPV6CP: ${why}` }
  }
}
