/**
 * A profile: how one link is made. The configuration (daemon/config.ts) makes them from files, the supervisor runs them.
 * Times in milliseconds, sizes in bytes.
 */

import type { EngineName } from '../ppp/engines/engine.ts'
import type { CheckTarget } from './check/reach.ts'
import type { RedialRules } from './redial.ts'
import type { ProfileFields } from './snapshot.ts'

export type ProfileAuth = 'any' | 'none' | 'pap' | 'chap' | 'mschapv2'

/** Which modem a profile may use: `any`, an id, `imei:…`, `usb:1-2` or `tty:/dev/ttyS1`. */
export type ModemSelector = string

export interface Profile {
  readonly name: string
  readonly type: 'gsm' | 'pppoe'
  /** `auto`: the network's choice. */
  readonly apn: string
  readonly number: string
  readonly username: string
  readonly password: string
  /** '': none. */
  readonly pin: string
  readonly modem: ModemSelector
  /** ICCID; '': any SIM. */
  readonly sim: string
  readonly autoconnect: boolean
  readonly dialTimeoutMs: number
  readonly roaming: boolean
  readonly ip: '4' | '6' | '46'
  /** The script's text. */
  readonly chatScript?: string | undefined
  readonly priority: number
  /** Must answer before the link counts as up; undefined: nothing is asked. */
  readonly check: CheckTarget | undefined
  /** Per month; undefined: none. */
  readonly dataLimitBytes: number | undefined
  readonly cid: number | 'auto'
  readonly engine: 'auto' | EngineName
  readonly auth: ProfileAuth
  readonly mtuBytes: number
  readonly lcpRestartMs: number
  readonly lcpMaxConfigure: number
  readonly lcpEchoIntervalMs: number
  readonly lcpEchoFailure: number
  readonly defaultRoute: boolean
  /** More words for pppd, as in one of its option files; '' for the other engines. */
  readonly pppdOptions: string
  readonly routeMetric: number
  readonly dns: boolean
  readonly redial: RedialRules
  /** Failures in a row before the next rung of the recovery ladder. */
  readonly resetAfter: number
  /** It has `options` or `chat-script`: only an administrator may use it. */
  readonly needsAdministrator: boolean
  /** What it asks for and this version cannot do, as `key = value`; such a link is refused, never half made. */
  readonly unsupported: readonly string[]
  /** As D-Bus shows it: no secret. */
  readonly fields: ProfileFields
}

/** Where profiles come from. `daemon/config.ts` is one. */
export interface ProfileSource {
  /** The good ones, by name. */
  readonly profiles: readonly Profile[]
  /** All defaults: what Connect without a profile starts from. */
  readonly manual: Profile
  /** `file:line: reason`, one a fault of the last reading. */
  readonly faults: readonly string[]
  /** Reads again. What is good is taken on, what is not keeps its last good form and shows in `faults`. */
  reload(): void
  /** Rejects with InvalidArgs or NotAuthorized (a file that cannot be written). */
  save(fields: ProfileFields): Promise<void>
  /** Rejects with NotFound. */
  remove(name: string): Promise<void>
}
