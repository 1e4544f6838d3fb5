/** One life of PPP over a call, from an engine's first event to its end, which comes in any case. `attempt.ts` runs one. */

import type { Failure } from '../base/cause.ts'
import { failureOf } from '../base/errors.ts'
import { formatIpv4, isPlaceholderNameServer, isUsableUnicast, parseIpv4 } from '../base/ipv4.ts'
import { formatIpv6 } from '../base/ipv6.ts'
import type { Cancel, Clock } from '../base/ports.ts'
import type { Call } from '../modem/snapshot.ts'
import type { LinkAddress, PppEngine, PppLink, PppLinkEvent } from '../ppp/engines/engine.ts'
import { type AuthProtocol, CLIENT_DEFAULTS, type PppSettings } from '../ppp/settings.ts'
import type { Profile, ProfileAuth } from './profile.ts'
import type { IpSnapshot } from './snapshot.ts'

/** `up` comes again, perhaps with another address, when the peer negotiated anew: phases before `running` came in between. */
export type PppProgress = Exclude<PppLinkEvent, { readonly type: 'down' }>
export type PppUp = Extract<PppLinkEvent, { readonly type: 'up' }>

export interface PppEnd {
  readonly failure: Failure
  /** pppd's codes; undefined where the engine could not even begin. */
  readonly pppExit: number | undefined
}

/** Beyond what the engine promises: should it stay silent, the call is hung up all the same. */
const GRACE_MS = 2000
const LINK_LOCAL_PREFIX_LENGTH = 64

export class PppRun {
  /** Never rejects. */
  readonly ended: Promise<PppEnd>
  readonly #clock: Clock
  readonly #restartMs: number
  #link: PppLink | undefined
  #end: PppEnd | undefined
  #resolveEnded: (end: PppEnd) => void = () => {}
  #cancelGrace: Cancel | undefined

  constructor(
    engine: PppEngine,
    wire: Call['wire'],
    profile: Profile,
    clock: Clock,
    onProgress: (event: PppProgress) => void,
  ) {
    this.#clock = clock
    this.#restartMs = profile.lcpRestartMs
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve
    })
    const options = {
      settings: pppSettings(profile),
      pppdOptions: profile.pppdOptions,
      defaultRouteMetric: profile.defaultRoute ? profile.routeMetric + profile.priority : undefined,
    }
    try {
      this.#link = engine.open(wire, options, (event) => {
        if (this.#end) return
        if (event.type === 'down') this.#finish({ failure: event.failure, pppExit: event.exitCode })
        else onProgress(event)
      })
    } catch (error) {
      this.#finish({ failure: failureOf(error), pppExit: undefined })
    }
  }

  get isEnded(): boolean {
    return this.#end !== undefined
  }

  counters(): { readonly rxBytes: bigint; readonly txBytes: bigint } {
    return this.#link?.counters() ?? { rxBytes: 0n, txBytes: 0n }
  }

  terminate(failure: Failure): void {
    if (this.#end || this.#cancelGrace) return
    this.#limit(failure)
    this.#link?.terminate(failure)
  }

  lost(detail: string): void {
    if (this.#end) return
    this.#limit({ cause: 'hung-up', detail })
    this.#link?.lost(detail)
  }

  #limit(failure: Failure): void {
    const silentAtMs = this.#clock.nowMs() + 2 * this.#restartMs + GRACE_MS
    this.#cancelGrace ??= this.#clock.at(silentAtMs, () => this.#finish({ failure, pppExit: undefined }))
  }

  #finish(end: PppEnd): void {
    this.#cancelGrace?.()
    this.#end = end
    this.#resolveEnded(end)
  }
}

const AUTH: Readonly<Record<ProfileAuth, readonly AuthProtocol[]>> = {
  any: CLIENT_DEFAULTS.answersAuth,
  none: [],
  pap: ['pap'],
  chap: ['chap'],
  mschapv2: ['mschapv2'],
}

function pppSettings(profile: Profile): PppSettings {
  return {
    ...CLIENT_DEFAULTS,
    answersAuth: AUTH[profile.auth],
    user: profile.username,
    password: profile.password,
    mruBytes: profile.mtuBytes,
    mtuBytes: profile.mtuBytes,
    ipv4: profile.ip !== '6',
    ipv6: profile.ip !== '4',
    requestDns: profile.dns,
    restartMs: profile.lcpRestartMs,
    maxConfigure: profile.lcpMaxConfigure,
    echoIntervalMs: profile.lcpEchoIntervalMs,
    echoFailure: profile.lcpEchoFailure,
  }
}

/**
 * Without name servers that a hostile or half attached network must not give us (DESIGN §7.7), whichever engine took them.
 * `ownDns`: the access point's own, for a network that names none.
 */
export function ip4Of({ ip4, mtuBytes }: LinkAddress, ownDns: readonly string[] = []): IpSnapshot | undefined {
  if (!ip4) return undefined
  const { local, peer, dns } = ip4
  const isUsable = (server: number) => isUsableUnicast(server) && !isPlaceholderNameServer(server)
  const named = dns.filter(isUsable)
  const servers = named.length > 0 ? named : ownDns.flatMap((text) => parseIpv4(text) ?? []).filter(isUsable)
  return {
    address: formatIpv4(local),
    prefix: 32,
    ...(peer === 0 ? {} : { peer: formatIpv4(peer), gateway: formatIpv4(peer) }),
    dns: [...new Set(servers)].map(formatIpv4),
    mtu: mtuBytes,
  }
}

export function ip6Of({ ip6, mtuBytes }: LinkAddress): IpSnapshot | undefined {
  if (!ip6) return undefined
  const { local, peer, global } = ip6
  return {
    address: formatIpv6(global?.address ?? local),
    prefix: global?.prefixLength ?? LINK_LOCAL_PREFIX_LENGTH,
    peer: formatIpv6(peer),
    gateway: global && formatIpv6(global.gateway),
    dns: [],
    mtu: mtuBytes,
  }
}
