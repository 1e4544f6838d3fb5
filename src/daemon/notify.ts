/** Tells the service manager how the daemon is (sd_notify(3)): ready, reloading, stopping, and alive where it asks for a watchdog. Used by main.ts. */

import type { Cancel, Clock } from '../base/ports.ts'
import { systemClock } from '../system/clock.ts'
import { type DatagramSocket, openDatagram } from '../system/datagram.ts'

export interface ServiceManagerOptions {
  /** Its NOTIFY_SOCKET and WATCHDOG_… are removed, so that no child speaks for us. */
  readonly environment?: NodeJS.ProcessEnv
  readonly clock?: Clock
}

/** Without NOTIFY_SOCKET it does nothing. A service manager that does not listen is no reason to fail. */
export class ServiceManager {
  readonly #clock: Clock
  readonly #socket: DatagramSocket | undefined
  readonly #watchdogMs: number | undefined
  #cancelWatchdog: Cancel | undefined

  constructor({ environment = process.env, clock = systemClock }: ServiceManagerOptions = {}) {
    const { NOTIFY_SOCKET: path, WATCHDOG_USEC: intervalUs, WATCHDOG_PID: pid } = environment
    for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete environment[name]
    this.#clock = clock
    this.#socket = path === undefined ? undefined : openOrNone(path)
    const isForUs = pid === undefined || pid === String(process.pid)
    // Twice in the interval, as sd_watchdog_enabled(3) advises.
    const halfMs = Number(intervalUs) / 1000 / 2
    this.#watchdogMs = this.#socket && isForUs && halfMs >= 1 ? halfMs : undefined
  }

  /** Also after a reload. */
  ready(): void {
    this.#tell('READY=1')
    if (this.#watchdogMs !== undefined && !this.#cancelWatchdog) this.#pat(this.#watchdogMs)
  }

  reloading(): void {
    this.#tell(`RELOADING=1\nMONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`)
  }

  /** One line for `systemctl status`. */
  status(text: string): void {
    this.#tell(`STATUS=${text.replaceAll('\n', ' ')}`)
  }

  stopping(): void {
    this.#tell('STOPPING=1')
  }

  close(): void {
    this.#cancelWatchdog?.()
    this.#socket?.close()
  }

  #pat(everyMs: number): void {
    this.#tell('WATCHDOG=1')
    this.#cancelWatchdog = this.#clock.at(this.#clock.nowMs() + everyMs, () => this.#pat(everyMs))
  }

  #tell(state: string): void {
    try {
      this.#socket?.send(Buffer.from(state))
    } catch {
      // It is gone: whoever started us notices more than we could say.
    }
  }
}

function openOrNone(path: string): DatagramSocket | undefined {
  try {
    return openDatagram(path)
  } catch {
    return undefined
  }
}
