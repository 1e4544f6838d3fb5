/** One life of PPP over a call: an engine's events as two promises, `up` and `ended`. `attempt.ts` waits for them. */

import type { Failure } from '../base/cause.ts'
import { errorText, ModemdError } from '../base/errors.ts'
import { formatIpv4, isUsableUnicast, parseIpv4 } from '../base/ipv4.ts'
import type { Cancel, Clock } from '../base/ports.ts'
import type { Call } from '../modem/snapshot.ts'
import type { PppEngine, PppLink } from '../ppp/engines/engine.ts'
import {
  type AuthProtocol,
  CLIENT_DEFAULTS,
  type PppAddress,
  type PppPhase,
  type PppSettings,
} from '../ppp/settings.ts'
import type { Profile, ProfileAuth } from './profile.ts'
import type { Ip4Snapshot } from './snapshot.ts'

export interface PppUp {
  readonly interfaceName: string
  readonly address: PppAddress
}

export interface PppEnd {
  readonly failure: Failure
  /** pppd's codes; undefined where the engine could not even begin. */
  readonly pppExit: number | undefined
}

/** Beyond what the engine promises: should it stay silent, the call is hung up all the same. */
const GRACE_MS = 2000

export class PppRun {
  /** Never rejects; stays open where the session ends before. */
  readonly up: Promise<PppUp>
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
    onPhase: (phase: PppPhase) => void,
  ) {
    this.#clock = clock
    this.#restartMs = profile.lcpRestartMs
    let resolveUp: (up: PppUp) => void = () => {}
    this.up = new Promise((resolve) => {
      resolveUp = resolve
    })
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve
    })
    const options = {
      settings: pppSettings(profile),
      defaultRouteMetric: profile.defaultRoute ? profile.routeMetric + profile.priority : undefined,
    }
    try {
      this.#link = engine.open(wire, options, (event) => {
        if (this.#end) return
        if (event.type === 'phase') onPhase(event.phase)
        else if (event.type === 'up') resolveUp(event)
        else this.#finish({ failure: event.failure, pppExit: event.exitCode })
      })
    } catch (error) {
      const cause = (error instanceof ModemdError && error.failureCause) || 'internal'
      this.#finish({ failure: { cause, detail: errorText(error) }, pppExit: undefined })
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
    const silentAtMs = this.#clock.nowMs() + 2 * this.#restartMs + GRACE_MS
    this.#cancelGrace = this.#clock.at(silentAtMs, () => this.#finish({ failure, pppExit: undefined }))
    this.#link?.terminate(failure)
  }

  #finish(end: PppEnd): void {
    this.#cancelGrace?.()
    this.#end = end
    this.#resolveEnded(end)
  }
}

const AUTH: Readonly<Record<ProfileAuth, readonly AuthProtocol[]>> = {
  any: CLIENT_DEFAULTS.auth,
  none: [],
  pap: ['pap'],
  chap: ['chap'],
  // Refused as unsupported before it comes here.
  mschapv2: [],
}

export function pppSettings(profile: Profile): PppSettings {
  return {
    ...CLIENT_DEFAULTS,
    auth: AUTH[profile.auth],
    user: profile.username,
    password: profile.password,
    mruBytes: profile.mtuBytes,
    mtuBytes: profile.mtuBytes,
    requestDns: profile.dns,
    restartMs: profile.lcpRestartMs,
    maxConfigure: profile.lcpMaxConfigure,
    echoIntervalMs: profile.lcpEchoIntervalMs,
    echoFailure: profile.lcpEchoFailure,
  }
}

/** What GSM modems offer before the network has given name servers. */
const PLACEHOLDERS = ['10.11.12.13', '10.11.12.14'].map(parseIpv4)

/** Without name servers that a hostile or half attached network must not give us (DESIGN §7.7). */
export function ip4Of({ local, peer, dns, mtuBytes }: PppAddress): Ip4Snapshot {
  const servers = dns.filter((server) => isUsableUnicast(server) && !PLACEHOLDERS.includes(server))
  return {
    address: formatIpv4(local),
    prefix: 32,
    peer: peer === 0 ? undefined : formatIpv4(peer),
    dns: [...new Set(servers)].map(formatIpv4),
    mtu: mtuBytes,
  }
}
