/** A link (one profile's connection) as the bus sees it, and what the bus may ask of the supervisor. */

import type { Cause } from '../base/cause.ts'
import type { Cancel } from '../base/ports.ts'
import type { ModemFleet } from '../modem/snapshot.ts'
import type { NextRung } from './recovery.ts'

export type LinkState =
  | 'idle'
  | 'waiting'
  | 'dialling'
  | 'connecting'
  | 'authenticating'
  | 'configuring'
  | 'up'
  | 'going-down'
  | 'failed'

/** Phases of coming up, in order, with how long each took. `modem` is the wait for one, `sim` for its unlocking, `network` for registration. */
export const LINK_PHASES = ['modem', 'sim', 'network', 'dial', 'lcp', 'auth', 'address'] as const
export type LinkPhase = (typeof LINK_PHASES)[number]

/** One IP version of a link. IPv6: the global address once a router named its prefix, before that the link-local one. */
export interface IpSnapshot {
  readonly address: string
  readonly prefix: number
  readonly peer?: string | undefined
  readonly gateway?: string | undefined
  readonly dns: readonly string[]
  readonly mtu: number
}

/** What a profile has used, in both directions. */
export interface LinkUsage {
  /** `2026-11`, in local time. */
  readonly month: string
  readonly usedBytes: bigint
  /** undefined: none. */
  readonly limitBytes: bigint | undefined
}

export interface LinkSnapshot {
  /** The profile's name. */
  readonly id: string
  readonly profile: string
  /** The modem's id while it uses one. */
  readonly modem?: string | undefined
  readonly state: LinkState
  readonly phaseMs: Readonly<Partial<Record<LinkPhase, number>>>
  readonly interface?: string | undefined
  readonly engine?: string | undefined
  /** That it dials with or is up with; '': the network's choice. */
  readonly apn?: string | undefined
  readonly connectSpeed?: number | undefined
  readonly report?: string | undefined
  readonly ip4?: IpSnapshot | undefined
  readonly ip6?: IpSnapshot | undefined
  readonly rxBytes: bigint
  readonly txBytes: bigint
  readonly upSinceUs?: bigint | undefined
  /** Of this month. */
  readonly usage?: LinkUsage | undefined
  /** Attempts since the link was last asked for or up. */
  readonly attempts: number
  readonly cause?: Cause | undefined
  /** When it ended so. */
  readonly causeAtUs?: bigint | undefined
  /** The raw evidence. */
  readonly causeDetail?: string | undefined
  readonly advice?: string | undefined
  readonly chatExit?: number | undefined
  readonly pppExit?: number | undefined
  /** 0n: none planned. */
  readonly nextAttemptAtUs: bigint
  readonly nextAttemptReason: string
  /** Of the recovery ladder, where the next attempts fail, too; undefined: none is left, or none would help. */
  readonly nextRung?: NextRung | undefined
}

/** The keys of Manager1.Connect's `options`; already checked for type by the bus, for value by the supervisor. */
export interface ConnectOptions {
  readonly apn?: string
  readonly user?: string
  readonly password?: string
  readonly number?: string
  readonly pin?: string
  readonly ip?: string
  readonly engine?: string
  /** Milliseconds. */
  readonly timeout?: number
  /** A modem's id; the profile's own choice where undefined. */
  readonly modem?: string
}

export interface LinkHandle {
  readonly snapshot: LinkSnapshot
  onChange(listener: (next: LinkSnapshot, previous: LinkSnapshot) => void): Cancel
  /** Starts (or goes on). Resolves at once; how it ends shows in the snapshot. */
  up(): Promise<void>
  down(): Promise<void>
  /** Resolves when the link is up, rejects with a ModemdError when its attempt failed. */
  settled(): Promise<void>
}

/** An access point of the provider database; without its password. */
export interface ApnOffer {
  readonly apn: string
  /** Of the plan; ''. */
  readonly name: string
  readonly provider: string
  /** ISO 3166, lower case; ''. */
  readonly country: string
  readonly plans: readonly string[]
  readonly usage: string
  readonly user: string
  readonly hasPassword: boolean
  readonly auth: string
  readonly dns: readonly string[]
  /** It worked for the SIM last. */
  readonly isRemembered: boolean
}

/** One profile as D-Bus shows it: `name`, the keys of [profile] and [ppp] as they are, those of [redial] as `redial.busy`. No secret comes out; '' goes back to the default. */
export type ProfileFields = Readonly<Record<string, string | number | boolean>>

/** The D-Bus service's whole view of the daemon. `link/supervisor.ts` is one. */
export interface SupervisorApi {
  readonly version: string
  /** Usable here, the best first, e.g. `builtin`. */
  readonly engines: readonly string[]
  /** Every engine, and why it is used or cannot be, a sentence. */
  readonly engineReasons: Readonly<Record<string, string>>
  readonly fleet: ModemFleet
  readonly links: readonly LinkHandle[]
  onLinkAdded(listener: (link: LinkHandle) => void): Cancel
  onLinkRemoved(listener: (link: LinkHandle) => void): Cancel
  /** profile '': the link `manual`. Rejects with a ModemdError: NotFound, InvalidArgs, Busy. Resolves once the link has started. */
  connect(profile: string, options: ConnectOptions): Promise<LinkHandle>
  /** undefined: all. */
  disconnect(linkId: string | undefined): Promise<void>
  /** Does the profile have what only an administrator may use (`options`, `chat-script`)? */
  profileNeedsAdministrator(profile: string): boolean
  profiles(): readonly ProfileFields[]
  /** Of a network (its PLMN) or of a modem's SIM (its id), the best first. Rejects with NotFound, WrongState or Busy. */
  apnsOf(networkOrModem: string): Promise<readonly ApnOffer[]>
  saveProfile(fields: ProfileFields): Promise<void>
  removeProfile(name: string): Promise<void>
  /** Rejects with InvalidArgs naming file, line and reason; the last good configuration stays. */
  reloadConfig(): Promise<void>
}
