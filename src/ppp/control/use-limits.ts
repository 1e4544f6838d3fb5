/**
 * How long a link may be up, and how long without a packet (pppd's `maxconnect` and `idle`). Owned by `session.ts`; what is idle
 * the carrier knows where packets do not pass through the session.
 */

import type { Failure } from '../../base/cause.ts'
import type { PppSettings } from '../settings.ts'
import type { Alarms } from './alarms.ts'

const IDLE_ALARM = 'idle'
const LIMIT_ALARM = 'connect time'

export interface UseLimitsHost {
  /** Since the last packet in either direction; undefined: not to be known now. */
  idleMs(): number | undefined
  reached(failure: Failure): void
}

export class UseLimits {
  readonly #settings: Pick<PppSettings, 'idleMs' | 'connectLimitMs'>
  readonly #alarms: Alarms
  readonly #host: UseLimitsHost
  #hasBegun = false

  constructor(settings: Pick<PppSettings, 'idleMs' | 'connectLimitMs'>, alarms: Alarms, host: UseLimitsHost) {
    this.#settings = settings
    this.#alarms = alarms
    this.#host = host
  }

  /** The link runs. A renegotiation does not prolong the connect time. */
  start(): void {
    const { idleMs, connectLimitMs } = this.#settings
    if (idleMs > 0) this.#alarms.set(IDLE_ALARM, idleMs, () => this.#checkIdle())
    if (this.#hasBegun || connectLimitMs === 0) return
    this.#hasBegun = true
    this.#alarms.set(LIMIT_ALARM, connectLimitMs, () => {
      this.#host.reached({ cause: 'time-limit', detail: `the link was up for ${connectLimitMs / 1000} s` })
    })
  }

  /** It runs no more: that is not idle. */
  stop(): void {
    this.#alarms.cancel(IDLE_ALARM)
  }

  #checkIdle(): void {
    const limitMs = this.#settings.idleMs
    const idleMs = this.#host.idleMs() ?? 0
    if (idleMs >= limitMs) this.#host.reached({ cause: 'idle', detail: `no packet for ${limitMs / 1000} s` })
    else this.#alarms.set(IDLE_ALARM, limitMs - idleMs, () => this.#checkIdle())
  }
}
