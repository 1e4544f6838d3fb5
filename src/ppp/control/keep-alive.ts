/**
 * LCP echoes as a sign of life (RFC 1661 §5.8). Many modems answer none: unless the settings say so, a missing reply means
 * something only after a first one was seen. Replies count by identifier alone, since some peers send neither magic number nor data. Owned by `session.ts`.
 */

import type { PppSettings } from '../settings.ts'
import type { Alarms } from './alarms.ts'

const ALARM = 'LCP echo'

export interface KeepAliveHost {
  /** Sends an Echo-Request and tells its identifier. */
  sendEcho(): number
  lost(unanswered: number): void
}

export class KeepAlive {
  readonly #intervalMs: number
  readonly #failure: number
  readonly #alarms: Alarms
  readonly #host: KeepAliveHost
  /** Missing replies count. */
  #isExpected: boolean
  readonly #unanswered = new Set<number>()

  /** `echoIntervalMs` 0: no echoes at all; `echoFailure` 0: none of them ends the link. */
  constructor(
    settings: Pick<PppSettings, 'echoIntervalMs' | 'echoFailure' | 'echoFromStart'>,
    alarms: Alarms,
    host: KeepAliveHost,
  ) {
    this.#intervalMs = settings.echoIntervalMs
    this.#failure = settings.echoFailure
    this.#isExpected = settings.echoFromStart
    this.#alarms = alarms
    this.#host = host
  }

  start(): void {
    this.#unanswered.clear()
    if (this.#intervalMs > 0) this.#alarms.set(ALARM, this.#intervalMs, () => this.#beat())
  }

  stop(): void {
    this.#alarms.cancel(ALARM)
  }

  replied(id: number): void {
    if (!this.#unanswered.has(id)) return
    this.#isExpected = true
    this.#unanswered.clear()
  }

  #beat(): void {
    if (this.#isExpected && this.#failure > 0 && this.#unanswered.size >= this.#failure) {
      this.#host.lost(this.#unanswered.size)
      return
    }
    this.#unanswered.add(this.#host.sendEcho())
    this.#alarms.set(ALARM, this.#intervalMs, () => this.#beat())
  }
}
